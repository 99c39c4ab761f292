// The page under attack: it runs code in the real sandbox, and the same code in a plain Worker of its own origin (the control).
import { browserClock } from '../../web/adapters/browser-clock.ts';
import { workerSandbox } from '../../web/adapters/worker-sandbox.ts';
import { decodeValue, encodeValue } from '../../web/kernel/lib/value-codec.ts';
import type { SandboxEvent } from '../../web/kernel/protocol/sandbox.ts';

export interface RunOptions {
  readonly args?: unknown;
  readonly items?: number;
  readonly itemMs?: number;
  readonly resultItemBytesMax?: number;
  readonly careful?: boolean;
  readonly withinMs?: number;
  /** How long the sandbox is left alive after the item has ended. */
  readonly lingerMs?: number;
  /** The page of the frame; another one for the boundary without its second line. */
  readonly page?: string;
}

export interface RunReport {
  readonly ended: string;
  readonly message: string;
  readonly index: number | null;
  readonly finished: number;
  readonly first: unknown;
  readonly errors: readonly { name: string; message: string; stack: string; index: number }[];
  readonly logs: readonly string[];
  readonly progress: number;
  readonly readyMs: number;
  readonly runMs: number;
  /** The longest time the page's own clock stood still meanwhile. */
  readonly gapMs: number;
}

const clock = browserClock();
const sandboxes = new Map<string, ReturnType<typeof workerSandbox>>();
const sandboxOf = (page: string) => {
  let sandbox = sandboxes.get(page);
  if (sandbox === undefined) sandboxes.set(page, (sandbox = workerSandbox({ clock, url: page })));
  return sandbox;
};

function heartbeat(): () => number {
  let last = performance.now();
  let gap = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    gap = Math.max(gap, now - last - 20);
    last = now;
  }, 20);
  return () => {
    clearInterval(timer);
    return Math.max(gap, performance.now() - last - 20);
  };
}

async function runInJob(code: string, options: RunOptions = {}): Promise<RunReport> {
  const { items = 1, withinMs = 20_000, careful = false } = options;
  const stopHeart = heartbeat();
  const startedAt = performance.now();
  let readyAt = startedAt;
  let finished = 0;
  let first: unknown;
  let progress = 0;
  const errors: { name: string; message: string; stack: string; index: number }[] = [];
  const logs: string[] = [];
  let end!: (how: { ended: string; message: string; index: number | null }) => void;
  const ended = new Promise<{ ended: string; message: string; index: number | null }>((resolve) => (end = resolve));
  const onEvent = (event: SandboxEvent) => {
    switch (event.type) {
      case 'ready':
        readyAt = performance.now();
        return opened.then(
          (sandbox) => sandbox.ok && sandbox.value.run({ first: 0, end: items, offset: 0, inputs: { kind: 'range' }, careful }),
        );
      case 'failed':
        return end({ ended: 'failed', message: `${event.error.name}: ${event.error.message}`, index: null });
      case 'dead':
        return end({ ended: event.cause, message: event.message, index: event.index });
      case 'finished':
        return end({ ended: 'finished', message: '', index: null });
      case 'progress':
        return void progress++;
      case 'log':
        return void logs.push(event.text);
      case 'results': {
        const { results } = event;
        if (results.first === 0 && results.ends[0]! > 0) {
          try {
            first = decodeValue(results.bytes.subarray(0, results.ends[0]));
          } catch (error) {
            first = `(not a value: ${String(error)})`;
          }
        }
        finished += results.ends.length;
        errors.push(...results.errors);
      }
    }
    return undefined;
  };
  const opened = sandboxOf(options.page ?? '/sandbox.html').open(
    {
      code,
      args: encodeValue(options.args),
      seed: 'ab'.repeat(32),
      epochMs: 1_790_000_000_000,
      itemMs: options.itemMs ?? 8_000,
      resultItemBytesMax: options.resultItemBytesMax ?? 1024 * 1024,
    },
    (event) => void onEvent(event),
  );
  const sandbox = await opened;
  const cancel = clock.after(withinMs, () => end({ ended: 'no answer', message: '', index: null }));
  const how = await ended;
  cancel();
  if (sandbox.ok && options.lingerMs !== undefined) clock.after(options.lingerMs, sandbox.value.kill);
  else if (sandbox.ok) sandbox.value.kill();
  const runMs = performance.now() - readyAt;
  return { ...how, finished, first, errors, logs, progress, readyMs: readyAt - startedAt, runMs, gapMs: stopHeart() };
}

/** What a Worker of the page's own origin can do: if an attack does not work here, it proves nothing. */
function runInPlainWorker(
  code: string,
  args: unknown,
  lingerMs = 0,
  withinMs = 4_000,
): Promise<{ value: unknown; error: string; raw: unknown[] }> {
  const worker = new Worker('/plain-worker.js');
  const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  const raw: unknown[] = [];
  return new Promise((resolve) => {
    const finish = (value: unknown, error: string) => {
      setTimeout(() => worker.terminate(), lingerMs);
      resolve({ value, error, raw });
    };
    const timer = setTimeout(() => finish(undefined, 'no answer'), withinMs);
    worker.addEventListener('message', (event: MessageEvent<{ plain?: boolean; value?: unknown; error?: string }>) => {
      if (event.data?.plain !== true) return raw.push(event.data);
      clearTimeout(timer);
      return finish(event.data.value, event.data.error ?? '');
    });
    worker.postMessage({ url, args });
  });
}

const range = { runInJob, runInPlainWorker, sandbox: sandboxOf('/sandbox.html'), heartbeat };
export type AttackRange = typeof range;
declare global {
  interface Window {
    range: AttackRange;
    strayMessages: unknown[];
  }
}
window.strayMessages = [];
window.addEventListener('message', (event) => window.strayMessages.push(event.data));
window.range = range;
