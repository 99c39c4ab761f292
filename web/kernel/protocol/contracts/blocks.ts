// Objects: cut in segments, held by several stores, verified on every read.
import * as v from 'valibot';
import { segmentBytesMax } from '../../limits.ts';
import { contract, operation } from '../contract.ts';
import { objectManifestSchema } from '../object.ts';
import {
  amount,
  bufferIndex,
  bytes,
  empty,
  hashSchema,
  identityIdSchema,
  listOf,
  natural,
  objectIdSchema,
  positive,
  storeIdSchema,
  text,
} from '../schemas.ts';

/** A query of 64-digit hashes must fit in a body. */
export const sliceQueryHashesMax = 1_024;
export const manifestInlineBytesMax = 64 * 1024;

export const objectRefSchema = v.strictObject({
  id: objectIdSchema,
  size: natural,
  /** Other identities whose stores acknowledged a copy of every segment. */
  copies: natural,
});
/** The encoded manifest: its SHA-256 is the object's id. A large one travels as a buffer; a body has room for a small one. */
const manifestBytes = bytes(manifestInlineBytesMax);
const putSettings = {
  name: text(200),
  type: text(100),
  expires: amount,
  /** Stores wanted, self included; fewer where there are fewer. Default copiesMax. */
  copies: v.optional(positive),
  /** Whose object it is, where that is not this tab's identity: their store is asked first, and takes it unasked for consent. */
  owner: v.optional(identityIdSchema),
};

export const blocksContract = contract({
  name: 'blocks',
  resources: {
    objects: {
      /** All at once: the buffers are the segments, in order. Resolves when every reachable wanted store has acknowledged. */
      insert: operation('local', v.strictObject({ ...putSettings, segments: listOf(bufferIndex, 64) }), objectRefSchema),
      get: operation('local', v.strictObject({ id: objectIdSchema }), v.strictObject({ manifest: objectManifestSchema })),
      /** How many other identities hold all of it now, on durable stores: asked of the members, not remembered. */
      lookup: operation('local', v.strictObject({ id: objectIdSchema }), v.strictObject({ copies: natural })),
      query: operation(
        'local',
        empty,
        v.strictObject({
          objects: listOf(v.strictObject({ id: objectIdSchema, manifest: objectManifestSchema, heldHere: natural }), 10_000),
        }),
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
      insert: operation('member', v.strictObject({ manifest: bufferIndex }), empty),
      get: operation('member', v.strictObject({ id: objectIdSchema }), v.strictObject({ manifest: bufferIndex })),
    },
    slices: {
      /** Durable before the answer. A small manifest comes with the last slice; slices of an unknown object are kept for a bounded time. */
      insert: operation(
        'member',
        v.strictObject({
          /** SHA-256 of the slice; with k = 1 a slice is the segment. */
          hash: hashSchema,
          expires: amount,
          size: v.pipe(natural, v.maxValue(segmentBytesMax)),
          data: bufferIndex,
          owner: v.optional(identityIdSchema),
          manifest: v.optional(manifestBytes),
        }),
        empty,
      ),
      get: operation('member', v.strictObject({ hash: hashSchema }), v.strictObject({ data: bufferIndex })),
      /**
       * Which of these are held here? `held` are places in `hashes`; `store` is null where nothing outlives the page. `kept`: only
       * what is not dropped for room before it expires, which is what counts as a copy.
       */
      query: operation(
        'member',
        v.strictObject({ hashes: listOf(hashSchema, sliceQueryHashesMax), kept: v.optional(v.boolean()) }),
        v.strictObject({ held: listOf(natural, sliceQueryHashesMax), store: v.nullable(storeIdSchema) }),
      ),
    },
  },
  publishes: {
    usage: v.strictObject({ usedBytes: amount, allowedBytes: amount, objects: natural, problem: text(300) }),
  },
});
