import { expect, test } from 'vitest';
import { tooLongHere, withoutItems } from './long-items.ts';

test('a machine leaves alone what ran for longer than it stays idle, and only that', () => {
  const long = [
    { item: 3, times: 3, ranMs: 60_000 },
    { item: 7, times: 4, ranMs: 20_000 },
  ];
  expect(tooLongHere(long, 30)).toEqual([3]);
  expect(tooLongHere(long, 61)).toEqual([]);
  expect(tooLongHere(long, 5)).toEqual([3, 7]);
  // Who does not know yet may be the one.
  expect(tooLongHere(long, undefined)).toEqual([]);
});

test('what is left alone is cut out of what is run', () => {
  const pieces = [
    { range: [0, 5] as const, round: 0 },
    { range: [7, 8] as const, round: 1 },
  ];
  expect(withoutItems(pieces, [])).toEqual(pieces);
  expect(withoutItems(pieces, [0, 3, 7])).toEqual([
    { range: [1, 3], round: 0 },
    { range: [4, 5], round: 0 },
  ]);
});
