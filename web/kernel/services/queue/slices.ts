// A record's body and its coded slices. Bodies are small, so they are coded right here and not in a Worker: a claim waits for it.
import { equalBytes, hexOf } from '../../lib/bytes.ts';
import { encodeScalar, recoverScalar } from '../../lib/erasure/scalar.ts';
import { joinSlices } from '../../lib/erasure/slices.ts';
import { recordId, type RecordId } from '../../lib/ids.ts';
import { parse } from '../../lib/parse.ts';
import { decodeWire, encodeWire } from '../../lib/wire-codec.ts';
import type { Digest } from '../../platform.ts';
import { recordBodySchema, type RecordBody, type RecordLabel } from '../../protocol/record.ts';

/** u16 length of the body (little-endian), then the body: slices are filled up to whole groups. */
const headBytes = 2;

export interface SealedRecord {
  readonly id: RecordId;
  /** One for each holder, in their order. */
  readonly slices: readonly Uint8Array[];
}

/** The record of a label: its id, and a slice for each holder. */
export async function sealRecord(digest: Digest, label: RecordLabel, salt: Uint8Array): Promise<SealedRecord> {
  const { job, lineage, round, range, k, holders } = label;
  const body = encodeWire({ v: 2, job, lineage, round, k, holders, range, salt });
  return { id: recordId(hexOf(await digest.sha256(body))), slices: slicesOf(body, k, holders.length) };
}

export interface OpenedRecord {
  readonly body: RecordBody;
  /** What every holder ought to have. */
  readonly slices: readonly Uint8Array[];
}

/**
 * Reads the record `id` out of k of the given slices, by index; tries those sets that contain slice `newest`, as the others were
 * tried before. Undefined where none of them is the body whose hash is the id: forged slices are among them, or too few are here.
 */
export async function openRecord(
  digest: Digest,
  id: RecordId,
  { k, holders }: Pick<RecordLabel, 'k' | 'holders'>,
  given: ReadonlyMap<number, Uint8Array>,
  newest: number,
): Promise<OpenedRecord | undefined> {
  const n = holders.length;
  const others = [...given.keys()].filter((index) => index !== newest);
  for (const set of subsets(others, k - 1)) {
    const bytes = bodyFrom(new Map([newest, ...set].map((index) => [index, given.get(index)!])), k, n);
    if (bytes === undefined || hexOf(await digest.sha256(bytes)) !== id) continue;
    const parsed = parse(recordBodySchema, decodeWire(bytes));
    // Its author made it so: nobody can read it.
    if (!parsed.success) return undefined;
    return { body: parsed.output, slices: slicesOf(bytes, k, n) };
  }
  return undefined;
}

export function labelAgrees(label: RecordLabel, body: RecordBody): boolean {
  return (
    label.job === body.job &&
    label.lineage === body.lineage &&
    label.round === body.round &&
    label.k === body.k &&
    label.range[0] === body.range[0] &&
    label.range[1] === body.range[1] &&
    label.holders.length === body.holders.length &&
    label.holders.every((store, index) => store === body.holders[index])
  );
}

/** Of the given slices those that are not the body's, by index. */
export function forgedAmong(given: ReadonlyMap<number, Uint8Array>, { slices }: OpenedRecord): number[] {
  return [...given].flatMap(([index, slice]) => (slices[index] !== undefined && equalBytes(slices[index], slice) ? [] : [index]));
}

/** All sets of `size` of the items, in order. */
export function subsets<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, at) => subsets(items.slice(at + 1), size - 1).map((rest) => [item, ...rest]));
}

function slicesOf(body: Uint8Array, k: number, n: number): Uint8Array[] {
  const framed = new Uint8Array(headBytes + body.length);
  new DataView(framed.buffer).setUint16(0, body.length, true);
  framed.set(body, headBytes);
  return encodeScalar(framed, k, n);
}

function bodyFrom(slices: ReadonlyMap<number, Uint8Array>, k: number, n: number): Uint8Array | undefined {
  let framed: Uint8Array;
  try {
    const data = recoverScalar(
      slices,
      k,
      n,
      Array.from({ length: k }, (_, index) => index),
    );
    framed = joinSlices(data, k * data[0]!.length);
  } catch (error) {
    // Lengths that no body has.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  if (framed.length < headBytes) return undefined;
  const length = new DataView(framed.buffer, framed.byteOffset, framed.byteLength).getUint16(0, true);
  return headBytes + length <= framed.length ? framed.subarray(headBytes, headBytes + length) : undefined;
}
