// What a store may drop for room because others hold enough of it.
import type { ObjectId, StoreId } from '../../lib/ids.ts';
import { rendezvousRank } from '../../lib/rendezvous.ts';
import type { Spare } from './eviction.ts';
import { heldOf } from './health.ts';
import { smallCopiesFor } from './redundancy.ts';
import type { Holding, Slot } from './slots.ts';

/** Slices more than k that others must have before this store's are not needed: two losses at once cost nothing then. */
const marginMin = 2;

export function spareBy(holdingsOf: (object: ObjectId) => readonly Holding[], ownStore: StoreId | null): Spare {
  const others = (object: ObjectId) => holdingsOf(object).filter(({ store, status }) => store !== ownStore && status === 'alive');
  return {
    readable: (object) => {
      const holdings = others(object);
      return [...new Set(holdings.map(({ k }) => k))].some((k) => heldOf(holdings, k) >= k);
    },
    needless: (slot) => ownStore !== null && isNeedless(slot, others(slot.object), ownStore),
  };
}

/**
 * Whether a slot is superseded by another coding, or held by others who outrank this store: of two stores with the same slot only one may
 * go, however little they know of each other. `others` answer now. Pure.
 */
export function isNeedless({ object, k, index }: Slot, others: readonly Holding[], ownStore: StoreId): boolean {
  const superseded = [...new Set(others.map((holding) => holding.k))].some(
    (other) => other !== k && heldOf(others, other) >= other + marginMin,
  );
  if (superseded) return true;
  const same = others.filter((holding) => holding.k === k && holding.index === index);
  const before = rendezvousRank(object, ownStore, [...new Set(same.map(({ store }) => store))]);
  return before >= (k === 1 ? smallCopiesFor(Infinity) : 1);
}
