// Events of a job's ledger (rules 5, 6, 9, 10): signed, self-contained, foldable in any order.
import * as v from 'valibot';
import {
  actorsPerJobMax,
  eventBytesMax,
  eventsAheadMax,
  itemAttemptsMax,
  priorityMax,
  recordItemsMax,
  settingsPerJobMax,
} from '../limits.ts';
import {
  amount,
  bytes,
  eventIdSchema,
  groupIdSchema,
  hashSchema,
  identityIdSchema,
  jobIdSchema,
  listOf,
  natural,
  objectIdSchema,
  peerIdSchema,
  positive,
  rangeSchema,
  recordIdSchema,
  teamMarkSchema,
  text,
} from './schemas.ts';
import { jobInputSchema } from './job-manifest.ts';

/** Runs of failed items one computed event may list; whoever has more commits in several events. */
export const failedRangesMax = 512;
/** Runs of items one loan may have. */
export const lentRangesMax = 64;
/** Spans one accepted event may take: more go in several events, each below `eventBytesMax`. */
export const acceptedSpansMax = 512;

export const eventBodySchema = v.variant('kind', [
  /** Items [range) were run; `failed` lists those that threw or passed their limits. Values and errors are in the result object. */
  v.strictObject({
    kind: v.literal('computed'),
    /** Which input the items were taken from: the event that appended it; absent for the manifest's own. All of `range` lies in it. */
    part: v.optional(eventIdSchema),
    range: rangeSchema,
    failed: listOf(rangeSchema, failedRangesMax),
    /** Counts only for items that are in this round. */
    round: natural,
    record: v.nullable(recordIdSchema),
    result: objectIdSchema,
    /** SHA-256 of (SHA-256 of the end offsets, SHA-256 of the bytes) of the packed values of `range`: equal results have equal hashes, whoever ran them. */
    resultHash: hashSchema,
    tookMs: amount,
    /** The team in whose name it was given; says something only to whoever has the team's link. Decides nothing. */
    team: v.optional(teamMarkSchema),
  }),
  /** The code could not be loaded here. `itemAttemptsMax` of these fail the job; of a stranger's one less counts at most. */
  v.strictObject({ kind: v.literal('unloadable'), message: text(2_000) }),
  /** A donor's person came back while this item ran, and had run for so long. */
  v.strictObject({ kind: v.literal('interrupted'), item: natural, round: natural, ranMs: amount }),
  /** The submitter took these results: they never change again. */
  v.strictObject({
    kind: v.literal('accepted'),
    spans: listOf(v.strictObject({ range: rangeSchema, event: eventIdSchema }), acceptedSpansMax),
  }),
  /**
   * By a member of a group that is at home for the job: these items are for `to`, a neighbour, to run. Decides nothing; it keeps two
   * groups from doing the same work (rule 13).
   */
  v.strictObject({
    kind: v.literal('lent'),
    /** Ascending, apart. */
    ranges: v.pipe(listOf(rangeSchema, lentRangesMax), v.minLength(1)),
    /** The items' round. */
    round: natural,
    to: groupIdSchema,
  }),
  /** Only by the submitter. Folds by (version, event id); cancel is absorbing. */
  v.strictObject({
    kind: v.literal('setting'),
    version: positive,
    paused: v.optional(v.boolean()),
    cancelled: v.optional(v.literal(true)),
    /** The group that is at home for the job from now on, instead of the manifest's. */
    home: v.optional(groupIdSchema),
    priority: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(-priorityMax), v.maxValue(priorityMax))),
    /**
     * Opens this round for items: they are run anew, whatever they had (retry, re-check). The number is above the highest so far and
     * otherwise random, so that nobody writes results of a round before it was opened.
     */
    round: v.optional(v.strictObject({ round: positive, ranges: listOf(rangeSchema, failedRangesMax) })),
    /** More input of an open job, behind the append `after` (null: the manifest's own input); `first` is its first item. */
    append: v.optional(v.strictObject({ after: v.nullable(eventIdSchema), first: natural, input: jobInputSchema })),
    /** The job takes no more input behind the append `after`. */
    close: v.optional(v.strictObject({ after: v.nullable(eventIdSchema) })),
  }),
]);
export type EventBody = v.InferOutput<typeof eventBodySchema>;

export const eventSchema = v.strictObject({
  v: v.literal(1),
  job: jobIdSchema,
  /** The dot: actor and n, n from 1 per job. */
  actor: peerIdSchema,
  n: positive,
  identity: identityIdSchema,
  /** By the author's clock, ms since 1970; shown, never decided by. */
  at: amount,
  body: eventBodySchema,
});
export type LedgerEvent = v.InferOutput<typeof eventSchema>;

/** The signature covers the domain tag, the job's id and the event's bytes; the event's id is the SHA-256 of `bytes`. */
export const signedEventSchema = v.strictObject({ bytes: bytes(eventBytesMax), signature: bytes(64) });
export type SignedEvent = v.InferOutput<typeof signedEventSchema>;

/** Intervals of n held, per actor: inclusive [from, to] pairs, ascending, apart. */
export const clockSchema = v.pipe(
  v.record(peerIdSchema, listOf(v.strictTuple([positive, positive]), eventsAheadMax + settingsPerJobMax)),
  v.check((clock) => Object.keys(clock).length <= actorsPerJobMax, 'too many actors'),
);
export type VectorClock = v.InferOutput<typeof clockSchema>;

export const attemptsMax = itemAttemptsMax;
export const itemsPerEventMax = recordItemsMax;
