// What is still to be told about whom: each change a bounded number of times, the most recent first.
import type { PeerId } from '../../lib/ids.ts';

interface Item {
  /** Somebody came, went or is doubted; otherwise only an offer has changed. */
  readonly status: boolean;
  left: number;
}

/** An offer is heard from its owner anyway; this only makes it faster. */
const offerTellings = 2;

export class News {
  readonly #items = new Map<PeerId, Item>();

  /** O(log members) tellings reach everybody with high probability. */
  add(peer: PeerId, status: boolean, members: number): void {
    const keepsStatus = status || this.#items.get(peer)?.status === true;
    this.#items.delete(peer);
    this.#items.set(peer, { status: keepsStatus, left: keepsStatus ? 2 * Math.ceil(Math.log2(members + 2)) : offerTellings });
  }

  get size(): number {
    return this.#items.size;
  }

  /** Changes of status first, then offers, each the most recent first. */
  inOrder(): PeerId[] {
    const recent = [...this.#items].toReversed();
    return [true, false].flatMap((wanted) => recent.filter(([, { status }]) => status === wanted).map(([peer]) => peer));
  }

  /** True where the news of `peer` is what it offers. */
  isOffer(peer: PeerId): boolean {
    return this.#items.get(peer)?.status === false;
  }

  told(peer: PeerId): void {
    const item = this.#items.get(peer);
    if (item !== undefined && --item.left <= 0) this.#items.delete(peer);
  }

  drop(peer: PeerId): void {
    this.#items.delete(peer);
  }
}
