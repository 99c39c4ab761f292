// Meets others through those one has links with, where nobody else introduces: the offer of a connection goes over them, and the answer comes
// back the same way. At most three links lie on it:
//
//   dialler --link--> carrier --link--> (its neighbour) --link--> far side
//
// Nobody on it is trusted: what they change or make up costs the link, for the handshake binds it to both certificates.
import type { PeerId } from '../lib/ids.ts';
import { failure, FaultError, success, unwrap, type Outcome } from '../lib/outcome.ts';
import { connectTimeoutMs, introductionsMax, introductionsPerPeerMax, reachTimeoutMs } from '../limits.ts';
import type { Link, Transport } from '../platform.ts';
import { networkContract } from '../protocol/contracts/network.ts';
import type { Bus, Call } from '../service.ts';

/** What the network manager knows. */
export interface Ways {
  /** With whom this tab has links. */
  neighbours(): readonly PeerId[];
  /** Over a link, or over one neighbour. */
  reaches(peer: PeerId): boolean;
}

interface Offer {
  readonly to: PeerId;
  readonly from: PeerId;
  readonly offer: string;
}

export class Introductions {
  /** Under way here, by the neighbour who asked for them. */
  readonly #open = new Map<PeerId, number>();
  #count = 0;

  constructor(
    private readonly bus: Bus,
    private readonly transport: Transport,
    private readonly ways: Ways,
  ) {}

  /** A link to `peer` through others. 'unreachable' where nobody whom this tab has links with reaches it. */
  async dial(peer: PeerId): Promise<Outcome<Link>> {
    const carrier = this.ways.reaches(peer) ? peer : await this.#carrierTo(peer);
    if (carrier === undefined) return failure('unreachable', 'The meeting point is away, and no member reaches that tab.');
    return this.transport.dialThrough(peer, async (offer) => {
      const told = await this.#pass(carrier, { to: peer, from: this.bus.self.peer, offer });
      return told.ok ? success(told.value.body.answer) : told;
    });
  }

  /** Answers what is for this tab; carries what its neighbour asks for itself. @throws FaultError */
  async take(request: Offer, call: Pick<Call, 'from'>): Promise<{ answer: string }> {
    const { to, from, offer } = request;
    const ours = to === this.bus.self.peer;
    if (!ours && from !== call.from) throw new FaultError('refused', 'An offer is carried for the tab that made it.');
    if (!ours && !this.ways.reaches(to)) throw new FaultError('unreachable', 'This tab does not reach that one either.');
    const mine = this.#open.get(call.from) ?? 0;
    if (this.#count >= introductionsMax || mine >= introductionsPerPeerMax)
      throw new FaultError('overloaded', 'This tab introduces as many as it can.');
    this.#count++;
    this.#open.set(call.from, mine + 1);
    try {
      return ours ? { answer: unwrap(await this.transport.answer(from, offer)) } : unwrap(await this.#pass(to, request)).body;
    } finally {
      this.#count--;
      const left = this.#open.get(call.from)! - 1;
      if (left === 0) this.#open.delete(call.from);
      else this.#open.set(call.from, left);
    }
  }

  #pass(peer: PeerId, offer: Offer) {
    return this.bus.ask(networkContract, 'introductions', 'create', offer, { peer, timeoutMs: connectTimeoutMs });
  }

  /** Whoever says first that it reaches `peer`. */
  #carrierTo(peer: PeerId): Promise<PeerId | undefined> {
    return new Promise((resolve) => {
      const asked = this.ways.neighbours().map(async (neighbour) => {
        const options = { peer: neighbour, timeoutMs: reachTimeoutMs };
        const reply = await this.bus.ask(networkContract, 'introductions', 'query', { peer }, options);
        if (reply.ok && reply.value.body.reaches) resolve(neighbour);
      });
      void Promise.all(asked).then(() => resolve(undefined));
    });
  }
}
