// How a slice lies in the database: runs of 1 MiB under `<hash>/<number>`, at most 4 a transaction, and what is known of it under
// `slice/<hash>`, written with the last of them: a slice without that entry was never whole, and is never claimed.
// A browser keeps every value above 64 KiB as a file of its own, so larger values cost less: 64 MiB as values of 1 MiB took 0.3 CPU seconds to
// read with their hashing and 0.6 to write in Chromium, as values of 256 KiB 0.4 and 0.9.
import * as v from 'valibot';
import { concatBytes } from '../../lib/bytes.ts';
import { success, type Outcome } from '../../lib/outcome.ts';
import { segmentBytes } from '../../limits.ts';
import type { Storage, WriteOp } from '../../platform.ts';
import { amount, natural } from '../../protocol/schemas.ts';

/** Larger transactions are no faster, and hold up others. */
export const putsPerWrite = 4;
const runBytes = segmentBytes;
const changesPerWrite = 256;

export const metaSchema = v.strictObject({
  size: natural,
  expires: amount,
  /** Kept for convenience: dropped first when room is needed. */
  pinned: v.boolean(),
  /** No manifest has named it yet; dropped then. */
  orphanUntil: v.nullable(amount),
});
export type SliceMeta = v.InferOutput<typeof metaSchema>;

export const metaKey = (hash: string) => `slice/${hash}`;
const runsOf = (size: number) => Math.ceil(size / runBytes);
const runKey = (hash: string, run: number) => `${hash}/${run.toString(16).padStart(2, '0')}`;

export const metaWrite = (hash: string, meta: SliceMeta): WriteOp => ({ table: 'meta', key: metaKey(hash), value: meta });

/** The writes of a slice, in order; what `last` has belongs to the final one, so that it is there when the slice is. */
export function sliceWrites(hash: string, bytes: Uint8Array, last: readonly WriteOp[]): WriteOp[][] {
  const ops: WriteOp[] = [];
  for (let run = 0; run < runsOf(bytes.length); run++) {
    const value = bytes.subarray(run * runBytes, (run + 1) * runBytes);
    ops.push({ table: 'slices', key: runKey(hash, run), value: ownBytes(value) });
  }
  ops.push(...last);
  const writes: WriteOp[][] = [];
  for (let at = 0; at < ops.length; at += putsPerWrite) writes.push(ops.slice(at, at + putsPerWrite));
  return writes;
}

export function sliceDeletes(hash: string, size: number): WriteOp[] {
  const runs = Array.from({ length: runsOf(size) }, (_, run): WriteOp => ({ table: 'slices', key: runKey(hash, run), delete: true }));
  return [{ table: 'meta', key: metaKey(hash), delete: true }, ...runs];
}

/** The bytes as they lie there, not yet verified; undefined where some are missing. */
export async function readSlice(storage: Storage, hash: string, size: number): Promise<Outcome<Uint8Array | undefined>> {
  const reads = await Promise.all(Array.from({ length: runsOf(size) }, (_, run) => storage.get('slices', runKey(hash, run))));
  const runs: Uint8Array[] = [];
  for (const read of reads) {
    if (!read.ok) return read;
    if (!(read.value instanceof Uint8Array)) return success(undefined);
    runs.push(read.value);
  }
  const bytes = runs.length === 1 ? runs[0]! : concatBytes(runs);
  return success(bytes.length === size ? bytes : undefined);
}

/** Of all keys of the slices' table those that belong to no slice of `known`: a write of which the end never came. */
export const strayKeys = (keys: readonly string[], known: { has(hash: string): boolean }): string[] =>
  keys.filter((key) => !known.has(key.slice(0, key.indexOf('/'))));

/** In runs of as many small changes as one write may have. */
export function* inRuns<T>(all: readonly T[]): Iterable<readonly T[]> {
  for (let at = 0; at < all.length; at += changesPerWrite) yield all.slice(at, at + changesPerWrite);
}

/** Without the rest of a larger buffer: a view would be stored, and kept alive, with all of it. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}
