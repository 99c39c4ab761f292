// An object's manifest: its id is the SHA-256 of the encoded manifest.
import * as v from 'valibot';
import { objectSegmentsMax, segmentBytesMax } from '../limits.ts';
import { amount, hashSchema, listOf, natural, positive, storeIdSchema, text } from './schemas.ts';

export const objectManifestSchema = v.strictObject({
  v: v.literal(1),
  /** Bytes of the whole. */
  size: natural,
  name: text(200),
  type: text(100),
  /** ms since 1970. */
  expires: amount,
  /** Any k of n slices restore a segment. k = 1 is replication. */
  k: positive,
  n: positive,
  segments: listOf(v.strictObject({ size: v.pipe(natural, v.maxValue(segmentBytesMax)), hash: hashSchema }), objectSegmentsMax),
  /** As of writing: where slice i of every segment was put. */
  holders: listOf(storeIdSchema, 16),
});
export type ObjectManifest = v.InferOutput<typeof objectManifestSchema>;
