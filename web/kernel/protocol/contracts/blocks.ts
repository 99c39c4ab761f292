// Objects: cut in segments, held by several stores, verified on every read.
import * as v from 'valibot';
import { buffersPerMessageMax, objectHoldersMax, segmentBytesMax, slicesPerSegmentMax } from '../../limits.ts';
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

/** One holding in a message: 32 bytes of the object's id, one of k, one of the index. */
export const holdingBytes = 34;
export const holdingsPerMessageMax = 16_384;
const holdings = bytes(holdingBytes * holdingsPerMessageMax);
export const objectsListedMax = 1_000;
export const objectsDroppedMax = 1_000;
export const forgersListedMax = 32;

/**
 * How many times over the stores of other identities hold all of an object: their slices by k, rounded down. 0: not without this tab. Where
 * this tab has no store, that of another tab of its identity counts too.
 */
const copies = natural;
/** Probability that a segment cannot be read when 30 % of the identities are away at once. */
const lossEstimate = v.pipe(amount, v.maxValue(1));
const kSchema = v.pipe(positive, v.maxValue(slicesPerSegmentMax));

export const objectRefSchema = v.strictObject({ id: objectIdSchema, size: natural, copies });
/** The encoded manifest: its SHA-256 is the object's id. A large one travels as a buffer; a body has room for a small one. */
const manifestBytes = bytes(manifestInlineBytesMax);
const givenSlice = v.strictObject({
  /** Leaf hash of the slice; with k = 1 a slice is the segment. */
  hash: hashSchema,
  expires: amount,
  size: v.pipe(natural, v.maxValue(segmentBytesMax)),
  data: bufferIndex,
  owner: v.optional(identityIdSchema),
  /** Whose slice it is, where the receiver has the manifest, and the re-coding if it is of one. */
  object: v.optional(objectIdSchema),
  manifest: v.optional(manifestBytes),
});
const putSettings = {
  name: text(200),
  type: text(100),
  expires: amount,
  /** Whose object it is, where that is not this tab's identity: their store is asked first, and takes it unasked for consent. */
  owner: v.optional(identityIdSchema),
};

export const blocksContract = contract({
  name: 'blocks',
  resources: {
    objects: {
      /**
       * All at once: the buffers are the segments, in order. Resolves when every reachable wanted store has acknowledged. A small one is copied, as
       * results are, unless it is to be `coded` as what is put in pieces.
       */
      insert: operation(
        'local',
        v.strictObject({ ...putSettings, segments: listOf(bufferIndex, 64), coded: v.optional(v.boolean()) }),
        objectRefSchema,
      ),
      get: operation('local', v.strictObject({ id: objectIdSchema }), v.strictObject({ manifest: objectManifestSchema })),
      /** How well it is held now. `held` counts identities with slices of their own of the best coding, `online` those of them that answer. */
      lookup: operation(
        'local',
        v.strictObject({ id: objectIdSchema }),
        v.strictObject({
          copies,
          k: positive,
          n: positive,
          held: natural,
          online: natural,
          lossEstimate,
          heldHereBytes: natural,
          repairing: v.boolean(),
        }),
      ),
      /** Brings all of an object here, wherever it is, and keeps it for this group. */
      update: operation('local', v.strictObject({ id: objectIdSchema }), empty),
      /** Lets go of these, and keeps none of them again while this page is open: what belonged to a denied job. */
      drop: operation('local', v.strictObject({ ids: listOf(objectIdSchema, objectsDroppedMax) }), empty),
      /** What this tab knows of, by id: its own, what it keeps for others, or both. `named` leaves out what has no name, as results have none. */
      query: operation(
        'local',
        v.strictObject({
          of: v.picklist(['mine', 'kept', 'all']),
          after: v.optional(objectIdSchema),
          max: v.pipe(positive, v.maxValue(objectsListedMax)),
          named: v.optional(v.boolean()),
        }),
        v.strictObject({
          objects: listOf(
            v.strictObject({
              id: objectIdSchema,
              name: text(200),
              type: text(100),
              size: natural,
              expires: amount,
              by: identityIdSchema,
              mine: v.boolean(),
              k: positive,
              n: positive,
              held: v.pipe(natural, v.maxValue(objectHoldersMax * 4)),
              online: natural,
              heldHereBytes: natural,
              lossEstimate,
              repairing: v.boolean(),
            }),
            objectsListedMax,
          ),
          /** Ask for what comes after this one; null at the end. */
          next: v.nullable(objectIdSchema),
        }),
      ),
    },
    /** In pieces, for what is larger than one message: create, insert the segments in their order (a few at once; each waits for its stores), submit. */
    puts: {
      create: operation('local', v.strictObject(putSettings), v.strictObject({ put: positive })),
      insert: operation('local', v.strictObject({ put: positive, data: bufferIndex }), empty),
      submit: operation('local', v.strictObject({ put: positive }), objectRefSchema),
      delete: operation('local', v.strictObject({ put: positive }), empty),
    },
    /**
     * A segment's bytes from wherever they are, verified. `pin` keeps a copy here while there is room. `lent` bytes are all the buffers of
     * the answer, one after the other; others read them too: they are not to be changed, nor given away.
     */
    segments: {
      get: operation(
        'local',
        v.strictObject({ object: objectIdSchema, segment: natural, pin: v.optional(v.boolean()), lent: v.optional(v.boolean()) }),
        v.strictObject({ data: bufferIndex }),
      ),
    },
    /** For members of other groups: read in this group, and no further. */
    abroad: {
      lookup: operation('member', v.strictObject({ id: objectIdSchema }), v.strictObject({ manifest: bufferIndex })),
      get: operation('member', v.strictObject({ object: objectIdSchema, segment: natural }), v.strictObject({ data: bufferIndex })),
    },
    /** Between members. */
    manifests: {
      insert: operation('member', v.strictObject({ manifest: bufferIndex }), empty),
      get: operation('member', v.strictObject({ id: objectIdSchema }), v.strictObject({ manifest: bufferIndex })),
    },
    slices: {
      /** Durable before the answer. A small manifest comes with the last slice; slices of an unknown object are kept for a bounded time. */
      insert: operation('member', givenSlice, empty),
      /** Several small ones at once. `kept` are the places of those that are durable now. */
      create: operation(
        'member',
        v.strictObject({ slices: listOf(givenSlice, buffersPerMessageMax) }),
        v.strictObject({ kept: listOf(natural, buffersPerMessageMax) }),
      ),
      /** All buffers of the answer, one after the other: the asker keeps them as they come, where each is one chunk. */
      get: operation('member', v.strictObject({ hash: hashSchema }), empty),
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
    /** The slices of an object under another k (protocol/object.ts); its manifest first. */
    recodings: {
      insert: operation('member', v.strictObject({ recoding: bufferIndex, signature: bytes(64) }), empty),
      get: operation(
        'member',
        v.strictObject({ object: objectIdSchema, k: kSchema }),
        v.strictObject({ recoding: bufferIndex, signature: bytes(64) }),
      ),
    },
    /** What slots a store has, in 256 buckets by the first byte of the object's id, compared by digests (services/blocks/slot-set.ts). */
    holdings: {
      /**
       * `digests` is what the asker has on record: nothing; one digest of all; or one a bucket, and then the buckets that differ are
       * given in full, from bucket `from` on. `same`: nothing differs. `next`: where to go on, with the digests of the buckets.
       */
      query: operation(
        'member',
        v.strictObject({ digests: bytes(8 * 256), from: natural }),
        v.strictObject({
          store: v.nullable(storeIdSchema),
          same: v.boolean(),
          buckets: bytes(256),
          entries: holdings,
          next: v.nullable(natural),
        }),
      ),
      /** What has come and gone since; `digest` is of all that the store has now, so that whoever missed something asks. */
      update: operation('member', v.strictObject({ store: storeIdSchema, added: holdings, removed: holdings, digest: bytes(8) }), empty),
    },
  },
  publishes: {
    usage: v.strictObject({
      usedBytes: amount,
      allowedBytes: amount,
      objects: natural,
      /** What is wrong with the store; '' while all is well. */
      problem: text(300),
      /** False where nothing outlives the page. */
      durable: v.boolean(),
      repair: v.strictObject({ waiting: natural, running: natural, doneBytes: amount, bytesPerSecond: amount }),
      /** Who sent bytes that are not what was asked for, the latest last. */
      forgers: listOf(v.strictObject({ identity: identityIdSchema, what: text(200), at: amount }), forgersListedMax),
    }),
  },
});
