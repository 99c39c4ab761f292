// Which record a claimant asks for next, and what its holders' answers come to. Pure.
import type { PeerId } from '../../lib/ids.ts';
import { rendezvousRank } from '../../lib/rendezvous.ts';
import type { KeptRecord } from './book.ts';
import { majorityOf } from './holders.ts';

/** How far down the queue a claimant looks for a record of its own turn: two for each that may claim, one for a lone one. */
export const claimWindow = (claimants: number) => (claimants <= 1 ? 1 : 2 * claimants);

/**
 * What has only just become free is first for whoever is first in its ranking; the next may ask so much later, up to as many as this. Else all who
 * are idle would ask its holders for it at once, and none would have a majority.
 */
export const turnMs = 50;
export const turnsMax = 6;

/** How many in a record's ranking come before those whose turn it is, when it has been free for so long. */
export const turnAfter = (freeMs: number) => (freeMs >= turnsMax * turnMs ? Infinity : Math.floor(freeMs / turnMs));

/**
 * The first free record where one claims; among many, of the first `claimWindow` free ones the one in whose ranking `self` comes
 * first, so that claimants do not fight for one. Equal places go by order. `turnOf`: who is in a higher place does not ask yet.
 */
export function chooseNext(
  records: Iterable<KeptRecord>,
  isFree: (entry: KeptRecord) => boolean,
  self: PeerId,
  claimants: readonly PeerId[],
  turnOf: (entry: KeptRecord) => number = () => Infinity,
): KeptRecord | undefined {
  const window = claimWindow(claimants.length);
  let seen = 0;
  let best: KeptRecord | undefined;
  let bestRank = Infinity;
  for (const entry of records) {
    if (!isFree(entry)) continue;
    const rank = window === 1 ? 0 : rendezvousRank(entry.id, self, claimants);
    if (rank < bestRank && rank <= turnOf(entry)) [best, bestRank] = [entry, rank];
    if (++seen >= window || bestRank === 0) break;
  }
  return best;
}

export type Verdict = 'owned' | 'refused' | 'unreadable' | 'open';

/** Ownership takes a majority of the named holders, and a body read out of their slices. */
export function verdictOf(tally: {
  readonly holders: number;
  readonly k: number;
  readonly granted: number;
  /** Slices that came, forged ones among them. */
  readonly slices: number;
  /** k of them made the body. */
  readonly read: boolean;
  readonly pending: number;
}): Verdict {
  const needed = majorityOf(tally.holders);
  if (tally.granted >= needed && tally.read) return 'owned';
  if (tally.granted + tally.pending < needed) return 'refused';
  if (tally.read) return 'open';
  if (tally.slices + tally.pending < tally.k) return 'refused';
  return tally.pending === 0 ? 'unreadable' : 'open';
}

const deferFirstMs = 1_000;
const deferMsMax = 30_000;
const deferredMax = 256;

/**
 * Whose records led to nothing lately: holders that are not there, that know nothing of them, or whose slices make no body. They come
 * after everybody else's until a time has passed, which doubles, and among themselves in turn: records made up by one member
 * cannot use up the tries of a claim. Where all are of one member nothing changes.
 */
export class Deferrals {
  readonly #of = new Map<string, { readonly times: number; readonly at: number; readonly until: number }>();

  failed(charged: string, now: number): void {
    const before = this.#of.get(charged);
    // Failures of one round of tries count once.
    const times = before === undefined ? 1 : now < before.at + deferFirstMs ? before.times : before.times + 1;
    this.#of.delete(charged);
    this.#of.set(charged, { times, at: now, until: now + Math.min(deferMsMax, deferFirstMs * 2 ** (times - 1)) });
    if (this.#of.size > deferredMax) this.#of.delete(this.#of.keys().next().value!);
  }

  succeeded(charged: string): void {
    this.#of.delete(charged);
  }

  isDeferred(charged: string, now: number): boolean {
    const one = this.#of.get(charged);
    return one !== undefined && now < one.until;
  }

  /** Those deferred now, whoever failed longest ago first. */
  inTurn(now: number): string[] {
    return [...this.#of].flatMap(([charged, { until }]) => (now < until ? [charged] : []));
  }
}
