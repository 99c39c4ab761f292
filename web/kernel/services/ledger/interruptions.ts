// Items that were stopped in the middle because a donor's person came back: how often, and how long they had run. A sum over a set of
// events, so the order in which they come does not matter.
import type { IdentityId } from '../../lib/ids.ts';
import { interruptionsMax } from '../../limits.ts';
import type { LongItem } from '../../protocol/contracts/ledger.ts';

interface Told {
  readonly times: Map<IdentityId, number>;
  ranMs: number;
}

/** Long items that are looked at for the job's reason. */
const lookedMax = 16;

export class Interruptions {
  readonly #items = new Map<number, Told>();
  /** Those interrupted often enough, ascending. */
  #long: number[] = [];

  add(identity: IdentityId, item: number, ranMs: number): void {
    let told = this.#items.get(item);
    if (told === undefined) this.#items.set(item, (told = { times: new Map(), ranMs: 0 }));
    const before = timesOf(told);
    told.times.set(identity, (told.times.get(identity) ?? 0) + 1);
    told.ranMs = Math.max(told.ranMs, ranMs);
    if (before < interruptionsMax && timesOf(told) >= interruptionsMax) this.#long = [...this.#long, item].toSorted((a, b) => a - b);
  }

  /** Items of [from, end) that were interrupted often enough, ascending, at most `max`. */
  longIn(from: number, end: number, max: number): LongItem[] {
    return this.#long
      .filter((item) => item >= from && item < end)
      .slice(0, max)
      .map((item) => this.#longItem(item));
  }

  /** The first that `open` says is still undecided; of very many only the first few are looked at. */
  first(open: (item: number) => boolean): LongItem | undefined {
    const item = this.#long.slice(0, lookedMax).find(open);
    return item === undefined ? undefined : this.#longItem(item);
  }

  #longItem(item: number): LongItem {
    const told = this.#items.get(item)!;
    return { item, times: timesOf(told), ranMs: told.ranMs };
  }
}

/** What one identity says again and again counts no more than what it takes. */
const timesOf = ({ times }: Told) => [...times.values()].reduce((sum, count) => sum + Math.min(count, interruptionsMax), 0);

/** In words for the submitter, who alone can mend it. */
export function longWords({ item, times, ranMs }: LongItem): string {
  const seconds = Math.max(1, Math.round(ranMs / 1_000));
  return `Item ${item} takes longer than donors stay idle: it was interrupted ${times} times, after up to ${seconds} s. Cut it into smaller ones, or use task.checkpoint.`;
}
