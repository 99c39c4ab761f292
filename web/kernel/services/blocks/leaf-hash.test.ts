import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { leafBytes } from '../../limits.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { testDigest } from '../../testing/test-crypto.ts';
import { leafHash } from './leaf-hash.ts';

const random = seededRandom('leaf hash');
const bytes = random.bytes(3 * leafBytes + 1);
const sha256 = (...parts: readonly Uint8Array[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

test('of up to a leaf is the SHA-256, of more the SHA-256 of the tag and those of the leaves', async () => {
  for (const size of [0, 1, leafBytes]) {
    const short = bytes.subarray(0, size);
    expect(await leafHash(testDigest, short)).toBe(sha256(short).toString('hex'));
  }
  const leaves = [0, 1, 2, 3].map((i) => sha256(bytes.subarray(i * leafBytes, (i + 1) * leafBytes)));
  expect(await leafHash(testDigest, bytes)).toBe(sha256(new TextEncoder().encode('lull leaves 1'), ...leaves).toString('hex'));
});

test('is the same in however many pieces the bytes lie', async () => {
  for (const size of [leafBytes, leafBytes + 1, bytes.length]) {
    const whole = bytes.subarray(0, size);
    const expected = await leafHash(testDigest, whole);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: size }), { maxLength: 8 }), async (cuts) => {
        const ends = [...cuts, size].toSorted((a, b) => a - b);
        const pieces = ends.map((end, i) => whole.subarray(ends[i - 1] ?? 0, end));
        return (await leafHash(testDigest, pieces)) === expected;
      }),
      { numRuns: 15 },
    );
  }
});

test('is told apart by a single bit in any piece', async () => {
  const pieces = [bytes.slice(0, 300_000), bytes.slice(300_000, 300_010), bytes.slice(300_010)];
  const expected = await leafHash(testDigest, pieces);
  for (const piece of pieces) {
    piece[piece.length - 1]! ^= 1;
    expect(await leafHash(testDigest, pieces)).not.toBe(expected);
    piece[piece.length - 1]! ^= 1;
  }
});
