// From what the submitter has to the manifest's `input`: values are packed into pages, texts and files go as they are.
import type { Bus } from '../kernel/service.ts';
import type { ObjectId } from '../kernel/lib/ids.ts';
import { textStart, type LineCount, type TextSoFar } from '../kernel/lib/line-count.ts';
import { jobItemsMax, objectSegmentsMax, segmentBytes, segmentBytesMax } from '../kernel/limits.ts';
import type { JobInput } from '../kernel/protocol/job-manifest.ts';
import { LullError, throwIfAborted } from './errors.ts';
import { idIn, manifestOf, putSegments, segmentOf } from './objects.ts';
import type { Inputs } from './types.ts';

export interface UploadedInput {
  readonly input: JobInput;
  /** Other stores that have just acknowledged the input: 0 for what was put before, null where there is nothing to hold. */
  readonly copies: number | null;
}

/** Prepares bulk input off the page's thread (adapters/codec-client.ts). */
export interface InputCodec {
  countLines(bytes: Uint8Array, before: TextSoFar): Promise<LineCount>;
  packPage(
    values: readonly unknown[],
    bytesMax: number,
    itemBytesMax: number,
  ): Promise<
    | { readonly ok: true; readonly page: Uint8Array; readonly items: number }
    | { readonly ok: false; readonly index: number; readonly message: string }
  >;
}

const itemsPerCallMin = 256;
const itemsPerCallMax = 65_536;

interface Upload {
  readonly bus: Bus;
  readonly codec: InputCodec;
  readonly expires: number;
  readonly signal: AbortSignal | undefined;
  /** An open job may begin without input. */
  readonly mayBeEmpty?: boolean;
}

/** @throws LullError 'bad-input' with a sentence about what is wrong with the inputs */
export async function uploadInputs(upload: Upload, inputs: Inputs): Promise<UploadedInput> {
  const given: unknown = inputs;
  if (typeof given !== 'object' || given === null) throw new LullError('bad-input', notInputs);
  if ('range' in inputs) {
    if (!Array.isArray(inputs.range)) throw new LullError('bad-input', notInputs);
    const [first, end] = inputs.range;
    if (upload.mayBeEmpty === true && first === end) return noInput;
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(end) || end <= first)
      throw new LullError('bad-input', `A range is two whole numbers, the second larger: [${first}, ${end}] is none.`);
    return { input: { kind: 'range', items: checkedCount(end - first), offset: first }, copies: null };
  }
  if ('items' in inputs) {
    if (!Array.isArray(inputs.items)) throw new LullError('bad-input', notInputs);
    if (upload.mayBeEmpty === true && inputs.items.length === 0) return noInput;
    return uploadItems(upload, inputs.items);
  }
  if ('lines' in inputs) {
    const object = idIn(inputs.lines);
    const { perSegment, items } = await countLines(upload, object);
    return { input: { kind: 'lines', object, items: checkedCount(items), perSegment }, copies: 0 };
  }
  if (!('chunks' in inputs)) throw new LullError('bad-input', notInputs);
  const { chunks, bytes } = inputs;
  if (!Number.isSafeInteger(bytes) || bytes < 1 || bytes > segmentBytesMax)
    throw new LullError('bad-input', `A chunk has between 1 and ${segmentBytesMax} bytes.`);
  const object = idIn(chunks);
  const { size } = await manifestOf(upload.bus, object);
  return {
    input: { kind: 'chunks', object, items: checkedCount(Math.ceil(size / bytes)), bytes },
    copies: 0,
  };
}

const noInput: UploadedInput = { input: { kind: 'range', items: 0, offset: 0 }, copies: null };
const notInputs = 'Inputs are a list, { items }, { range: [first, end] }, { lines } or { chunks, bytes }.';

function checkedCount(items: number): number {
  if (items === 0) throw new LullError('bad-input', 'The input is empty: there is nothing to run.');
  if (items > jobItemsMax)
    throw new LullError(
      'too-large',
      `A job may have at most ${jobItemsMax.toLocaleString('en')} items; this one has ${items.toLocaleString('en')}.`,
    );
  return items;
}

async function uploadItems(upload: Upload, items: readonly unknown[]): Promise<UploadedInput> {
  checkedCount(items.length);
  const perSegment: number[] = [];
  const stored = await putSegments(upload.bus, pagesOf(upload, items, perSegment), {
    name: 'input',
    type: 'application/x-lull-items',
    expires: upload.expires,
    signal: upload.signal,
  });
  return { input: { kind: 'items', object: stored.object, items: items.length, perSegment }, copies: stored.copies };
}

/** Pages of about a segment, packed off the page's thread; an item larger than a page has one of its own. */
async function* pagesOf(upload: Upload, items: readonly unknown[], perSegment: number[]): AsyncGenerator<Uint8Array> {
  let batch = itemsPerCallMin;
  for (let at = 0; at < items.length;) {
    throwIfAborted(upload.signal);
    const packed = await packedPage(upload.codec, items.slice(at, at + batch), at);
    if (perSegment.push(packed.items) > objectSegmentsMax) {
      throw new LullError('too-large', 'The input is too large: put it as an object and map over its lines or chunks.');
    }
    yield packed.page;
    at += packed.items;
    // All that were sent fitted: send more next time. The page holds fewer: sending more than that is wasted.
    batch = packed.items === batch ? Math.min(batch * 4, itemsPerCallMax) : Math.max(itemsPerCallMin, packed.items);
  }
}

async function packedPage(codec: InputCodec, values: readonly unknown[], first: number) {
  try {
    const packed = await codec.packPage(values, segmentBytes, segmentBytesMax - 16);
    if (packed.ok) return packed;
    throw new LullError('bad-input', `Item ${first + packed.index} ${packed.message}.`);
  } catch (error) {
    // Structured clone refuses functions, symbols and the like before the codec sees them.
    if (error instanceof DOMException) throw new LullError('bad-input', `Items from ${first} on cannot be sent: ${error.message}.`);
    throw error;
  }
}

/** Lines that begin in each segment. A text that ends in a line end has no empty last line; NUL bytes mean it is no text, and so does what is not UTF-8. */
async function countLines(upload: Upload, object: ObjectId): Promise<{ perSegment: number[]; items: number }> {
  const { size, segments } = await manifestOf(upload.bus, object);
  if (size === 0) throw new LullError('bad-input', 'The file is empty: there is nothing to run.');
  const perSegment: number[] = [];
  let before = textStart;
  let items = 0;
  for (let i = 0; i < segments.length; i++) {
    throwIfAborted(upload.signal);
    const counted = await upload.codec.countLines(await segmentOf(upload.bus, object, i), before);
    if (counted.binary)
      throw new LullError('bad-input', 'The file does not look like text: it holds NUL bytes. Map over its chunks instead.');
    if (counted.wrongLine !== null) throw notUtf8(items + counted.wrongLine);
    before = counted;
    items += counted.begun;
    perSegment.push(counted.begun);
  }
  if (before.unfinished.length > 0) throw notUtf8(items);
  return { perSegment, items };
}

const notUtf8 = (line: number) =>
  new LullError(
    'bad-input',
    `Line ${line.toLocaleString('en')} of the file is not text in UTF-8: it would be read as something else. Save the file as UTF-8, or map over its chunks instead.`,
  );
