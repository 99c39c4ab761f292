// One tab's clock over the clock of the world: it has its own origin and runs a little fast or slow; a frozen tab's timers wait for the
// thaw, a hidden tab's are late, a dead tab's never run.
import type { Cancel, Clock } from '../kernel/platform.ts';

export interface TabClockOptions {
  /** What `now` begins with. */
  readonly originMs: number;
  /** How far the person's clock is off. */
  readonly wallOffMs: number;
  /** Milliseconds of this clock per millisecond of the world. */
  readonly rate: number;
}

/** No timer fires before its time by its own clock, which fractions of a nanosecond might otherwise bring about. */
const lateMs = 1e-6;
/** What browsers do to the timers of a hidden page. */
const throttledStepMs = 1_000;

export class TabClock implements Clock {
  #state: 'runs' | 'frozen' | 'dead' = 'runs';
  #throttled = false;
  #held: (() => void)[] = [];
  readonly #startedAt: number;
  #wallOffMs: number;

  constructor(
    private readonly world: Clock,
    private readonly options: TabClockOptions,
  ) {
    this.#startedAt = world.now();
    this.#wallOffMs = options.wallOffMs;
  }

  now(): number {
    return this.options.originMs + (this.world.now() - this.#startedAt) * this.options.rate;
  }

  wall(): number {
    return this.world.wall() + this.#wallOffMs;
  }

  /** The person's clock is set, or sets itself. */
  jump(ms: number): void {
    this.#wallOffMs += ms;
  }

  after(ms: number, run: () => void): Cancel {
    let cancelled = false;
    const late = this.#throttled && ms > 0 ? Math.ceil(ms / throttledStepMs) * throttledStepMs : ms;
    const cancel = this.world.after(late > 0 ? late / this.options.rate + lateMs : 0, () => this.#fire(() => void (cancelled || run())));
    return () => {
      cancelled = true;
      cancel();
    };
  }

  get frozen(): boolean {
    return this.#state === 'frozen';
  }

  throttle(on: boolean): void {
    this.#throttled = on;
  }

  freeze(): void {
    if (this.#state === 'runs') this.#state = 'frozen';
  }

  /** What fell due meanwhile runs now, in its order, one turn each. */
  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'runs';
    for (const run of this.#held.splice(0)) this.world.after(0, () => this.#fire(run));
  }

  die(): void {
    this.#state = 'dead';
    this.#held = [];
  }

  #fire(run: () => void): void {
    if (this.#state === 'runs') run();
    else if (this.#state === 'frozen') this.#held.push(run);
  }
}
