// The clock of very many tabs: a wheel of milliseconds, on which a timer costs the same however many there are. It moves only when told, and
// between two timers every microtask runs. Each process has a clock of its own over it, and with the process its timers end.
import type { Cancel, Clock } from '../../kernel/platform.ts';

/** Milliseconds of one turn of the wheel. */
const turnMs = 1_024;

interface Life {
  readonly alive: boolean;
}

interface Timer {
  /** undefined once cancelled: it leaves the wheel when its time comes. */
  run: (() => void) | undefined;
  readonly of: Life | undefined;
  readonly at: number;
  /** Set before all that have a higher one. */
  readonly number: number;
  /** Of a later turn, and its place there: most timers are cancelled, and what they hold must not wait for their time. */
  list: Timer[] | undefined;
  place: number;
}

export class WheelClock implements Clock {
  /** Whole milliseconds, as browsers' timers are. */
  #now = 1_000;
  readonly #slots: Timer[][] = Array.from({ length: turnMs }, () => []);
  /** By the turn they fall due in, in any order. */
  readonly #later = new Map<number, Timer[]>();
  #set = 0;
  #pauses: { readonly everyMs: number; readonly run: () => void } | undefined;

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

  /** From now on `run` is called whenever so many whole milliseconds have passed, before any timer of that time. */
  pause(everyMs: number, run: () => void): void {
    this.#pauses = { everyMs, run };
  }

  /** Does not run where its process is dead by then. */
  afterOf(ms: number, run: () => void, of: Life | undefined): Cancel {
    const timer = this.#add(this.#now + Math.max(0, Math.ceil(ms)), run, of);
    return () => cancel(timer);
  }

  /** At whole milliseconds, for good. */
  at(at: number, run: () => void): void {
    this.#add(at, run, undefined);
  }

  #add(at: number, run: () => void, of: Life | undefined): Timer {
    const timer: Timer = { run, of, at, number: this.#set++, list: undefined, place: 0 };
    const turn = Math.floor(at / turnMs);
    if (turn === Math.floor(this.#now / turnMs)) this.#slots[at % turnMs]!.push(timer);
    else {
      let list = this.#later.get(turn);
      if (list === undefined) this.#later.set(turn, (list = []));
      timer.list = list;
      timer.place = list.push(timer) - 1;
    }
    return timer;
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
        run();
        await microtasks();
      }
      slot.length = 0;
      if (this.#now >= until) return;
      this.#now++;
      if (this.#now % turnMs === 0) this.#turn();
      if (this.#pauses !== undefined && this.#now % this.#pauses.everyMs === 0) this.#pauses.run();
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
    const due = this.#later.get(turn) ?? [];
    this.#later.delete(turn);
    for (const timer of due.toSorted((a, b) => a.number - b.number)) {
      timer.list = undefined;
      this.#slots[timer.at % turnMs]!.push(timer);
    }
    // A process that is dead must not be held by what it has still meant to do.
    for (const list of this.#later.values()) for (let i = list.length - 1; i >= 0; i--) if (list[i]!.of?.alive === false) cancel(list[i]!);
  }
}

/** The last one takes its place. */
function cancel(timer: Timer): void {
  timer.run = undefined;
  const { list, place } = timer;
  if (list === undefined) return;
  timer.list = undefined;
  const last = list.pop()!;
  if (last === timer) return;
  list[place] = last;
  last.place = place;
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
