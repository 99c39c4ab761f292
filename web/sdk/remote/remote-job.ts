// A job as a page of another origin sees it: a copy of its state that the site's frame keeps true, and calls for the rest.
import { deferred } from '../deferred.ts';
import { ItemError, LullError } from '../errors.ts';
import { foldValues } from '../fold.ts';
import type { IdentityId } from '../../kernel/lib/ids.ts';
import type { Inputs, Job, JobState, Overview, Progress, ReduceOptions, Result, Standing } from '../types.ts';
import type { JobKey, JobMethod, JobSnapshot, SentList } from './port-protocol.ts';
import { Listeners } from '../listeners.ts';
import { checkIndices, checkStretch } from '../spec-checks.ts';
import type { PortCalls } from './port-calls.ts';
import { runReduce } from './reduce.ts';

export interface RemoteJobHost {
  readonly calls: PortCalls;
  /** Lists go ahead of the call that needs them, in runs. */
  sent(inputs: Inputs): Promise<Exclude<Inputs, { items: unknown }> | SentList>;
}

const wasStopped = (state: JobState) => state === 'failed' || state === 'cancelled';
/** How often `reduced` tells how far it has read. */
const progressEvery = 1_000;

export class RemoteJob implements Job {
  #snapshot: JobSnapshot;
  readonly args: unknown;
  readonly #listeners = new Listeners();
  #watched = false;
  readonly #ready = deferred<void>();
  readonly #done = deferred<JobState>();
  readonly ready = this.#ready.promise;
  readonly done = this.#done.promise;

  constructor(
    private readonly host: RemoteJobHost,
    snapshot: JobSnapshot,
  ) {
    this.#snapshot = snapshot;
    this.args = snapshot.args;
    // A rejection is for whoever awaits it; nobody has to.
    this.ready.catch(() => undefined);
    // Not one of this connection's: it was handed over before.
    if (snapshot.key === null) this.#ready.resolve();
    this.update(snapshot);
  }

  get id(): string {
    return this.#snapshot.id;
  }
  get name(): string {
    return this.#snapshot.name;
  }
  get state(): JobState {
    return this.#snapshot.state;
  }
  get reason(): string {
    return this.#snapshot.reason;
  }
  get open(): boolean {
    return this.#snapshot.open;
  }
  get progress(): Progress {
    return this.#snapshot.progress;
  }
  get closable(): boolean {
    return this.#snapshot.closable;
  }
  get hasReduce(): boolean {
    return this.#snapshot.hasReduce;
  }
  get createdAt(): number {
    return this.#snapshot.createdAt;
  }
  get submitter(): IdentityId {
    return this.#snapshot.submitter as IdentityId;
  }

  get key(): JobKey {
    return this.#snapshot.key ?? this.#snapshot.id;
  }

  update(snapshot: JobSnapshot): void {
    // What ended before it was handed over has nothing more to tell: the site's frame has forgotten it.
    this.#snapshot = { ...snapshot, key: this.#snapshot.key ?? snapshot.key };
    if (snapshot.state === 'done' || wasStopped(snapshot.state)) this.#done.resolve(snapshot.state);
    this.#listeners.tell();
  }

  handedOver(): void {
    this.#ready.resolve();
  }

  refused(error: LullError): void {
    this.#ready.reject(error);
    this.update({ ...this.#snapshot, state: 'failed', reason: error.message });
  }

  [Symbol.asyncIterator](): AsyncGenerator<Result, void> {
    return this.#results('input');
  }

  asCompleted(): AsyncGenerator<Result, void> {
    return this.#results('completed');
  }

  async *#results(order: 'input' | 'completed'): AsyncGenerator<Result, void> {
    // A job that could not be handed over has no results, and the reason is what should be thrown.
    await this.ready;
    yield* this.host.calls.results(this.key, order);
  }

  results(): Promise<Result[]> {
    return this.#collect();
  }

  values(): Promise<unknown[]> {
    return this.#values();
  }

  async #collect(onProgress?: ReduceOptions['onProgress']): Promise<Result[]> {
    const all: Result[] = [];
    try {
      for await (const result of this) {
        all.push(result);
        const { items } = this.progress;
        if (all.length % progressEvery === 0 || all.length === items) onProgress?.(all.length, items);
      }
    } catch (error) {
      // A job that was handed over and failed has what it has, be it nothing.
      if (!(error instanceof LullError && error.code === 'job-ended')) throw error;
    }
    return all;
  }

  async #values(onProgress?: ReduceOptions['onProgress']): Promise<unknown[]> {
    const all = await this.#collect(onProgress);
    const failures = all.flatMap((result) => ('error' in result ? [new ItemError(result.index, result.error)] : []));
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} of ${all.length} items failed.`);
    if (wasStopped(this.state)) throw new LullError('job-ended', this.reason || `The job is ${this.state}.`);
    return all.map((result) => ('value' in result ? result.value : undefined));
  }

  reduce<A>(step: (before: A, value: unknown, index: number) => A, initial: A): Promise<A> {
    return foldValues(this, step, initial);
  }

  /** The step is the page's own code over its own results: it runs in a Worker of this page, for the site's frame runs nothing. */
  async reduced(options: ReduceOptions = {}): Promise<unknown> {
    await this.ready;
    const { reduce } = await this.source();
    if (reduce === null) throw new LullError('not-found', 'This job has no reduce step.');
    return runReduce(reduce, await this.#values(options.onProgress), this.args);
  }

  source(): Promise<{ readonly code: string; readonly reduce: string | null }> {
    return this.#call('source') as Promise<{ code: string; reduce: string | null }>;
  }
  overview(): Promise<Overview> {
    return this.#call('overview') as Promise<Overview>;
  }
  standing(): Promise<Standing> {
    return this.#call('standing') as Promise<Standing>;
  }
  async peek(from: number, max: number): Promise<Result[]> {
    checkStretch(from, max);
    return this.#call('peek', from, max) as Promise<Result[]>;
  }
  async inputs(from: number, max: number): Promise<unknown[]> {
    checkStretch(from, max);
    return this.#call('inputs', from, max) as Promise<unknown[]>;
  }
  async pause(): Promise<void> {
    await this.#call('pause');
  }
  async resume(): Promise<void> {
    await this.#call('resume');
  }
  async cancel(): Promise<void> {
    await this.#call('cancel');
  }
  async setPriority(priority: number): Promise<void> {
    await this.#call('setPriority', priority);
  }
  async append(inputs: Inputs | readonly unknown[]): Promise<void> {
    await this.#call('append', await this.host.sent(Array.isArray(inputs) ? { items: inputs } : (inputs as Inputs)));
  }
  async close(): Promise<void> {
    await this.#call('close');
  }
  async retry(indices?: readonly number[]): Promise<void> {
    checkIndices(indices);
    await this.#call('retry', ...(indices === undefined ? [] : [[...indices]]));
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#watch();
    return () => {
      this.#listeners.delete(listener);
      this.#watch();
    };
  }

  /** Tells the site's frame whether somebody looks. Not before the job is handed over: until then it does not know of it. */
  #watch(): void {
    const tell = () => {
      const wanted = this.#listeners.size > 0;
      if (wanted === this.#watched) return;
      this.#watched = wanted;
      this.host.calls.watch(this.key, wanted);
    };
    this.ready.then(tell, () => undefined);
  }

  async #call(method: JobMethod, ...args: unknown[]): Promise<unknown> {
    await this.ready;
    return this.host.calls.call(method, args, { job: this.key });
  }
}
