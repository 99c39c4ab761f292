// One job as the person who holds it sees it: state and progress from the ledger, results as they come, settings back.
import type { IdentityId, JobId, ObjectId } from '../kernel/lib/ids.ts';
import { RangeSet } from '../kernel/lib/ranges.ts';
import { decodeValue } from '../kernel/lib/value-codec.ts';
import { itemAttemptsMax, jobsPublishEveryMs } from '../kernel/limits.ts';
import { blocksContract } from '../kernel/protocol/contracts/blocks.ts';
import { executorContract } from '../kernel/protocol/contracts/executor.ts';
import { ledgerContract, type JobSummary } from '../kernel/protocol/contracts/ledger.ts';
import { membershipContract, type Member } from '../kernel/protocol/contracts/membership.ts';
import { queueContract } from '../kernel/protocol/contracts/queue.ts';
import { failedRangesMax, type EventBody } from '../kernel/protocol/event.ts';
import type { JobInput } from '../kernel/protocol/job-manifest.ts';
import type { Bus } from '../kernel/service.ts';
import { Appends } from './appends.ts';
import { deferred } from './deferred.ts';
import { ItemError, LullError, valueOf } from './errors.ts';
import { foldValues, orItsReason } from './fold.ts';
import { itemInput } from './item-input.ts';
import { Listeners } from './listeners.ts';
import { bytesOfObject } from './objects.ts';
import { overviewOf } from './overview.ts';
import { runReduceStep } from './reduce-step.ts';
import { isFailure, ResultReader } from './results.ts';
import { checkIndices, checkPriority, checkStretch } from './spec-checks.ts';
import { standingOf } from './standing.ts';
import type { Inputs, Job, JobState, Overview, Progress, ReduceOptions, Result, Standing } from './types.ts';

const resultsPerRead = 2_000;
const refetchAfterMs = 1_000;
/** Loading has a limit of its own in the sandbox; running the function, which a trial does too, is of no interest. */
const confirmMs = 100;
const confirmTimeoutMs = 60_000;
/** How a trial tells that code could not be loaded (executor/trials.ts). */
const cannotLoad = 'The code cannot be loaded. ';

export interface JobHost {
  bus(): Bus;
  /** Resolves after the next change of the ledger's jobs, or after `ms`. */
  nextChange(ms: number): Promise<void>;
  identityOf(peer: string): IdentityId | '';
  /** Stores what has to be stored, until `expires`. @throws LullError */
  upload(inputs: Inputs, expires: number): Promise<JobInput>;
  /** False: this page has no sandbox to try anything in. */
  readonly runsCode: boolean;
}

const wasStopped = (state: JobState) => state === 'failed' || state === 'cancelled';
const ended = (state: JobState) => state === 'done' || wasStopped(state);

export class JobHandle implements Job {
  #summary: JobSummary | undefined;
  #handedOver = false;
  #refusal = '';
  #closable = false;
  #checking = false;
  /** Once: what cannot be loaded here will not be the second time. */
  #confirming = false;
  /** The members have changed since it was last asked who holds the job. */
  #stale = true;
  #claimed = 0;
  #tooLate = false;
  readonly #appends = new Appends(
    () => this.host.bus(),
    () => this.#id(),
    () => {
      this.#tooLate = true;
      this.#changed();
    },
  );
  readonly #listeners = new Listeners();
  readonly #readers = new Map<JobId, ResultReader>();
  readonly #ready = deferred<void>();
  readonly #done = deferred<JobState>();
  readonly ready = this.#ready.promise;
  readonly done = this.#done.promise;

  constructor(
    private readonly host: JobHost,
    public id: JobId | '',
    public name: string,
    private readonly madeAt: number,
  ) {
    // A rejection is for whoever awaits it; nobody has to.
    this.ready.catch(() => undefined);
  }

  get state(): JobState {
    if (this.#refusal !== '') return 'failed';
    if (!this.#handedOver) return 'uploading';
    return this.#summary?.state ?? 'queued';
  }

  get reason(): string {
    if (this.#tooLate) return 'Input appended here was too late: another tab closed the job meanwhile.';
    return this.#refusal || (this.#summary?.reason ?? '');
  }

  get open(): boolean {
    return this.#summary?.open === true && !wasStopped(this.state);
  }

  get closable(): boolean {
    return this.#closable;
  }

  get progress(): Progress {
    const summary = this.#summary;
    if (summary === undefined) return { items: 0, committed: 0, running: 0, failed: 0, ratePerSecond: 0, etaSeconds: null };
    const { items, committed, failed, ratePerSecond } = summary;
    const left = items - committed - failed;
    const etaSeconds = left > 0 && ratePerSecond > 0 ? left / ratePerSecond : left > 0 || this.open ? null : 0;
    return { items, committed, running: Math.min(this.#claimed, left), failed, ratePerSecond, etaSeconds };
  }

  /** The job's manifest is signed and known: from here on it has an id. */
  named(id: JobId): void {
    this.id = id;
    this.#changed();
  }

  /** Code, input and records are held by everybody there is to hold them. */
  handedOver(): void {
    this.#handedOver = true;
    this.#ready.resolve();
    this.#changed();
  }

  refused(error: unknown): void {
    this.#refusal = error instanceof Error ? error.message : String(error);
    this.#ready.reject(error);
    this.#done.resolve('failed');
    this.#changed();
  }

  update(summary: JobSummary): void {
    const before = this.#summary;
    this.#summary = summary;
    if (before?.tail !== summary.tail || before.open !== summary.open) void this.#appends.check(summary.open);
    this.name = summary.manifest.name;
    if (ended(summary.state)) this.#done.resolve(summary.state);
    this.#changed();
  }

  setClosable(closable: boolean): void {
    if (this.#closable === closable) return;
    this.#closable = closable;
    this.#changed();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  [Symbol.asyncIterator](): AsyncGenerator<Result, void> {
    return orItsReason(this, this.#inOrder());
  }

  asCompleted(): AsyncGenerator<Result, void> {
    return orItsReason(this, this.#asTheyEnd());
  }

  async *#inOrder(): AsyncGenerator<Result, void> {
    for (let at = 0; ;) {
      // Asked first: what is decided, or appended, while the results are read must not be missed.
      const { items } = await this.#known();
      const over = wasStopped(this.state);
      if (at >= items) {
        if (!this.open) return;
        await this.host.nextChange(refetchAfterMs);
        continue;
      }
      const end = Math.min(items, at + resultsPerRead);
      const { results } = await this.#reader().read(at, end);
      for (const result of results) {
        if (result.index !== at) break;
        at++;
        yield result;
      }
      if (at === end) continue;
      if (over) {
        // What is not there will not come any more: on to what is.
        const next = results.find((result) => result.index > at)?.index ?? (await this.#reader().spans(end, items))[0]?.range[0];
        if (next === undefined) return;
        at = next;
        continue;
      }
      await this.host.nextChange(refetchAfterMs);
    }
  }

  async *#asTheyEnd(): AsyncGenerator<Result, void> {
    // By item: spans are cut and joined anew as they are accepted and as later results come in.
    const given = new RangeSet();
    for (;;) {
      const { items } = await this.#known();
      if (given.size >= items && !this.open) return;
      const over = wasStopped(this.state);
      const before = given.size;
      for (const { range } of await this.#reader().spans(0, items)) {
        for (const [first, end] of [...given.gaps(...range)]) {
          for (const result of (await this.#reader().read(first, end)).results) {
            given.add(result.index, result.index + 1);
            yield result;
          }
        }
      }
      if (over && given.size === before) return;
      if (given.size < items || this.open) await this.host.nextChange(refetchAfterMs);
    }
  }

  results(): Promise<Result[]> {
    return this.#collect();
  }

  values(): Promise<unknown[]> {
    return this.#values();
  }

  async #collect(onProgress?: (items: number, of: number) => void): Promise<Result[]> {
    const all: Result[] = [];
    for await (const result of this.#inOrder()) {
      all.push(result);
      const { items } = this.#summary!;
      if (all.length % resultsPerRead === 0 || all.length === items) onProgress?.(all.length, items);
    }
    return all;
  }

  async #values(onProgress?: (items: number, of: number) => void): Promise<unknown[]> {
    const all = await this.#collect(onProgress);
    const failures = all.filter(isFailure).map(({ index, error }) => new ItemError(index, error));
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} of ${all.length} items failed.`);
    if (this.state === 'failed' || this.state === 'cancelled') throw new LullError('job-ended', this.reason || `The job is ${this.state}.`);
    return all.map((result) => (isFailure(result) ? undefined : result.value));
  }

  async peek(from: number, max: number): Promise<Result[]> {
    checkStretch(from, max);
    const { items } = await this.#known();
    const { results } = await this.#reader().read(from, Math.min(items, from + max));
    return results;
  }

  async reduced(options: ReduceOptions = {}): Promise<unknown> {
    const { manifest } = await this.#known();
    if (manifest.reduce === null) throw new LullError('not-found', 'This job has no reduce step.');
    const bus = this.host.bus();
    const code = new TextDecoder().decode(await bytesOfObject(bus, manifest.reduce));
    return runReduceStep(bus, code, manifest.args, await this.#values(options.onProgress));
  }

  reduce<A>(step: (before: A, value: unknown, index: number) => A, initial: A): Promise<A> {
    return foldValues(this, step, initial);
  }

  async source(): Promise<{ code: string; reduce: string | null }> {
    const { code, reduce } = (await this.#known()).manifest;
    const textOf = async (id: ObjectId) => new TextDecoder().decode(await bytesOfObject(this.host.bus(), id));
    return { code: await textOf(code), reduce: reduce === null ? null : await textOf(reduce) };
  }

  async overview(): Promise<Overview> {
    const { items } = await this.#known();
    return overviewOf(this.host.bus(), this.#id(), items, this.#reader(), (peer) => this.host.identityOf(peer));
  }

  async standing(): Promise<Standing> {
    await this.#known();
    return standingOf(this.host.bus(), this.#id());
  }

  async inputs(from: number, max: number): Promise<unknown[]> {
    checkStretch(from, max);
    const { items, manifest } = await this.#known();
    const indices = Array.from({ length: Math.max(0, Math.min(items, from + max) - from) }, (_, i) => from + i);
    return Promise.all(indices.map((index) => itemInput(this.host.bus(), this.#id(), manifest, index)));
  }

  get args(): unknown {
    try {
      return this.#summary === undefined ? undefined : decodeValue(this.#summary.manifest.args);
    } catch {
      // A stranger's manifest may hold anything there.
      return undefined;
    }
  }
  get submitter(): IdentityId {
    return this.#summary?.manifest.submitter ?? this.host.bus().self.identity;
  }
  get hasReduce(): boolean {
    return this.#summary !== undefined && this.#summary.manifest.reduce !== null;
  }
  get createdAt(): number {
    return this.#summary?.manifest.createdAt ?? this.madeAt;
  }

  async pause(): Promise<void> {
    await this.#set({ paused: true });
    await this.#until(({ state }) => state === 'paused');
  }
  async resume(): Promise<void> {
    await this.#set({ paused: false });
    await this.#until(({ state }) => state !== 'paused');
  }
  async cancel(): Promise<void> {
    await this.#set({ cancelled: true });
    await this.#until(({ state }) => state === 'cancelled');
  }
  async setPriority(priority: number): Promise<void> {
    checkPriority(priority);
    await this.#set({ priority });
    await this.#until((summary) => summary.priority === priority);
  }

  async append(inputs: Inputs | readonly unknown[]): Promise<void> {
    const { manifest } = await this.#own();
    if (wasStopped(this.state)) throw new LullError('job-ended', this.reason || `The job is ${this.state}.`);
    if (!this.open) throw new LullError('job-ended', 'The job is closed.');
    const given = Array.isArray(inputs) ? { items: inputs as readonly unknown[] } : (inputs as Inputs);
    await this.#appends.append(this.host.upload(given, manifest.expires));
    this.membersChanged();
  }

  async close(): Promise<void> {
    await this.#own();
    await this.#appends.close();
  }

  async retry(indices?: readonly number[]): Promise<void> {
    checkIndices(indices);
    const { items } = await this.#known();
    const wanted = indices === undefined ? undefined : new Set(indices);
    const again = new RangeSet();
    for (const { range, outcome } of await this.#reader().spans(0, items)) {
      if (wanted !== undefined) {
        for (let index = range[0]; index < range[1]; index++) if (wanted.has(index)) again.add(index, index + 1);
      } else if (outcome === 'failed') again.add(...range);
    }
    const ranges = [...again.spans()].map(([first, end]): [number, number] => [first, end]);
    if (ranges.length === 0)
      throw new LullError('not-found', wanted === undefined ? 'No item has failed.' : 'None of those items has an outcome yet.');
    // The ledger chooses the round.
    const round = 1;
    for (let at = 0; at < ranges.length; at += failedRangesMax)
      await this.#set({ round: { round, ranges: ranges.slice(at, at + failedRangesMax) } });
  }

  /** Asks the queue how many items are in claimed parts; called by the host while somebody looks. */
  async refreshClaimed(): Promise<void> {
    if (this.id === '' || this.#listeners.size === 0 || ended(this.state)) return;
    const outcome = await this.host.bus().ask(queueContract, 'records', 'query', { job: this.id });
    if (!outcome.ok) return;
    const claimed = outcome.value.body.records
      .filter((record) => record.state === 'claimed')
      .reduce((sum, { range }) => sum + range[1] - range[0], 0);
    if (claimed === this.#claimed) return;
    this.#claimed = claimed;
    this.#changed();
  }

  /**
   * Where somebody could not load the code of our own job and nothing has been done: this tab tries to load it too, and says so when it
   * cannot. One stranger's word does not end a job; with a lone donor nobody else would speak. A page that runs no code takes that donor's
   * word when it has tried as often as any item is tried.
   */
  async confirmUnloadable(): Promise<void> {
    const summary = this.#summary;
    const bus = this.host.bus();
    if (this.#confirming || summary === undefined || summary.state !== 'queued' || summary.manifest.submitter !== bus.self.identity) return;
    const detail = await bus.ask(ledgerContract, 'decisions', 'get', { job: summary.id });
    if (!detail.ok || detail.value.body.unloadable === 0 || this.#confirming) return;
    if (!this.host.runsCode && detail.value.body.unloadable < itemAttemptsMax) return;
    this.#confirming = true;
    // What could not be tried or said now, such as in a tab that is busy with other trials, is asked again later.
    this.#confirming = await this.#saidOrLoads(bus, summary, detail.value.body.unloadableWhy).catch(() => false);
  }

  /** Whether nothing is left to say: this tab has said that the code cannot be loaded, or has loaded it. */
  async #saidOrLoads(bus: Bus, { id, manifest }: JobSummary, theirs: string): Promise<boolean> {
    const say = async (message: string) =>
      (await bus.ask(ledgerContract, 'events', 'create', { job: id, body: { kind: 'unloadable', message } })).ok;
    if (!this.host.runsCode) return say(theirs);
    const code = new TextDecoder().decode(await bytesOfObject(bus, manifest.code));
    const request = { code, values: [], itemMs: confirmMs };
    const tried = await bus.ask(executorContract, 'trials', 'submit', request, { timeoutMs: confirmTimeoutMs });
    if (!tried.ok) return false;
    const { message } = tried.value.body;
    return !message.startsWith(cannotLoad) || say(message.slice(cannotLoad.length));
  }

  /** Whoever held the job may have left: what was said about closing this tab is asked again. */
  membersChanged(): void {
    this.#stale = true;
    void this.checkClosable();
  }

  /** Closable when another live member knows the job and holds its code and input (DESIGN, life of a job, 1); and no longer when none does. */
  async checkClosable(handingOver = false): Promise<void> {
    const summary = this.#summary;
    if (
      this.#checking ||
      (this.#closable && !this.#stale) ||
      summary === undefined ||
      ended(this.state) ||
      (!handingOver && !this.#handedOver)
    )
      return;
    this.#checking = true;
    this.#stale = false;
    try {
      this.setClosable(await this.#isKeptElsewhere(summary));
    } finally {
      this.#checking = false;
    }
  }

  async #isKeptElsewhere({ id, manifest, items }: JobSummary): Promise<boolean> {
    const bus = this.host.bus();
    const view = await bus.ask(membershipContract, 'members', 'query', {});
    const isOther = (member: Member) => member.peer !== bus.self.peer && member.store !== null && member.status === 'alive';
    const others = view.ok ? view.value.body.members.filter(isOther) : [];
    if (others.length === 0) return false;
    const { code, reduce } = manifest;
    const inputs = [manifest.input];
    if (manifest.open === true) {
      const grown = await bus.ask(ledgerContract, 'parts', 'query', { job: id, from: 0, end: items });
      if (!grown.ok) return false;
      inputs.push(...grown.value.body.parts.map(({ input }) => input));
    }
    const objects = [code, reduce, ...inputs.map((input) => ('object' in input ? input.object : null))].filter((object) => object !== null);
    for (const object of new Set(objects)) {
      const held = await bus.ask(blocksContract, 'objects', 'lookup', { id: object });
      if (!held.ok || held.value.body.copies < 1) return false;
    }
    for (const { peer } of others) {
      const known = await bus.ask(ledgerContract, 'jobs', 'get', { job: id }, { peer });
      if (known.ok) return true;
    }
    return false;
  }

  #id(): JobId {
    if (this.id === '') throw new LullError('not-found', 'The job has not been handed over yet.');
    return this.id;
  }

  async #known(): Promise<JobSummary> {
    if (!this.#handedOver) await this.ready;
    while (this.#summary === undefined) await this.host.nextChange(refetchAfterMs);
    return this.#summary;
  }

  /** What only the submitter may change. */
  async #own(): Promise<JobSummary> {
    const known = await this.#known();
    if (known.manifest.submitter !== this.host.bus().self.identity)
      throw new LullError('refused', 'Only whoever submitted the job may change it.');
    return known;
  }

  #reader(): ResultReader {
    const id = this.#id();
    let reader = this.#readers.get(id);
    if (reader === undefined) {
      reader = new ResultReader(() => this.host.bus(), id, this.#summary!.manifest);
      this.#readers.set(id, reader);
    }
    return reader;
  }

  async #set(change: Omit<Extract<EventBody, { kind: 'setting' }>, 'kind' | 'version'>): Promise<void> {
    await this.#own();
    // The ledger takes the next version, and chooses a round.
    const body: EventBody = { kind: 'setting', version: 1, ...change };
    valueOf(await this.host.bus().ask(ledgerContract, 'events', 'create', { job: this.#id(), body }), 'The change could not be recorded');
  }

  /** So that whoever awaited a change sees it: the ledger has it, and tells of it a moment later. Another tab may have changed it since. */
  async #until(isSo: (summary: JobSummary) => boolean): Promise<void> {
    for (let tries = 0; tries < 3 && !ended(this.state) && !isSo(this.#summary!); tries++)
      await this.host.nextChange(2 * jobsPublishEveryMs);
  }

  #changed(): void {
    this.#listeners.tell();
  }
}
