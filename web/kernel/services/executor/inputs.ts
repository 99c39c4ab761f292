// From a range of items to the bytes the sandbox gets, span by span: fetches only the segments that hold the range, one at a
// time, and keeps no more than a span and the segment in hand.
import { concatBytes } from '../../lib/bytes.ts';
import { FaultError } from '../../lib/outcome.ts';
import { unpack } from '../../lib/packed.ts';
import { segmentBytesMax } from '../../limits.ts';
import type { EventId } from '../../lib/ids.ts';
import type { InputPart, JobInput } from '../../protocol/job-manifest.ts';
import { spanItemsMax } from '../../protocol/sandbox-frame.ts';
import type { SandboxInputs } from '../../protocol/sandbox.ts';
import type { Range } from '../../protocol/schemas.ts';

export const spanBytesMax = 4 * 1024 * 1024;
const lineBytesMax = segmentBytesMax;
const newline = 0x0a;
const carriageReturn = 0x0d;

/** The object that holds the input. Both reject with FaultError. */
export interface SegmentReader {
  segment(index: number): Promise<Uint8Array>;
  /** Bytes of each segment, in order. */
  sizes(): Promise<readonly number[]>;
}

export interface InputSpan {
  readonly first: number;
  readonly end: number;
  readonly offset: number;
  readonly inputs: SandboxInputs;
}

/** A span and the part of the input it is of. */
export interface PartSpan extends InputSpan {
  readonly part: EventId | null;
}

/** The spans of `range`, ascending, none across two parts. `parts` are ascending. @throws as `inputSpans` */
export async function* partSpans(
  parts: readonly InputPart[],
  range: Range,
  readerOf: (input: JobInput) => SegmentReader,
): AsyncGenerator<PartSpan, void, void> {
  for (const { part, first, input } of parts) {
    const from = Math.max(range[0], first) - first;
    const end = Math.min(range[1], first + input.items) - first;
    if (from >= end) continue;
    for await (const span of inputSpans(input, [from, end], readerOf(input)))
      yield { ...span, first: span.first + first, end: span.end + first, offset: span.offset - first, part };
  }
}

/** The spans of `range`, ascending. @throws FaultError where the input cannot be had or is not what the manifest says */
export async function* inputSpans(input: JobInput, range: Range, reader: SegmentReader): AsyncGenerator<InputSpan, void, void> {
  if (range[1] > input.items) throw new FaultError('malformed', `The job has ${input.items} items; there is no item ${range[1] - 1}.`);
  switch (input.kind) {
    case 'range':
      for (let first = range[0]; first < range[1]; first += spanItemsMax)
        yield { first, end: Math.min(first + spanItemsMax, range[1]), offset: input.offset, inputs: { kind: 'range' } };
      return;
    case 'items':
      yield* collected('value', range[0], pageItems(input.perSegment, range, reader));
      return;
    case 'lines':
      yield* collected('text', range[0], lineItems(input.perSegment, range, reader));
      return;
    case 'chunks':
      yield* collected('bytes', range[0], chunkItems(input.bytes, range, reader));
      return;
  }
}

/** Items put together to spans: as many as fit, at least one. The bytes are owned, not views of a segment. */
async function* collected(
  encoding: 'value' | 'text' | 'bytes',
  first: number,
  items: AsyncGenerator<Uint8Array, void, void>,
): AsyncGenerator<InputSpan, void, void> {
  let parts: Uint8Array[] = [];
  let size = 0;
  const take = (): InputSpan => {
    const ends = new Uint32Array(parts.length);
    let at = 0;
    parts.forEach((part, i) => (ends[i] = at += part.length));
    const span = {
      first,
      end: first + parts.length,
      offset: 0,
      inputs: { kind: 'packed' as const, encoding, bytes: concatBytes(parts), ends },
    };
    first = span.end;
    parts = [];
    size = 0;
    return span;
  };
  for await (const item of items) {
    if (parts.length > 0 && (size + item.length > spanBytesMax || parts.length >= spanItemsMax)) yield take();
    parts.push(item);
    size += item.length;
  }
  if (parts.length > 0) yield take();
}

/** The segment in which item `index` begins, and how many begin in that segment before it. */
export function placeOf(perSegment: readonly number[], index: number): { readonly segment: number; readonly within: number } {
  let within = index;
  for (let segment = 0; segment < perSegment.length; segment++) {
    if (within < perSegment[segment]!) return { segment, within };
    within -= perSegment[segment]!;
  }
  throw new FaultError('malformed', `The job's manifest does not say where item ${index} is.`);
}

async function* pageItems(
  perSegment: readonly number[],
  [first, end]: Range,
  reader: SegmentReader,
): AsyncGenerator<Uint8Array, void, void> {
  let { segment, within } = placeOf(perSegment, first);
  for (let item = first; item < end; segment++, within = 0) {
    const count = perSegment[segment];
    if (count === undefined) throw notAsSaid();
    if (count === 0) continue;
    const page = unpack(await reader.segment(segment));
    if (page === undefined || page.ends.length !== count) throw notAsSaid();
    for (; item < end && within < count; item++, within++)
      yield page.bytes.subarray(within === 0 ? 0 : page.ends[within - 1]!, page.ends[within]!);
  }
}

async function* lineItems(
  perSegment: readonly number[],
  [first, end]: Range,
  reader: SegmentReader,
): AsyncGenerator<Uint8Array, void, void> {
  let { segment, within } = placeOf(perSegment, first);
  for (let item = first; item < end; segment++, within = 0) {
    const count = perSegment[segment];
    if (count === undefined) throw notAsSaid();
    if (count === 0) continue;
    const bytes = await reader.segment(segment);
    let at = firstLineStart(bytes, count);
    for (let skipped = 0; skipped < within; skipped++) at = bytes.indexOf(newline, at) + 1;
    for (; item < end && within < count; item++, within++) {
      const lineEnd = bytes.indexOf(newline, at);
      const line = lineEnd >= 0 ? bytes.subarray(at, lineEnd) : await longLine(bytes.subarray(at), segment, perSegment.length, reader);
      yield line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
      at = lineEnd + 1;
    }
  }
}

/**
 * Where the first line that begins in this segment begins: at 0 where the segment before ended with a line end. Told by the
 * count of lines alone, without that segment: every line end but a last byte begins a line here, and 0 may begin one more.
 */
function firstLineStart(bytes: Uint8Array, count: number): number {
  let begun = 0;
  for (let at = bytes.indexOf(newline); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(newline, at + 1)) begun++;
  if (begun === count - 1) return 0;
  if (begun === count) return bytes.indexOf(newline) + 1;
  throw notAsSaid();
}

/** A line that begins with `head` at the end of its segment and goes on in the next ones. */
async function longLine(head: Uint8Array, segment: number, segments: number, reader: SegmentReader): Promise<Uint8Array> {
  const parts = [head];
  let size = head.length;
  for (let next = segment + 1; next < segments; next++) {
    const bytes = await reader.segment(next);
    const lineEnd = bytes.indexOf(newline);
    const part = lineEnd < 0 ? bytes : bytes.subarray(0, lineEnd);
    parts.push(part);
    size += part.length;
    if (size > lineBytesMax) throw new FaultError('too-large', `A line of the input is longer than ${lineBytesMax / 2 ** 20} MiB.`);
    if (lineEnd >= 0) break;
  }
  return concatBytes(parts);
}

async function* chunkItems(chunkBytes: number, [first, end]: Range, reader: SegmentReader): AsyncGenerator<Uint8Array, void, void> {
  if (chunkBytes > segmentBytesMax) throw new FaultError('too-large', `A chunk may have at most ${segmentBytesMax / 2 ** 20} MiB.`);
  const sizes = await reader.sizes();
  const size = sizes.reduce((sum, bytes) => sum + bytes, 0);
  let segment = 0;
  let segmentStart = 0;
  for (let item = first; item < end; item++) {
    const from = item * chunkBytes;
    const to = Math.min(from + chunkBytes, size);
    if (from >= to) throw notAsSaid();
    while (segmentStart + sizes[segment]! <= from) segmentStart += sizes[segment++]!;
    const parts: Uint8Array[] = [];
    for (let at = from, s = segment, start = segmentStart; at < to; start += sizes[s++]!) {
      const bytes = await reader.segment(s);
      if (bytes.length !== sizes[s]) throw notAsSaid();
      const part = bytes.subarray(at - start, Math.min(to - start, bytes.length));
      parts.push(part);
      at += part.length;
    }
    yield parts.length === 1 ? parts[0]! : concatBytes(parts);
  }
}

const notAsSaid = () => new FaultError('malformed', 'The input is not what the manifest of the job says.');
