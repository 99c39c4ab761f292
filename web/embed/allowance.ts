// What one embedding page may do, per second and at once: one person's browser gives it, so no page may use it up.
import type { Clock } from '../kernel/platform.ts';

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export interface Allowances {
  /** Messages of any kind; who sends more is cut off, for each costs us to read. */
  readonly messages: Rate;
  /** Calls and pulls; more of them are refused. */
  readonly calls: Rate;
  /** Those that ask other tabs or store something: start, find, standing, put, get. */
  readonly costly: Rate;
  readonly callsAtOnceMax: number;
  readonly putsAtOnceMax: number;
  readonly streamsAtOnceMax: number;
  readonly watchedMax: number;
  /** Lists being sent, and their values all together. */
  readonly listsAtOnceMax: number;
  readonly listValuesMax: number;
}

export class Bucket {
  #left: number;
  #at: number;

  constructor(
    private readonly rate: Rate,
    private readonly clock: Clock,
  ) {
    this.#left = rate.burst;
    this.#at = clock.now();
  }

  /** Takes one, or says that there is none. */
  take(): boolean {
    const now = this.clock.now();
    this.#left = Math.min(this.rate.burst, this.#left + ((now - this.#at) * this.rate.perSecond) / 1_000);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
