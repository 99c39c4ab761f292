import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Result, Span } from '../../sdk/types.ts';
import { Columns, columnsMax, numbersIn, tookKey } from './columns.ts';
import { ColumnLoader, type Loaded } from './use-columns.ts';

const ok = (index: number, value: unknown, tookMs = 1): Result => ({ index, value, by: [], tookMs });

describe('results as columns', () => {
  it('takes the numbers of a value, whatever its form', () => {
    expect(numbersIn(3)).toEqual([['', 3]]);
    expect(numbersIn(true)).toEqual([['', 1]]);
    expect(numbersIn({ a: 1, b: 'x', c: 2 })).toEqual([
      ['a', 1],
      ['c', 2],
    ]);
    expect(numbersIn([5, 'x', 6])).toEqual([
      ['[0]', 5],
      ['[2]', 6],
    ]);
    for (const none of [null, 'text', new Uint8Array(4), new Date(0)]) expect(numbersIn(none)).toEqual([]);
  });

  it('sorts items by a column, those without a number last', () => {
    const columns = new Columns();
    columns.add([ok(7, { n: 2 }, 9), ok(3, { n: 1 }, 5), ok(9, 'none', 7), ok(1, { n: 2 }, 1)]);
    expect([...columns.order('n', false)]).toEqual([3, 1, 7, 9]);
    expect([...columns.order('n', true)]).toEqual([1, 7, 3, 9]);
    expect([...columns.order(tookKey, true)]).toEqual([7, 9, 3, 1]);
    expect(columns.keys).toEqual(['n']);
  });

  it('gives points in order of the items, failed ones without a value', () => {
    const columns = new Columns();
    columns.add([ok(2, 20), { index: 1, error: { name: '', message: '', stack: '', input: 0 }, by: [], tookMs: 3 }, ok(0, 5)]);
    const [x, y] = columns.points('');
    expect([...x]).toEqual([0, 1, 2]);
    expect([...y]).toEqual([5, Number.NaN, 20]);
  });

  it('is bounded', () => {
    const columns = new Columns();
    const many = Array.from({ length: 50_000 }, (_, i) => ok(i, i));
    for (let i = 0; i < 5; i++) columns.add(many);
    expect(columns.size).toBe(columnsMax);
    expect(columns.add([ok(0, 0)])).toBe(0);
  });
});

describe('reading results into columns', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('goes on as more is decided, stops when nobody looks, and begins anew when items are run anew', async () => {
    let last: Loaded | undefined;
    let reads = 0;
    const loader = new ColumnLoader(
      {
        peek: (from, max) => {
          reads++;
          return Promise.resolve(Array.from({ length: max }, (_, i) => ok(from + i, from + i)));
        },
      },
      (loaded) => (last = loaded),
    );
    const span = (end: number): Span => ({ range: [0, end], state: 'committed', by: '' });
    loader.update([span(700)], true);
    await vi.advanceTimersByTimeAsync(100);
    expect([last!.columns.size, last!.all, reads]).toEqual([700, true, 2]);
    loader.update([span(800)], true);
    await vi.advanceTimersByTimeAsync(100);
    expect([last!.columns.size, reads]).toEqual([800, 3]);
    loader.update([span(800)], false);
    loader.update([span(2_000)], false);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(reads).toBe(3);
    loader.update([span(300)], true);
    await vi.advanceTimersByTimeAsync(100);
    expect(last!.columns.size).toBe(300);
  });

  it('asks again for what could not be had', async () => {
    let there = false;
    let last: Loaded | undefined;
    const loader = new ColumnLoader(
      { peek: (from, max) => Promise.resolve(there ? Array.from({ length: max }, (_, i) => ok(from + i, 1)) : []) },
      (loaded) => (last = loaded),
    );
    loader.update([{ range: [0, 5], state: 'committed', by: '' }], true);
    await vi.advanceTimersByTimeAsync(500);
    expect([last!.columns.size, last!.all]).toEqual([0, false]);
    there = true;
    await vi.advanceTimersByTimeAsync(3_000);
    expect([last!.columns.size, last!.all]).toEqual([5, true]);
  });
});
