import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Span } from '../../sdk/types.ts';
import { decidedRanges, decidedRows, failedRanges, itemsIn, unseen } from './decided.ts';

const spans: Span[] = [
  { range: [0, 10], state: 'committed', by: 'a' },
  { range: [10, 12], state: 'failed', by: 'b' },
  { range: [12, 20], state: 'claimed', by: 'c' },
  { range: [30, 33], state: 'committed', by: 'a' },
];

describe('decided items', () => {
  it('are those committed or failed', () => {
    expect(decidedRanges(spans)).toEqual([
      [0, 10],
      [10, 12],
      [30, 33],
    ]);
    expect(itemsIn(decidedRanges(spans))).toBe(15);
  });

  it('are rows of a list, however far apart they lie', () => {
    const rows = decidedRows(decidedRanges(spans));
    expect(rows.count).toBe(15);
    expect([0, 9, 10, 11, 12, 14].map((row) => rows.itemAt(row))).toEqual([0, 9, 10, 11, 30, 32]);
    expect(decidedRows([]).count).toBe(0);
  });

  it('lists the first failed ones', () => expect(failedRanges(spans, 1)).toEqual([[10, 11]]));
});

describe('what was not seen yet', () => {
  const ranges = fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 9 })), { maxLength: 8 }).map((parts) => {
    let at = 0;
    return parts.map(([gap, length]): [number, number] => {
      const first = at + gap;
      at = first + length;
      return [first, at];
    });
  });
  const members = (list: readonly (readonly [number, number])[]) =>
    new Set(list.flatMap(([first, end]) => Array.from({ length: end - first }, (_, i) => first + i)));

  it('is exactly what is there less what was seen', () => {
    fc.assert(
      fc.property(ranges, ranges, (all, seen) => {
        const left = unseen(all, seen);
        expect([...members(left)].sort((a, b) => a - b)).toEqual(
          [...members(all)].filter((item) => !members(seen).has(item)).sort((a, b) => a - b),
        );
        expect(itemsIn(left)).toBe(members(left).size);
      }),
    );
  });
});
