// The compiled code against plain arithmetic, byte for byte. Node runs the same modules as a browser.
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { equalBytes } from '../web/kernel/lib/bytes.ts';
import { encodeScalar } from '../web/kernel/lib/erasure/scalar.ts';
import { sliceBytes } from '../web/kernel/lib/erasure/slices.ts';
import { seededRandom } from '../web/kernel/testing/seeded-random.ts';
import { subsets } from '../web/kernel/testing/subsets.ts';
import { ErasureCoder } from './erasure.ts';

const upTo = (count: number, from = 0) => Array.from({ length: count - from }, (_, at) => from + at);

function chained(slices: readonly Uint8Array[]): ArrayBuffer {
  const whole = new Uint8Array(slices.reduce((sum, slice) => sum + slice.length, 0));
  let at = 0;
  for (const slice of slices) {
    whole.set(slice, at);
    at += slice.length;
  }
  return whole.buffer;
}

/** Codes `wanted` from `present` and says which of them are not as they should be. */
function wrongSlices(coder: ErasureCoder, k: number, n: number, slices: readonly Uint8Array[], present: readonly number[]): number[] {
  const wanted = upTo(n).filter((index) => !present.includes(index));
  if (wanted.length === 0) return [];
  const given = chained(present.map((index) => slices[index]!));
  const { made } = coder.code({ k, n, present, wanted, slices: given });
  const length = slices[0]!.length;
  return wanted.filter((index, at) => !equalBytes(new Uint8Array(made, at * length, length), slices[index]!));
}

/** There are 8 008 of 10 of 16, and each is compiled: `npm run soak` tries them all, `npm test` each seventh of so many. */
const everyChoice = process.env['SOAK'] !== undefined;

describe.each([
  [2, 5],
  [2, 6],
  [3, 12],
  [4, 16],
  [4, 6],
  [8, 12],
  [10, 16],
])('%i of %i', (k, n) => {
  test('any k slices give all others, as plain arithmetic makes them', { timeout: 300_000 }, () => {
    const coder = new ErasureCoder();
    const slices = encodeScalar(seededRandom(`${k} of ${n}`).bytes(k * 64 - 5), k, n);
    const choices = [...subsets(n, k)];
    const step = everyChoice || choices.length < 1_000 ? 1 : 7;
    for (let at = 0; at < choices.length; at += step)
      expect(wrongSlices(coder, k, n, slices, choices[at]!), `from ${choices[at]!.join(' ')}`).toEqual([]);
    expect(coder.method).toBe('simd');
  });
});

test.each([
  [4, 6],
  [4, 16],
  [20, 30],
  [3, 40],
  [128, 255],
])('%i of %i holds at every size around the blocks that are coded at once', (k, n) => {
  const coder = new ErasureCoder();
  const sizes = [1, k - 1, k, k + 1, ...[64, 1_024, 16_384, 2 * 16_384].flatMap((length) => [-1, 0, 1].map((off) => k * length + off))];
  for (const size of k > 20 ? sizes.slice(0, 7) : [...sizes, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1]) {
    const slices = encodeScalar(seededRandom(`size ${size}`).bytes(size), k, n);
    expect(slices[0]!.length).toBe(sliceBytes(size, k));
    expect(wrongSlices(coder, k, n, slices, upTo(k)), `encoding ${size} bytes`).toEqual([]);
    expect(wrongSlices(coder, k, n, slices, upTo(n, n - k)), `recovering ${size} bytes`).toEqual([]);
  }
  expect(coder.method).toBe('simd');
});

describe('where there is no SIMD', () => {
  afterEach(() => void vi.unstubAllGlobals());

  test.each([
    ['WebAssembly is missing', undefined],
    [
      'modules do not compile',
      {
        ...WebAssembly,
        Memory: WebAssembly.Memory,
        CompileError: WebAssembly.CompileError,
        Module: function refuse() {
          throw new WebAssembly.CompileError('refused');
        },
      },
    ],
  ])('%s: plain arithmetic gives the same slices', (_, webAssembly) => {
    vi.stubGlobal('WebAssembly', webAssembly);
    const coder = new ErasureCoder();
    for (const [k, n] of [
      [4, 6],
      [3, 20],
    ] as const) {
      const slices = encodeScalar(seededRandom('scalar').bytes(10_000), k, n);
      expect(wrongSlices(coder, k, n, slices, upTo(n, n - k))).toEqual([]);
    }
    expect(coder.method).toBe('scalar');
  });
});

test('kernels are forgotten, oldest first, and made again', () => {
  const coder = new ErasureCoder();
  const slices = encodeScalar(seededRandom('many').bytes(640), 10, 16);
  const first = coder.runnable(10, 16, upTo(10), [15]);
  expect(coder.runnable(10, 16, upTo(10), [15])).toBe(first);
  let others = 0;
  for (const present of subsets(16, 10)) {
    if (others++ === 100) break;
    coder.runnable(10, 16, present, [15]);
  }
  expect(coder.runnable(10, 16, upTo(10), [15])).not.toBe(first);
  expect(wrongSlices(coder, 10, 16, slices, upTo(16, 6))).toEqual([]);
});

test('any code, size and choice of slices agrees with plain arithmetic', () => {
  const coder = new ErasureCoder();
  const code = fc.tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 12 }));
  fc.assert(
    fc.property(code, fc.integer({ min: 1, max: 5_000 }), fc.string(), ([k, parity], size, seed) => {
      const n = k + parity;
      const random = seededRandom(seed);
      const padded = k === 1 ? Math.ceil(size / 64) * 64 : size;
      const slices = encodeScalar(random.bytes(padded), k, n);
      const present = upTo(n)
        .map((index) => [random.fraction(), index] as const)
        .toSorted(([a], [b]) => a - b)
        .slice(0, k)
        .map(([, index]) => index);
      expect(wrongSlices(coder, k, n, slices, present)).toEqual([]);
    }),
    { seed: 11 },
  );
});
