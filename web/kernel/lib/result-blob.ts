// The result object of a function: values of consecutive items, packed, with what each took and what went wrong.
import * as v from 'valibot';
import { concatBytes } from './bytes.ts';
import { pack, unpack, type Packed } from './packed.ts';
import { decodeWire, encodeWire } from './wire-codec.ts';

export interface ItemError {
  readonly index: number;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

export interface ItemLog {
  readonly index: number;
  readonly text: string;
}

export interface ResultBlob {
  readonly first: number;
  /** Encoded values (lib/value-codec.ts), empty for a failed item. */
  readonly values: Packed;
  readonly tookMs: Float32Array;
  readonly errors: readonly ItemError[];
  /** Lines that the code wrote, in order. No part of the result: whoever agrees with it may have others. */
  readonly logs: readonly ItemLog[];
}

const head = v.strictObject({
  v: v.literal(1),
  first: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  errors: v.array(
    v.strictObject({ index: v.pipe(v.number(), v.safeInteger(), v.minValue(0)), name: v.string(), message: v.string(), stack: v.string() }),
  ),
  logs: v.optional(v.array(v.strictObject({ index: v.pipe(v.number(), v.safeInteger(), v.minValue(0)), text: v.string() }))),
});

/** Packed run of three: head, tookMs as little-endian floats, packed values. */
export function encodeResultBlob(blob: ResultBlob): Uint8Array<ArrayBuffer> {
  const took = new Uint8Array(blob.tookMs.buffer, blob.tookMs.byteOffset, blob.tookMs.byteLength);
  const ends = blob.values.ends;
  const values = concatBytes([
    new Uint8Array(Uint32Array.of(ends.length).buffer),
    new Uint8Array(ends.buffer, ends.byteOffset, ends.byteLength),
    blob.values.bytes,
  ]);
  return pack([
    encodeWire({ v: 1, first: blob.first, errors: blob.errors, ...(blob.logs.length > 0 && { logs: blob.logs }) }),
    took,
    values,
  ]);
}

/** undefined where the bytes are not a result blob. */
export function decodeResultBlob(bytes: Uint8Array): ResultBlob | undefined {
  const parts = unpack(bytes);
  if (parts === undefined || parts.ends.length !== 3) return undefined;
  const part = (i: number) => parts.bytes.slice(i === 0 ? 0 : parts.ends[i - 1]!, parts.ends[i]!);
  const parsed = v.safeParse(head, decodeWire(part(0)));
  const took = part(1);
  const values = unpack(part(2));
  if (!parsed.success || values === undefined || took.length !== 4 * values.ends.length) return undefined;
  const { first, errors, logs = [] } = parsed.output;
  return { first, errors, logs, values, tookMs: new Float32Array(took.buffer) };
}
