// Which items have a result, and where a page of them lies.
import type { Span } from '../../sdk/types.ts';

type Range = readonly [first: number, end: number];

export const decidedRanges = (spans: readonly Span[]): Range[] =>
  spans.filter(({ state }) => state === 'committed' || state === 'failed').map(({ range }) => range);

export const itemsIn = (ranges: readonly Range[]) => ranges.reduce((sum, [first, end]) => sum + end - first, 0);

/** Rows of a list over the decided items: row r is item `itemAt(r)`. */
export interface DecidedRows {
  readonly count: number;
  itemAt(row: number): number;
}

export function decidedRows(ranges: readonly Range[]): DecidedRows {
  const ends: number[] = [];
  let count = 0;
  for (const [first, end] of ranges) ends.push((count += end - first));
  return {
    count,
    itemAt: (row) => {
      let [low, high] = [0, ends.length - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (ends[middle]! > row) high = middle;
        else low = middle + 1;
      }
      const [first, end] = ranges[low] ?? [0, 0];
      return Math.min(end - 1, first + row - (low === 0 ? 0 : ends[low - 1]!));
    },
  };
}

/** The first `size` failed items, in order. */
export function failedRanges(spans: readonly Span[], size: number): Range[] {
  const found: Range[] = [];
  let want = size;
  for (const { range, state } of spans) {
    if (state !== 'failed' || want <= 0) continue;
    const end = Math.min(range[1], range[0] + want);
    want -= end - range[0];
    found.push([range[0], end]);
  }
  return found;
}

/** Parts of `ranges` that `seen` does not cover yet; both ascend. */
export function unseen(ranges: readonly Range[], seen: readonly Range[]): Range[] {
  const left: Range[] = [];
  let i = 0;
  for (const [first, end] of ranges) {
    let at = first;
    while (i < seen.length && seen[i]![1] <= at) i++;
    for (let j = i; at < end; j++) {
      const next = seen[j];
      if (next === undefined || next[0] >= end) {
        left.push([at, end]);
        break;
      }
      if (next[0] > at) left.push([at, next[0]]);
      at = Math.max(at, next[1]);
    }
  }
  return left;
}
