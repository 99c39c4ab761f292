// Who is a bridge to a neighbour, and whom it dials there. Pure. All who know the same members decide alike (rule 8): the first members in
// rendezvous order are the bridges; one that does not come to work in time is doubled by the next.
import type { PeerId } from '../../lib/ids.ts';
import { bridgeGraceMs, bridgesPerNeighbour } from '../../limits.ts';

/** Who was expected to work as a bridge, and since when. */
export class Expectations {
  readonly #since = new Map<PeerId, number>();

  /**
   * Whether `self` is a bridge now: fewer than `bridgesPerNeighbour` of those before it in `order` work, or may still come to work.
   * Keeps note of when each was first seen not to.
   */
  elects(self: PeerId, order: readonly PeerId[], works: (peer: PeerId) => boolean, now: number): boolean {
    for (const peer of this.#since.keys()) if (!order.includes(peer)) this.#since.delete(peer);
    let covered = 0;
    for (const peer of order) {
      if (covered >= bridgesPerNeighbour) return false;
      if (peer === self) return true;
      if (works(peer)) {
        this.#since.delete(peer);
        covered++;
        continue;
      }
      const since = this.#since.get(peer) ?? now;
      this.#since.set(peer, since);
      if (now - since < bridgeGraceMs) covered++;
    }
    return false;
  }
}

export interface Far {
  /** In bridge order, as far as they are known. */
  readonly order: readonly PeerId[];
  /** Whom other bridges of this group are linked to there. */
  readonly taken: ReadonlySet<PeerId>;
  /** This tab has a link to them already. */
  readonly linked: ReadonlySet<PeerId>;
  /** Not to be dialled now: they did not answer just before. */
  readonly resting: ReadonlySet<PeerId>;
}

/**
 * Whom the bridge of rank `rank` (0 the first) is to speak to: somebody linked already, so that no link is opened for nothing; else its counterpart of the
 * same rank; else the next. Whom another bridge speaks to comes last, so that two bridges do not end at one tab. undefined: nobody now.
 */
export function chooseThere(rank: number, { order, taken, linked, resting }: Far): PeerId | undefined {
  const able = order.filter((peer) => !resting.has(peer));
  const counterpart = order[rank % Math.max(1, order.length)];
  const wishes: ((peer: PeerId) => boolean)[] = [
    (peer) => linked.has(peer) && !taken.has(peer),
    (peer) => peer === counterpart && !taken.has(peer),
    (peer) => !taken.has(peer),
    () => true,
  ];
  for (const wish of wishes) {
    const found = able.find(wish);
    if (found !== undefined) return found;
  }
  return undefined;
}
