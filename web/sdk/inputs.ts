// From what the submitter has to the manifest's `input`: values are packed into pages, texts and files go as they are.
import type { Bus } from '../kernel/service.ts';
import { pack } from '../kernel/lib/packed.ts';
import { encodeValue } from '../kernel/lib/value-codec.ts';
import { jobItemsMax, objectSegmentsMax, segmentBytes, segmentBytesMax } from '../kernel/limits.ts';
import type { JobInput } from '../kernel/protocol/job-manifest.ts';
import { LullError, throwIfAborted } from './errors.ts';
import { manifestOf, putSegments, segmentOf } from './objects.ts';
import type { Inputs } from './types.ts';

export interface UploadedInput {
  readonly input: JobInput;
  /** Other stores that hold the input; null where there is nothing to hold. */
  readonly copies: number | null;
}

interface Upload {
  readonly bus: Bus;
  readonly expires: number;
  readonly signal: AbortSignal | undefined;
}

/** @throws LullError 'bad-input' with a sentence about what is wrong with the inputs */
export async function uploadInputs(upload: Upload, inputs: Inputs): Promise<UploadedInput> {
  if ('range' in inputs) {
    const [first, end] = inputs.range;
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(end) || end <= first)
      throw new LullError('bad-input', `A range is two whole numbers, the second larger: [${first}, ${end}] is none.`);
    return { input: { kind: 'range', items: checkedCount(end - first), offset: first }, copies: null };
  }
  if ('items' in inputs) return uploadItems(upload, inputs.items);
  if ('lines' in inputs) {
    const { perSegment, items } = await countLines(upload, inputs.lines.object);
    return {
      input: { kind: 'lines', object: inputs.lines.object, items: checkedCount(items), perSegment },
      copies: copiesOf(inputs.lines),
    };
  }
  const { chunks, bytes } = inputs;
  if (!Number.isSafeInteger(bytes) || bytes < 1 || bytes > segmentBytesMax)
    throw new LullError('bad-input', `A chunk has between 1 and ${segmentBytesMax} bytes.`);
  const { size } = await manifestOf(upload.bus, chunks.object);
  return {
    input: { kind: 'chunks', object: chunks.object, items: checkedCount(Math.ceil(size / bytes)), bytes },
    copies: copiesOf(chunks),
  };
}

const copiesOf = (ref: object): number | null => ('copies' in ref && typeof ref.copies === 'number' ? ref.copies : null);

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
  const stored = await putSegments(upload.bus, pagesOf(items, perSegment, upload.signal), {
    name: 'input',
    type: 'application/x-lull-items',
    expires: upload.expires,
    signal: upload.signal,
  });
  return { input: { kind: 'items', object: stored.object, items: items.length, perSegment }, copies: stored.copies };
}

/** Pages of about a segment; an item larger than a page has one of its own. */
function* pagesOf(items: readonly unknown[], perSegment: number[], signal: AbortSignal | undefined): Generator<Uint8Array> {
  let page: Uint8Array[] = [];
  let size = 4;
  const close = () => {
    perSegment.push(page.length);
    if (perSegment.length > objectSegmentsMax)
      throw new LullError('too-large', 'The input is too large: put it as an object and map over its lines or chunks.');
    const packed = pack(page);
    page = [];
    size = 4;
    return packed;
  };
  for (const [index, item] of items.entries()) {
    throwIfAborted(signal);
    const bytes = encodeItem(item, index);
    if (page.length > 0 && size + 4 + bytes.length > segmentBytes) yield close();
    page.push(bytes);
    size += 4 + bytes.length;
  }
  yield close();
}

function encodeItem(item: unknown, index: number): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = encodeValue(item);
  } catch (error) {
    throw new LullError('bad-input', `Item ${index} cannot be sent: ${error instanceof Error ? error.message : String(error)}.`);
  }
  if (bytes.length > segmentBytesMax - 16)
    throw new LullError('too-large', `Item ${index} has ${bytes.length} bytes; the largest may have ${segmentBytesMax - 16}.`);
  return bytes;
}

/** Lines that begin in each segment. A text that ends in a line end has no empty last line; NUL bytes mean it is no text. */
async function countLines(upload: Upload, object: Parameters<typeof segmentOf>[1]): Promise<{ perSegment: number[]; items: number }> {
  const { size, segments } = await manifestOf(upload.bus, object);
  if (size === 0) throw new LullError('bad-input', 'The file is empty: there is nothing to run.');
  const perSegment: number[] = [];
  let items = 0;
  let atLineStart = true;
  for (let i = 0; i < segments.length; i++) {
    throwIfAborted(upload.signal);
    const bytes = await segmentOf(upload.bus, object, i);
    let begun = 0;
    if (bytes.includes(0))
      throw new LullError('bad-input', 'The file does not look like text: it holds NUL bytes. Map over its chunks instead.');
    for (let at = 0; at < bytes.length;) {
      if (atLineStart) begun++;
      const next = bytes.indexOf(0x0a, at);
      atLineStart = next >= 0;
      at = next < 0 ? bytes.length : next + 1;
    }
    perSegment.push(begun);
    items += begun;
  }
  return { perSegment, items };
}
