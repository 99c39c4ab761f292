import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FaultError } from '../../lib/outcome.ts';
import { pack } from '../../lib/packed.ts';
import type { JobInput } from '../../protocol/job-manifest.ts';
import { eventId, objectId } from '../../lib/ids.ts';
import { inputSpans, partSpans, spanBytesMax, type InputSpan, type PartSpan, type SegmentReader } from './inputs.ts';

const object = objectId('0'.repeat(64));
const utf8 = new TextEncoder();

function readerOf(segments: readonly Uint8Array[]) {
  const asked: number[] = [];
  const reader: SegmentReader = {
    segment: async (index) => {
      asked.push(index);
      const segment = segments[index];
      if (segment === undefined) throw new FaultError('not-found', 'no such segment');
      return segment;
    },
    sizes: async () => segments.map((segment) => segment.length),
  };
  return { reader, asked };
}

async function itemsOf(input: JobInput, range: readonly [number, number], reader: SegmentReader) {
  const items: Uint8Array[] = [];
  const spans: InputSpan[] = [];
  let next = range[0];
  for await (const span of inputSpans(input, range, reader)) {
    spans.push(span);
    expect(span.first).toBe(next);
    next = span.end;
    if (span.inputs.kind === 'range') continue;
    const { bytes, ends } = span.inputs;
    expect(ends.length).toBe(span.end - span.first);
    expect(bytes.buffer.byteLength).toBe(bytes.length);
    ends.forEach((end, i) => items.push(bytes.slice(i === 0 ? 0 : ends[i - 1]!, end)));
  }
  expect(next).toBe(range[1]);
  return { items, spans };
}

const cut = (bytes: Uint8Array, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));

/** As the submitter counts: lines that begin in each segment. */
function linesBegun(segments: readonly Uint8Array[]): number[] {
  let atStart = true;
  return segments.map((segment) => {
    let begun = 0;
    for (const byte of segment) {
      if (atStart) begun++;
      atStart = byte === 0x0a;
    }
    return begun;
  });
}

test('every run of lines is found whatever the segments cut through', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.string({ maxLength: 12 }).map((line) => line.replaceAll(/[\r\n]/g, '')),
        { minLength: 1, maxLength: 30 },
      ),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(),
      fc.nat(),
      async (lines, lineEnd, lastEnds, size, a, b) => {
        const text = lines.join(lineEnd) + (lastEnds ? lineEnd : '');
        fc.pre(text.length > 0);
        const expected = text.split(lineEnd);
        if (expected.at(-1) === '') expected.pop();
        const segments = cut(utf8.encode(text), size);
        const perSegment = linesBegun(segments);
        const count = expected.length;
        expect(perSegment.reduce((sum, n) => sum + n, 0)).toBe(count);
        const first = a % count;
        const end = first + 1 + (b % (count - first));
        const { items } = await itemsOf({ kind: 'lines', object, items: count, perSegment }, [first, end], readerOf(segments).reader);
        expect(items.map((item) => new TextDecoder().decode(item))).toEqual(expected.slice(first, end));
      },
    ),
    { numRuns: 500 },
  );
});

test('every run of chunks is found whatever the segments cut through', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
      fc.nat(),
      fc.nat(),
      async (bytes, size, chunk, a, b) => {
        const expected = cut(bytes, chunk);
        const first = a % expected.length;
        const end = first + 1 + (b % (expected.length - first));
        const { items } = await itemsOf(
          { kind: 'chunks', object, items: expected.length, bytes: chunk },
          [first, end],
          readerOf(cut(bytes, size)).reader,
        );
        expect(items.map((item) => [...item])).toEqual(expected.slice(first, end).map((item) => [...item]));
      },
    ),
    { numRuns: 500 },
  );
});

test('only the pages that hold the range are fetched', async () => {
  const pages = [0, 1, 2, 3].map((page) => [0, 1, 2].map((i) => Uint8Array.of(page, i)));
  const { reader, asked } = readerOf(pages.map(pack));
  const input: JobInput = { kind: 'items', object, items: 12, perSegment: [3, 3, 3, 3] };
  const { items } = await itemsOf(input, [4, 8], reader);
  expect(items.map((item) => [...item])).toEqual([
    [1, 1],
    [1, 2],
    [2, 0],
    [2, 1],
  ]);
  expect(asked).toEqual([1, 2]);
});

test('a long run comes in bounded spans', async () => {
  const chunk = spanBytesMax / 4;
  const segments = Array.from({ length: 10 }, () => new Uint8Array(chunk));
  const { spans } = await itemsOf({ kind: 'chunks', object, items: 10, bytes: chunk }, [0, 10], readerOf(segments).reader);
  expect(spans.map((span) => span.end - span.first)).toEqual([4, 4, 2]);
});

test('a run across parts of the input reads each item from its part, and names the part', async () => {
  const part = eventId('7'.repeat(64));
  const parts = [
    { part: null, first: 0, input: { kind: 'range' as const, items: 3, offset: 50 } },
    { part, first: 3, input: { kind: 'lines' as const, object, items: 3, perSegment: [3] } },
    { part: eventId('8'.repeat(64)), first: 6, input: { kind: 'range' as const, items: 4, offset: 100 } },
  ];
  const spans: PartSpan[] = [];
  for await (const span of partSpans(parts, [1, 8], () => readerOf([utf8.encode('a\nb\nc\n')]).reader)) spans.push(span);
  expect(spans.map(({ first, end, part: of }) => [first, end, of])).toEqual([
    [1, 3, null],
    [3, 6, part],
    [6, 8, parts[2]!.part],
  ]);
  // Item i is the number i + offset: 51 and 52, then 100 and 101.
  expect(
    spans.map(({ first, offset, inputs }) => (inputs.kind === 'range' ? first + offset : new TextDecoder().decode(inputs.bytes))),
  ).toEqual([51, 'abc', 100]);
});

test('a run over numbers needs no input', async () => {
  const { spans } = await itemsOf({ kind: 'range', items: 100_000, offset: 7 }, [10, 90_000], readerOf([]).reader);
  expect(spans.map(({ first, end, offset }) => [first, end, offset])).toEqual([
    [10, 65_546, 7],
    [65_546, 90_000, 7],
  ]);
});

test.each<[string, JobInput, Uint8Array[]]>([
  ['a page that is none', { kind: 'items', object, items: 2, perSegment: [2] }, [Uint8Array.of(1, 2, 3)]],
  ['a page with another count', { kind: 'items', object, items: 2, perSegment: [2] }, [pack([Uint8Array.of(1)])]],
  ['a text with other lines', { kind: 'lines', object, items: 2, perSegment: [2] }, [utf8.encode('a\nb\nc\nd')]],
  ['a file shorter than said', { kind: 'chunks', object, items: 2, bytes: 4 }, [Uint8Array.of(1, 2)]],
  ['an item past the end', { kind: 'range', items: 1, offset: 0 }, []],
])('%s is refused in words', async (_, input, segments) => {
  await expect(itemsOf(input, [0, 2], readerOf(segments).reader)).rejects.toThrow(FaultError);
});
