import { describe, expect, it } from 'vitest';
import { append, emptySeries, growth, roundTop, sparkPath, stepsShown } from './samples-over-time.ts';

describe('figures over time', () => {
  it('keeps the newest, and no more than it may', () => {
    let series = emptySeries(1_000, 3);
    for (const value of [1, 2, 3, 4]) series = append(series, value);
    expect(series.values).toEqual([2, 3, 4]);
  });

  it('takes a total that fell for one that began anew', () => {
    expect(growth(100, 150, 10)).toBe(5);
    expect(growth(100, 20, 10)).toBe(2);
    expect(growth(1, 2, 0)).toBe(0);
  });

  it('draws a line that ends at the right edge, over a zero at the bottom', () => {
    let series = emptySeries(1_000, 5);
    expect(sparkPath(series, 100, 50, 1)).toBeNull();
    for (const value of [0, 10]) series = append(series, value);
    expect(sparkPath(series, 100, 50, 10)).toEqual({
      line: 'M75.0 50.0L100.0 3.0',
      area: 'M75.0 50.0L100.0 3.0L100 50L75.0 50Z',
      last: [100, 3],
    });
  });

  it('shows a window that grows with the line, never less than all there is', () => {
    const of = (length: number) => stepsShown({ ...emptySeries(1_000, 180), values: Array.from({ length }, () => 1) });
    expect([0, 30, 31, 61, 121, 180].map(of)).toEqual([30, 30, 60, 120, 180, 180]);
  });

  it('rounds the top of an axis up', () => expect([[], [0], [0.3], [7], [20], [210]].map(roundTop)).toEqual([1, 1, 0.5, 10, 20, 500]));
});
