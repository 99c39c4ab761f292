// The most data that has come to this tab in a second of late, over all its links: what its own line can do, as far as is known.
import type { Clock } from '../platform.ts';

const secondMs = 1_000;
/** What was fast once says less as time goes by. */
const halvedEveryMs = 60_000;

export class InboundRate {
  #since = -Infinity;
  #bytes = 0;
  #best = 0;
  #lastAt = -Infinity;

  constructor(private readonly clock: Clock) {}

  add(bytes: number): void {
    this.#turn();
    this.#bytes += bytes;
    this.#lastAt = this.clock.now();
  }

  /** Since data last came, whoever sent it; null where none has. */
  quietMs(): number | null {
    return this.#lastAt === -Infinity ? null : this.clock.now() - this.#lastAt;
  }

  /** Bytes in one of the last seconds. */
  best(): number {
    this.#turn();
    return Math.max(this.#best, this.#bytes);
  }

  /** Begins a new second where the last is over. */
  #turn(): void {
    const now = this.clock.now();
    const tookMs = now - this.#since;
    if (tookMs < secondMs) return;
    this.#best = Math.max(this.#bytes, this.#best * 0.5 ** (tookMs / halvedEveryMs));
    this.#bytes = 0;
    this.#since = now;
  }
}
