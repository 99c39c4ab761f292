// Lets so many bytes a second pass, with a burst; those who wait go in the order in which they came.
import type { Clock } from '../../platform.ts';

/** Over which the rate is told. */
const rateOverMs = 5_000;

export class Throttle {
  /** When the next bytes may go, had there been no burst. */
  #freeAt = -Infinity;
  readonly #sleepers = new Set<() => void>();
  readonly #passed: { readonly at: number; readonly bytes: number }[] = [];
  #passedBytes = 0;

  constructor(
    private readonly clock: Clock,
    private readonly bytesPerSecond: number,
    private readonly burstBytes: number,
  ) {}

  /** Bytes let through since the start. */
  get passedBytes(): number {
    return this.#passedBytes;
  }

  /** Waits until `bytes` may go; at once when `stop` has been called. */
  async pass(bytes: number): Promise<void> {
    const now = this.clock.now();
    const burstMs = (this.burstBytes / this.bytesPerSecond) * 1_000;
    this.#freeAt = Math.max(this.#freeAt, now - burstMs) + (bytes / this.bytesPerSecond) * 1_000;
    await this.#sleep(this.#freeAt - now);
    this.#passedBytes += bytes;
    this.#passed.push({ at: this.clock.now(), bytes });
    this.#forget();
  }

  /** Over the last seconds. */
  rate(): number {
    this.#forget();
    return this.#passed.reduce((sum, { bytes }) => sum + bytes, 0) / (rateOverMs / 1_000);
  }

  stop(): void {
    for (const wake of this.#sleepers) wake();
    this.#freeAt = -Infinity;
  }

  #forget(): void {
    const from = this.clock.now() - rateOverMs;
    const first = this.#passed.findIndex(({ at }) => at > from);
    this.#passed.splice(0, first < 0 ? this.#passed.length : first);
  }

  #sleep(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        this.#sleepers.delete(wake);
        resolve();
      };
      const cancel = this.clock.after(ms, wake);
      this.#sleepers.add(wake);
    });
  }
}
