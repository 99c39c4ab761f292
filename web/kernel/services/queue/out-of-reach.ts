// Functions of which so few holders would give their lease that nobody can own them (rules 3 and 7): this tab is cut off from the others, or
// they have left, lost their records, or cannot write. Each asking costs every holder that does grant a write to its disk, so they are asked
// for more and more seldom, and again at once when a holder comes back. Pure.
import type { RecordId } from '../../lib/ids.ts';
import { holdersLostMs } from '../../limits.ts';

const firstMs = 1_000;
export const outOfReachMsMax = 30_000;
const recordsMax = 4_096;

interface Failing {
  readonly since: number;
  readonly last: number;
  readonly times: number;
}

export class OutOfReach {
  readonly #of = new Map<RecordId, Failing>();

  /** Asked for in vain; answers how long to leave it alone. `fraction` in [0, 1) spreads those who ask for the same. */
  failed(id: RecordId, now: number, fraction: number): number {
    const before = this.#of.get(id);
    const times = (before?.times ?? 0) + 1;
    this.#of.delete(id);
    this.#of.set(id, { since: before?.since ?? now, last: now, times });
    if (this.#of.size > recordsMax) this.#of.delete(this.#of.keys().next().value!);
    return Math.min(outOfReachMsMax, firstMs * 2 ** (times - 1)) * (0.5 + 0.5 * fraction);
  }

  /** It was granted, or has a live owner, or is gone. */
  reached(id: RecordId): void {
    this.#of.delete(id);
  }

  /** No majority has answered for `holdersLostMs`, as far as this tab knows from its own asking. */
  isLost(id: RecordId, now: number): boolean {
    const failing = this.#of.get(id);
    return failing !== undefined && failing.last - failing.since >= holdersLostMs && now - failing.last <= 2 * outOfReachMsMax;
  }

  /** A holder is back: whatever was out of reach may be asked for at once. Answers what that is. */
  clear(): RecordId[] {
    const ids = [...this.#of.keys()];
    this.#of.clear();
    return ids;
  }
}
