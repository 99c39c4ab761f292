// A scheduler in each of several tabs, over one world that stands in for ledger, queue, executor and blocks: for its tests.
import { Dispatcher } from '../dispatcher.ts';
import {
  eventId,
  groupId,
  type EventId,
  type GroupId,
  jobId,
  makePeerId,
  objectId,
  recordId,
  storeId,
  type IdentityId,
  type JobId,
  type PeerId,
  type RecordId,
} from '../lib/ids.ts';
import { FaultError, unwrap } from '../lib/outcome.ts';
import { pack, unpack } from '../lib/packed.ts';
import { encodeResultBlob } from '../lib/result-blob.ts';
import { interruptionsMax, itemAttemptsMax } from '../limits.ts';
import { memoryStorage } from '../memory-storage.ts';
import type { Platform } from '../platform.ts';
import type { Contract } from '../protocol/contract.ts';
import { blocksContract } from '../protocol/contracts/blocks.ts';
import { executorContract, type RunOutcome } from '../protocol/contracts/executor.ts';
import { ledgerContract, type JobSummary, type LongItem } from '../protocol/contracts/ledger.ts';
import { membershipContract, type Member } from '../protocol/contracts/membership.ts';
import { queueContract, type Claim } from '../protocol/contracts/queue.ts';
import { resourcesContract } from '../protocol/contracts/resources.ts';
import { schedulerContract } from '../protocol/contracts/scheduler.ts';
import type { EventBody } from '../protocol/event.ts';
import type { Range } from '../protocol/schemas.ts';
import { SecurityManager } from '../security-manager.ts';
import { WithBuffers, type Service, type ServiceContext } from '../service.ts';
import { madeUpResources, type ResourceChanges } from './made-up-resources.ts';
import { seededRandom } from './seeded-random.ts';
import { testDigest, testSigner } from './test-crypto.ts';
import { VirtualClock } from './virtual-clock.ts';
import { schedulerService } from '../services/scheduler/service.ts';

export const hex = (n: number, digits = 64) => n.toString(16).padStart(digits, '0');
export const group = groupId(hex(1, 32));

export interface WorldRecord {
  readonly id: RecordId;
  readonly job: JobId;
  readonly range: Range;
  owner: PeerId | null;
}
export interface WorldJob {
  readonly id: JobId;
  /** So far, where the job is open. */
  items: number;
  open: boolean;
  readonly submitter: IdentityId;
  state: JobSummary['state'];
  /** How many results each item has; how it ended; who failed it. */
  readonly decided: Uint8Array;
  readonly failedBy: Map<number, IdentityId[]>;
  readonly spans: { range: Range; tookMs: number; by: IdentityId }[];
  unloadable: number;
  readonly long: LongItem[];
  /** What is undecided of each, as the ledger would say. */
  loans: { event: EventId; actor: PeerId; to: GroupId; round: number; open: [number, number][] }[];
}
export interface Run {
  readonly record: RecordId;
  readonly ranges: readonly Range[];
  readonly job: WorldJob;
  finish(outcome: RunOutcome, buffers: Uint8Array[]): void;
  item: number;
  workerMs: number;
  done: number[];
  running: boolean;
  stop: boolean;
}

export class World {
  readonly clock = new VirtualClock();
  readonly tabs: Tab[] = [];
  readonly jobs = new Map<JobId, WorldJob>();
  records: WorldRecord[] = [];
  appends: { by: string; range: Range; at: number }[] = [];
  readonly written: { by: string; body: EventBody }[] = [];
  readonly commits: { by: string; range: Range; at: number }[] = [];
  #n = 0;

  /** An open job begins without items and may get up to `items`. */
  job(items: number, submitter = 'submitter', open = false): WorldJob {
    const job: WorldJob = {
      id: jobId(hex(++this.#n)),
      items: open ? 0 : items,
      open,
      submitter: testSigner(submitter).identity,
      state: 'queued',
      decided: new Uint8Array(items),
      failedBy: new Map(),
      spans: [],
      unloadable: 0,
      long: [],
      loans: [],
    };
    this.jobs.set(job.id, job);
    this.tell();
    return job;
  }

  tab(name: string, options: Partial<TabOptions> = {}): Tab {
    const tab = new Tab(this, name, { workers: 2, itemMs: () => 10, throws: () => false, ...options });
    this.tabs.push(tab);
    this.see();
    this.tell();
    return tab;
  }

  see(): void {
    const members: Member[] = this.tabs.filter(({ alive }) => alive).map((tab) => tab.member());
    for (const tab of this.tabs)
      if (tab.alive) tab.membership.publish('view', { group, groupName: '', signaling: 'up', signalingReason: '', members });
  }

  tell(): void {
    const jobs = [...this.jobs.values()].map((job) => this.summary(job));
    for (const tab of this.tabs) if (tab.alive) tab.ledger.publish('jobs', { jobs });
  }

  summary(job: WorldJob): JobSummary {
    const code = objectId(hex(99));
    const input = { kind: 'range' as const, items: job.items, offset: 0 };
    const manifest = {
      v: 1 as const,
      network: 'public',
      submitter: job.submitter,
      home: group,
      nonce: hex(0, 32),
      name: 'test',
      createdAt: 0,
      expires: 1e15,
      code,
      codeHash: hex(98),
      reduce: null,
      args: new Uint8Array(),
      input,
      runtime: 'js' as const,
      redundancy: 1 as const,
      priority: 0,
      failuresMax: job.items,
      itemMs: 60_000,
    };
    const committed = job.decided.reduce((sum, one) => sum + (one > 0 ? 1 : 0), 0);
    return {
      id: job.id,
      manifest,
      state: job.state,
      reason: '',
      items: job.items,
      open: job.open,
      parts: 1,
      tail: null,
      committed,
      failed: 0,
      priority: 0,
      home: group,
      ratePerSecond: 0,
      endedAt: null,
      events: job.spans.length,
    };
  }

  #interrupted(job: WorldJob, item: number, ranMs: number): void {
    const at = job.long.findIndex((one) => one.item === item);
    const before = job.long[at];
    const told = { item, times: (before?.times ?? 0) + 1, ranMs: Math.max(before?.ranMs ?? 0, ranMs) };
    if (at < 0) job.long.push(told);
    else job.long[at] = told;
  }

  event(tab: Tab, job: WorldJob, body: EventBody): void {
    if (body.kind === 'unloadable') job.unloadable++;
    if (body.kind === 'interrupted') this.#interrupted(job, body.item, body.ranMs);
    if (body.kind !== 'computed') return;
    const failed = (item: number) => body.failed.some(([first, end]) => first <= item && item < end);
    const ranges: [number, number][] = [];
    for (let item = body.range[0]; item < body.range[1]; item++) {
      if (failed(item)) {
        const by = job.failedBy.get(item) ?? [];
        by.push(tab.identity);
        job.failedBy.set(item, by);
        if (by.length < itemAttemptsMax) continue;
      }
      job.decided[item] = Math.min(255, job.decided[item]! + 1);
      const last = ranges.at(-1);
      if (last?.[1] === item) last[1] = item + 1;
      else ranges.push([item, item + 1]);
    }
    for (const range of ranges) job.spans.push({ range, tookMs: body.tookMs, by: tab.identity });
    this.commits.push({ by: tab.name, range: [...body.range], at: this.clock.now() });
    const all = !job.open && job.decided.every((count) => count > 0);
    job.state = all ? 'done' : 'running';
    for (const other of this.tabs)
      if (other.alive && ranges.length > 0) other.ledger.publish('decided', { job: job.id, ranges, ended: job.state === 'done' });
    this.records = this.records.filter((record) => record.job !== job.id || record.owner !== null || !this.allDecided(job, record.range));
    this.tell();
  }

  allDecided(job: WorldJob, [first, end]: Range): boolean {
    return job.decided.subarray(first, end).every((count) => count > 0);
  }

  undecided(job: WorldJob, from: number, end: number) {
    const found: { range: [number, number]; round: number; failedBy: IdentityId[] }[] = [];
    for (let item = from; item < end; item++) {
      if (job.decided[item]! > 0) continue;
      const by = job.failedBy.get(item) ?? [];
      const last = found.at(-1);
      if (last?.range[1] === item && last.failedBy.join() === by.join()) last.range[1] = item + 1;
      else found.push({ range: [item, item + 1], round: 0, failedBy: [...by] });
    }
    return found;
  }

  append(tab: Tab, job: JobId, ranges: readonly Range[]): void {
    for (const range of ranges) {
      this.records.push({ id: recordId(hex(++this.#n)), job, range: [...range], owner: null });
      this.appends.push({ by: tab.name, range: [...range], at: this.clock.now() });
    }
    this.changed();
  }

  changed(): void {
    for (const tab of this.tabs)
      if (tab.alive) tab.queue.publish('changed', { waiting: this.records.filter(({ owner }) => owner === null).length });
  }
}

export interface TabOptions {
  readonly workers: number;
  readonly itemMs: (item: number) => number;
  readonly throws: (item: number) => boolean;
  readonly ends?: RunOutcome['ended'];
  /** How long it stays idle, as it tells the others. */
  readonly stretchSeconds?: number;
  /** A private window: it has no store. */
  readonly storeless?: boolean;
  /** Whether it keeps data for others. */
  readonly keeps?: boolean;
}

export class Tab {
  readonly identity: IdentityId;
  readonly peer: PeerId;
  readonly dispatcher: Dispatcher;
  readonly scheduler: Service;
  readonly membership: ServiceContext<typeof membershipContract>;
  readonly ledger: ServiceContext<typeof ledgerContract>;
  readonly queue: ServiceContext<typeof queueContract>;
  readonly resources: ServiceContext<typeof resourcesContract>;
  alive = true;
  workers: number;
  runs: Run[] = [];
  waitingFor = '';
  busyMs = 0;
  failStores = 0;
  /** How many others take what this tab puts, and how many have it later on. */
  copies = 2;
  held = 0;
  readonly avoid = new Map<RecordId, number>();
  /** Of which jobs this tab asked the queue for a function. */
  readonly askedFor: JobId[][] = [];

  constructor(
    readonly world: World,
    readonly name: string,
    readonly options: TabOptions,
  ) {
    const random = seededRandom(name);
    const signer = testSigner(name);
    this.identity = signer.identity;
    this.peer = makePeerId(signer.identity, random.bytes(8));
    this.workers = options.workers;
    const { clock } = world;
    const platform = {
      clock,
      random,
      digest: testDigest,
      signer,
      storage: memoryStorage(random),
      report: (level: string, message: string, detail: unknown) => {
        if (level === 'bug') throw new Error(`${message}: ${String(detail)}`);
      },
    } as unknown as Platform;
    this.dispatcher = new Dispatcher(platform, new SecurityManager(signer.identity), {
      peer: this.peer,
      identity: signer.identity,
      network: 'public',
      group: () => group,
    });
    this.scheduler = schedulerService(this.dispatcher.context(schedulerContract));
    this.membership = this.dispatcher.context(membershipContract);
    this.ledger = this.dispatcher.context(ledgerContract);
    this.queue = this.dispatcher.context(queueContract);
    this.resources = this.dispatcher.context(resourcesContract);
    const standIn = (contract: Contract, handlers: unknown) =>
      unwrap(this.dispatcher.register({ contract, handlers } as unknown as Service));
    standIn(membershipContract, {
      members: {
        query: () => ({
          group,
          groupName: '',
          signaling: 'up',
          signalingReason: '',
          members: world.tabs.filter(({ alive }) => alive).map((tab) => tab.member()),
        }),
      },
    });
    standIn(resourcesContract, {});
    standIn(ledgerContract, this.#ledgerHandlers());
    standIn(queueContract, this.#queueHandlers());
    standIn(blocksContract, {
      objects: {
        insert: async () => {
          await this.#pause(5);
          if (this.failStores-- > 0) throw new FaultError('unreachable', 'No store answers.');
          return { id: objectId(hex(7)), size: 1, copies: this.copies };
        },
        lookup: () => ({
          copies: this.copies,
          k: 1,
          n: 3,
          held: this.held,
          online: this.held,
          lossEstimate: 0,
          heldHereBytes: 1,
          repairing: false,
        }),
      },
    });
    standIn(executorContract, {
      runs: {
        submit: (request: { job: JobId; record: RecordId; ranges: Range[] }) => this.#run(request),
        delete: ({ records }: { records: RecordId[] | null }) => this.#stopRuns(records),
      },
    });
    unwrap(this.dispatcher.register(this.scheduler));
    this.dispatcher.bus('test').watch(schedulerContract, 'given', (given) => (this.waitingFor = given.waitingFor));
    this.allow(this.workers);
    void this.scheduler.start();
  }

  member(): Member {
    return {
      peer: this.peer,
      identity: this.identity,
      store: this.options.storeless === true ? null : storeId(this.identity.slice(0, 32)),
      status: 'alive',
      rttMs: 1,
      offer: {
        state: 'idle',
        reason: '',
        machine: { cores: 4, memoryMiB: null },
        sandbox: {
          workersAllowed: this.workers,
          workersRunning: 0,
          claimed: 0,
          itemsPerSecond: 0,
          ...(this.options.stretchSeconds !== undefined && { stretchSeconds: this.options.stretchSeconds }),
        },
        storage: { keeps: this.options.keeps ?? true, usedMiB: 0, allowedMiB: 1 },
      },
    };
  }

  allow(workers: number, finishing = false, limits: ResourceChanges['limits'] = {}): void {
    this.workers = workers;
    this.resources.publish(
      'state',
      madeUpResources({
        state: workers > 0 ? 'idle' : 'in use',
        reason: { code: '', sentence: workers > 0 ? '' : 'You are using this computer.' },
        workersAllowed: workers,
        finishing,
        limits,
      }),
    );
    if (workers === 0) for (const run of this.runs) run.stop ||= run.running;
    this.world.see();
  }

  async die(): Promise<void> {
    this.alive = false;
    await this.scheduler.stop();
    for (const record of this.world.records) if (record.owner === this.peer) record.owner = null;
    this.world.see();
    this.world.changed();
  }

  submit(job: WorldJob) {
    return this.world.clock.finish(this.dispatcher.bus('test').ask(schedulerContract, 'jobs', 'submit', { job: job.id }));
  }

  #pause = (ms: number) => new Promise<void>((resolve) => void this.world.clock.after(ms, resolve));

  #ledgerHandlers() {
    const find = (id: JobId) => {
      const job = this.world.jobs.get(id);
      if (job === undefined) throw new FaultError('not-found', 'No such job.');
      return job;
    };
    return {
      loans: { query: ({ job }: { job: JobId }) => ({ loans: find(job).loans }) },
      jobs: { query: () => ({ jobs: [...this.world.jobs.values()].map((job) => this.world.summary(job)) }) },
      decisions: {
        lookup: ({ job, from, end }: { job: JobId; from: number; end?: number }) => ({
          undecided: this.world.undecided(find(job), from, end ?? find(job).items),
          long: find(job).long.filter(({ times }) => times >= interruptionsMax),
        }),
        query: ({ job, from, max }: { job: JobId; from: number; max: number }) => ({
          spans: find(job)
            .spans.map((span, i) => ({
              range: span.range,
              outcome: 'ok',
              event: eventId(hex(i)),
              result: objectId(hex(7)),
              resultHash: hex(8),
              by: span.by,
              actor: this.peer,
              tookMs: span.tookMs,
              accepted: false,
            }))
            .filter(({ range }) => range[1] > from)
            .toSorted((a, b) => a.range[0] - b.range[0])
            .slice(0, max),
        }),
      },
      events: {
        create: async ({ job, body }: { job: JobId; body: EventBody }) => {
          await this.#pause(10);
          this.world.written.push({ by: this.name, body });
          this.world.event(this, find(job), body);
          return { event: eventId(hex(1)), acknowledged: 1 };
        },
      },
    };
  }

  #queueHandlers() {
    const { world } = this;
    return {
      records: {
        create: async ({ job, ranges }: { job: JobId; ranges: Range[] }) => {
          await this.#pause(5);
          world.append(this, job, ranges);
          return { lineage: 'a.1', acknowledged: 1, holders: [] };
        },
        query: ({ job }: { job: JobId }) => ({
          records: world.records
            .filter((record) => record.job === job)
            .map(({ id, range, owner }) => ({
              record: id,
              range,
              round: 0,
              lineage: 'a.1',
              holders: [],
              state: owner === null ? 'waiting' : 'claimed',
              owner,
            })),
        }),
      },
      claims: {
        create: async ({ jobs }: { jobs: JobId[] }): Promise<{ claim: Claim | null; waiting: number }> => {
          this.askedFor.push(jobs);
          await this.#pause(3);
          const now = world.clock.now();
          const free = world.records.filter(({ id, owner }) => owner === null && (this.avoid.get(id) ?? 0) <= now);
          const next = jobs
            .map((job) => free.filter((record) => record.job === job).toSorted((a, b) => a.range[0] - b.range[0])[0])
            .find((one) => one !== undefined);
          if (next === undefined) return { claim: null, waiting: 0 };
          next.owner = this.peer;
          return {
            claim: {
              record: next.id,
              job: next.job,
              range: [next.range[0], next.range[1]],
              round: 0,
              lineage: 'a.1',
              fence: 1,
              stopAt: now + 8_000,
            },
            waiting: free.length - 1,
          };
        },
        delete: ({ record, how, avoidMs }: { record: RecordId; how: 'done' | 'release'; avoidMs?: number }) => {
          if (avoidMs !== undefined) this.avoid.set(record, world.clock.now() + avoidMs);
          const found = world.records.find(({ id, owner }) => id === record && owner === this.peer);
          if (found === undefined) return {};
          found.owner = null;
          if (how === 'done') world.records = world.records.filter((one) => one !== found);
          world.changed();
          return {};
        },
      },
    };
  }

  #run({ job, record, ranges }: { job: JobId; record: RecordId; ranges: Range[] }): Promise<unknown> {
    return new Promise((resolve) => {
      const run: Run = {
        record,
        ranges,
        job: this.world.jobs.get(job)!,
        item: 0,
        workerMs: 0,
        done: [],
        running: false,
        stop: false,
        finish: (outcome, buffers) => {
          this.runs = this.runs.filter((one) => one !== run);
          resolve(new WithBuffers(outcome, buffers));
          this.#fill();
        },
      };
      this.runs.push(run);
      this.#fill();
    });
  }

  #fill(): void {
    for (const run of this.runs) {
      if (this.runs.filter(({ running }) => running).length >= this.workers) return;
      if (!run.running) {
        run.running = true;
        void this.#compute(run);
      }
    }
  }

  async #compute(run: Run): Promise<void> {
    if (this.options.ends !== undefined) {
      await this.#pause(20);
      return run.finish({ ended: this.options.ends, message: '', workerMs: run.workerMs, interrupted: null, blobs: [] }, []);
    }
    const items = run.ranges.flatMap(([first, end]) => Array.from({ length: end - first }, (_, i) => first + i));
    // In slices of 20 ms, as a stop may come at any time.
    for (let at = 0; at < items.length && !run.stop && this.alive;) {
      let ms = 0;
      const from = at;
      // A long one by itself, so that it is known which of them was stopped.
      while (at < items.length && ms < 20 && (ms === 0 || this.options.itemMs(items[at]!) < 20)) ms += this.options.itemMs(items[at++]!);
      await this.#pause(ms);
      this.busyMs += ms;
      run.workerMs += ms;
      for (const item of items.slice(from, at)) if (!run.stop) run.done.push(item);
    }
    if (this.alive) this.#finish(run, run.done.length === items.length ? 'finished' : 'stopped');
  }

  #finish(run: Run, ended: RunOutcome['ended']): void {
    const blobs: RunOutcome['blobs'] = [];
    const buffers: Uint8Array[] = [];
    for (let i = 0; i < run.done.length;) {
      let j = i + 1;
      while (j < run.done.length && run.done[j] === run.done[j - 1]! + 1) j++;
      const [first, count] = [run.done[i]!, j - i];
      const values = unpack(pack(Array.from({ length: count }, (_, at) => Uint8Array.of((first + at) & 127))))!;
      buffers.push(
        encodeResultBlob({
          first,
          values: { ends: values.ends.slice(), bytes: values.bytes.slice() },
          tookMs: new Float32Array(count),
          errors: [],
          logs: [],
        }),
      );
      const failed = run.done
        .slice(i, j)
        .filter((item) => this.options.throws(item))
        .map((item): [number, number] => [item, item + 1]);
      const tookMs = run.done.slice(i, j).reduce((sum, item) => sum + this.options.itemMs(item), 0);
      blobs.push({ range: [first, first + count], part: null, failed, data: buffers.length - 1, tookMs });
      i = j;
    }
    const next = run.ranges.flatMap(([first, end]) => Array.from({ length: end - first }, (_, i) => first + i))[run.done.length];
    const stopped = ended === 'stopped' && run.running && next !== undefined;
    const interrupted = stopped ? { item: next, ranMs: this.options.itemMs(next) } : null;
    run.finish({ ended, message: '', workerMs: run.workerMs, interrupted, blobs }, buffers);
  }

  #stopRuns(records: RecordId[] | null): Record<string, never> {
    for (const run of this.runs.filter(({ record }) => records === null || records.includes(record))) {
      run.stop = true;
      if (!run.running) this.#finish(run, 'stopped');
    }
    return {};
  }
}

export const once = (job: WorldJob) => job.decided.every((count) => count === 1);
