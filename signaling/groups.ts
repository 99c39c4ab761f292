// Which group a peer belongs to: pure, no sockets, no time. One `Groups` a network; networks never see each other.
import { createHash } from 'node:crypto';
import type { GroupId, IdentityId, PeerId, StoreId } from '../web/kernel/lib/ids.ts';

export interface Member {
  readonly peer: PeerId;
  readonly store: StoreId | null;
  readonly identity: IdentityId;
  readonly network: string;
  readonly group: GroupId;
}

export interface JoinWish {
  readonly network: string;
  readonly peer: PeerId;
  readonly identity: IdentityId;
  readonly store: StoreId | null;
  readonly lastGroup: GroupId | null;
}

export interface GroupBounds {
  readonly groupPeersMax: number;
  readonly networksMax: number;
  readonly groupsPerNetworkMax: number;
  readonly storesRememberedMax: number;
}

export type Placement =
  | { readonly kind: 'placed'; readonly member: Member; readonly others: readonly Member[]; readonly replaced: Member | undefined }
  /** That peer id is held by another identity. */
  | { readonly kind: 'taken' }
  /** No room for another network or group. */
  | { readonly kind: 'full' };

/**
 * The groups of a network are numbered, and their ids follow from network and number. So after a restart a newcomer
 * lands where those who have not come back yet are about to return to, though nothing was written down.
 */
export function numberedGroupId(network: string, number: number): GroupId {
  return createHash('sha256')
    .update(JSON.stringify(['lull group v1', network, number]))
    .digest('hex')
    .slice(0, 32) as GroupId;
}

export class Groups {
  /** network -> group -> members; empty groups and networks are not kept. */
  readonly #networks = new Map<string, Map<GroupId, Map<PeerId, Member>>>();
  readonly #members = new Map<PeerId, Member>();
  /** The last group of each store, least recently seen first. */
  readonly #remembered = new Map<string, GroupId>();

  constructor(private readonly bounds: GroupBounds) {}

  counts(): { networks: number; groups: number; peers: number } {
    let groups = 0;
    for (const network of this.#networks.values()) groups += network.size;
    return { networks: this.#networks.size, groups, peers: this.#members.size };
  }

  membersOf(network: string, group: GroupId): readonly Member[] {
    return [...(this.#networks.get(network)?.get(group)?.values() ?? [])];
  }

  /** Places a peer whose identity has been proven. The same peer again replaces itself. */
  join(wish: JoinWish): Placement {
    const before = this.#members.get(wish.peer);
    if (before !== undefined && before.identity !== wish.identity) return { kind: 'taken' };
    if (before !== undefined) this.leave(before);
    const group = this.#groupFor(wish, before?.network === wish.network ? before.group : null);
    if (group === undefined) {
      if (before !== undefined) this.#insert(before);
      return { kind: 'full' };
    }
    const member: Member = { network: wish.network, peer: wish.peer, identity: wish.identity, store: wish.store, group };
    const others = this.membersOf(wish.network, group);
    this.#insert(member);
    if (wish.store !== null) this.#remember(wish.network, wish.identity, wish.store, group);
    return { kind: 'placed', member, others, replaced: before };
  }

  /** Who is left in the group. Does nothing for a member that was replaced meanwhile. */
  leave(member: Member): readonly Member[] {
    const network = this.#networks.get(member.network);
    const group = network?.get(member.group);
    if (network === undefined || group?.get(member.peer) !== member) return [];
    group.delete(member.peer);
    this.#members.delete(member.peer);
    if (group.size === 0) network.delete(member.group);
    if (network.size === 0) this.#networks.delete(member.network);
    return [...group.values()];
  }

  /** The group it is in, then its store's remembered one, then the one claimed, then the fullest with room, then a new one. */
  #groupFor(wish: JoinWish, current: GroupId | null): GroupId | undefined {
    const network = this.#networks.get(wish.network);
    if (network === undefined && this.#networks.size >= this.bounds.networksMax) return undefined;
    const mayOpen = (network?.size ?? 0) < this.bounds.groupsPerNetworkMax;
    const remembered = wish.store === null ? undefined : this.#remembered.get(storeKey(wish.network, wish.identity, wish.store));
    for (const wanted of [current, remembered, wish.lastGroup]) {
      if (wanted === undefined || wanted === null) continue;
      const size = network?.get(wanted)?.size;
      if (size === undefined ? mayOpen : size < this.bounds.groupPeersMax) return wanted;
    }
    let fullest: GroupId | undefined;
    let most = 0;
    for (const [group, members] of network ?? []) {
      if (members.size < this.bounds.groupPeersMax && members.size > most) [fullest, most] = [group, members.size];
    }
    if (fullest !== undefined || !mayOpen) return fullest;
    for (let number = 0; ; number++) {
      const group = numberedGroupId(wish.network, number);
      if (network?.has(group) !== true) return group;
    }
  }

  #insert(member: Member): void {
    let network = this.#networks.get(member.network);
    if (network === undefined) this.#networks.set(member.network, (network = new Map()));
    let group = network.get(member.group);
    if (group === undefined) network.set(member.group, (group = new Map()));
    group.set(member.peer, member);
    this.#members.set(member.peer, member);
  }

  /** By identity and store: nobody moves another's store by naming it. */
  #remember(network: string, identity: IdentityId, store: StoreId, group: GroupId): void {
    const key = storeKey(network, identity, store);
    this.#remembered.delete(key);
    this.#remembered.set(key, group);
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= this.bounds.storesRememberedMax) return;
      this.#remembered.delete(oldest);
    }
  }
}

const storeKey = (network: string, identity: IdentityId, store: StoreId) => `${identity}/${store}/${network}`;
