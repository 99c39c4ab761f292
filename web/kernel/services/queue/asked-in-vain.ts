// Functions that were asked for in vain, and when to ask again (rules 3, 4 and 7). Each asking costs every holder that grants its lease a write
// to its disk, so both kinds of failure are answered by waiting longer each time:
//
//   contended      somebody else has the leases that are wanting: the winner says so soon, and tells when it gives the function back
//   out of reach   so few holders would give a lease that nobody can own it: this tab is cut off from the others, or they have left,
//                  lost their records, or cannot write. Asked for at once when a holder comes back.
// Pure.
import type { RecordId } from '../../lib/ids.ts';
import { holdersLostMs } from '../../limits.ts';

export type InVain = 'contended' | 'out-of-reach';

const firstMs: Record<InVain, number> = { contended: 400, 'out-of-reach': 1_000 };
export const inVainMsMax: Record<InVain, number> = { contended: 3_200, 'out-of-reach': 30_000 };
/** So long an append may be on its way to its holders; who does not know the function then will not. */
export const vanishedMs = 1_000;
/** Without being said again for so long it proves nothing any more: somebody may have had the function meanwhile. */
export const goneSaidMs = 5_000;
const recordsMax = 4_096;

interface Failing {
  readonly how: InVain;
  readonly since: number;
  readonly last: number;
  readonly until: number;
  readonly times: number;
  /** Since when so many holders have said that they do not have it that the others are no majority. */
  readonly goneSince: number | undefined;
  /** When they last said so. */
  readonly goneAt: number;
}

export class AskedInVain {
  readonly #of = new Map<RecordId, Failing>();

  /**
   * `gone`: without the holders that do not have it there is no majority; undefined where too few have answered to tell. `fraction` in [0, 1)
   * spreads those who ask for the same; the first time over the whole of the wait, for a quick winner.
   */
  failed(id: RecordId, how: InVain, gone: boolean | undefined, now: number, fraction: number): void {
    const known = this.#of.get(id);
    const before = known?.how === how ? known : undefined;
    const times = (before?.times ?? 0) + 1;
    const mostMs = Math.min(inVainMsMax[how], firstMs[how] * 2 ** (times - 1));
    const leastMs = times === 1 && how === 'contended' ? 0 : mostMs / 2;
    const said = known !== undefined && now - known.goneAt <= goneSaidMs ? known.goneSince : undefined;
    this.#of.delete(id);
    this.#of.set(id, {
      how,
      since: before?.since ?? now,
      last: now,
      until: now + leastMs + (mostMs - leastMs) * fraction,
      times,
      goneSince: gone === false ? undefined : gone === true ? (said ?? now) : said,
      goneAt: gone === true ? now : (known?.goneAt ?? -Infinity),
    });
    if (this.#of.size > recordsMax) this.#of.delete(this.#of.keys().next().value!);
  }

  /** It is not to be asked for yet. */
  waits(id: RecordId, now: number): boolean {
    const failing = this.#of.get(id);
    return failing !== undefined && now < failing.until;
  }

  /** How often it was asked for in the same vain. */
  times(id: RecordId): number {
    return this.#of.get(id)?.times ?? 0;
  }

  /** It was had, or given back, or is gone: nothing speaks against asking. */
  forget(id: RecordId): void {
    this.#of.delete(id);
  }

  /** No majority has answered for `holdersLostMs`, as far as this tab knows from its own asking. */
  isLost(id: RecordId, now: number): boolean {
    const failing = this.#of.get(id);
    if (failing === undefined || failing.how !== 'out-of-reach') return false;
    return failing.last - failing.since >= holdersLostMs && now - failing.last <= 2 * inVainMsMax['out-of-reach'];
  }

  hasVanished(id: RecordId, now: number): boolean {
    const since = this.#of.get(id)?.goneSince;
    return since !== undefined && now - since >= vanishedMs;
  }

  /** Holders are back: what was out of reach for want of them may be asked for at once. */
  holdersBack(now: number, concerns: (id: RecordId) => boolean): void {
    for (const [id, failing] of this.#of)
      if (failing.how === 'out-of-reach' && concerns(id)) this.#of.set(id, { ...failing, since: now, last: now, until: now, times: 0 });
  }
}
