// How well an object is held: by how many identities, each with a slice of its own, and what that is worth.
import type { Holding } from './slots.ts';

/** Of the identities that hold something, this share is taken to be away at once when a loss is estimated. */
export const awayShare = 0.3;

/**
 * Under the coding `k`, the most identities that can each be given an index of their own among those it holds (a maximum matching):
 * two stores of one person count once, and so do two people with the same slice. For k = 1 every copy is as good as another.
 */
export function heldOf(holdings: readonly Holding[], k: number): number {
  const indexesOf = new Map<string, Set<number>>();
  for (const { identity, k: of, index } of holdings) {
    if (of !== k) continue;
    const indexes = indexesOf.get(identity);
    if (indexes === undefined) indexesOf.set(identity, new Set([index]));
    else indexes.add(index);
  }
  return k === 1 ? indexesOf.size : matching(indexesOf).size;
}

/** Who gets which index: index -> identity. Augmenting paths (Kuhn); there are at most 16 indexes. Depends on nothing but the set of pairs. */
export function matching(indexesOf: ReadonlyMap<string, ReadonlySet<number>>): Map<number, string> {
  const given = new Map<number, string>();
  const place = (identity: string, tried: Set<number>): boolean => {
    for (const index of [...(indexesOf.get(identity) ?? [])].toSorted((a, b) => a - b)) {
      if (tried.has(index)) continue;
      tried.add(index);
      const other = given.get(index);
      if (other !== undefined && !place(other, tried)) continue;
      given.set(index, identity);
      return true;
    }
    return false;
  };
  for (const identity of [...indexesOf.keys()].toSorted()) place(identity, new Set());
  return given;
}

export interface Health {
  readonly k: number;
  /** Identities with a slice of their own of the coding with the most to spare, the doubted ones among them. */
  readonly held: number;
  /** Of these, those that answer. */
  readonly online: number;
  /** Slots announced, of any coding. */
  readonly placed: number;
}

/** The coding with the most slices to spare, the smaller k of two alike; `k` where nothing is held. */
export function healthOf(holdings: readonly Holding[], k: number): Health {
  const alive = holdings.filter(({ status }) => status === 'alive');
  let best: Health = { k, held: 0, online: 0, placed: holdings.length };
  for (const of of [...new Set(holdings.map((holding) => holding.k))].toSorted((a, b) => a - b)) {
    const held = heldOf(holdings, of);
    if (best.held > 0 && held - of <= best.held - best.k) continue;
    best = { ...best, k: of, held, online: heldOf(alive, of) };
  }
  return best;
}

/** Probability that fewer than k of `held` are there when each is away with probability `awayShare`: a binomial tail. */
export function lossEstimate(held: number, k: number): number {
  if (held < k) return 1;
  let sum = 0;
  let choose = 1;
  for (let here = 0; here < k; here++) {
    sum += choose * (1 - awayShare) ** here * awayShare ** (held - here);
    choose = (choose * (held - here)) / (here + 1);
  }
  return Math.min(1, sum);
}

/** How many times over `identities` with a slice each hold all of an object. */
export const copiesOf = (identities: number, k: number) => Math.floor(identities / k);
