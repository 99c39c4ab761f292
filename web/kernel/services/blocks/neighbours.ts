// The other members as blocks sees them: who is there, how many transfers run with each, who has sent forged bytes.
import type { IdentityId, PeerId } from '../../lib/ids.ts';
import { failure, type Outcome } from '../../lib/outcome.ts';
import { forgersListedMax } from '../../protocol/contracts/blocks.ts';
import { membershipContract, type GroupView, type Member } from '../../protocol/contracts/membership.ts';
import { networkContract } from '../../protocol/contracts/network.ts';
import type { Cancel, Clock } from '../../platform.ts';
import type { Bus } from '../../service.ts';

/** Identities remembered for forging; the oldest may go. */
export const forgersMax = 256;

export interface Forger {
  readonly identity: IdentityId;
  readonly what: string;
  /** ms since 1970. */
  readonly at: number;
}

const transferBaseMs = 3_000;
const transferBytesPerSecondMin = 200_000;

/** Who is doubted has so long to object before transfers with it are given up. */
export const objectionMs = 2_000;
const patience = 2;
/** Nobody's line is taken to be slower than this: it is the one who sends. */
const lineBytesPerSecondMin = 100_000;

/** Silence for which a transfer of `size` bytes is waited for, see network/while-moving.ts. @returns ms */
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
  readonly #doubted = new Set<PeerId>();
  /** Bytes that are being read from others. */
  #coming = 0;

  constructor(
    private readonly bus: Bus,
    private readonly clock: Clock,
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
      for (const peer of this.#waiting.keys()) if (!alive.has(peer)) this.#doubt(peer);
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

  /** `read`, of which `bytes` are to come. */
  async coming<T>(bytes: number, read: () => Promise<T>): Promise<T> {
    this.#coming += bytes;
    try {
      return await read();
    } finally {
      this.#coming -= bytes;
    }
  }

  /**
   * Whether what has not come from any of `peers` for `waitedMs` may be asked of somebody else beside: not while this tab's own line is what
   * keeps it waiting, because then the two share it and both come later. So where data comes from them, all that is on its way is given
   * twice the time that it takes at the best that the line has shown of late.
   */
  async mayHedge(peers: readonly PeerId[], waitedMs: number, quietMsMin: number): Promise<boolean> {
    const answer = await this.bus.ask(networkContract, 'transfers', 'query', { peers: [...peers] });
    if (!answer.ok) return true;
    const { links, dataMsAgo, best } = answer.value.body;
    // From whom there is no link it comes over somebody else's.
    const quiet = links.every((link) => ((link === null ? dataMsAgo : link.dataMsAgo) ?? Infinity) >= quietMsMin);
    return quiet || waitedMs >= quietMsMin + patience * (this.#coming / Math.max(best, lineBytesPerSecondMin)) * 1_000;
  }

  /** A member is doubted with whom transfers run. On a slow line its objection waits behind what it sends; a frozen tab must not hold them up. */
  #doubt(peer: PeerId): void {
    if (this.#doubted.has(peer)) return;
    this.#doubted.add(peer);
    this.clock.after(objectionMs, () => {
      this.#doubted.delete(peer);
      if (this.#members.find((member) => member.peer === peer)?.status === 'alive') return;
      for (const lose of this.#waiting.get(peer) ?? []) lose();
    });
  }

  /** `ask`, given up when the member has been doubted for a while. */
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
