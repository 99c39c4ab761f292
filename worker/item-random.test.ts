import { expect, test } from 'vitest';
import { itemRandom } from './item-random.ts';

const seed = '0123456789abcdef'.repeat(4);
const draw = (random: () => number, count: number) => Array.from({ length: count }, random);

test('the same job and item give the same numbers, another item others', () => {
  expect(draw(itemRandom(seed, 5), 20)).toEqual(draw(itemRandom(seed, 5), 20));
  expect(draw(itemRandom(seed, 6), 20)).not.toEqual(draw(itemRandom(seed, 5), 20));
  expect(draw(itemRandom('f'.repeat(64), 5), 20)).not.toEqual(draw(itemRandom(seed, 5), 20));
});

test('first numbers of neighbouring items are spread evenly in [0, 1)', () => {
  const tenths = new Array<number>(10).fill(0);
  for (let index = 0; index < 10_000; index++) {
    const first = itemRandom(seed, index)();
    expect(first >= 0 && first < 1).toBe(true);
    tenths[Math.floor(first * 10)]!++;
  }
  // Ten bins of 1000: chi-squared with 9 degrees of freedom passes 27.9 once in a thousand.
  expect(tenths.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0)).toBeLessThan(27.9);
});
