// A function record (rule 2): item range, lineage, holders by name; fixed for its life. Its id is the SHA-256 of its bytes.
import * as v from 'valibot';
import { holdersMax } from '../limits.ts';
import { jobIdSchema, listOf, natural, positive, rangeSchema, storeIdSchema, text } from './schemas.ts';

export const recordSchema = v.strictObject({
  v: v.literal(1),
  job: jobIdSchema,
  /** `<actor>.<n>`: which append made it. */
  lineage: text(80),
  round: natural,
  range: rangeSchema,
  /** Slices needed to read it. */
  k: positive,
  holders: v.pipe(listOf(storeIdSchema, holdersMax), v.minLength(1)),
});
export type FunctionRecord = v.InferOutput<typeof recordSchema>;
