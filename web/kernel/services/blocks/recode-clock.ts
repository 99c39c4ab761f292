// When the number of identities is a reason to hold everything in another way. Pure but for the time it is told.
import { kFor } from './redundancy.ts';

const ks = [2, 3, 4] as const;

export class RecodeClock {
  /** Since when, without a break, there have been identities enough for this k. */
  readonly #since = new Map<number, number>();
  #identities = 0;
  #roseAt = -Infinity;

  constructor(
    private readonly upAfterMs: number,
    private readonly calmMs: number,
  ) {}

  /** There are so many identities now that keep data. */
  update(identities: number, now: number): void {
    for (const k of ks) {
      if (kFor(identities) < k) this.#since.delete(k);
      else if (!this.#since.has(k)) this.#since.set(k, now);
    }
    if (identities > this.#identities) this.#roseAt = now;
    if (identities < this.#identities) this.#roseAt = -Infinity;
    this.#identities = identities;
  }

  /** The highest k that has been asked for long enough. */
  upK(now: number): number {
    return Math.max(1, ...ks.filter((k) => now - (this.#since.get(k) ?? Infinity) >= this.upAfterMs));
  }

  /** When `upK` may change next; Infinity where it will not by itself. */
  changesAt(now: number): number {
    return Math.min(Infinity, ...[...this.#since.values()].map((since) => since + this.upAfterMs).filter((at) => at > now));
  }

  /** Since when a group that grows has been calm: what is lacking may be on its way back. */
  calmAt(): number {
    return this.#roseAt + this.calmMs;
  }
}
