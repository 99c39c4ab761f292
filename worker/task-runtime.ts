// Runs inside the Worker, before and around foreign code. Takes its own copies of what it needs, scrubs the scope, loads the
// task's module and runs items one after the other. Foreign code shares this realm and may break whatever it reaches here:
// then it breaks its own results, and the relay (frame.ts) refuses what does not fit.
import { decodeValue, encodeValue } from '../web/kernel/lib/value-codec.ts';
import { wasmMiBDefault } from '../web/kernel/limits.ts';
import {
  flushBytes,
  flushEveryMs,
  flushItems,
  sandboxCreditsMax,
  type FrameToWorker,
  type WorkerToFrame,
} from '../web/kernel/protocol/sandbox-frame.ts';
import type { SandboxInputs, SandboxJob, SandboxSpan } from '../web/kernel/protocol/sandbox.ts';
import { Prober } from './probe.ts';
import { describeThrown, LoadError, ResultError } from './item-errors.ts';
import { itemRandom } from './item-random.ts';
import { quietConsole, TaskLog } from './task-log.ts';
import { scrub } from './scrub.ts';
import { capWebAssembly } from './wasm-cap.ts';

const scope = globalThis as unknown as DedicatedWorkerGlobalScope & { console: unknown };
const post = scope.postMessage.bind(scope) as (message: WorkerToFrame, transfer?: Transferable[]) => void;
const clockNow = performance.now.bind(performance);
const later = setTimeout.bind(scope);
const notLater = clearTimeout.bind(scope);
const every = setInterval.bind(scope);
const notEvery = clearInterval.bind(scope);
const text = new TextDecoder();
const decodeText = text.decode.bind(text);
const nothing = new Uint8Array(0);
const prober = new Prober(clockNow);
/** It rests so long at once at least: shorter waits cost more than they spare. */
const restMsMin = 20;

type TaskFunction = (item: unknown, task: object) => unknown;
/** Stands in stacks as the name of a random blob: else the same error would read differently everywhere. */
let codeUrl = '';
let task: { readonly run: TaskFunction; readonly args: unknown; readonly job: Omit<SandboxJob, 'code'> } | undefined;

let credits = sandboxCreditsMax;
let whenCredited: (() => void) | undefined;
let currentIndex = 0;
const log = new TaskLog(clockNow, (line) => post({ t: 'log', index: currentIndex, text: line }));

scope.addEventListener('message', (event: MessageEvent<FrameToWorker>) => {
  const message = event.data;
  if (message.t === 'credits') {
    credits += message.messages;
    whenCredited?.();
  } else if (message.t === 'open') {
    void open(message.url, message.job);
  } else {
    void runSpan(message.span);
  }
});
scope.addEventListener('unhandledrejection', (event) => {
  // Its submitter reads of it; the console is the donor's, and reporting 100 000 of them there takes the page's time.
  event.preventDefault();
  log.line(['A promise was rejected and nobody handled it:', event.reason]);
});

const stubborn = scrub(scope);
Object.defineProperty(scope, 'console', { value: quietConsole(log), configurable: true, writable: true });

async function open(url: string, job: Omit<SandboxJob, 'code'>): Promise<void> {
  try {
    if (stubborn.length > 0) throw new LoadError(`This browser does not let Lull take away: ${stubborn.join(', ')}.`);
    codeUrl = url;
    if (typeof WebAssembly !== 'undefined') capWebAssembly(WebAssembly, job.memoryMiB ?? wasmMiBDefault);
    const module = (await import(/* @vite-ignore */ url)) as { default?: unknown };
    if (typeof module.default !== 'function')
      throw new LoadError('The code has no default function: it must have `export default (item, task) => ...`.');
    task = { run: module.default as TaskFunction, args: decodeValue(job.args), job };
    post({ t: 'ready' });
  } catch (thrown) {
    post({ t: 'failed', error: describeThrown(thrown, 0, codeUrl) });
  }
}

/** Results that wait to travel together. */
class Batch {
  readonly #parts: Uint8Array[] = [];
  readonly #tookMs: number[] = [];
  #errors: ReturnType<typeof describeThrown>[] = [];
  bytes = 0;
  #first = 0;

  get count(): number {
    return this.#tookMs.length;
  }

  add(index: number, value: Uint8Array, tookMs: number, error: ReturnType<typeof describeThrown> | undefined): void {
    if (this.count === 0) this.#first = index;
    this.#parts.push(value);
    this.#tookMs.push(tookMs);
    this.bytes += value.length;
    if (error === undefined) return;
    this.#errors.push(error);
    this.bytes += error.message.length + error.stack.length;
  }

  send(): void {
    const ends = new Uint32Array(this.count);
    let size = 0;
    for (let i = 0; i < this.count; i++) ends[i] = size += this.#parts[i]!.length;
    const bytes = new Uint8Array(size);
    for (let i = 0; i < this.count; i++) bytes.set(this.#parts[i]!, i === 0 ? 0 : ends[i - 1]!);
    const tookMs = Float32Array.from(this.#tookMs);
    const results = { first: this.#first, bytes, ends, tookMs, errors: this.#errors };
    this.#parts.length = this.#tookMs.length = this.bytes = 0;
    this.#errors = [];
    credits--;
    post({ t: 'results', results }, [bytes.buffer, ends.buffer, tookMs.buffer]);
  }
}

async function runSpan(span: SandboxSpan): Promise<void> {
  const { run, job } = task!;
  const batch = new Batch();
  log.newSpan();
  let flushedAt = clockNow();
  const flush = () => {
    batch.send();
    flushedAt = clockNow();
  };
  // While an item awaits something, what was finished before it need not wait for it.
  const idle = every(() => {
    if (batch.count > 0 && credits > 0) flush();
  }, 4 * flushEveryMs);
  const resting = 100 / (span.pace?.shareOfTime ?? 100) - 1;
  let owedMs = 0;
  let startedAt = flushedAt;
  for (let index = span.first; index < span.end; index++) {
    currentIndex = index;
    let value = nothing;
    let error: ReturnType<typeof describeThrown> | undefined;
    let timer: ReturnType<typeof later> | undefined;
    try {
      const context = itemContext(index, job);
      let result = run(inputOf(span, index), context.task);
      if (isThenable(result)) {
        timer = later(context.timeUp, job.itemMs);
        result = await result;
      }
      value = encodeResult(result, job.resultItemBytesMax);
    } catch (thrown) {
      error = describeThrown(thrown, index, codeUrl);
    }
    if (timer !== undefined) notLater(timer);
    const endedAt = clockNow();
    const tookMs = endedAt - startedAt;
    batch.add(index, value, tookMs, error);
    owedMs += tookMs * resting;
    if (span.careful || endedAt - flushedAt >= flushEveryMs || batch.bytes >= flushBytes || batch.count >= flushItems) {
      while (credits <= 0) await credited();
      if (batch.count > 0) flush();
      startedAt = flushedAt;
    } else startedAt = endedAt;
    // Neither counts as the next item's time.
    if (span.pace?.probe === true) {
      const reading = prober.between();
      if (reading !== undefined) post({ t: 'probe', reading });
      startedAt = clockNow();
    }
    if (owedMs >= restMsMin) {
      if (batch.count > 0 && credits > 0) flush();
      await rested(owedMs);
      owedMs = 0;
      startedAt = clockNow();
    }
  }
  notEvery(idle);
  while (credits <= 0) await credited();
  if (batch.count > 0) flush();
}

const rested = (ms: number) =>
  new Promise<void>((resolve) => {
    later(resolve, ms);
  });

const credited = () =>
  new Promise<void>((resolve) => {
    whenCredited = resolve;
  });

function inputOf(span: SandboxSpan, index: number): unknown {
  const inputs: SandboxInputs = span.inputs;
  if (inputs.kind === 'range') return index + span.offset;
  const place = index - span.first;
  const from = place === 0 ? 0 : inputs.ends[place - 1]!;
  const to = inputs.ends[place]!;
  if (inputs.encoding === 'text') return decodeText(inputs.bytes.subarray(from, to));
  // A copy: whatever the code does to its item, it cannot reach the next one.
  const bytes = inputs.bytes.slice(from, to);
  return inputs.encoding === 'bytes' ? bytes : decodeValue(bytes);
}

/** What the code gets as its second argument. Closures, so that `({ random }) => ...` works. */
function itemContext(index: number, job: Omit<SandboxJob, 'code'>): { readonly task: object; readonly timeUp: () => void } {
  let random: (() => number) | undefined;
  let ticks = 0;
  let abort: AbortController | undefined;
  return {
    timeUp: () => abort?.abort(new DOMException(`The item took longer than ${job.itemMs / 1000} s.`, 'TimeoutError')),
    task: {
      index,
      args: task!.args,
      get signal() {
        return (abort ??= new AbortController()).signal;
      },
      progress: (fraction: number) => {
        if (log.mayReport()) post({ t: 'progress', index, fraction: Math.min(1, Math.max(0, Number(fraction) || 0)) });
      },
      log: (...parts: unknown[]) => log.line(parts),
      now: () => job.epochMs + ticks++,
      random: () => (random ??= itemRandom(job.seed, index))(),
    },
  };
}

/** @throws ResultError in words a person understands */
function encodeResult(value: unknown, bytesMax: number): Uint8Array<ArrayBuffer> {
  // Looked at before it is copied: the copy of something enormous would take the Worker down.
  const size = typeof value === 'string' ? value.length : ArrayBuffer.isView(value) || value instanceof ArrayBuffer ? value.byteLength : 0;
  if (size > bytesMax) throw tooLarge(size, bytesMax);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = encodeValue(value);
  } catch (thrown) {
    const why = describeThrown(thrown, 0, '').message;
    throw new ResultError(
      why.startsWith('Too deep')
        ? 'The result cannot be sent: it is nested more than 100 levels deep, or contains itself.'
        : `The result cannot be sent: ${why}.`,
    );
  }
  if (bytes.length > bytesMax) throw tooLarge(bytes.length, bytesMax);
  return bytes;
}

const tooLarge = (bytes: number, bytesMax: number) =>
  new ResultError(`The result is too large: ${mebibytes(bytes)} MiB, and one item may give at most ${mebibytes(bytesMax)} MiB.`);
const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
