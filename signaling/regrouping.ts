// When groups merge and when one is split: pure decisions over what their sizes were.
//
//   merge: two groups whose largest sizes of the last `mergeAfterMs` together fit in two thirds of a group
//   split: one that has been above its bound for `splitAfterMs`, into halves
// Two thirds and halves lie far enough apart that neither undoes the other.
import type { GroupId, PeerId, StoreId } from '../web/kernel/lib/ids.ts';
import { hash53 } from '../web/kernel/lib/rendezvous.ts';

const windowParts = 4;

/** The largest size within a sliding window, and for how long a group has been too large. */
export class SizeHistory {
  /** The largest size of each part of the window, oldest first. */
  readonly #peaks: number[] = [];
  #partEnds: number;
  #aboveSince: number | undefined;
  #size = 0;

  constructor(
    private readonly bounds: { readonly groupPeersMax: number; readonly mergeAfterMs: number; readonly splitAfterMs: number },
    private readonly openedAt: number,
  ) {
    this.#partEnds = openedAt;
  }

  note(size: number, now: number): void {
    this.#pass(now);
    this.#size = size;
    this.#peaks[this.#peaks.length - 1] = Math.max(this.#peaks.at(-1) ?? 0, size);
    if (size <= this.bounds.groupPeersMax) this.#aboveSince = undefined;
    else this.#aboveSince ??= now;
  }

  /** undefined while the group is younger than the window. */
  peak(now: number): number | undefined {
    this.#pass(now);
    return now - this.openedAt < this.bounds.mergeAfterMs ? undefined : Math.max(...this.#peaks);
  }

  isTooLarge(now: number): boolean {
    return this.#aboveSince !== undefined && now - this.#aboveSince >= this.bounds.splitAfterMs;
  }

  #pass(now: number): void {
    const partMs = this.bounds.mergeAfterMs / windowParts;
    while (now >= this.#partEnds) {
      this.#partEnds += partMs;
      this.#peaks.push(this.#size);
      // The part under way, and all that touch the window before it.
      if (this.#peaks.length > windowParts + 1) this.#peaks.shift();
      if (partMs <= 0) break;
      if (now - this.#partEnds > 2 * this.bounds.mergeAfterMs) this.#partEnds = now;
    }
  }
}

export interface Sized {
  readonly group: GroupId;
  readonly peak: number;
}

/**
 * The two to merge, the smaller first; undefined where no two fit. The smallest goes to a neighbour, which already knows its jobs, or else to any
 * other, and of those into the largest that has room, so that few groups are left half full.
 */
export function chooseMerge(
  groups: readonly Sized[],
  neighboursOf: (group: GroupId) => readonly GroupId[],
  groupPeersMax: number,
): { from: GroupId; into: GroupId } | undefined {
  const room = Math.floor((groupPeersMax * 2) / 3);
  const [smallest, ...others] = groups.toSorted((a, b) => a.peak - b.peak || (a.group < b.group ? -1 : 1));
  if (smallest === undefined) return undefined;
  const fitting = others.filter(({ peak }) => smallest.peak + peak <= room);
  const near = new Set(neighboursOf(smallest.group));
  const into = fitting.findLast(({ group }) => near.has(group)) ?? fitting.at(-1);
  return into === undefined ? undefined : { from: smallest.group, into: into.group };
}

/** Those who go when a group is halved: whoever comes back with the same store would be chosen alike. */
export function chooseHalf<T extends { readonly peer: PeerId; readonly store: StoreId | null }>(
  group: GroupId,
  members: readonly T[],
): T[] {
  const weight = ({ peer, store }: T) => hash53(`split ${group} ${store ?? peer}`);
  return members.toSorted((a, b) => weight(a) - weight(b) || (a.peer < b.peer ? -1 : 1)).slice(Math.ceil(members.length / 2));
}
