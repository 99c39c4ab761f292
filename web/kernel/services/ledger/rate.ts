// How many per second over the last seconds.
const bucketMs = 500;
const buckets = 10;

export class Rate {
  readonly #counts = Array.from({ length: buckets }, () => 0);
  /** Number of the bucket last written. */
  #last = 0;
  #firstMs: number | undefined;

  add(nowMs: number, count: number): void {
    this.#firstMs ??= nowMs;
    this.#move(nowMs);
    this.#counts[this.#last % buckets]! += count;
  }

  perSecond(nowMs: number): number {
    if (this.#firstMs === undefined) return 0;
    this.#move(nowMs);
    const total = this.#counts.reduce((sum, count) => sum + count, 0);
    // At the start the time that has passed is what counts; below a second it would tell wild figures.
    const overMs = Math.min(bucketMs * buckets, Math.max(1_000, nowMs - this.#firstMs));
    return (total * 1_000) / overMs;
  }

  #move(nowMs: number): void {
    const bucket = Math.floor(nowMs / bucketMs);
    if (bucket - this.#last >= buckets) this.#counts.fill(0);
    else for (let at = this.#last + 1; at <= bucket; at++) this.#counts[at % buckets] = 0;
    this.#last = Math.max(this.#last, bucket);
  }
}
