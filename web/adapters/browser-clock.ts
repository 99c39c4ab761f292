// Time in a browser. Page timers go to one a second in a hidden tab, and to one a minute later on; a Worker's do not, so one
// Worker wakes the page and a heap here keeps all timers. What is due at once goes through a MessageChannel, not throttled either.
import type { Cancel, Clock } from '../kernel/platform.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  /** undefined once it ran or was cancelled. */
  run: (() => void) | undefined;
}

/** Wakes the page up once, `ms` or a little more from now; asking again replaces the wake-up asked for before. */
interface Waker {
  wake(ms: number): void;
  stop(): void;
}

export interface BrowserClock extends Clock {
  /** Ends the Worker; no callback runs any more. */
  stop(): void;
  /** What wakes the page: 'page' where no Worker can be made, and then a hidden tab is slow. */
  readonly ticksFrom: 'worker' | 'page';
}

const wakeMsMax = 2 ** 30;

/** `makeWorker` may throw, or its Worker may fail to load: then page timers are used. */
export function browserClock(makeWorker: () => Worker = tickerWorker): BrowserClock {
  const heap: Timer[] = [];
  let order = 0;
  let armedFor = Infinity;
  let stopped = false;
  let ticksFrom: 'worker' | 'page' = 'worker';

  const runDue = () => {
    armedFor = Infinity;
    // Timers set by these callbacks wait for the next turn, so that a chain of zero waits cannot hold the page.
    const last = order;
    const until = performance.now();
    const later: Timer[] = [];
    for (let next = heap[0]; next !== undefined && next.at <= until && !stopped; next = heap[0]) {
      pop(heap);
      if (next.order >= last) later.push(next);
      else fire(next);
    }
    for (const timer of later) push(heap, timer);
    arm();
  };
  const soon = new MessageChannel();
  soon.port1.onmessage = runDue;
  let waker = pageWaker(runDue);
  try {
    const { port, failed } = workerWaker(makeWorker(), runDue);
    waker = port;
    failed(() => {
      waker.stop();
      waker = pageWaker(runDue);
      ticksFrom = 'page';
      armedFor = Infinity;
      arm();
    });
  } catch {
    ticksFrom = 'page';
  }

  function arm(): void {
    while (heap[0] !== undefined && heap[0].run === undefined) pop(heap);
    const next = heap[0];
    if (next === undefined || next.at >= armedFor || stopped) return;
    armedFor = next.at;
    const ms = next.at - performance.now();
    if (ms <= 0) soon.port2.postMessage(0);
    // setTimeout takes a longer wait for none at all.
    else waker.wake(Math.min(ms, wakeMsMax));
  }

  return {
    now: () => performance.now(),
    wall: () => Date.now(),
    after: (ms, run): Cancel => {
      const timer: Timer = { at: performance.now() + Math.max(0, ms), order: order++, run };
      push(heap, timer);
      arm();
      return () => {
        timer.run = undefined;
      };
    },
    stop: () => {
      stopped = true;
      heap.length = 0;
      waker.stop();
      soon.port1.close();
    },
    get ticksFrom() {
      return ticksFrom;
    },
  };
}

function fire(timer: Timer): void {
  const { run } = timer;
  timer.run = undefined;
  try {
    run?.();
  } catch (error) {
    // One bad callback must not hold up the others; the error still reaches the page's handler.
    queueMicrotask(() => {
      throw error;
    });
  }
}

const tickerWorker = () => new Worker(new URL('../../worker/ticker.ts', import.meta.url), { type: 'module', name: 'lull-ticker' });

function workerWaker(worker: Worker, run: () => void) {
  worker.onmessage = run;
  const port: Waker = { wake: (ms) => worker.postMessage(ms), stop: () => worker.terminate() };
  return {
    port,
    failed: (listen: () => void) => {
      worker.onerror = (event) => {
        event.preventDefault();
        listen();
      };
    },
  };
}

function pageWaker(run: () => void): Waker {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    wake: (ms) => {
      clearTimeout(timer);
      timer = setTimeout(run, ms);
    },
    stop: () => clearTimeout(timer),
  };
}

const before = (a: Timer, b: Timer) => a.at < b.at || (a.at === b.at && a.order < b.order);

function push(heap: Timer[], timer: Timer): void {
  heap.push(timer);
  for (let i = heap.length - 1; i > 0;) {
    const up = (i - 1) >> 1;
    if (!before(heap[i]!, heap[up]!)) return;
    [heap[i], heap[up]] = [heap[up]!, heap[i]!];
    i = up;
  }
}

function pop(heap: Timer[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  heap[0] = last;
  for (let i = 0; ;) {
    let least = i;
    for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && before(heap[child]!, heap[least]!)) least = child;
    if (least === i) return;
    [heap[i], heap[least]] = [heap[least]!, heap[i]!];
    i = least;
  }
}
