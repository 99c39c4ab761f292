import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../testing/seeded-random.ts';
import { subsets } from '../../testing/subsets.ts';
import { equalBytes } from '../bytes.ts';
import { encodeScalar, recoverScalar } from './scalar.ts';
import { joinSlices, sliceBytes } from './slices.ts';

const pick = (slices: readonly Uint8Array[], indexes: readonly number[]) => new Map(indexes.map((index) => [index, slices[index]!]));

describe.each([
  [1, 3],
  [2, 5],
  [2, 6],
  [3, 12],
  [4, 16],
  [4, 6],
  [8, 12],
  [10, 16],
])('%i of %i', (k, n) => {
  test('any k slices give the data and the parity', () => {
    const segment = seededRandom(`${k} of ${n}`).bytes(k * 64 - 5);
    const slices = encodeScalar(segment, k, n);
    const everything = Array.from({ length: n }, (_, index) => index);
    for (const present of subsets(n, k)) {
      const recovered = recoverScalar(pick(slices, present), k, n, everything);
      expect(
        everything.filter((index) => !equalBytes(recovered[index]!, slices[index]!)),
        `from ${present.join(' ')}`,
      ).toEqual([]);
    }
    expect(joinSlices(slices.slice(0, k), segment.length)).toEqual(segment);
  });
});

test('a segment of any size comes back from any slices', () => {
  const code = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 20 }));
  const around = fc.tuple(fc.nat(3), fc.constantFrom(0, 1, 64, 4_096), fc.integer({ min: -1, max: 1 }));
  fc.assert(
    fc.property(code, around, fc.string(), ([k, parity], [times, unit, off], seed) => {
      const n = k + parity;
      const random = seededRandom(seed);
      const segment = random.bytes(Math.max(0, times * unit * k + off));
      const slices = encodeScalar(segment, k, n);
      expect(slices.map((slice) => slice.length)).toEqual(slices.map(() => sliceBytes(segment.length, k)));
      const present = Array.from({ length: n }, (_, index) => [random.fraction(), index] as const)
        .toSorted(([a], [b]) => a - b)
        .slice(0, k)
        .map(([, index]) => index);
      const data = recoverScalar(
        pick(slices, present),
        k,
        n,
        Array.from({ length: k }, (_, index) => index),
      );
      expect(equalBytes(joinSlices(data, segment.length), segment)).toBe(true);
    }),
    { seed: 7 },
  );
});
