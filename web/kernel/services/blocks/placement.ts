// Which stores are asked to hold an object, in which order; and which holder is read from first.
import type { IdentityId, PeerId } from '../../lib/ids.ts';
import { orderByRendezvous } from '../../lib/rendezvous.ts';
import type { Member } from '../../protocol/contracts/membership.ts';

/** A member that speaks for a store. */
export type Keeper = Member & { readonly store: NonNullable<Member['store']> };

export const isKeeper = (member: Member): member is Keeper => member.store !== null;

/** Only who said so keeps others' data; consent first. */
export const consents = (member: Member) => isKeeper(member) && member.offer?.storage.keeps === true;

/**
 * Members to ask, best first: the owner's store, then those that keep others' data by rendezvous for `key`, weighted by the room
 * they offer. One store an identity; never one of `without`.
 */
export function placementOrder(key: string, members: readonly Member[], without: ReadonlySet<IdentityId>, owner?: IdentityId): Keeper[] {
  const able = members
    .filter(isKeeper)
    .filter((member) => member.status === 'alive' && !without.has(member.identity) && (consents(member) || member.identity === owner));
  const room = ({ offer }: Keeper) => (offer === null ? 1 : Math.max(1, offer.storage.allowedMiB - offer.storage.usedMiB));
  const ordered = orderByRendezvous(key, able, ({ store }) => store, room);
  const seen = new Set<IdentityId>();
  return [...ordered.filter(({ identity }) => identity === owner), ...ordered].filter(
    ({ identity }) => !seen.has(identity) && seen.add(identity),
  );
}

/** How long a member is taken to be away where no link tells. */
const relayedMs = 500;

/** Whom to read from, best first: honest so far, alive, least asked by us, nearest. */
export function readingOrder(members: readonly Member[], loadOf: (peer: PeerId) => number, forged: ReadonlySet<IdentityId>): Member[] {
  const cost = (member: Member) => [
    forged.has(member.identity) ? 1 : 0,
    member.status === 'alive' ? 0 : 1,
    loadOf(member.peer),
    member.rttMs ?? relayedMs,
  ];
  return members
    .map((member) => ({ member, cost: cost(member) }))
    .toSorted((a, b) => {
      const at = a.cost.findIndex((value, i) => value !== b.cost[i]);
      return at < 0 ? (a.member.peer < b.member.peer ? -1 : 1) : a.cost[at]! - b.cost[at]!;
    })
    .map(({ member }) => member);
}
