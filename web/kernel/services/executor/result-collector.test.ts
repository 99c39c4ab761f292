import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventId } from '../../lib/ids.ts';
import { decodeResultBlob } from '../../lib/result-blob.ts';
import type { SandboxResults } from '../../protocol/sandbox.ts';
import { logBytesPerFunctionMax } from '../../limits.ts';
import { blobBytesMax, ResultCollector } from './result-collector.ts';

function results(first: number, sizes: readonly number[], failed: readonly number[] = []): SandboxResults {
  const ends = new Uint32Array(sizes.length);
  let at = 0;
  sizes.forEach((size, i) => (ends[i] = at += failed.includes(first + i) ? 0 : size));
  const bytes = new Uint8Array(at);
  sizes.forEach((_, i) => bytes.fill((first + i) % 251, i === 0 ? 0 : ends[i - 1]!, ends[i]!));
  const errors = failed.map((index) => ({ index, name: 'Error', message: `item ${index}`, stack: '' }));
  return { first, bytes, ends, tookMs: new Float32Array(sizes.length).fill(2), errors };
}

test('results of consecutive items become one blob, a gap begins another', () => {
  const collector = new ResultCollector();
  collector.add(results(3, [1, 2]));
  collector.add(results(5, [0, 4], [6]));
  collector.add(results(10, [1]));
  const blobs = collector.finish();
  expect(blobs.map(({ range, failed, tookMs }) => ({ range, failed, tookMs }))).toEqual([
    { range: [3, 7], failed: [[6, 7]], tookMs: 8 },
    { range: [10, 11], failed: [], tookMs: 2 },
  ]);
  const first = decodeResultBlob(blobs[0]!.bytes)!;
  expect([...first.values.ends]).toEqual([1, 3, 3, 3]);
  expect([...first.values.bytes]).toEqual([3, 4, 4]);
  expect(first.errors).toEqual([{ index: 6, name: 'Error', message: 'item 6', stack: '' }]);
});

test('results of two parts of the input are two blobs, each with its part', () => {
  const collector = new ResultCollector();
  const part = eventId('7'.repeat(64));
  collector.begin(null);
  collector.add(results(3, [1, 2]));
  collector.begin(part);
  collector.add(results(5, [1]));
  collector.begin(part);
  collector.add(results(6, [1]));
  expect(collector.finish().map(({ range, part: of }) => [range, of])).toEqual([
    [[3, 5], null],
    [[5, 7], part],
  ]);
});

test('what an item wrote travels with its result, within a bound, and is no reason to be without', () => {
  const collector = new ResultCollector();
  collector.log(3, 'begun');
  collector.log(5, 'of a later blob');
  collector.add(results(3, [1, 2]));
  collector.log(9, 'x'.repeat(logBytesPerFunctionMax));
  collector.log(9, 'y');
  collector.add(results(9, [1]));
  expect(collector.finish().map(({ bytes }) => decodeResultBlob(bytes)!.logs)).toEqual([
    [{ index: 3, text: 'begun' }],
    [{ index: 9, text: 'y' }],
  ]);
});

test('an item blamed from outside stands among the others', () => {
  const collector = new ResultCollector();
  collector.add(results(0, [1]));
  collector.fail({ index: 1, name: 'TimeoutError', message: 'The item took longer than 1 s.', stack: '' }, 1_000);
  collector.add(results(2, [1]));
  expect(collector.items).toBe(3);
  const [blob] = collector.finish();
  expect(blob).toMatchObject({ range: [0, 3], failed: [[1, 2]], tookMs: 1_004 });
});

test('no blob grows past its bound unless a single item does', () => {
  const collector = new ResultCollector();
  collector.add(results(0, [blobBytesMax / 2, blobBytesMax / 2, 10]));
  collector.add(results(3, [2 * blobBytesMax, 5]));
  const blobs = collector.finish();
  expect(blobs.map((blob) => blob.range)).toEqual([
    [0, 1],
    [1, 3],
    [3, 4],
    [4, 5],
  ]);
});

test('whatever the batches, every item comes out once with its own bytes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ gap: fc.nat({ max: 2 }), sizes: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 5 }) }), {
        maxLength: 8,
      }),
      (batches) => {
        const collector = new ResultCollector();
        const expected = new Map<number, number>();
        let next = 0;
        for (const { gap, sizes } of batches) {
          next += gap;
          collector.add(results(next, sizes));
          sizes.forEach((size, i) => expected.set(next + i, size));
          next += sizes.length;
        }
        const got = new Map<number, number>();
        for (const { range, bytes } of collector.finish()) {
          const { first, values } = decodeResultBlob(bytes)!;
          expect(first).toBe(range[0]);
          expect(values.ends.length).toBe(range[1] - range[0]);
          values.ends.forEach((end, i) => {
            const value = values.bytes.subarray(i === 0 ? 0 : values.ends[i - 1]!, end);
            expect(value.every((byte) => byte === (first + i) % 251)).toBe(true);
            got.set(first + i, value.length);
          });
        }
        expect(got).toEqual(expected);
      },
    ),
  );
});
