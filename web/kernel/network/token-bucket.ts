// How much of something may pass per second, with a burst.
import type { Clock } from '../platform.ts';

export class TokenBucket {
  #level: number;
  #at: number;

  constructor(
    private readonly clock: Clock,
    private readonly perSecond: number,
    private readonly burst: number,
  ) {
    this.#level = burst;
    this.#at = clock.now();
  }

  /** Takes `amount` where there is so much; false and nothing taken otherwise. */
  take(amount: number): boolean {
    const now = this.clock.now();
    this.#level = Math.min(this.burst, this.#level + ((now - this.#at) / 1_000) * this.perSecond);
    this.#at = now;
    if (amount > this.#level) return false;
    this.#level -= amount;
    return true;
  }
}
