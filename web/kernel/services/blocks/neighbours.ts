// The other members as blocks sees them: who is there, how many transfers run with each, who has sent forged bytes.
import type { IdentityId, PeerId } from '../../lib/ids.ts';
import { failure, type Outcome } from '../../lib/outcome.ts';
import { forgersListedMax } from '../../protocol/contracts/blocks.ts';
import { membershipContract, type GroupView, type Member } from '../../protocol/contracts/membership.ts';
import type { Cancel } from '../../platform.ts';
import type { Bus } from '../../service.ts';

/** Identities remembered for forging; the oldest may go. */
export const forgersMax = 256;

export interface Forger {
  readonly identity: IdentityId;
  readonly what: string;
  /** ms since 1970. */
  readonly at: number;
}

/** What a transfer may take: a start, and this many bytes a second after it. */
const transferBaseMs = 3_000;
const transferBytesPerSecondMin = 200_000;

/** @returns ms */
export const transferMs = (size: number) => transferBaseMs + (size / transferBytesPerSecondMin) * 1_000;

/** To whoever looks after objects. */
const isAsBefore = (a: Member, b: Member) =>
  a.peer === b.peer &&
  a.identity === b.identity &&
  a.store === b.store &&
  a.status === b.status &&
  (a.rttMs === null) === (b.rttMs === null) &&
  a.offer?.storage.keeps === b.offer?.storage.keeps;

export class Neighbours {
  #members: readonly Member[] = [];
  #own: Member | undefined;
  readonly forgers = new Set<IdentityId>();
  #lastForgers: readonly Forger[] = [];
  readonly #load = new Map<PeerId, number>();
  readonly #waiting = new Map<PeerId, Set<() => void>>();

  constructor(
    private readonly bus: Bus,
    /** A forger was named. */
    private readonly named: () => void = () => {},
  ) {}

  /** `changed` is called where who is there, who keeps others' data, or a link has changed: what they have to offer changes all the time. */
  watch(changed: () => void): Cancel {
    let known: readonly Member[] = [];
    return this.bus.watch(membershipContract, 'view', (view: GroupView) => {
      const same = known.length === view.members.length && known.every((member, i) => isAsBefore(member, view.members[i]!));
      known = view.members;
      this.#own = view.members.find(({ peer }) => peer === this.bus.self.peer);
      this.#members = view.members.filter(({ peer }) => peer !== this.bus.self.peer);
      const alive = new Set(this.#members.filter(({ status }) => status === 'alive').map(({ peer }) => peer));
      for (const [peer, waiting] of this.#waiting) if (!alive.has(peer)) for (const lose of waiting) lose();
      if (!same) changed();
    });
  }

  /** All others, suspects included. */
  members(): readonly Member[] {
    return this.#members;
  }

  /** This tab as the others see it; undefined before the first view. */
  own(): Member | undefined {
    return this.#own;
  }

  alive(): readonly Member[] {
    return this.#members.filter(({ status }) => status === 'alive');
  }

  loadOf(peer: PeerId): number {
    return this.#load.get(peer) ?? 0;
  }

  /** Who sent or signed what is not what it should be is asked last from now on, and named. */
  forged(identity: IdentityId, what: string, at: number): void {
    this.forgers.delete(identity);
    this.forgers.add(identity);
    for (const oldest of this.forgers) {
      if (this.forgers.size <= forgersMax) break;
      this.forgers.delete(oldest);
    }
    this.#lastForgers = [...this.#lastForgers, { identity, what: what.slice(0, 200), at }].slice(-forgersListedMax);
    this.named();
  }

  /** The latest last. */
  lastForgers(): readonly Forger[] {
    return this.#lastForgers;
  }

  /** `ask`, given up as soon as the member is doubted: a frozen tab must not hold up a put for its whole deadline. */
  async while<T>(peer: PeerId, ask: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
    const waiting = this.#waiting.get(peer) ?? new Set();
    this.#waiting.set(peer, waiting);
    this.#load.set(peer, this.loadOf(peer) + 1);
    let lose = () => {};
    const lost = new Promise<Outcome<T>>((resolve) => {
      lose = () => resolve(failure('unreachable', 'That member has stopped answering.'));
    });
    waiting.add(lose);
    const answer = await Promise.race([ask(), lost]);
    waiting.delete(lose);
    if (waiting.size === 0) this.#waiting.delete(peer);
    const load = this.loadOf(peer) - 1;
    if (load > 0) this.#load.set(peer, load);
    else this.#load.delete(peer);
    return answer;
  }
}
