// Who holds a record (rule 2): chosen once, by whoever appends it, and named in the record for its life.
import type { IdentityId, StoreId } from '../../lib/ids.ts';
import { rankByRendezvous } from '../../lib/rendezvous.ts';
import { holdersMax } from '../../limits.ts';

/** Copies of a small record where there are no more than four stores: with three, one may go and a majority is left. */
const copies = 3;
/** From so many stores on a record is coded: two of its slices restore it. */
const codedFrom = 5;

export interface HolderCandidate {
  readonly store: StoreId;
  readonly identity: IdentityId;
  /** Donating, with a durable store. */
  readonly keeps: boolean;
  readonly durable: boolean;
}

/** More than half of the holders: any two majorities share one. */
export const majorityOf = (holders: number) => Math.floor(holders / 2) + 1;

/** k by the number of holders (DESIGN.md, erasure coding): never more than a majority has. */
export const slicesNeeded = (holders: number) => (holders >= codedFrom ? 2 : 1);

/**
 * The stores that keep a record, of distinct identities, in rendezvous order for `key`: from five donors on five or six with a coded slice
 * each, three with a copy where there are three or four. Donors come first. Two donors are joined by
 * another durable store if there is one, because a majority of two is both; a lone donor is not: whoever only watches
 * may leave at any time. Where nobody donates any durable store will do, and in a tab alone with no durable store, its own.
 */
export function chooseHolders(key: string, candidates: readonly HolderCandidate[]): StoreId[] {
  const distinct = (among: readonly HolderCandidate[], without: readonly HolderCandidate[]) => {
    const seen = new Set(without.map(({ identity }) => identity));
    const byStore = new Map(among.map((candidate) => [candidate.store, candidate]));
    return rankByRendezvous(key, [...byStore.keys()])
      .map((store) => byStore.get(store)!)
      .filter(({ identity }) => !seen.has(identity) && seen.add(identity));
  };
  const keepers = distinct(
    candidates.filter(({ keeps }) => keeps),
    [],
  );
  let chosen = keepers;
  if (keepers.length !== 1 && keepers.length < copies) {
    chosen = [
      ...keepers,
      ...distinct(
        candidates.filter(({ keeps, durable }) => durable && !keeps),
        keepers,
      ),
    ];
  }
  if (chosen.length === 0) chosen = distinct(candidates, []).slice(0, 1);
  return chosen.slice(0, keepers.length >= codedFrom ? holdersMax : copies).map(({ store }) => store);
}
