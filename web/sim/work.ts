// What the people of a run do through their tabs: put objects, submit jobs, collect results, change settings. All of it goes over the bus, as
// the SDK does it; a fault is tried again while the tab is there, and given up with it.
import { hexOf } from '../kernel/lib/bytes.ts';
import type { EventId, JobId, ObjectId } from '../kernel/lib/ids.ts';
import { decodeResultBlob } from '../kernel/lib/result-blob.ts';
import { decodeValue, encodeValue } from '../kernel/lib/value-codec.ts';
import { blocksContract } from '../kernel/protocol/contracts/blocks.ts';
import { ledgerContract, type DecidedSpan } from '../kernel/protocol/contracts/ledger.ts';
import { schedulerContract } from '../kernel/protocol/contracts/scheduler.ts';
import { acceptedSpansMax } from '../kernel/protocol/event.ts';
import type { Bus } from '../kernel/service.ts';
import { testDigest } from '../kernel/testing/test-crypto.ts';
import { seededRandom } from '../kernel/testing/seeded-random.ts';
import { itemsAtFirst, offsetOf, valueOf } from './items.ts';
import type { JobPlan, PutPlan } from './plan.ts';
import { short } from './queue-watch.ts';
import type { Process, Tab, World } from './world.ts';

const lifeMs = 3_600_000;
const againMs = 700;
const collectEveryMs = 1_500;
const appendEveryMs = 600;
/** A hanging item is killed after this, twice by each of three donors; no honest one takes so long. */
const itemMs = 2_000;
const spansMax = 10_000;
const readTimeoutMs = 10_000;

export interface SimJob {
  readonly number: number;
  readonly plan: JobPlan;
  /** What it runs over, where that is an object. */
  readonly source: Uint8Array | undefined;
  /** Handed over: the page has said that it may be closed. */
  id: JobId | undefined;
  cancelAsked: boolean;
  /** What the submitter has been shown, by item: never to change. */
  readonly shown: Map<number, EventId>;
}

export interface SimObject {
  readonly segments: readonly Uint8Array[];
  readonly id: ObjectId;
  /** Stores that had acknowledged it, its own left out. */
  readonly copies: number;
  /** Its own keeps it past the page. */
  readonly lasts: boolean;
}

const pause = (process: Process, ms: number) => new Promise<void>((resolve) => process.clock.after(ms, resolve));

/** `source`: what it runs over, where that is an object. */
export async function submitJob(world: World, tab: Tab, job: SimJob, source: SimObject | undefined): Promise<void> {
  const { process } = tab;
  if (process === undefined) return;
  const { bus, self } = process.kernel;
  const draw = seededRandom(`${world.seed} nonce ${job.number}`);
  const code = encodeValue(`code of job ${job.number}`);
  const wall = world.clock.wall();
  for (;;) {
    const put = await bus.ask(
      blocksContract,
      'objects',
      'insert',
      { name: 'code', type: '', expires: wall + lifeMs, segments: [0] },
      { buffers: [code], timeoutMs: readTimeoutMs },
    );
    if (put.ok && (await copiesOf(bus, put.value.body.id)) > 0) {
      const manifest = {
        v: 1 as const,
        network: self.network,
        submitter: self.identity,
        home: self.group(),
        nonce: hexOf(draw.bytes(16)),
        name: `job ${job.number}`,
        createdAt: wall,
        expires: wall + lifeMs,
        code: put.value.body.id,
        codeHash: hexOf(await testDigest.sha256(code)),
        reduce: null,
        args: encodeValue(undefined),
        input:
          source === undefined || job.plan.source === null
            ? rangeOf(job, itemsAtFirst(job.plan))
            : { kind: 'chunks' as const, object: source.id, items: itemsAtFirst(job.plan), bytes: job.plan.source.itemBytes },
        ...(job.plan.appends.length > 0 ? { open: true as const } : {}),
        runtime: 'js' as const,
        redundancy: 1 as const,
        priority: job.plan.priority,
        failuresMax: job.plan.items,
        itemMs,
      };
      const created = await bus.ask(ledgerContract, 'jobs', 'create', { manifest });
      if (created.ok && created.value.body.acknowledged > 0) {
        const id = created.value.body.job;
        const submitted = await bus.ask(schedulerContract, 'jobs', 'submit', { job: id }, { timeoutMs: 30_000 });
        if (submitted.ok) {
          job.id = id;
          world.note(`job ${job.number} is ${id}`);
          return;
        }
      }
    }
    await pause(process, againMs);
  }
}

const rangeOf = (job: SimJob, items: number) => ({ kind: 'range' as const, items, offset: offsetOf(job.number) });

/** Appends what the open job is to get, one after the other, and closes it: in each life of its page what is left. */
export async function appendRest(process: Process, job: SimJob): Promise<void> {
  const { bus } = process.kernel;
  const { appends } = job.plan;
  while (!job.cancelAsked) {
    await pause(process, appendEveryMs);
    if (job.id === undefined) continue;
    const detail = await bus.ask(ledgerContract, 'decisions', 'get', { job: job.id });
    if (!detail.ok) continue;
    const { items: first, open, tail } = detail.value.body;
    if (!open) return;
    let end = itemsAtFirst(job.plan);
    let at = 0;
    while (end < first && at < appends.length) end += appends[at++]!;
    const more = appends[at];
    const change = more === undefined ? { close: { after: tail } } : { append: { after: tail, first, input: rangeOf(job, more) } };
    await bus.ask(ledgerContract, 'events', 'create', { job: job.id, body: { kind: 'setting', version: 1, ...change } });
  }
}

async function copiesOf(bus: Bus, id: ObjectId): Promise<number> {
  const found = await bus.ask(blocksContract, 'objects', 'lookup', { id });
  return found.ok ? found.value.body.copies : 0;
}

export async function putObject(world: World, tab: Tab, plan: PutPlan, done: (object: SimObject) => void): Promise<void> {
  const bytes = seededRandom(`${world.seed} object ${plan.atMs} ${plan.tab}`).bytes(plan.bytes);
  const object = tab.process === undefined ? undefined : await putOnce(world, tab.process, [bytes]);
  if (object !== undefined) done(object);
}

async function putOnce(world: World, process: Process, segments: readonly Uint8Array[]): Promise<SimObject | undefined> {
  const put = await process.kernel.bus.ask(
    blocksContract,
    'objects',
    'insert',
    { name: 'object', type: '', expires: world.clock.wall() + lifeMs, segments: segments.map((_, i) => i) },
    { buffers: segments, timeoutMs: readTimeoutMs },
  );
  if (!put.ok) return undefined;
  const { id, copies } = put.value.body;
  world.note(`object ${id} has ${copies} copies`);
  return { segments, id, copies, lasts: process.memory === undefined };
}

/**
 * Puts what a job is to run over until somebody keeps it who stays, be it the tab that puts it alone: a job whose data is gone for good stands
 * still. undefined: the tab is not there.
 */
export async function putSource(world: World, { plan, source: bytes }: SimJob): Promise<SimObject | undefined> {
  const { source } = plan;
  const process = source === null ? undefined : world.tabs[source.tab]!.process;
  if (source === null || bytes === undefined || process === undefined) return undefined;
  const segmentBytes = Math.ceil(bytes.length / source.segments);
  const segments = Array.from({ length: source.segments }, (_, i) => bytes.slice(i * segmentBytes, (i + 1) * segmentBytes));
  const goes = world.plan.faults.some(([, fault]) => fault.kind === 'lost' && fault.tab === source.tab);
  for (;;) {
    const object = await putOnce(world, process, segments);
    if (object !== undefined && (object.copies > 0 || (object.lasts && !goes))) return object;
    await pause(process, againMs);
  }
}

export async function setJob(tab: Tab, job: SimJob, setting: { paused?: boolean; cancelled?: true }): Promise<void> {
  if (job.id === undefined || tab.process === undefined) return;
  if (setting.cancelled) job.cancelAsked = true;
  await tab.process.kernel.bus.ask(ledgerContract, 'events', 'create', { job: job.id, body: { kind: 'setting', version: 1, ...setting } });
}

export async function spansOf(bus: Bus, job: JobId): Promise<readonly DecidedSpan[] | undefined> {
  const reply = await bus.ask(ledgerContract, 'decisions', 'query', { job, from: 0, max: spansMax });
  return reply.ok ? reply.value.body.spans : undefined;
}

/** Takes what is decided and was not taken yet, as the job's page does, for as long as the process lives. */
export async function collect(world: World, process: Process, job: SimJob): Promise<void> {
  const { bus } = process.kernel;
  for (;;) {
    await pause(process, collectEveryMs);
    if (job.id === undefined) continue;
    const spans = await spansOf(bus, job.id);
    const taken: { range: [number, number]; event: EventId }[] = [];
    for (const span of spans ?? []) {
      checkShown(world, job, span);
      if (span.accepted || taken.length >= acceptedSpansMax) continue;
      if (await checkValues(world, bus, job, span)) taken.push({ range: [span.range[0], span.range[1]], event: span.event });
    }
    if (taken.length === 0) continue;
    const accepted = await bus.ask(ledgerContract, 'events', 'create', { job: job.id, body: { kind: 'accepted', spans: taken } });
    if (!accepted.ok) continue;
    for (const { range, event } of taken)
      for (let index = range[0]; index < range[1]; index++) job.shown.set(index, job.shown.get(index) ?? event);
  }
}

/** What was shown does not change. */
export function checkShown(world: World, job: SimJob, span: DecidedSpan): void {
  for (let index = span.range[0]; index < span.range[1]; index++) {
    const before = job.shown.get(index);
    if (before !== undefined && before !== span.event)
      world.violations.add('S3', `item ${index} of job ${job.number} was shown from ${short(before)} and is now from ${short(span.event)}`);
  }
}

/** Reads a span's result and compares each item with its script; false where it cannot be read now. */
export async function checkValues(world: World, bus: Bus, job: SimJob, span: DecidedSpan): Promise<boolean> {
  const answer = await bus.ask(blocksContract, 'segments', 'get', { object: span.result, segment: 0 }, { timeoutMs: readTimeoutMs });
  if (!answer.ok) return false;
  const blob = decodeResultBlob(answer.value.buffers[answer.value.body.data] ?? new Uint8Array(0));
  const wrong = (index: number, what: string) => world.violations.add('S1', `item ${index} of job ${job.number} ${what}`);
  for (let index = span.range[0]; index < span.range[1]; index++) {
    const at = blob === undefined ? -1 : index - blob.first;
    if (blob === undefined || at < 0 || at >= blob.values.ends.length) {
      wrong(index, 'is not in the result that was decided for it');
      continue;
    }
    const shouldFail = job.plan.throws.has(index) || job.plan.hangs.has(index);
    const error = blob.errors.find((one) => one.index === index);
    if (shouldFail !== (span.outcome === 'failed') || shouldFail !== (error !== undefined))
      wrong(index, `ended as ${span.outcome} (${error?.message ?? 'a value'})`);
    else if (!shouldFail) {
      const value = decodeValue(blob.values.bytes.subarray(at === 0 ? 0 : blob.values.ends[at - 1], blob.values.ends[at]));
      if (value !== valueOf(job.number, index)) wrong(index, `is ${String(value)} and should be ${valueOf(job.number, index)}`);
    }
  }
  return true;
}
