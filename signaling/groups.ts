// Which group a peer belongs to, and which groups are neighbours: pure, no sockets, no clock of its own. Networks never see each other.
import { createHash } from 'node:crypto';
import { bridgeOrder, GroupRings } from '../web/kernel/lib/group-rings.ts';
import type { GroupId, IdentityId, PeerId, StoreId } from '../web/kernel/lib/ids.ts';
import { publicNetwork } from '../web/kernel/lib/network-key.ts';
import { answersForMax, contactsMax } from '../web/kernel/protocol/contracts/groups.ts';
import { chooseHalf, chooseMerge, SizeHistory } from './regrouping.ts';

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
  readonly mergeAfterMs: number;
  readonly splitAfterMs: number;
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

/** Those of `moved` are in another group from now on. */
export interface Regrouping {
  readonly network: string;
  readonly kind: 'merged' | 'split';
  readonly from: GroupId;
  readonly into: GroupId;
  readonly moved: readonly Member[];
}

/** What a group is told of its surroundings; as in the directory's frames. */
export interface Around {
  readonly absorbed: GroupId[];
  readonly neighbours: { group: GroupId; contacts: PeerId[] }[];
}

interface Group {
  readonly members: Map<PeerId, Member>;
  readonly sizes: SizeHistory;
}

interface Network {
  readonly groups: Map<GroupId, Group>;
  readonly rings: GroupRings;
}

/** Groups that took others in and are remembered for it, of all networks; the oldest are forgotten. */
const absorbersMax = 4_096;
/** Groups that remember their other half, of all networks; the oldest are forgotten. */
const halvesMax = 4_096;

/**
 * Who comes back to its group may find it this much over its bound: then it is split, instead of scattering those who belong together.
 */
export const groupPeersWithReturning = (groupPeersMax: number) => Math.floor((groupPeersMax * 4) / 3);

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
  /** Empty groups and networks are not kept. */
  readonly #networks = new Map<string, Network>();
  readonly #members = new Map<PeerId, Member>();
  /** The last group of each store, least recently seen first. */
  readonly #remembered = new Map<string, GroupId>();
  /** By group and network: the group that took it in. */
  readonly #absorbedBy = new Map<string, GroupId>();
  /** The same the other way round: what a group answers for beside itself, the latest last. */
  readonly #absorbed = new Map<string, GroupId[]>();
  /** By group and network: the other half of what was one group before. Either has data of the other, so they are neighbours wherever the rings put them. */
  readonly #halves = new Map<string, GroupId>();
  /** Groups whose surroundings may have changed since `takeChanged`. */
  readonly #changed = new Map<string, Set<GroupId>>();

  constructor(private readonly bounds: GroupBounds) {}

  counts(): { networks: number; groups: number; peers: number } {
    let groups = 0;
    for (const network of this.#networks.values()) groups += network.groups.size;
    return { networks: this.#networks.size, groups, peers: this.#members.size };
  }

  memberAt(peer: PeerId): Member | undefined {
    return this.#members.get(peer);
  }

  membersOf(network: string, group: GroupId): readonly Member[] {
    return [...(this.#networks.get(network)?.groups.get(group)?.members.values() ?? [])];
  }

  aroundOf(network: string, group: GroupId): Around {
    const near = this.#neighboursOf(network, group);
    return {
      absorbed: [...(this.#absorbed.get(placeKey(network, group)) ?? [])],
      neighbours: near.map((other) => {
        const peers = this.membersOf(network, other).map(({ peer }) => peer);
        return { group: other, contacts: bridgeOrder(group, other, peers).slice(0, contactsMax) };
      }),
    };
  }

  /** Groups that may have to be told of their surroundings, once each. */
  takeChanged(): { network: string; group: GroupId }[] {
    const taken = [...this.#changed].flatMap(([network, groups]) => [...groups].map((group) => ({ network, group })));
    this.#changed.clear();
    return taken.filter(({ network, group }) => this.#networks.get(network)?.groups.has(group));
  }

  /** Places a peer whose identity has been proven. The same peer again replaces itself. */
  join(wish: JoinWish, now: number): Placement {
    const before = this.#members.get(wish.peer);
    if (before !== undefined && before.identity !== wish.identity) return { kind: 'taken' };
    if (before !== undefined) this.leave(before, now);
    const group = this.#groupFor(wish, before?.network === wish.network ? before.group : null);
    if (group === undefined) {
      if (before !== undefined) this.#insert(before, now);
      return { kind: 'full' };
    }
    const member: Member = { network: wish.network, peer: wish.peer, identity: wish.identity, store: wish.store, group };
    const others = this.membersOf(wish.network, group);
    this.#insert(member, now);
    if (wish.store !== null) this.#remember(wish.network, wish.identity, wish.store, group);
    return { kind: 'placed', member, others, replaced: before };
  }

  /** Who is left in the group. Does nothing for a member that was replaced meanwhile. */
  leave(member: Member, now: number): readonly Member[] {
    const network = this.#networks.get(member.network);
    const group = network?.groups.get(member.group);
    if (network === undefined || group?.members.get(member.peer) !== member) return [];
    group.members.delete(member.peer);
    group.sizes.note(group.members.size, now);
    this.#members.delete(member.peer);
    this.#touch(member.network, member.group);
    if (group.members.size === 0) {
      network.groups.delete(member.group);
      network.rings.remove(member.group);
    }
    if (network.groups.size === 0) {
      this.#networks.delete(member.network);
      this.#changed.delete(member.network);
    }
    return [...group.members.values()];
  }

  /** Splits what has been too large for long, and merges what could have been one for long: at most one of each a network at a time. */
  regroup(now: number): Regrouping[] {
    const done: Regrouping[] = [];
    for (const [name, network] of this.#networks) {
      const large = [...network.groups].find(([, { sizes }]) => sizes.isTooLarge(now))?.[0];
      const half = large === undefined ? undefined : this.#newGroup(name);
      if (large !== undefined && half !== undefined) {
        const going = chooseHalf(large, this.membersOf(name, large));
        this.#pair(name, large, half);
        done.push({ network: name, kind: 'split', from: large, into: half, moved: this.#move(going, half, now) });
        continue;
      }
      if (network.groups.size < 2) continue;
      const sized = [...network.groups].flatMap(([group, { sizes }]) => {
        const peak = sizes.peak(now);
        return peak === undefined ? [] : [{ group, peak }];
      });
      const merge = chooseMerge(sized, (group) => this.#neighboursOf(name, group), this.bounds.groupPeersMax);
      if (merge === undefined) continue;
      const { from, into } = merge;
      this.#absorb(name, from, into);
      const other = this.#halves.get(placeKey(name, from));
      if (other !== undefined) this.#pair(name, into, other);
      done.push({ network: name, kind: 'merged', from, into, moved: this.#move(this.membersOf(name, from), into, now) });
    }
    return done;
  }

  /** Each has one other half, the latest. */
  #pair(network: string, one: GroupId, two: GroupId): void {
    this.#part(network, one);
    this.#part(network, two);
    if (one === two) return;
    this.#halves.set(placeKey(network, one), two).set(placeKey(network, two), one);
    for (const oldest of this.#halves.keys()) {
      if (this.#halves.size <= halvesMax) return;
      this.#halves.delete(oldest);
    }
  }

  #part(network: string, group: GroupId): void {
    const other = this.#halves.get(placeKey(network, group));
    if (other === undefined) return;
    for (const one of [group, other]) {
      this.#halves.delete(placeKey(network, one));
      this.#touch(network, one);
    }
  }

  #neighboursOf(network: string, group: GroupId): readonly GroupId[] {
    const known = this.#networks.get(network);
    const near = known?.rings.neighboursOf(group) ?? [];
    const half = this.#halves.get(placeKey(network, group));
    // One that is empty is remembered: its only tab may be loading anew.
    return half === undefined || known?.groups.has(half) !== true || near.includes(half) ? near : [...near, half];
  }

  #move(members: readonly Member[], into: GroupId, now: number): Member[] {
    return members.map((member) => {
      const moved = { ...member, group: into };
      this.leave(member, now);
      this.#insert(moved, now);
      if (moved.store !== null) this.#remember(moved.network, moved.identity, moved.store, into);
      return moved;
    });
  }

  /** What the absorbed group had absorbed goes along; the oldest are forgotten. */
  #absorb(network: string, from: GroupId, into: GroupId): void {
    const listOf = (group: GroupId) => this.#absorbed.get(placeKey(network, group)) ?? [];
    const all = [...listOf(into), ...listOf(from), from];
    this.#absorbed.delete(placeKey(network, from));
    this.#absorbed.delete(placeKey(network, into));
    this.#absorbed.set(placeKey(network, into), all.slice(-(answersForMax - 1)));
    for (const group of all) this.#absorbedBy.set(placeKey(network, group), into);
    for (const forgotten of all.slice(0, -(answersForMax - 1))) this.#absorbedBy.delete(placeKey(network, forgotten));
    for (const [oldest, groups] of this.#absorbed) {
      if (this.#absorbed.size <= absorbersMax) return;
      this.#absorbed.delete(oldest);
      for (const group of groups) this.#absorbedBy.delete(placeKey(oldest.slice(oldest.indexOf('/') + 1), group));
    }
  }

  /** The group it is in, then its store's remembered one, then the one claimed, then the fullest with room, then a new one. */
  #groupFor(wish: JoinWish, current: GroupId | null): GroupId | undefined {
    const groups = this.#networks.get(wish.network)?.groups;
    // Anybody may make up names of networks: the public one has its place whatever they do.
    if (groups === undefined && wish.network !== publicNetwork && this.#networks.size >= this.bounds.networksMax) return undefined;
    const mayOpen = (groups?.size ?? 0) < this.bounds.groupsPerNetworkMax;
    const remembered = wish.store === null ? undefined : this.#remembered.get(storeKey(wish.network, wish.identity, wish.store));
    const roomForReturning = groupPeersWithReturning(this.bounds.groupPeersMax);
    for (const wanted of [current, remembered, wish.lastGroup]) {
      if (wanted === undefined || wanted === null) continue;
      const now = this.#absorbedBy.get(placeKey(wish.network, wanted)) ?? wanted;
      const size = groups?.get(now)?.members.size;
      if (size === undefined ? mayOpen : size < roomForReturning) return now;
    }
    let fullest: GroupId | undefined;
    let most = 0;
    for (const [group, { members }] of groups ?? []) {
      if (members.size < this.bounds.groupPeersMax && members.size > most) [fullest, most] = [group, members.size];
    }
    return fullest ?? this.#newGroup(wish.network);
  }

  /** The first number that is neither in use nor stands for another group; undefined where there are as many groups as may be. */
  #newGroup(network: string): GroupId | undefined {
    const groups = this.#networks.get(network)?.groups;
    if ((groups?.size ?? 0) >= this.bounds.groupsPerNetworkMax) return undefined;
    for (let number = 0; ; number++) {
      const group = numberedGroupId(network, number);
      if (groups?.has(group) !== true && !this.#absorbedBy.has(placeKey(network, group))) return group;
    }
  }

  #insert(member: Member, now: number): void {
    let network = this.#networks.get(member.network);
    if (network === undefined) this.#networks.set(member.network, (network = { groups: new Map(), rings: new GroupRings() }));
    let group = network.groups.get(member.group);
    if (group === undefined) {
      network.groups.set(member.group, (group = { members: new Map(), sizes: new SizeHistory(this.bounds, now) }));
      network.rings.add(member.group);
    }
    group.members.set(member.peer, member);
    group.sizes.note(group.members.size, now);
    this.#members.set(member.peer, member);
    this.#touch(member.network, member.group);
  }

  /** A group that changes, comes or goes concerns those beside it. */
  #touch(network: string, group: GroupId): void {
    let changed = this.#changed.get(network);
    if (changed === undefined) this.#changed.set(network, (changed = new Set()));
    changed.add(group);
    for (const near of this.#neighboursOf(network, group)) changed.add(near);
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
const placeKey = (network: string, group: GroupId) => `${group}/${network}`;
