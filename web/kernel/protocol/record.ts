// A function record (rule 2): item range, lineage, and its holders by name; fixed for its life. It has two parts. The *label* says which
// items and who holds them: every member keeps it. The *body* is the same, encoded with a salt, and cut into coded slices: holder i
// keeps slice i. The record's id is the SHA-256 of the body, so whoever has k slices can tell a true label from a false one.
import * as v from 'valibot';
import { holdersMax } from '../limits.ts';
import { bytes, jobIdSchema, listOf, natural, positive, rangeSchema, recordIdSchema, storeIdSchema, text, type Range } from './schemas.ts';

export const recordSaltBytes = 16;
/** A body has some 500 bytes. */
export const recordSliceBytesMax = 2 * 1024;
/** Functions in one message. */
export const functionsPerMessageMax = 1_024;

/** What all records of one append share. */
const appendFields = {
  job: jobIdSchema,
  /** `<actor>.<n>`: which append made it. */
  lineage: text(80),
  round: natural,
  /** Slices needed to read the body. */
  k: positive,
  /** In the order of their slices. */
  holders: v.pipe(listOf(storeIdSchema, holdersMax), v.minLength(1)),
};

export const recordBodySchema = v.strictObject({
  v: v.literal(2),
  ...appendFields,
  range: rangeSchema,
  /** In no label: a slice cannot be made up by somebody who only knows the label. */
  salt: v.pipe(bytes(recordSaltBytes), v.minLength(recordSaltBytes)),
});
export type RecordBody = v.InferOutput<typeof recordBodySchema>;

export interface RecordLabel {
  readonly job: RecordBody['job'];
  readonly lineage: string;
  readonly round: number;
  readonly range: Range;
  readonly k: number;
  readonly holders: RecordBody['holders'];
}

/** Labels of one append as they travel; to a holder with its slices. */
export const labelsSchema = v.strictObject({
  ...appendFields,
  functions: v.pipe(
    listOf(
      v.strictObject({ record: recordIdSchema, range: rangeSchema, slice: v.nullable(bytes(recordSliceBytesMax)) }),
      functionsPerMessageMax,
    ),
    v.minLength(1),
  ),
});
export type Labels = v.InferOutput<typeof labelsSchema>;

/** What a holder keeps in its store, encoded, under the record's id. */
export const heldRecordSchema = v.strictObject({
  v: v.literal(2),
  ...appendFields,
  range: rangeSchema,
  slice: bytes(recordSliceBytesMax),
});
