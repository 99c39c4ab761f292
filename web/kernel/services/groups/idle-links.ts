// Links to tabs of other groups that nobody uses any more: left by a bridge that has been replaced, or by a piece of data fetched. What a
// link says of itself (who else one is linked to) is no use of it.
import type { PeerId } from '../../lib/ids.ts';
import { foreignLinkIdleMs } from '../../limits.ts';

interface Traffic {
  readonly peer: PeerId;
  readonly bytesIn: number;
  readonly bytesOut: number;
}
const idleBytesMax = 8 * 1024;

export class IdleLinks {
  readonly #seen = new Map<PeerId, { readonly bytes: number; readonly at: number }>();

  /** Of the links to others than members, those to close. */
  look(links: readonly Traffic[], now: number): PeerId[] {
    const open = new Set(links.map(({ peer }) => peer));
    for (const peer of this.#seen.keys()) if (!open.has(peer)) this.#seen.delete(peer);
    return links.flatMap(({ peer, bytesIn, bytesOut }) => {
      const bytes = bytesIn + bytesOut;
      const seen = this.#seen.get(peer);
      if (seen === undefined || bytes - seen.bytes > idleBytesMax) this.#seen.set(peer, { bytes, at: now });
      else if (now - seen.at >= foreignLinkIdleMs) return [peer];
      return [];
    });
  }
}
