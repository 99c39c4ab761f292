import { describe, expect, it } from 'vitest';
import { figuresOf, histogramOf, roundStep } from './histogram.ts';

describe('a histogram', () => {
  it('has round edges, and every number in one bin', () => {
    const values = Array.from({ length: 100 }, (_, i) => i / 10);
    const bins = histogramOf(values);
    expect(bins[0]).toEqual({ from: 0, to: 1, count: 10 });
    expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(100);
    expect(bins).toHaveLength(10);
  });
  it('takes negative numbers, the same number many times, and leaves out what is no number', () => {
    expect(histogramOf([-3, -1, Number.NaN, 2]).reduce((sum, { count }) => sum + count, 0)).toBe(3);
    expect(histogramOf([4, 4, 4])).toEqual([{ from: 4, to: 4, count: 3 }]);
    expect(histogramOf([Number.NaN])).toEqual([]);
    expect(histogramOf([0.1, 0.2, 0.3, 0.1 + 0.2]).reduce((sum, { count }) => sum + count, 0)).toBe(4);
  });
  it('never has more bins than can be seen', () => {
    expect(histogramOf(Float64Array.from({ length: 100_000 }, (_, i) => i ** 2)).length).toBeLessThanOrEqual(41);
  });
  it('steps by 1, 2 or 5', () =>
    expect([0.03, 0.2, 1, 7, 210].map(roundStep).map((n) => Number(n.toPrecision(3)))).toEqual([0.05, 0.2, 1, 10, 500]));
  it('says where the middle is', () => {
    expect(figuresOf([3, 1, 2, Number.NaN])).toEqual({ least: 1, median: 2, most: 3, mean: 2 });
    expect(figuresOf([])).toBeNull();
  });
});
