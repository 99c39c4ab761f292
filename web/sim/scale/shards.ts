// A run at scale may be shared by several threads, a shard of the tabs each. All do the same in the same order, each for its own tabs; what one
// must know of another they say to each other, all at once. So there is nobody in the middle, and a seed and a number of shards give one run.
import { decodeWire, encodeWire } from '../../kernel/lib/wire-codec.ts';

export interface Shards {
  readonly index: number;
  readonly count: number;
  /** Waits until every shard has said something; what each said, in their order. @throws Error where one is gone. */
  exchange(mine: Uint8Array<ArrayBuffer>): readonly Uint8Array[];
}

export const oneShard: Shards = { index: 0, count: 1, exchange: (mine) => [mine] };

/** The same for plain values; `what` must be the same on all, which shows that they are at the same point of the run. */
export function gather<T>(shards: Shards, what: string, mine: T): readonly T[] {
  if (shards.count === 1) return [mine];
  return shards.exchange(encodeWire([what, mine])).map((bytes, index) => {
    if (index === shards.index) return mine;
    const [point, theirs] = decodeWire(bytes) as [string, T];
    if (point !== what) throw new Error(`one shard is at "${what}", another at "${point}"`);
    return theirs;
  });
}

/**
 * Which shard each tab belongs to. The directory fills one group after the other, so tabs that start one after the other are of one group; with
 * them on one shard little passes between two.
 */
export function shardsOfTabs(startMs: readonly number[], groupPeersMax: number, count: number): number[] {
  const shards: number[] = [];
  inOrderOfStart(startMs).forEach((tab, rank) => (shards[tab] = Math.floor(rank / groupPeersMax) % count));
  return shards;
}

/** Numbers of tabs. */
export const inOrderOfStart = (startMs: readonly number[]) =>
  startMs.map((_, tab) => tab).toSorted((a, b) => startMs[a]! - startMs[b]! || a - b);
