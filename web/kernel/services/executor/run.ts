// One run: its ranges one after the other, span by span, through as many sandboxes as it takes.
//
//   waiting (input of the first span is fetched meanwhile) -> running -> ended
//      a death without proof of whose fault it is -> waiting again, watched more closely
//      stop() in any state -> ended 'stopped', sandbox killed in the same turn
//      shorten() in any state: what lies behind is not begun, and what the sandbox began of it is killed with it
import { FaultError } from '../../lib/outcome.ts';
import type { JobId, RecordId } from '../../lib/ids.ts';
import { resultItemBytesMax, segmentBytesMax, takedownsMax } from '../../limits.ts';
import type { Clock } from '../../platform.ts';
import type { RunOutcome, Running } from '../../protocol/contracts/executor.ts';
import type { InputPart, JobInput, JobManifest } from '../../protocol/job-manifest.ts';
import type { SandboxEvent, SandboxJob, SandboxSpan } from '../../protocol/sandbox.ts';
import type { Range } from '../../protocol/schemas.ts';
import { blameError, verdictOn, type Cause, type Watch } from './blame.ts';
import { partSpans, type InputSpan, type PartSpan, type SegmentReader } from './inputs.ts';
import { ResultCollector, type CollectedBlob } from './result-collector.ts';
import { Taking, type LoadedSandbox, type SandboxPool } from './sandbox-pool.ts';

/** A result and the head of its blob fit one segment. */
export const itemResultBytesMax = Math.min(resultItemBytesMax, segmentBytesMax - 128 * 1024);
/** A run that has gathered so much, or lost so many sandboxes, hands in what it has. */
export const runResultBytesMax = 48 * 1024 * 1024;
/** Below what one answer lists: the last results may open two more. */
export const runBlobsMax = 1_000;
export const deathsPerRunMax = 8;

export interface RunNeeds {
  readonly clock: Clock;
  readonly pool: SandboxPool;
  manifest(job: JobId): Promise<JobManifest>;
  code(manifest: JobManifest): Promise<Uint8Array>;
  /** The parts of the input that hold the range. */
  parts(job: JobId, manifest: JobManifest, range: Range): Promise<readonly InputPart[]>;
  reader(input: JobInput): SegmentReader;
  /** Resolves when the run may use a worker; the slot is given back by `leave`. Never settles once the run was stopped. */
  enter(run: Run, alone: boolean): Promise<void>;
  leave(run: Run): void;
  /** The job's code, alone in its process, took a sandbox down; answers how often it has done so here. */
  tookDown(job: JobId): number;
  /** Something to show has changed; `atOnce` where it began or ended. */
  changed(atOnce: boolean): void;
  log(job: JobId, index: number, text: string): void;
}

export interface RunRequest {
  readonly job: JobId;
  readonly record: RecordId;
  readonly ranges: readonly Range[];
}

export interface RunResult {
  readonly ended: RunOutcome['ended'];
  readonly message: string;
  readonly workerMs: number;
  readonly interrupted: RunOutcome['interrupted'];
  readonly blobs: readonly CollectedBlob[];
}

type SpanEnd =
  | { readonly type: 'finished' }
  | { readonly type: 'full' }
  /** The run was shortened, and all that is left of it has its outcome; the sandbox goes on with what is not wanted. */
  | { readonly type: 'shortened' }
  | { readonly type: 'dead'; readonly cause: Cause; readonly message: string };

/** Ends the run early, with what it has. */
class RunEnd extends Error {
  constructor(
    readonly ended: RunOutcome['ended'],
    message: string,
  ) {
    super(message);
  }
}

export class Run {
  readonly #collector = new ResultCollector();
  readonly #startedAt: number;
  /** The first item that is not run. */
  #end: number;
  /** The first item of the span in hand that has no outcome yet; before there is one, of the run. */
  #next: number;
  #workerMs = 0;
  #enteredAt: number | undefined;
  #phase: Running['phase'] = 'fetching';
  #progress: number | null = null;
  #stopped = false;
  #stop!: (end: RunEnd) => void;
  readonly #whenStopped: Promise<never>;
  #taking: Taking | undefined;
  #sandbox: LoadedSandbox | undefined;
  #watch: Watch = { careful: false, alone: false };
  #deaths = 0;
  /** When the item that runs began at the earliest: with its span, or when the last result came. */
  #itemSince: number | undefined;
  #interrupted: RunOutcome['interrupted'] = null;

  constructor(
    readonly id: number,
    readonly request: RunRequest,
    private readonly needs: RunNeeds,
  ) {
    this.#startedAt = needs.clock.now();
    this.#end = request.ranges.at(-1)![1];
    this.#next = request.ranges[0]![0];
    this.#whenStopped = new Promise((_, reject) => (this.#stop = reject));
    this.#whenStopped.catch(() => undefined);
  }

  /** Never rejects for the world's faults. */
  async result(): Promise<RunResult> {
    let ended: RunOutcome['ended'] = 'finished';
    let message = '';
    try {
      await this.#whole();
    } catch (error) {
      if (error instanceof RunEnd) [ended, message] = [error.ended, error.message];
      else if (error instanceof FaultError) [ended, message] = ['no-data', error.message];
      else throw error;
    } finally {
      this.#drop();
      this.#leave();
    }
    const interrupted = ended === 'stopped' ? this.#interrupted : null;
    return { ended, message: message.slice(0, 2_000), workerMs: this.#workerMs, interrupted, blobs: this.#collector.finish() };
  }

  /**
   * Leaves the items from `end` on to others, but for one that has begun and at least one in all; answers with the first that is left.
   * Undefined once the run is over.
   */
  shorten(end: number): number | undefined {
    if (this.#stopped || this.#next >= this.#end) return undefined;
    this.#end = Math.min(this.#end, Math.max(end, this.#next + 1));
    return this.#end;
  }

  /** What has an outcome and was not taken before; `result` has what comes after. Undefined once the run is over. */
  take(): readonly CollectedBlob[] | undefined {
    return this.#stopped || this.#next >= this.#end ? undefined : this.#collector.finish();
  }

  /** Kills its sandbox before it returns. */
  stop(why: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#itemSince !== undefined)
      this.#interrupted = { item: this.#next, ranMs: Math.max(0, this.needs.clock.now() - this.#itemSince) };
    this.#phase = 'stopping';
    this.#drop();
    this.#stop(new RunEnd('stopped', why));
  }

  running(): Running {
    const { job, record, ranges } = this.request;
    return {
      job,
      record,
      range: [ranges[0]![0], ranges.at(-1)![1]],
      finished: this.#collector.items,
      items: Math.max(
        this.#collector.items,
        ranges.reduce((sum, [first, end]) => sum + Math.max(0, Math.min(end, this.#end) - first), 0),
      ),
      phase: this.#phase,
      startedAgoMs: Math.max(0, this.needs.clock.now() - this.#startedAt),
      progress: this.#progress,
    };
  }

  async #whole(): Promise<void> {
    const { job, ranges } = this.request;
    const manifest = await this.#unlessStopped(this.needs.manifest(job));
    const code = await this.#unlessStopped(this.needs.code(manifest));
    const spans = ahead(this.#spans(manifest, ranges));
    // Fetched before there is a worker: a core does not wait for the network.
    await this.#unlessStopped(spans.peek());
    this.#phase = 'waiting';
    this.needs.changed(true);
    await this.#enter(false);
    const sandboxJob: SandboxJob = {
      code,
      args: manifest.args,
      seed: job,
      epochMs: manifest.createdAt,
      itemMs: manifest.itemMs,
      ...(manifest.memoryMiB !== undefined && { memoryMiB: manifest.memoryMiB }),
      resultItemBytesMax: itemResultBytesMax,
    };
    while (this.#next < this.#end) {
      const span = await this.#unlessStopped(spans.next());
      if (span === undefined || span.first >= this.#end) break;
      await this.#span(span, sandboxJob);
    }
    this.#next = this.#end;
    const sandbox = this.#sandbox;
    this.#sandbox = undefined;
    this.#taking = undefined;
    sandbox?.release();
  }

  async *#spans(manifest: JobManifest, ranges: readonly Range[]): AsyncGenerator<PartSpan, void, void> {
    for (const range of ranges) {
      const parts = await this.needs.parts(this.request.job, manifest, range);
      yield* partSpans(parts, range, (input) => this.needs.reader(input));
    }
  }

  /** All items of the span get an outcome, in this sandbox or the next ones. */
  async #span(input: PartSpan, job: SandboxJob): Promise<void> {
    this.#collector.begin(input.part);
    this.#next = input.first;
    while (this.#next < Math.min(input.end, this.#end)) {
      const sandbox = await this.#loaded(job);
      const span = spanOf(input, this.#next, this.#end, this.#watch.careful);
      this.#itemSince = this.needs.clock.now();
      const end = await this.#unlessStopped(
        new Promise<SpanEnd>((resolve) => sandbox.run(span, (event) => this.#on(event, span, resolve))),
      );
      this.#itemSince = undefined;
      if (end.type === 'shortened') {
        this.#drop();
        return;
      }
      if (end.type === 'full') throw new RunEnd('stopped', 'The results so far are all that one part may hold; the rest is released.');
      if (end.type === 'finished') continue;
      this.#drop();
      const verdict = verdictOn(end.cause, this.#watch, span.end - this.#next);
      if (verdict.blamed) {
        this.#collector.fail(blameError(end.cause, this.#next, job.itemMs, end.message), end.cause === 'item-time' ? job.itemMs : 0);
        this.#next++;
        if (end.cause === 'unresponsive' && this.needs.tookDown(this.request.job) >= takedownsMax)
          throw new RunEnd('unloadable', `The code takes its sandbox down again and again: ${takedownsMax} times here.`);
      }
      if (++this.#deaths >= deathsPerRunMax && verdict.blamed)
        throw new RunEnd('stopped', 'Too many items took their sandbox down; the rest is released.');
      await this.#watchAs(verdict.watch);
    }
  }

  #on(event: SandboxEvent, span: SandboxSpan, resolve: (end: SpanEnd) => void): void {
    switch (event.type) {
      case 'results': {
        const { results } = event;
        this.#collector.add(results);
        this.#next += results.ends.length;
        this.#itemSince = this.needs.clock.now();
        this.#progress = null;
        this.needs.changed(false);
        if (this.#end < span.end && this.#next >= this.#end) resolve({ type: 'shortened' });
        if (this.#collector.bytes > runResultBytesMax || this.#collector.blobs >= runBlobsMax) resolve({ type: 'full' });
        return;
      }
      case 'progress':
        this.#progress = event.fraction;
        return this.needs.changed(false);
      case 'log':
        this.#collector.log(event.index, event.text);
        return this.needs.log(this.request.job, event.index, event.text);
      case 'finished':
        return resolve(event);
      case 'dead':
        return resolve({ type: 'dead', cause: event.cause, message: event.message });
      case 'ready':
      case 'failed':
        return undefined;
    }
  }

  /** The sandbox in use, or another one with the code loaded. */
  async #loaded(job: SandboxJob): Promise<LoadedSandbox> {
    while (this.#sandbox === undefined) {
      this.#phase = 'running';
      this.needs.changed(true);
      const taking = new Taking();
      this.#taking = taking;
      const taken = await this.#unlessStopped(this.needs.pool.take(this.request.job, job, taking));
      if (!taken.ok) throw new RunEnd('died', taken.fault.message);
      const loaded = taken.value;
      switch (loaded.state) {
        case 'ready':
          this.#sandbox = loaded.sandbox;
          break;
        case 'unloadable':
          // What it says alone: `unloadable` says the rest, and so does the job's reason.
          throw new RunEnd('unloadable', `${loaded.error.name}: ${loaded.error.message}`);
        case 'died':
          taking.kill();
          if (++this.#deaths >= 2 && this.#watch.alone)
            throw new RunEnd('unloadable', `The code takes its sandbox down while it loads. ${loaded.message}`);
          await this.#watchAs({ careful: true, alone: true });
      }
    }
    return this.#sandbox;
  }

  async #watchAs(watch: Watch): Promise<void> {
    const moves = watch.alone && !this.#watch.alone;
    this.#watch = watch;
    if (!moves) return;
    this.#leave();
    this.#phase = 'waiting';
    await this.#enter(true);
  }

  async #enter(alone: boolean): Promise<void> {
    await this.#unlessStopped(this.needs.enter(this, alone));
    this.#enteredAt = this.needs.clock.now();
    this.#phase = 'running';
    this.needs.changed(true);
  }

  #leave(): void {
    if (this.#enteredAt !== undefined) this.#workerMs += Math.max(0, this.needs.clock.now() - this.#enteredAt);
    this.#enteredAt = undefined;
    this.needs.leave(this);
  }

  #drop(): void {
    this.#taking?.kill();
    this.#taking = undefined;
    this.#sandbox?.kill();
    this.#sandbox = undefined;
  }

  #unlessStopped<T>(work: Promise<T>): Promise<T> {
    return Promise.race([this.#whenStopped, work]);
  }
}

/** Items [next, end) of a span, as far as it goes. The bytes are owned: what crosses to the sandbox is the whole buffer. */
export function spanOf({ first, end: last, offset, inputs }: InputSpan, next: number, end: number, careful: boolean): SandboxSpan {
  const until = Math.min(end, last);
  if (inputs.kind === 'range' || (next === first && until === last)) return { first: next, end: until, offset, inputs, careful };
  const base = next === first ? 0 : inputs.ends[next - first - 1]!;
  const ends = inputs.ends.slice(next - first, until - first).map((value) => value - base);
  return { first: next, end: until, offset, inputs: { ...inputs, bytes: inputs.bytes.slice(base, base + ends.at(-1)!), ends }, careful };
}

/** Keeps one span fetched ahead of the one in use. */
function ahead<T>(source: AsyncGenerator<T, void, void>): { peek(): Promise<void>; next(): Promise<T | undefined> } {
  const fetch = () => {
    const coming = source.next();
    coming.catch(() => undefined);
    return coming;
  };
  let coming = fetch();
  return {
    peek: async () => void (await coming),
    next: async () => {
      const { done, value } = await coming;
      if (done === true) return undefined;
      coming = fetch();
      return value;
    },
  };
}
