// What must hold when the faults are over: everybody is in their group, every job ends, all who keep a job have the same of it, each item has one
// right result, and nothing is left behind.
import { encodeWire } from '../../kernel/lib/wire-codec.ts';
import { clockExchangeEveryMs } from '../../kernel/limits.ts';
import { ledgerContract } from '../../kernel/protocol/contracts/ledger.ts';
import { Draw } from '../draw.ts';
import { spansOf, wrongResults, type Submitted } from './scale-jobs.ts';
import { hasEnded, type Account, type ScaleWatch } from './scale-watch.ts';
import { networkName, type ScaleWorld } from './scale-world.ts';

const lookEveryMs = 500;
const gatherMsMax = 60_000;
const finishMsMax = 120_000;
const convergeMsMax = 60_000;
const freeMsMax = 30_000;
const readsAtOnce = 64;

/** Advances until `missing` names nothing; a violation of liveness with what it named last otherwise. Answers with how long it took. */
async function until(world: ScaleWorld, withinMs: number, what: string, missing: () => Promise<string | undefined>): Promise<number> {
  const began = world.clock.now();
  for (;;) {
    const left = await missing();
    const tookMs = world.clock.now() - began;
    if (left === undefined) return tookMs;
    if (tookMs >= withinMs) {
      world.violations.add('L', `${what} within ${withinMs / 1_000} s: ${left}`);
      return tookMs;
    }
    await world.clock.advance(lookEveryMs);
  }
}

export function gathered(world: ScaleWorld, watch: ScaleWatch): Promise<number> {
  return until(world, gatherMsMax, 'everybody sees their group', async () => {
    const away = world.tabs.filter(({ process }) => process === undefined).length;
    const { incomplete, strangers } = await watch.groups();
    const all = away + incomplete + strangers;
    return all === 0 ? undefined : `${away} tabs are closed, ${incomplete} miss a member, ${strangers} strangers are listed`;
  });
}

/** In the group that was its home each job is done. */
export function finished(world: ScaleWorld, jobs: readonly Submitted[]): Promise<number> {
  const open = new Set(jobs);
  return until(world, finishMsMax, 'every job ends', async () => {
    for (const job of open) {
      if (job.id === undefined) return `job ${job.plan.number} could not be handed over`;
      const process = witnessOf(world, job);
      const known = await process?.kernel.bus.ask(ledgerContract, 'jobs', 'query', {});
      const summary = known?.ok === true ? known.value.body.jobs.find(({ id }) => id === job.id) : undefined;
      if (summary === undefined || !hasEnded(summary))
        return `${open.size} jobs; job ${job.plan.number} is ${summary?.state ?? 'unknown'} with ${summary?.committed ?? 0} of ${job.plan.items}`;
      open.delete(job);
    }
    return undefined;
  });
}

/** Somebody open in the job's group: its submitter, or who is in the group that it was in. */
function witnessOf(world: ScaleWorld, job: Submitted) {
  const submitter = job.by === undefined ? undefined : world.processAt(job.by);
  if (submitter !== undefined) return submitter;
  return world.directory
    .membersOf(networkName, job.home!)
    .map((peer) => world.processAt(peer))
    .find((process) => process !== undefined);
}

export interface Converged {
  readonly tookMs: number;
  /** Periods of the clock exchange. */
  readonly rounds: number;
  readonly clockBytes: number;
  readonly clockBytesMax: number;
  readonly replicas: number;
}

const gistOf = ({ summary, clock }: Account) =>
  `${summary.state} ${summary.committed} ${JSON.stringify(Object.entries(clock).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;

/** All who keep a job have the same events of it, and in its home group that is everybody. */
export async function converged(world: ScaleWorld, watch: ScaleWatch, jobs: readonly Submitted[]): Promise<Converged> {
  let accounts: ReadonlyMap<string, readonly Account[]> = new Map();
  const tookMs = await until(world, convergeMsMax, 'all ledgers are equal', async () => {
    accounts = await watch.look();
    for (const { id, home, plan } of jobs) {
      const all = accounts.get(id!) ?? [];
      const [first] = all;
      if (first === undefined) return `nobody has job ${plan.number}`;
      const gist = gistOf(first);
      const other = all.find((account) => gistOf(account) !== gist);
      if (other !== undefined)
        return `tabs ${first.by.tab.number} and ${other.by.tab.number} differ in job ${plan.number}: ${gist} and ${gistOf(other)}`;
      const having = new Set(all.map(({ by }) => by.kernel.self.peer));
      const lacking = world.directory.membersOf(networkName, home!).filter((peer) => !having.has(peer)).length;
      if (lacking > 0) return `${lacking} members of its group lack job ${plan.number}`;
    }
    return undefined;
  });
  const sizes = [...accounts.values()].map(([first]) => encodeWire(first!.clock).length);
  return {
    tookMs,
    rounds: Math.ceil(tookMs / clockExchangeEveryMs),
    clockBytes: Math.round(sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, sizes.length)),
    clockBytesMax: Math.max(0, ...sizes),
    replicas: [...accounts.values()].reduce((sum, all) => sum + all.length, 0) / Math.max(1, accounts.size),
  };
}

export interface Outcome {
  readonly functions: number;
  readonly items: number;
  readonly surplusItems: number;
}

/** Each item has one result, the right one, as a tab reads it that is drawn from the job's group. */
export async function checkResults(world: ScaleWorld, jobs: readonly Submitted[]): Promise<Outcome> {
  const draw = new Draw(`${world.options.seed} readers`);
  const sum = { functions: 0, items: 0, surplusItems: 0 };
  const left = jobs.map((job) => {
    const members = world.directory.membersOf(networkName, job.home!).flatMap((peer) => world.processAt(peer) ?? []);
    return { job, reader: members.length === 0 ? witnessOf(world, job) : draw.pick(members) };
  });
  const readOne = async ({ job: { plan, id }, reader }: (typeof left)[number]) => {
    if (id === undefined || reader === undefined) return world.violations.add('L', `nobody reads job ${plan.number}`);
    const { bus } = reader.kernel;
    const spans = await spansOf(bus, id);
    const wrong: string[] = [];
    let at = 0;
    for (const { range, outcome } of spans) {
      if (range[0] !== at) wrong.push(`items ${at} to ${range[0]} have ${range[0] > at ? 'no result' : 'two'}`);
      if (outcome !== 'ok') wrong.push(`item ${range[0]} failed`);
      at = range[1];
    }
    if (at !== plan.items) wrong.push(`${at} of ${plan.items} items have a result`);
    wrong.push(...(await wrongResults(bus, plan, spans)));
    for (const what of wrong) world.violations.add('S1', `job ${plan.number}, read by tab ${reader.tab.number}: ${what}`);
    const detail = await bus.ask(ledgerContract, 'decisions', 'get', { job: id });
    sum.functions += new Set(spans.map(({ event }) => event)).size;
    sum.items += at;
    sum.surplusItems += detail.ok ? detail.value.body.surplusItems : 0;
  };
  const reading = Promise.all(
    Array.from({ length: readsAtOnce }, async () => {
      for (let one = left.pop(); one !== undefined; one = left.pop()) await readOne(one);
    }),
  );
  await world.clock.finish(reading, 600_000);
  return sum;
}

/** No record and no lock of a job that has ended stays in a store (S11). */
export async function freed(world: ScaleWorld): Promise<number> {
  return until(world, freeMsMax, 'records and locks are dropped', async () => {
    for (const { number, store, process } of world.tabs) {
      if (process === undefined) continue;
      for (const table of ['records', 'locks'] as const) {
        const kept = await store.keys(table, '');
        if (kept.ok && kept.value.length > 0) return `tab ${number} keeps ${kept.value.length} ${table}`;
      }
    }
    return undefined;
  });
}
