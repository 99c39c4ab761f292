// What an object lacks, who gets it, and what is held for nothing: decided from what the group is known to hold. Pure.
import type { IdentityId, ObjectId, PeerId, StoreId } from '../../lib/ids.ts';
import { rendezvousRank } from '../../lib/rendezvous.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import { kFor, nMaxOf, smallCopiesFor } from './redundancy.ts';
import { healthOf, heldOf, matching } from './health.ts';
import { consents, placementOrder, type Keeper } from './placement.ts';
import type { Holding } from './slots.ts';

/** Of an object, what decides how it is to be held. */
export interface Facts {
  readonly id: ObjectId;
  /** Held as whole copies always. */
  readonly small: boolean;
  /** The manifest's. */
  readonly k: number;
  readonly by: IdentityId;
}

/** The group as this tab sees it. */
export interface Stance {
  /** All that are not gone, this tab included. */
  readonly members: readonly Member[];
  readonly ownStore: StoreId | null;
  /** The k that the number of identities has asked for long enough; 1 where it has not. */
  readonly upK: number;
  /** Whether too few identities for a coding are a reason to change it now. */
  readonly mayGoDown: boolean;
  /** Members that would not take slices just now. */
  readonly refusing: ReadonlySet<PeerId>;
}

export interface Gift {
  readonly to: Keeper;
  readonly index: number;
}

export interface Job {
  readonly k: number;
  readonly gifts: readonly Gift[];
}

export interface Release {
  readonly k: number;
  /** How many others are to release theirs before. */
  readonly rank: number;
  /** The coding that makes this slot needless. */
  readonly for: number;
  /** Somebody waits for it: the store can take a lacking slice once it has dropped the needless one. */
  readonly urgent: boolean;
}

export interface Plan {
  /** The coding with the most to spare. */
  readonly k: number;
  readonly held: number;
  /** Slots of the coding that is worked on that are missing, and could be held if everybody took them. */
  readonly lacking: number;
  /** What may still be lost before the object is: those who answer, less k. */
  readonly spare: number;
  /** How many stewards come before this tab. */
  readonly rank: number;
  readonly job: Job | undefined;
  readonly release: Release | undefined;
}

/** Identities that keep data for others, and those that hold something of this object whether they do or not. */
const keepersOf = (members: readonly Member[], present: readonly Holding[]) =>
  new Set([...members.filter(consents), ...present].map(({ identity }) => identity));

/** So many slots of a coding are enough, however many would hold one. */
export const capacityOf = ({ small }: Facts, k: number, identities: number) => (small ? smallCopiesFor(identities) : nMaxOf(k));
const capacityMaxOf = ({ small }: Facts, k: number) => (small ? smallCopiesFor(Infinity) : nMaxOf(k));

export function planFor(facts: Facts, holdings: readonly Holding[], stance: Stance): Plan {
  const alive = holdings.filter(({ status }) => status === 'alive');
  // Who is doubted is often back in a moment, and is waited for; but not where one or two more losses would be the end.
  const likely = healthOf(holdings, facts.k);
  const strict = heldOf(alive, likely.k) <= likely.k + 1;
  const present = strict ? alive : holdings;
  const { k: current, held } = strict ? healthOf(alive, likely.k) : likely;
  const spare = heldOf(alive, current) - current;
  const identities = keepersOf(stance.members, present).size;
  const stores = [...new Set(alive.map(({ store }) => store))];
  const rank = stance.ownStore === null ? stores.length : rendezvousRank(facts.id, stance.ownStore, stores);

  const goal = goalFor(facts, current, identities, stance);
  const own = lackOf(facts, current, holdings, present, stance, identities);
  // On the way to a higher k what is there is looked after first: the way is long.
  const work = goal !== current && !(goal > current && spare <= 1 && own.gifts.length > 0) ? goal : current;
  const lack = work === current ? own : lackOf(facts, work, holdings, present, stance, identities);
  const job = lack.gifts.length > 0 ? { k: work, gifts: lack.gifts } : undefined;
  const release = strict
    ? undefined
    : releaseFor(facts, current, goal, alive, stance, identities, lack.lacking > 0 && lack.gifts.length === 0);
  return { k: current, held, lacking: lack.lacking, spare, rank, job, release };
}

/** The k that the object should be held under. */
function goalFor(facts: Facts, current: number, identities: number, { upK, mayGoDown }: Stance): number {
  if (facts.small) return 1;
  // Below k + 2 identities one loss more leaves no slice to spare.
  if (identities < current + 2 && mayGoDown) return Math.min(current, kFor(identities));
  return Math.max(current, Math.min(upK, kFor(identities)));
}

function lackOf(
  facts: Facts,
  k: number,
  holdings: readonly Holding[],
  present: readonly Holding[],
  { members, refusing }: Stance,
  identities: number,
): { lacking: number; gifts: Gift[] } {
  const indexesOf = new Map<IdentityId, Set<number>>();
  for (const holding of present) {
    if (holding.k !== k) continue;
    indexesOf.set(holding.identity, (indexesOf.get(holding.identity) ?? new Set()).add(holding.index));
  }
  const taken = k === 1 ? new Set<number>() : new Set(matching(indexesOf).keys());
  const held = k === 1 ? indexesOf.size : taken.size;
  // A store keeps one slice: whoever has one already is not given another, doubted or not.
  const without = new Set(holdings.filter((holding) => holding.k === k).map(({ identity }) => identity));
  const able = placementOrder(facts.id, members, without);
  const lacking = Math.max(0, Math.min(capacityOf(facts, k, identities), held + able.length) - held);
  const free = Array.from({ length: nMaxOf(k) }, (_, index) => index).filter((index) => !taken.has(index));
  const gifts = able
    .filter(({ peer }) => !refusing.has(peer))
    .slice(0, lacking)
    .map((to, i): Gift => ({ to, index: k === 1 ? 0 : free[i]! }));
  return { lacking, gifts };
}

/** The slot of this tab's store that is held for nothing, if there is one: never where it would be missed if one more left. */
function releaseFor(
  facts: Facts,
  current: number,
  goal: number,
  alive: readonly Holding[],
  { members, ownStore }: Stance,
  identities: number,
  urgent: boolean,
): Release | undefined {
  const own = alive.filter(({ store }) => store === ownStore);
  const held = heldOf(alive, current);
  const needless = (store: StoreId) =>
    heldOf(
      alive.filter((holding) => holding.k !== current || holding.store !== store),
      current,
    );
  const isFull = held >= Math.min(capacityOf(facts, current, identities), identities);
  const other = own.find(({ k }) => k !== current && k !== goal);
  if (isFull && other !== undefined) return { k: other.k, rank: 0, for: current, urgent: false };
  if (goal !== current || !own.some(({ k }) => k === current)) return undefined;
  const enough = Math.min(held, capacityMaxOf(facts, current));
  const surplus = alive.filter((holding) => holding.k === current && needless(holding.store) >= enough);
  if (!surplus.some(({ store }) => store === ownStore)) return undefined;
  // The owner's own goes last, and that of somebody who keeps nothing for others any more first.
  const consenting = new Set(members.filter(consents).map(({ store }) => store));
  const order = (holding: Holding) => (holding.identity === facts.by ? 2 : consenting.has(holding.store) ? 1 : 0);
  const mine = surplus.find(({ store }) => store === ownStore)!;
  const same = surplus.filter((holding) => order(holding) === order(mine)).map(({ store }) => store);
  const before = surplus.filter((holding) => order(holding) < order(mine)).length;
  return { k: current, rank: before + rendezvousRank(`release ${facts.id}`, mine.store, same), for: current, urgent };
}
