// An object's manifest: its id is the SHA-256 of the encoded manifest. A re-coding says how else the same segments are held.
import * as v from 'valibot';
import { objectHoldersMax, objectSegmentsMax, segmentBytesMax, slicesPerSegmentMax } from '../limits.ts';
import { amount, bytes, hashSchema, identityIdSchema, listOf, natural, objectIdSchema, positive, storeIdSchema, text } from './schemas.ts';

/** 32 bytes a slice, in slice order; empty where k = 1, because every slice is the segment. */
const sliceHashes = bytes(32 * slicesPerSegmentMax);

export const objectManifestSchema = v.strictObject({
  v: v.literal(2),
  /** Bytes of the whole. */
  size: natural,
  name: text(200),
  type: text(100),
  /** ms since 1970. */
  expires: amount,
  /** Who put it. Shown and charged, never decided by. */
  by: identityIdSchema,
  /** As of writing: any k of n slices restore a segment. k = 1 is replication. */
  k: positive,
  n: v.pipe(positive, v.maxValue(slicesPerSegmentMax)),
  /** `hash` is the segment's leaf hash (services/blocks/leaf-hash.ts). */
  segments: listOf(
    v.strictObject({ size: v.pipe(natural, v.maxValue(segmentBytesMax)), hash: hashSchema, slices: sliceHashes }),
    objectSegmentsMax,
  ),
  /** As of writing: holder i keeps slice i of every segment. */
  holders: listOf(storeIdSchema, objectHoldersMax),
});
export type ObjectManifest = v.InferOutput<typeof objectManifestSchema>;

/**
 * The slices of an object under another k, made by a steward when the group grew or shrank. The object's id stays: a segment restored
 * from these is compared with the manifest's hash, so a false re-coding is found out and its author is known by the signature.
 */
export const recodingSchema = v.strictObject({
  v: v.literal(1),
  object: objectIdSchema,
  k: v.pipe(positive, v.maxValue(slicesPerSegmentMax)),
  n: v.pipe(positive, v.maxValue(slicesPerSegmentMax)),
  /** Per segment as in the manifest. */
  slices: listOf(sliceHashes, objectSegmentsMax),
  by: identityIdSchema,
});
export type Recoding = v.InferOutput<typeof recodingSchema>;

/** The signature is by `by` and covers the domain tag `lull recoding 1` and the SHA-256 of `bytes`. */
export const signedRecodingSchema = v.strictObject({ bytes: bytes(4 * 1024 * 1024), signature: bytes(64) });
