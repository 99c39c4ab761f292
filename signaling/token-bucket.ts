// A rate with room for a burst. Time is passed in, so that a test needs no clock.

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export class TokenBucket {
  #tokens: number;
  #at: number;

  /** @param nowMs any monotonic clock; the same one must be given to `take` */
  constructor(
    private readonly rate: Rate,
    nowMs: number,
  ) {
    this.#tokens = rate.burst;
    this.#at = nowMs;
  }

  /** True, and `count` tokens are gone; or false, and nothing has changed. */
  take(count: number, nowMs: number): boolean {
    this.#tokens = Math.min(this.rate.burst, this.#tokens + ((nowMs - this.#at) / 1_000) * this.rate.perSecond);
    this.#at = nowMs;
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }
}
