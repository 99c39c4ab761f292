// What every Coder must do, to the byte: slices go between tabs and outlive versions, so what is made of a segment may never change.
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, hexOf } from '../lib/bytes.ts';
import { joinSlices, sliceBytes } from '../lib/erasure/slices.ts';
import type { Coder } from '../platform.ts';
import { equal, holds, type SuiteApi } from './contract-suite.ts';
import { seededRandom } from './seeded-random.ts';

/** SHA-256 of all slices, one after the other, of the 1 000 bytes (7 i^2 + 31 i + 13 floor(i / 256)) mod 256. */
const knownSlices = [
  [1, 3, 'ae8e56e6547094786adc992f7a798d287033748a0b899970ee31f72663b9612a'],
  [2, 6, '8b0a92c3c19bf06d0151f807a74168ace5bdad78b5e6ee75938e8774558cbe81'],
  [3, 12, '671de3f0488956a37d8bd5daf1c9746a6408d64ccac7b4a8d1efc6ca829602b0'],
  [4, 16, '562d9d2f09d8e4385f7c58e1acd1140ebf6becc8d4f73688da5e99e66de22cf1'],
  [4, 6, '8170dd9df0eb5ffc78f5acd998b4f81bf20ed47c3befc987c4153e0c3d9daa46'],
  [8, 12, 'c6ab79b9b5fe08a13df8842fbd8f06d9c127331e6f27c77fa680b827bcb8ad77'],
  [10, 16, 'caec022d959174f73acaad0ccec8fc1ebaa3166c3b719da3ff43ec098b223b3f'],
  [20, 30, 'cd44bc738b7a0a7807bf93cce511560142aa45ef4d052e1d7e52f8f9c16e8120'],
] as const;

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
const chosen = (slices: readonly Uint8Array[], indexes: readonly number[]) => new Map(indexes.map((index) => [index, slices[index]!]));
const failure = async (run: () => Promise<unknown>) =>
  run().then(
    () => 'none',
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );

export function coderContract({ test }: SuiteApi, make: () => Coder): void {
  const coderTest = (name: string, run: (coder: Coder) => Promise<void>) => test(`coder: ${name}`, () => run(make()));

  coderTest('the slices of a segment are those they always were', async (coder) => {
    const segment = Uint8Array.from({ length: 1_000 }, (_, i) => i * i * 7 + i * 31 + (i >> 8) * 13);
    for (const [k, n, hash] of knownSlices) equal(hexOf(sha256(concatBytes(await coder.encode(segment, k, n)))), hash, `${k} of ${n}`);
  });

  coderTest('a segment of any size comes back from its last slices, and from a mix', async (coder) => {
    for (const [k, n] of [
      [1, 2],
      [2, 5],
      [4, 16],
      [18, 24],
    ] as const) {
      for (const size of [0, 1, k - 1, k, k + 1, 64 * k - 1, 64 * k, 64 * k + 1, 100_003]) {
        const segment = seededRandom(`${size}`).bytes(size);
        const slices = await coder.encode(segment, k, n);
        equal(
          slices.map((slice) => slice.length),
          upTo(n).map(() => sliceBytes(size, k)),
          'lengths',
        );
        const mixed = upTo(n).filter((index) => index % 2 === 1 || index > k);
        for (const indexes of [upTo(n).slice(n - k), mixed.slice(0, k), upTo(k)]) {
          if (indexes.length < k) continue;
          const all = await coder.recover(chosen(slices, indexes), k, n, upTo(n));
          equal(all, slices, `${k} of ${n}, ${size} bytes from ${indexes.join(' ')}`);
          equal(joinSlices(all.slice(0, k), size), segment, 'the segment');
        }
      }
    }
  });

  coderTest('a slice depends on the segment, k and its index, not on n', async (coder) => {
    const segment = seededRandom('prefix').bytes(3_000);
    equal(await coder.encode(segment, 2, 5), (await coder.encode(segment, 2, 6)).slice(0, 5), '2 of 5 and 2 of 6');
    equal(await coder.encode(segment, 4, 6), (await coder.encode(segment, 4, 16)).slice(0, 6), '4 of 6 and 4 of 16');
    equal(await coder.encode(segment, 4, 20), (await coder.encode(segment, 4, 30)).slice(0, 20), '4 of 20 and 4 of 30');
  });

  coderTest('slices are given in the order wanted, each as often as wanted', async (coder) => {
    const slices = await coder.encode(seededRandom('order').bytes(999), 3, 7);
    equal(
      await coder.recover(chosen(slices, [6, 1, 4]), 3, 7, [5, 0, 6, 0, 1]),
      [5, 0, 6, 0, 1].map((index) => slices[index]!),
      'slices',
    );
    equal(await coder.recover(chosen(slices, [6, 1, 4]), 3, 7, []), [], 'nothing wanted');
  });

  coderTest('what was given is neither changed nor taken, wherever in a buffer it lies', async (coder) => {
    const buffer = seededRandom('given').bytes(5_000);
    const before = buffer.slice();
    const segment = buffer.subarray(3, 4_100);
    const slices = await coder.encode(segment, 2, 4);
    const wide = new Uint8Array(3 * slices[0]!.length + 7);
    const moved = new Map([2, 3].map((index, at) => [index, wide.subarray(1 + at * slices[0]!.length, 1 + (at + 1) * slices[0]!.length)]));
    for (const [index, view] of moved) view.set(slices[index]!);
    const kept = wide.slice();
    equal(joinSlices(await coder.recover(moved, 2, 4, [0, 1]), segment.length), segment, 'the segment');
    equal(buffer, before, 'the segment given');
    equal(wide, kept, 'the slices given');
  });

  coderTest('many calls at once do not mix', async (coder) => {
    const segments = upTo(24).map((each) => seededRandom(`segment ${each}`).bytes(20_000 + (each % 3)));
    const backs = await Promise.all(
      segments.map(async (segment, each) => {
        const [k, n] = each % 2 === 0 ? [4, 6] : [3, 12];
        const slices = await coder.encode(segment, k, n);
        return joinSlices(await coder.recover(chosen(slices, upTo(n).slice(n - k)), k, n, upTo(k)), segment.length);
      }),
    );
    for (const [each, back] of backs.entries()) equal(back, segments[each], `segment ${each}`);
  });

  coderTest('too few slices, none that there is, or codes that there are not are bugs', async (coder) => {
    const slices = await coder.encode(new Uint8Array(500), 3, 6);
    equal(await failure(() => coder.recover(chosen(slices, [0, 1]), 3, 6, [2])), 'RangeError', 'too few');
    equal(await failure(() => coder.recover(chosen(slices, [0, 1, 2]), 3, 6, [6])), 'RangeError', 'no such slice');
    equal(await failure(() => coder.encode(new Uint8Array(500), 4, 3)), 'RangeError', '4 of 3');
    equal(await failure(() => coder.encode(new Uint8Array(500), 4, 256)), 'RangeError', '4 of 256');
    const odd = new Map([0, 1, 3].map((index) => [index, new Uint8Array(63)]));
    equal(await failure(() => coder.recover(odd, 3, 6, [2])), 'RangeError', 'an impossible length');
    holds((await coder.encode(new Uint8Array(10), 3, 6)).length === 6, 'works after all that');
  });
}
