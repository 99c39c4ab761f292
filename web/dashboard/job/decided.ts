// Which items have a result, and where a page of them lies.
import type { Span } from '../../sdk/types.ts';

type Range = readonly [first: number, end: number];

export const decidedRanges = (spans: readonly Span[]): Range[] =>
  spans.filter(({ state }) => state === 'committed' || state === 'failed').map(({ range }) => range);

export const itemsIn = (ranges: readonly Range[]) => ranges.reduce((sum, [first, end]) => sum + end - first, 0);

/** The ranges that hold page `page` (of `size` items) counted from the highest item down; highest range first. */
export function pageFromEnd(ranges: readonly Range[], page: number, size: number): Range[] {
  let skip = page * size;
  let want = size;
  const found: Range[] = [];
  for (let i = ranges.length - 1; i >= 0 && want > 0; i--) {
    const [first, end] = ranges[i]!;
    const length = end - first;
    if (skip >= length) {
      skip -= length;
      continue;
    }
    const stop = end - skip;
    const start = Math.max(first, stop - want);
    skip = 0;
    want -= stop - start;
    found.push([start, stop]);
  }
  return found;
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
