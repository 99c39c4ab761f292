// What the queue reads out of the membership view: which peer speaks for a store, who is suspected, which stores are away.
import type { IdentityId, PeerId, StoreId } from '../../lib/ids.ts';
import { holdersLostMs } from '../../limits.ts';
import type { GroupView, Member } from '../../protocol/contracts/membership.ts';
import { majorityOf, type HolderCandidate } from './holders.ts';

export class Group {
  #members: readonly Member[] = [];
  readonly #everSeen = new Set<PeerId>();
  #alive = new Set<StoreId>();
  /** What follows from the members, made once a view: each claim asks for it many times. */
  #byPeer: ReadonlyMap<PeerId, Member> = new Map();
  #speakers = new Map<StoreId, Member>();
  #claimants: readonly PeerId[];
  /** Since when, on this tab's clock, a store that some record names has not been alive. */
  readonly #awaySince = new Map<StoreId, number>();

  constructor(
    readonly self: PeerId,
    private readonly identity: IdentityId,
    /** What this tab's own records are kept in: the profile's store, or, where it speaks for none, one that ends with the page. */
    private readonly ownStore: StoreId,
    private readonly ownDurable: boolean,
  ) {
    this.#claimants = [self];
  }

  /** Answers with the stores that are alive now and were not. */
  see(view: GroupView): ReadonlySet<StoreId> {
    this.#members = view.members;
    this.#byPeer = new Map(view.members.map((member) => [member.peer, member]));
    this.#speakers = new Map();
    for (const member of this.others()) {
      if (member.store === null) continue;
      const known = this.#speakers.get(member.store);
      if (known === undefined || (known.status !== 'alive' && member.status === 'alive')) this.#speakers.set(member.store, member);
    }
    this.#claimants = [
      this.self,
      ...this.others().flatMap(({ peer, status, offer }) => (status === 'alive' && (offer?.sandbox.workersAllowed ?? 0) > 0 ? [peer] : [])),
    ];
    const before = this.#alive;
    this.#alive = new Set(view.members.flatMap(({ store, status }) => (store !== null && status === 'alive' ? [store] : [])));
    for (const { peer, store, status } of view.members) {
      this.#everSeen.add(peer);
      if (this.#everSeen.size > 4_096) this.#everSeen.delete(this.#everSeen.values().next().value!);
      if (store !== null && status === 'alive') this.#awaySince.delete(store);
    }
    return new Set([...this.#alive].filter((store) => !before.has(store)));
  }

  selfStore(): StoreId {
    return this.#byPeer.get(this.self)?.store ?? this.ownStore;
  }

  others(): Member[] {
    return this.#members.filter(({ peer }) => peer !== this.self);
  }

  peerOf(store: StoreId): PeerId | undefined {
    return store === this.selfStore() ? this.self : this.#speakers.get(store)?.peer;
  }

  identityOf(store: StoreId): IdentityId | undefined {
    return store === this.selfStore() ? this.identity : this.#members.find((member) => member.store === store)?.identity;
  }

  /** Suspected, or gone after having been here. Somebody never seen may only be unknown yet (rule 4). */
  isLost(peer: PeerId): boolean {
    if (peer === this.self) return false;
    const member = this.#byPeer.get(peer);
    return member === undefined ? this.#everSeen.has(peer) : member.status === 'suspect';
  }

  isAlive(peer: PeerId): boolean {
    return peer === this.self || this.#byPeer.get(peer)?.status === 'alive';
  }

  /** Those who may claim: self, and whoever has workers for it. */
  claimants(): readonly PeerId[] {
    return this.#claimants;
  }

  candidates(without: ReadonlySet<StoreId>): HolderCandidate[] {
    const found: HolderCandidate[] = [];
    for (const { peer, identity, store, status, offer } of this.#members) {
      if (store === null || status !== 'alive' || without.has(store)) continue;
      const durable = peer === this.self ? this.ownDurable : (offer?.storage.allowedMiB ?? 0) > 0;
      found.push({ store, identity, keeps: durable && offer?.storage.keeps === true, durable });
    }
    // Nobody announces a store (a browser that refuses IndexedDB, alone): this page keeps its own while it lives.
    if (found.length === 0 && !without.has(this.ownStore))
      found.push({ store: this.ownStore, identity: this.identity, keeps: false, durable: this.ownDurable });
    return found;
  }

  /** Rule 7: for `holdersLostMs` so few of these stores have been alive that no majority can answer. */
  holdersLost(holders: readonly StoreId[], now: number): boolean {
    let away = 0;
    for (const store of holders) {
      const peer = this.peerOf(store);
      if (peer !== undefined && this.isAlive(peer)) {
        this.#awaySince.delete(store);
        continue;
      }
      const since = this.#awaySince.get(store);
      if (since === undefined) this.#awaySince.set(store, now);
      else if (now - since >= holdersLostMs) away++;
      if (this.#awaySince.size > 4_096) this.#awaySince.delete(this.#awaySince.keys().next().value!);
    }
    return holders.length - away < majorityOf(holders.length);
  }
}
