// Offers of links that others carry, for the networks in memory: who says the answer to one may have the link.
import type { PeerId } from '../lib/ids.ts';
import { failure, success, type Outcome } from '../lib/outcome.ts';
import type { Link, Random } from '../platform.ts';

export class CarriedOffers {
  readonly #open = new Map<string, { readonly from: PeerId; readonly to: PeerId }>();

  constructor(private readonly random: Random) {}

  /** `connect` makes the link once the answer has come. */
  async dial(
    from: PeerId,
    to: PeerId,
    carry: (offer: string) => Promise<Outcome<string>>,
    connect: () => Promise<Outcome<Link>>,
  ): Promise<Outcome<Link>> {
    const offer = `offer ${[...this.random.bytes(8)].join('-')}`;
    this.#open.set(offer, { from, to });
    const answer = await carry(offer);
    this.#open.delete(offer);
    if (!answer.ok) return answer;
    return answer.value === `answer to ${offer}` ? connect() : failure('malformed', 'The answer does not fit the offer.');
  }

  answer(self: PeerId, from: PeerId, offer: string): Outcome<string> {
    const known = this.#open.get(offer);
    return known?.from === from && known.to === self ? success(`answer to ${offer}`) : failure('malformed', 'That is no offer.');
  }
}
