// Which record a claimant asks for next, and what its holders' answers come to. Pure.
import type { PeerId } from '../../lib/ids.ts';
import { rendezvousRank } from '../../lib/rendezvous.ts';
import type { KeptRecord } from './book.ts';
import { majorityOf } from './holders.ts';

/** How far down the queue a claimant looks for a record of its own turn: two for each that may claim, one for a lone one. */
export const claimWindow = (claimants: number) => (claimants <= 1 ? 1 : 2 * claimants);

/**
 * The first free record where one claims; among many, of the first `claimWindow` free ones the one in whose ranking `self` comes
 * first, so that claimants do not fight for one. Equal places go by order.
 */
export function chooseNext(
  records: Iterable<KeptRecord>,
  isFree: (entry: KeptRecord) => boolean,
  self: PeerId,
  claimants: readonly PeerId[],
): KeptRecord | undefined {
  const window = claimWindow(claimants.length);
  let seen = 0;
  let best: KeptRecord | undefined;
  let bestRank = Infinity;
  for (const entry of records) {
    if (!isFree(entry)) continue;
    const rank = window === 1 ? 0 : rendezvousRank(entry.id, self, claimants);
    if (rank < bestRank) [best, bestRank] = [entry, rank];
    if (++seen >= window || bestRank === 0) break;
  }
  return best;
}

export type Verdict = 'owned' | 'refused' | 'open';

/** Ownership takes a majority of the named holders, and slices enough to read the record. */
export function verdictOf(tally: {
  readonly holders: number;
  readonly k: number;
  readonly granted: number;
  readonly slices: number;
  readonly pending: number;
}): Verdict {
  const needed = majorityOf(tally.holders);
  if (tally.granted >= needed && tally.slices >= tally.k) return 'owned';
  if (tally.granted + tally.pending < needed || tally.slices + tally.pending < tally.k) return 'refused';
  return 'open';
}
