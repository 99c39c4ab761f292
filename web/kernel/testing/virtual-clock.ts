// A clock that moves only when told. Between two timers every microtask runs, so that a run is a function of its inputs.
import type { Cancel, Clock } from '../platform.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  /** undefined once cancelled: it leaves the heap when its time comes. */
  run: (() => void) | undefined;
}

export class VirtualClock implements Clock {
  #now = 1_000;
  #order = 0;
  readonly #heap: Timer[] = [];

  /** Calls back when every microtask there is has run. */
  readonly #drained: (run: () => void) => void;

  /** `drains`: 'microtasks' is several times faster, for runs in which nothing waits on the host (no real storage, crypto or worker). */
  constructor(
    private readonly wallAtStart = Date.UTC(2026, 0, 1),
    drains: 'turn' | 'microtasks' = 'microtasks',
  ) {
    this.#drained = drains === 'turn' ? afterTurn : afterMicrotasks;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.wallAtStart + this.#now;
  }

  after(ms: number, run: () => void): Cancel {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order++, run };
    push(this.#heap, timer);
    return () => void (timer.run = undefined);
  }

  /** Runs all that falls due in the next `ms`, in order, draining microtasks after each timer. */
  advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    return new Promise((resolve, reject) => {
      const step = () => {
        try {
          const run = this.#takeDue(until);
          if (run === undefined) {
            this.#now = until;
            resolve();
            return;
          }
          run();
        } catch (error) {
          reject(error as Error);
          return;
        }
        this.#drained(step);
      };
      this.#drained(step);
    });
  }

  /** The next that falls due up to `until`; the time is its own from then on. */
  #takeDue(until: number): (() => void) | undefined {
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0]) {
      pop(this.#heap);
      const { run } = next;
      if (run === undefined) continue;
      this.#now = next.at;
      next.run = undefined;
      return run;
    }
    return undefined;
  }

  /** Advances in small steps until `condition` holds. @throws Error after `withinMs` of virtual time. */
  async until(condition: () => boolean | Promise<boolean>, withinMs: number, what = 'the condition'): Promise<void> {
    const end = this.#now + withinMs;
    await new Promise<void>((resolve) => this.#drained(resolve));
    while (!(await condition())) {
      if (this.#now >= end) throw new Error(`${what} did not come true within ${withinMs} virtual ms`);
      const next = this.#heap[0];
      await this.advance(next === undefined ? end - this.#now : Math.min(Math.max(next.at - this.#now, 0), end - this.#now));
    }
  }

  /** Runs everything in `work` to its end, advancing time as needed. */
  async finish<T>(work: Promise<T>, withinMs = 60_000): Promise<T> {
    let settled = false;
    const watched = work.finally(() => (settled = true));
    watched.catch(() => undefined);
    await this.until(() => settled, withinMs, 'the work');
    return watched;
  }
}

/** After a macrotask turn every promise that can settle has settled. */
const afterTurn = (run: () => void) => void setImmediate(run);
/** Node looks at its ticks when no microtask is left, and then runs all there are: each is therefore asked for from a microtask. */
const afterMicrotasks = (run: () => void) => void settled.then(() => process.nextTick(run));
const settled = Promise.resolve();

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
    const left = 2 * i + 1;
    if (left < heap.length && before(heap[left]!, heap[least]!)) least = left;
    if (left + 1 < heap.length && before(heap[left + 1]!, heap[least]!)) least = left + 1;
    if (least === i) return;
    [heap[i], heap[least]] = [heap[least]!, heap[i]!];
    i = least;
  }
}
