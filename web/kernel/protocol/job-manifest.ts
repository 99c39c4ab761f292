// A job as its submitter signed it. The job's id is the SHA-256 of the encoded manifest (rule 1).
import * as v from 'valibot';
import { itemMsMax, memoryMiBMax, jobItemsMax, jobManifestBytesMax, jobTotalMsMax, objectSegmentsMax, priorityMax } from '../limits.ts';
import {
  amount,
  bytes,
  eventIdSchema,
  groupIdSchema,
  hashSchema,
  identityIdSchema,
  listOf,
  natural,
  objectIdSchema,
  positive,
  text,
} from './schemas.ts';

/**
 * Where the items' values come from. `items` and `lines` list how many items begin in each segment of the object, so
 * that whoever runs items [a, b) fetches only the segments that hold them.
 */
export const jobInputSchema = v.variant('kind', [
  /** Item i is the number i + offset. */
  v.strictObject({ kind: v.literal('range'), items: natural, offset: v.pipe(v.number(), v.safeInteger()) }),
  /** Segments are packed pages (lib/packed.ts) of encoded values. */
  v.strictObject({ kind: v.literal('items'), object: objectIdSchema, items: natural, perSegment: listOf(natural, objectSegmentsMax) }),
  /** Item i is line i of a UTF-8 text, without its line end. A line belongs to the segment it begins in. */
  v.strictObject({ kind: v.literal('lines'), object: objectIdSchema, items: natural, perSegment: listOf(natural, objectSegmentsMax) }),
  /** Item i is bytes [i * bytes, (i + 1) * bytes) of the object. */
  v.strictObject({ kind: v.literal('chunks'), object: objectIdSchema, items: natural, bytes: positive }),
]);
export type JobInput = v.InferOutput<typeof jobInputSchema>;

/** Items [first, first + input.items) of a job: item `first + i` is item i of `input`. */
export const inputPartSchema = v.strictObject({
  /** The event that appended it; null for the manifest's own input. */
  part: v.nullable(eventIdSchema),
  first: natural,
  input: jobInputSchema,
});
export type InputPart = v.InferOutput<typeof inputPartSchema>;

export const jobManifestSchema = v.strictObject({
  v: v.literal(1),
  network: text(128),
  submitter: identityIdSchema,
  /** The group it was submitted in: that one sees to it that everything is run, others run what it lends them (rule 13). */
  home: groupIdSchema,
  /** 32 random hex digits: two submissions of the same thing are two jobs. */
  nonce: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  name: v.pipe(text(200), v.minLength(1)),
  /** By the submitter's clock, ms since 1970. */
  createdAt: amount,
  expires: amount,
  code: objectIdSchema,
  codeHash: hashSchema,
  /** Code of the reduce step, run where the results are collected. */
  reduce: v.nullable(objectIdSchema),
  /** Encoded value (lib/value-codec.ts). */
  args: bytes(64 * 1024),
  input: jobInputSchema,
  /** The submitter may append more input, until it closes the job. */
  open: v.optional(v.literal(true)),
  runtime: v.literal('js'),
  redundancy: v.literal(1),
  priority: v.pipe(v.number(), v.safeInteger(), v.minValue(-priorityMax), v.maxValue(priorityMax)),
  failuresMax: v.pipe(natural, v.maxValue(jobItemsMax)),
  itemMs: v.pipe(positive, v.maxValue(itemMsMax)),
  /** What all its parts together may take of processors; a job that has taken so much ends as failed. Absent: as much as it needs. */
  totalMs: v.optional(v.pipe(positive, v.maxValue(jobTotalMsMax))),
  /** A memory of WebAssembly grows no further; donors who allow less do not run the job. Absent: `wasmMiBDefault`, for everybody. */
  memoryMiB: v.optional(v.pipe(positive, v.maxValue(memoryMiBMax))),
});
export type JobManifest = v.InferOutput<typeof jobManifestSchema>;

/** The signature covers the domain tag and the job's id. */
export const signedJobSchema = v.strictObject({ bytes: bytes(jobManifestBytesMax), signature: bytes(64) });
export type SignedJob = v.InferOutput<typeof signedJobSchema>;
