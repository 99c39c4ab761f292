// What this tab offers, as the membership core tells it: at which incarnation it became what it is, and who has it.
import type { Offer } from '../../protocol/offer.ts';
import { givesOtherwise, type Known } from './known.ts';
import { toldAtOnceForMs, toldAtOnceMax } from './swim-pace.ts';

export class OwnOffer {
  #offer: Offer | null = null;
  #incarnation = 0;
  #changed = false;
  #tellsUntil = -Infinity;

  get offer(): Offer | null {
    return this.#offer;
  }

  set(offer: Offer, now: number): void {
    if (givesOtherwise(this.#offer, offer)) this.#tellsUntil = now + toldAtOnceForMs;
    this.#offer = offer;
    this.#changed = true;
  }

  /** It becomes newer than it was. */
  again(): void {
    this.#changed = true;
  }

  /** Before it is told. Many changes between two probes are one incarnation: the one that `next` makes. */
  settle(next: () => number): void {
    if (!this.#changed) return;
    this.#changed = false;
    this.#incarnation = next();
  }

  isKnownTo({ oursSeen }: Known): boolean {
    return oursSeen >= this.#incarnation;
  }

  /** Others count on what a member gives: where that has changed they are told in this tick, and do not wait for their turn to be asked. */
  toTellAtOnce(known: Iterable<Known>, now: number): readonly Known[] {
    if (now >= this.#tellsUntil) return [];
    return [...known]
      .filter((member) => !member.probing && member.verified && member.misses === 0 && member.linked && !this.isKnownTo(member))
      .slice(0, toldAtOnceMax);
  }
}
