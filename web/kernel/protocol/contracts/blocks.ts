// Objects: cut in segments, held by several stores, verified on every read.
import * as v from 'valibot';
import { objectSegmentsMax, segmentBytesMax } from '../../limits.ts';
import { contract, operation } from '../contract.ts';
import { objectManifestSchema } from '../object.ts';
import { amount, bufferIndex, bytes, empty, listOf, natural, objectIdSchema, positive, storeIdSchema, text } from '../schemas.ts';

export const objectRefSchema = v.strictObject({
  id: objectIdSchema,
  size: natural,
  /** Other stores that acknowledged a copy of every segment. */
  copies: natural,
});
/** The encoded manifest: its SHA-256 is the object's id. */
const manifestBytes = bytes(512 * 1024);
const putSettings = {
  name: text(200),
  type: text(100),
  expires: amount,
  /** Stores wanted, self included; fewer where there are fewer. Default copiesMax. */
  copies: v.optional(positive),
};

export const blocksContract = contract({
  name: 'blocks',
  resources: {
    objects: {
      /** All at once: the buffers are the segments, in order. Resolves when every reachable wanted store has acknowledged. */
      insert: operation('local', v.strictObject({ ...putSettings, segments: listOf(bufferIndex, 64) }), objectRefSchema),
      get: operation('local', v.strictObject({ id: objectIdSchema }), v.strictObject({ manifest: objectManifestSchema })),
      query: operation(
        'local',
        empty,
        v.strictObject({ objects: listOf(v.strictObject({ id: objectIdSchema, manifest: objectManifestSchema, heldHere: natural }), 10_000) }),
      ),
    },
    /** In pieces, for what is larger than one message: create, insert segments one by one (each waits for its stores), submit. */
    puts: {
      create: operation('local', v.strictObject(putSettings), v.strictObject({ put: positive })),
      insert: operation('local', v.strictObject({ put: positive, data: bufferIndex }), empty),
      submit: operation('local', v.strictObject({ put: positive }), objectRefSchema),
      delete: operation('local', v.strictObject({ put: positive }), empty),
    },
    /** A segment's bytes from wherever they are, verified. `pin` keeps a copy here while there is room. */
    segments: {
      get: operation(
        'local',
        v.strictObject({ object: objectIdSchema, segment: natural, pin: v.optional(v.boolean()) }),
        v.strictObject({ data: bufferIndex }),
      ),
    },
    /** Between members. */
    manifests: {
      insert: operation('member', v.strictObject({ manifest: manifestBytes }), empty),
      get: operation('member', v.strictObject({ id: objectIdSchema }), v.strictObject({ manifest: manifestBytes })),
    },
    slices: {
      /** Durable before the answer. `manifest` comes with the last slice or alone; slices of an unknown object are kept for a bounded time. */
      insert: operation(
        'member',
        v.strictObject({
          /** SHA-256 of the segment. */
          hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
          expires: amount,
          size: v.pipe(natural, v.maxValue(segmentBytesMax)),
          data: bufferIndex,
        }),
        empty,
      ),
      get: operation(
        'member',
        v.strictObject({ hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) }),
        v.strictObject({ data: bufferIndex }),
      ),
      /** Which of these are held here? */
      query: operation(
        'member',
        v.strictObject({ hashes: listOf(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)), objectSegmentsMax) }),
        v.strictObject({ held: listOf(natural, objectSegmentsMax), store: v.nullable(storeIdSchema) }),
      ),
    },
  },
  publishes: {
    usage: v.strictObject({ usedBytes: amount, allowedBytes: amount, objects: natural, problem: text(300) }),
  },
});
