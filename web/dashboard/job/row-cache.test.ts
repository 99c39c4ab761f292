import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Result } from '../../sdk/types.ts';
import { RowCache } from './row-cache.ts';

const result = (index: number): Result => ({ index, value: index * 2, by: [], tookMs: 1 });

describe('rows in sight', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are fetched once, neighbours together', async () => {
    const asked: [number, number][] = [];
    const cache = new RowCache({
      peek: (from, max) => {
        asked.push([from, max]);
        return Promise.resolve(Array.from({ length: max }, (_, i) => result(from + i)));
      },
      inputs: (from, max) => Promise.resolve(Array.from({ length: max }, (_, i) => `in ${from + i}`)),
    });
    cache.want([4, 5, 6, 20]);
    await vi.advanceTimersByTimeAsync(10);
    cache.want([5, 6, 7]);
    await vi.advanceTimersByTimeAsync(10);
    expect(asked).toEqual([
      [4, 3],
      [20, 1],
      [7, 1],
    ]);
    expect(cache.get(6)).toEqual({ result: result(6), input: 'in 6' });
    cache.want([]);
  });

  it('that could not be had are asked for again after a while', async () => {
    let there = false;
    let asked = 0;
    const cache = new RowCache({
      peek: (from) => {
        asked++;
        return there ? Promise.resolve([result(from)]) : Promise.reject(new Error('away'));
      },
      inputs: () => Promise.reject(new Error('away')),
    });
    cache.want([1]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([asked, cache.get(1)]).toEqual([1, undefined]);
    there = true;
    await vi.advanceTimersByTimeAsync(7_000);
    expect(cache.get(1)).toEqual({ result: result(1), input: undefined });
    const before = asked;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked).toBe(before);
    cache.want([]);
  });
});
