import { expect, test } from 'vitest';
import { someIdentity } from '../../testing/made-up-jobs.ts';
import { Interruptions, longWords } from './interruptions.ts';

test('an item counts as long after three interruptions, with the longest that it ran', () => {
  const told = new Interruptions();
  told.add(someIdentity(1), 7, 9_000);
  told.add(someIdentity(2), 7, 62_000);
  expect(told.longIn(0, 100, 10)).toEqual([]);
  told.add(someIdentity(1), 7, 8_000);
  told.add(someIdentity(1), 3, 8_000);
  expect(told.longIn(0, 100, 10)).toEqual([{ item: 7, times: 3, ranMs: 62_000 }]);
  expect(told.longIn(8, 100, 10)).toEqual([]);
});

test('what one identity repeats counts no more than what it takes', () => {
  const told = new Interruptions();
  for (let i = 0; i < 50; i++) told.add(someIdentity(1), 2, 9_000);
  expect(told.longIn(0, 100, 10)).toEqual([{ item: 2, times: 3, ranMs: 9_000 }]);
});

test('the order in which they come does not matter, and what is decided is passed over', () => {
  const told = new Interruptions();
  for (const item of [9, 4]) for (const who of [1, 2, 3]) told.add(someIdentity(who), item, 10_000);
  expect(told.longIn(0, 100, 10).map(({ item }) => item)).toEqual([4, 9]);
  expect(told.first((item) => item !== 4)).toMatchObject({ item: 9 });
  expect(told.first(() => false)).toBeUndefined();
  expect(longWords(told.first(() => true)!)).toBe(
    'Item 4 takes longer than donors stay idle: it was interrupted 3 times, after up to 10 s. Cut it into smaller ones, or use task.checkpoint.',
  );
});
