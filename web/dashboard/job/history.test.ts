import { describe, expect, it } from 'vitest';
import { rateLines, samplesMax, stacked, withSample, type History } from './history.ts';

const at = (seconds: number, items: Record<string, number>) => ({ atMs: seconds * 1_000, items: new Map(Object.entries(items)) });

describe('who ran what over time', () => {
  it('takes a moment a second and stays bounded, over the whole time', () => {
    let history: History = [];
    for (let i = 0; i < 2_000; i++) history = withSample(history, at(i / 2, { ann: i }));
    expect(history.length).toBeLessThanOrEqual(samplesMax);
    expect(history[0]!.atMs).toBe(0);
    expect(history.at(-1)!.atMs).toBeGreaterThan(990_000);
  });

  it('gives the rates of those who ran most, and of the others together', () => {
    const history = [at(0, { ann: 0 }), at(2, { ann: 10, bob: 2, cid: 1 }), at(4, { ann: 20, bob: 4, cid: 3 })];
    const { seconds, lines } = rateLines(history, 1);
    expect(seconds).toEqual([-2, 0]);
    expect(lines).toEqual([
      { identity: 'ann', rates: [5, 5] },
      { identity: '', rates: [1.5, 2] },
    ]);
    expect(stacked(lines)).toEqual([
      [5, 5],
      [6.5, 7],
    ]);
    expect(rateLines(history.slice(0, 1), 3).lines).toEqual([]);
  });

  it('takes a total that fell, after a retry, for no work', () => {
    expect(rateLines([at(0, { ann: 10 }), at(1, { ann: 4 })], 2).lines[0]!.rates).toEqual([0]);
  });
});
