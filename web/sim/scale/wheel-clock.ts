// The clock of very many tabs: a wheel of milliseconds, on which a timer costs the same however many there are. It moves only when told, and
// between two timers every microtask runs. Each process has a clock of its own over it, and with the process its timers end.
import type { Cancel, Clock } from '../../kernel/platform.ts';

/** Milliseconds of one turn of the wheel. */
const turnMs = 8_192;

interface Life {
  readonly alive: boolean;
}

interface Timer {
  /** undefined once cancelled: it leaves the wheel when its time comes. */
  run: (() => void) | undefined;
  readonly of: Life | undefined;
}

export class WheelClock implements Clock {
  /** Whole milliseconds, as browsers' timers are. */
  #now = 1_000;
  readonly #slots: Timer[][] = Array.from({ length: turnMs }, () => []);
  /** By the turn they fall due in. */
  readonly #later = new Map<number, { readonly at: number; readonly timer: Timer }[]>();
  /** Timers that have run. */
  fired = 0;

  constructor(private readonly wallAtStart = Date.UTC(2026, 0, 1)) {}

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.wallAtStart + this.#now;
  }

  after(ms: number, run: () => void): Cancel {
    return this.afterOf(ms, run, undefined);
  }

  /** Does not run where its process is dead by then. */
  afterOf(ms: number, run: () => void, of: Life | undefined): Cancel {
    const at = this.#now + Math.max(0, Math.ceil(ms));
    const timer: Timer = { run, of };
    const turn = Math.floor(at / turnMs);
    if (turn === Math.floor(this.#now / turnMs)) this.#slots[at % turnMs]!.push(timer);
    else {
      const list = this.#later.get(turn);
      if (list === undefined) this.#later.set(turn, [{ at, timer }]);
      else list.push({ at, timer });
    }
    return () => void (timer.run = undefined);
  }

  /** Runs all that falls due in the next `ms`, in order, draining microtasks after each timer. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + Math.ceil(ms);
    await microtasks();
    for (;;) {
      const slot = this.#slots[this.#now % turnMs]!;
      // A timer may set others for this same millisecond.
      for (let i = 0; i < slot.length; i++) {
        const { run, of } = slot[i]!;
        if (run === undefined || of?.alive === false) continue;
        slot[i]!.run = undefined;
        this.fired++;
        run();
        await microtasks();
      }
      slot.length = 0;
      if (this.#now >= until) return;
      this.#now++;
      if (this.#now % turnMs === 0) this.#turn();
    }
  }

  /** Advances until `condition` holds. @throws Error after `withinMs` of virtual time. */
  async until(condition: () => boolean | Promise<boolean>, withinMs: number, what = 'the condition', stepMs = 1): Promise<void> {
    const end = this.#now + withinMs;
    await microtasks();
    while (!(await condition())) {
      if (this.#now >= end) throw new Error(`${what} did not come true within ${withinMs} virtual ms`);
      await this.advance(stepMs);
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

  #turn(): void {
    const turn = this.#now / turnMs;
    for (const { at, timer } of this.#later.get(turn) ?? []) if (timer.run !== undefined) this.#slots[at % turnMs]!.push(timer);
    this.#later.delete(turn);
  }
}

/** One process's clock: it has its own origin, its person's idea of the date, and an end. */
export class ProcessClock implements Clock {
  alive = true;

  constructor(
    private readonly world: WheelClock,
    private readonly originMs: number,
    private readonly wallOffMs: number,
  ) {}

  now(): number {
    return this.world.now() + this.originMs;
  }

  wall(): number {
    return this.world.wall() + this.wallOffMs;
  }

  after(ms: number, run: () => void): Cancel {
    return this.world.afterOf(ms, run, this);
  }
}

/** Node looks at its ticks only when no microtask is left. */
const microtasks = () => new Promise<void>((resolve) => process.nextTick(resolve));
