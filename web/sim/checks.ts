// What must hold when the faults are over: first in bounded time (liveness), then of the state that is reached.
import { equalBytes } from '../kernel/lib/bytes.ts';
import { decodeWire } from '../kernel/lib/wire-codec.ts';
import { blocksContract } from '../kernel/protocol/contracts/blocks.ts';
import { ledgerContract, type JobSummary } from '../kernel/protocol/contracts/ledger.ts';
import { membershipContract } from '../kernel/protocol/contracts/membership.ts';
import type { JobId, ObjectId } from '../kernel/lib/ids.ts';
import type { ObjectManifest } from '../kernel/protocol/object.ts';
import type { Storage } from '../kernel/platform.ts';
import type { Draw } from './draw.ts';
import { short } from './queue-watch.ts';
import { checkShown, checkValues, spansOf, type SimJob, type SimObject } from './work.ts';
import type { Process, Tab, World } from './world.ts';

/** From the calm on, in virtual time. */
export const gatherMsMax = 60_000;
export const finishMsMax = 180_000;
/** From the end of the last job on. */
export const settleMsMax = 60_000;
const lookEveryMs = 250;
const readTriesMax = 3;
const readAgainMs = 3_000;
const readsAtOnce = 16;

const processes = (world: World): (readonly [Tab, Process])[] =>
  world.tabs.flatMap((tab) => (tab.process === undefined ? [] : [[tab, tab.process] as const]));
const hasEnded = ({ state }: JobSummary) => state === 'done' || state === 'failed' || state === 'cancelled';

/** Advances until `missing` names nothing any more; a violation with what it named last after `withinMs`. */
async function until(world: World, withinMs: number, what: string, missing: () => Promise<string | undefined>): Promise<boolean> {
  const began = world.clock.now();
  for (;;) {
    const left = await world.clock.finish(missing());
    if (left === undefined) return true;
    if (world.clock.now() - began >= withinMs) {
      world.violations.add('L', `${what} within ${withinMs / 1_000} s: ${left}`);
      return false;
    }
    await world.clock.advance(lookEveryMs);
  }
}

export function gathered(world: World): Promise<boolean> {
  const expected = world.tabs.filter(({ lost }) => !lost).length;
  return until(world, gatherMsMax, 'everybody sees everybody', async () => {
    for (const [tab, { kernel }] of processes(world)) {
      const view = await kernel.bus.ask(membershipContract, 'members', 'query', {});
      const seen = view.ok ? view.value.body.members.filter(({ status }) => status === 'alive').length : 0;
      if (seen !== expected) return `tab ${tab.number} sees ${seen} of ${expected}`;
    }
    return world.live.length === expected ? undefined : `${world.live.length} of ${expected} tabs are open`;
  });
}

async function summaryOf({ kernel }: Process, job: JobId): Promise<JobSummary | undefined> {
  const reply = await kernel.bus.ask(ledgerContract, 'jobs', 'query', {});
  return reply.ok ? reply.value.body.jobs.find(({ id }) => id === job) : undefined;
}

/** Every job that was handed over ends, as its submitter sees it. */
export function finished(world: World, jobs: readonly SimJob[]): Promise<boolean> {
  return until(world, finishMsMax, 'every job ends', async () => {
    for (const job of jobs) {
      const { process } = world.tabs[job.plan.submitter]!;
      if (job.id === undefined || process === undefined) continue;
      const summary = await summaryOf(process, job.id);
      if (summary === undefined || !hasEnded(summary))
        return `job ${job.number} (${short(job.id)}) is ${summary?.state ?? 'unknown'} with ${(summary?.committed ?? 0) + (summary?.failed ?? 0)} of ${job.plan.items} items`;
    }
    return undefined;
  });
}

interface Account {
  readonly state: string;
  readonly clock: string;
  readonly spans: string;
}

async function accountOf({ kernel }: Process, job: JobId): Promise<Account | undefined> {
  const [spans, detail] = await Promise.all([spansOf(kernel.bus, job), kernel.bus.ask(ledgerContract, 'decisions', 'get', { job })]);
  const reply = await kernel.bus.ask(ledgerContract, 'jobs', 'query', {});
  const summary = reply.ok ? reply.value.body.jobs.find(({ id }) => id === job) : undefined;
  if (spans === undefined || !detail.ok || summary === undefined) return undefined;
  // Of a cancelled job only the tombstone is left, and each tab has forgotten what it had by then.
  if (summary.state === 'cancelled') return { state: 'cancelled', clock: '', spans: '' };
  return {
    state: `${summary.state} ${summary.committed}+${summary.failed}`,
    clock: JSON.stringify(Object.entries(detail.value.body.clock).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    spans: spans.map(({ range, outcome, event, accepted }) => `${range[0]}-${range[1]} ${outcome} ${event} ${accepted}`).join('\n'),
  };
}

/** All ledgers hold the same events; then no record and no lock of an ended job is left in any store. */
export async function settled(world: World, jobs: readonly SimJob[]): Promise<boolean> {
  const handedOver = jobs.filter((job) => job.id !== undefined);
  const converged = await until(world, settleMsMax, 'all ledgers are equal', async () => {
    for (const job of handedOver) {
      let first: Account | undefined;
      for (const [tab, process] of processes(world)) {
        const account = await accountOf(process, job.id!);
        if (account === undefined) return `tab ${tab.number} does not know job ${job.number}`;
        first ??= account;
        if (account.clock !== first.clock) return `tab ${tab.number} and the first differ in the clock of job ${job.number}`;
      }
    }
    return undefined;
  });
  const ended = new Set(handedOver.map(({ id }) => id!));
  const freed = await until(world, settleMsMax, 'records and locks are dropped', async () => {
    for (const tab of world.tabs) {
      if (tab.lost) continue;
      const left = await leftOver(tab.store, ended);
      if (left !== undefined) return `tab ${tab.number} keeps ${left}`;
    }
    return undefined;
  });
  return converged && freed;
}

async function leftOver(store: Storage, ended: ReadonlySet<JobId>): Promise<string | undefined> {
  const records = await store.entries('records', '');
  const locks = await store.keys('locks', '');
  if (!records.ok || !locks.ok) return 'a store that cannot be read';
  const text = new TextDecoder('latin1');
  const mine = records.value.filter(([, bytes]) => {
    const content = text.decode(bytes as Uint8Array);
    return [...ended].some((job) => content.includes(job));
  });
  if (mine.length > 0) return `${mine.length} records of ended jobs`;
  const kept = new Set(records.value.map(([key]) => key));
  const orphans = locks.value.filter((key) => !kept.has(key));
  return orphans.length > 0 ? `${orphans.length} locks of no record` : undefined;
}

/** Equal ledgers fold to equal states; each item has one right result; what was shown is still so; put objects read back. */
export async function checkEnd(world: World, jobs: readonly SimJob[], objects: readonly SimObject[], draw: Draw): Promise<void> {
  const live = processes(world);
  const reads: (() => Promise<void>)[] = [];
  for (const job of jobs) {
    if (job.id === undefined) continue;
    // The submitter may just have accepted something more: those who hold the same events are compared.
    const byClock = new Map<string, { readonly number: number; readonly account: Account }>();
    for (const [{ number }, process] of live) {
      const account = await accountOf(process, job.id);
      if (account === undefined) continue;
      const same = byClock.get(account.clock);
      if (same === undefined) byClock.set(account.clock, { number, account });
      else if (same.account.spans !== account.spans || same.account.state !== account.state) {
        world.violations.add(
          'S1',
          `tabs ${same.number} and ${number} hold the same events of job ${job.number} and decide otherwise: ${same.account.state} and ${account.state}; ${difference(same.account.spans, account.spans)}`,
        );
      }
    }
    const submitter = world.tabs[job.plan.submitter]!.process;
    for (const process of [submitter, draw.pick(live)[1]]) if (process !== undefined) reads.push(...(await checkJob(world, process, job)));
  }
  for (const object of objects) {
    const [tab, process] = draw.pick(live);
    reads.push(() => checkObject(world, tab, process, object));
  }
  // Several at once, as a page reads: one after the other would be most of a run.
  await Promise.all(
    Array.from({ length: readsAtOnce }, async () => {
      for (let read = reads.pop(); read !== undefined; read = reads.pop()) await read();
    }),
  );
}

async function checkObject(world: World, tab: Tab, { kernel }: Process, object: SimObject): Promise<void> {
  let fault = '';
  const readsBack = (segment: number) =>
    again(world, async () => {
      const answer = await kernel.bus.ask(blocksContract, 'segments', 'get', { object: object.id, segment }, { timeoutMs: 20_000 });
      const bytes = answer.ok ? answer.value.buffers[answer.value.body.data] : undefined;
      if (bytes !== undefined && !equalBytes(bytes, object.segments[segment]!))
        world.violations.add('S6', `segment ${segment} of object ${short(object.id)} reads back otherwise`);
      if (!answer.ok) fault = answer.fault.message;
      return bytes !== undefined;
    });
  let read = true;
  for (const segment of object.segments.keys()) read &&= await readsBack(segment);
  // What nobody but a store that is lost, or a page without one, ever kept is gone, and says so.
  const mayBeGone = object.copies === 0 && (!object.lasts || world.tabs.some(({ lost }) => lost));
  if (!read && !mayBeGone)
    world.violations.add(
      'S6',
      `tab ${tab.number} cannot read object ${short(object.id)} of ${object.copies} copies: ${fault} (${await whereIs(world, object.id)})`,
    );
}

/** The first line that differs. */
function difference(one: string, other: string): string {
  const [a, b] = [one.split('\n'), other.split('\n')];
  const at = a.findIndex((line, i) => line !== b[i]);
  return at === -1 ? 'more spans' : `${a[at]} / ${b[at] ?? 'nothing'}`;
}

/** A read that began before its holders were back may fail, cleanly; one that begins now does not. */
async function again(world: World, read: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 1; tries < readTriesMax; tries++) {
    if (await read()) return true;
    await new Promise<void>((resolve) => world.later(readAgainMs, resolve));
  }
  return read();
}

/** Which tabs' stores have the object's manifest, and which all its slices. */
async function whereIs(world: World, object: ObjectId): Promise<string> {
  const manifests: number[] = [];
  const whole: number[] = [];
  for (const { number, store, lost } of world.tabs) {
    const found = await store.get('objects', object);
    const bytes = found.ok && found.value instanceof Uint8Array ? found.value : undefined;
    if (bytes === undefined || lost) continue;
    manifests.push(number);
    const { segments } = decodeWire(bytes) as ObjectManifest;
    const kept = await Promise.all(segments.map(({ hash }) => store.keys('slices', hash)));
    if (kept.every((keys) => keys.ok && keys.value.length > 0)) whole.push(number);
  }
  return `its manifest is at tabs ${manifests.join(' ') || '-'}, all of it at ${whole.join(' ') || '-'}`;
}

/** What is left to be read. */
async function checkJob(world: World, process: Process, job: SimJob): Promise<(() => Promise<void>)[]> {
  const { bus } = process.kernel;
  const summary = await summaryOf(process, job.id!);
  const spans = (await spansOf(bus, job.id!)) ?? [];
  const reads: (() => Promise<void>)[] = [];
  let at = 0;
  for (const span of spans) {
    if (span.range[0] < at) world.violations.add('S1', `item ${span.range[0]} of job ${job.number} has two results`);
    if (span.range[0] > at && summary?.state === 'done')
      world.violations.add('S1', `item ${at} of job ${job.number}, which is done, has no result`);
    at = span.range[1];
    // Of a cancelled job a tab has what came before the cancel did, and that may be without what was shown.
    if (summary?.state === 'cancelled') continue;
    checkShown(world, job, span);
    reads.push(async () => {
      if (await again(world, () => checkValues(world, bus, job, span))) return;
      const where = await whereIs(world, span.result);
      world.violations.add(
        'S6',
        `tab ${process.number} cannot read the result of items ${span.range[0]} to ${span.range[1]} of job ${job.number} (${short(span.result)}; ${where})`,
      );
    });
  }
  if (summary?.state === 'done' && at !== job.plan.items)
    world.violations.add('S1', `job ${job.number} is done with ${at} of ${job.plan.items} items`);
  if (summary?.state === 'failed' || (summary?.state === 'cancelled' && !job.cancelAsked))
    world.violations.add('S1', `job ${job.number} ended as ${summary.state}: ${summary.reason}`);
  return reads;
}
