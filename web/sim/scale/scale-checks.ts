// What must hold when the faults are over: everybody is in their group, every job ends, all who keep a job have the same of it, each item has one
// right result, and nothing is left behind.
import { encodeWire } from '../../kernel/lib/wire-codec.ts';
import { hash53 } from '../../kernel/lib/rendezvous.ts';
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
const readMsMax = 600_000;
/** Of one shard. */
const readsAtOnce = 500;

/** Advances until no shard's `missing` names anything; a violation of liveness with what it named last otherwise. Answers with how long it took. */
async function until(world: ScaleWorld, withinMs: number, what: string, missing: () => Promise<string | undefined>): Promise<number> {
  const began = world.clock.now();
  for (;;) {
    const left = world.gather(what, (await missing()) ?? null).find((name) => name !== null);
    const tookMs = world.clock.now() - began;
    if (left === undefined) return tookMs;
    if (tookMs >= withinMs) {
      if (world.shards.index === 0) world.violations.add('L', `${what} within ${withinMs / 1_000} s: ${left}`);
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

/** In the group that was its home each job is done, as who submitted it says, or anybody there. */
export function finished(world: ScaleWorld, jobs: readonly Submitted[]): Promise<number> {
  const open = new Set(jobs);
  return until(world, finishMsMax, 'every job ends', async () => {
    const standings = await Promise.all([...open].map((job) => standingOf(world, job)));
    const all = world.gather('standings', standings);
    const states = [...open].map((job, at) => ({ job, said: all.flatMap((said) => said[at] ?? []) }));
    for (const { job, said } of states) if (said.includes('ended')) open.delete(job);
    const left = states.find(({ job }) => open.has(job));
    return left && `${open.size} jobs; job ${left.job.plan.number} is ${left.said.join(' and ')}`;
  });
}

/** As a witness of this shard says; null where there is none. */
async function standingOf(world: ScaleWorld, job: Submitted): Promise<string | null> {
  if (job.id === undefined) return 'not handed over';
  const process = witnessOf(world, job);
  if (process === undefined) return null;
  const known = await process.kernel.bus.ask(ledgerContract, 'jobs', 'query', {});
  const summary = known.ok ? known.value.body.jobs.find(({ id }) => id === job.id) : undefined;
  if (summary !== undefined && hasEnded(summary)) return 'ended';
  return `${summary?.state ?? 'unknown'} with ${summary?.committed ?? 0} of ${job.plan.items}`;
}

/** Somebody of this shard who is open in the job's group: its submitter, or who is in the group that it was in. */
function witnessOf(world: ScaleWorld, job: Submitted) {
  const submitter = job.by === undefined ? undefined : world.processAt(job.by);
  if (submitter !== undefined) return submitter;
  return world.directory
    .membersOf(networkName, job.home!)
    .map((peer) => world.processAt(peer))
    .find((process) => process !== undefined);
}

/** Every shard learns of the jobs that others have handed over. */
export function shareJobs(world: ScaleWorld, jobs: readonly Submitted[]): void {
  const own = jobs.map(({ id, by, home, submittedMs }) => (id === undefined ? null : { id, by: by!, home: home!, submittedMs }));
  for (const said of world.gather('jobs', own)) jobs.forEach((job, at) => Object.assign(job, said[at]));
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
    const gists: (number | null)[] = [];
    let wrong: string | undefined;
    for (const { id, home, plan } of jobs) {
      const all = accounts.get(id!) ?? [];
      const [first] = all;
      const gist = first && gistOf(first);
      gists.push(gist === undefined ? null : hash53(gist));
      const other = all.find((account) => gistOf(account) !== gist);
      if (first !== undefined && other !== undefined)
        wrong ??= `tabs ${first.by.tab.number} and ${other.by.tab.number} differ in job ${plan.number}: ${gist} and ${gistOf(other)}`;
      const having = new Set(all.map(({ by }) => by.kernel.self.peer));
      const lacking = world.directory
        .membersOf(networkName, home!)
        .filter((peer) => world.processAt(peer) !== undefined && !having.has(peer)).length;
      if (lacking > 0) wrong ??= `${lacking} members of its group lack job ${plan.number}`;
    }
    const everywhere = world.gather('gists', gists);
    for (const [at, { plan }] of jobs.entries()) {
      const known = new Set(everywhere.flatMap((said) => said[at] ?? []));
      if (known.size === 0) wrong ??= `nobody has job ${plan.number}`;
      if (known.size > 1) wrong ??= `tabs of two shards differ in job ${plan.number}`;
    }
    return wrong;
  });
  const own = [...accounts].map(([job, all]): [string, { bytes: number; replicas: number }] => [
    job,
    { bytes: encodeWire(all[0]!.clock).length, replicas: all.length },
  ]);
  const sizes = new Map<string, { bytes: number; replicas: number }>();
  for (const [job, { bytes, replicas }] of world.gather('sizes', own).flat())
    sizes.set(job, { bytes, replicas: replicas + (sizes.get(job)?.replicas ?? 0) });
  const clocks = [...sizes.values()].map(({ bytes }) => bytes);
  const mean = (amounts: readonly number[]) => amounts.reduce((sum, amount) => sum + amount, 0) / Math.max(1, amounts.length);
  return {
    tookMs,
    rounds: Math.ceil(tookMs / clockExchangeEveryMs),
    clockBytes: Math.round(mean(clocks)),
    clockBytesMax: Math.max(0, ...clocks),
    replicas: mean([...sizes.values()].map(({ replicas }) => replicas)),
  };
}

export interface Outcome {
  readonly functions: number;
  readonly items: number;
  readonly surplusItems: number;
}

/** Each item has one result, the right one, as a tab reads it that is drawn from the job's group. Of the jobs whose reader is of this shard. */
export async function checkResults(world: ScaleWorld, jobs: readonly Submitted[]): Promise<Outcome> {
  const draw = new Draw(`${world.options.seed} readers`);
  const sum = { functions: 0, items: 0, surplusItems: 0 };
  const drawn = jobs.map((job) => {
    const members = job.home === undefined ? [] : world.directory.membersOf(networkName, job.home);
    const peer = members.length === 0 ? job.by : draw.pick(members);
    return { job, reader: peer === undefined ? undefined : world.processAt(peer) };
  });
  const read = world.gather(
    'readers',
    drawn.map(({ reader }) => reader !== undefined),
  );
  const unread = jobs.filter((_, at) => !read.some((said) => said[at]));
  if (world.shards.index === 0) for (const { plan } of unread) world.violations.add('L', `nobody reads job ${plan.number}`);
  const left = drawn.filter(({ reader }) => reader !== undefined);
  const readOne = async ({ job: { plan, id }, reader }: (typeof left)[number]) => {
    if (id === undefined || reader === undefined) return;
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
  let over = false;
  void reading.then(() => (over = true));
  await until(world, readMsMax, 'all results are read', () => Promise.resolve(over ? undefined : `${left.length} jobs are left`));
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
