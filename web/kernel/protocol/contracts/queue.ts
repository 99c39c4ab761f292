// The ordered queue of functions: holders, locks, leases, fencing (rules 2 to 5, 7).
import * as v from 'valibot';
import { jobsMax, recordsPerJobMax } from '../../limits.ts';
import { contract, operation } from '../contract.ts';
import { functionsPerMessageMax, labelsSchema, recordSliceBytesMax } from '../record.ts';
import {
  amount,
  bytes,
  empty,
  identityIdSchema,
  jobIdSchema,
  listOf,
  natural,
  peerIdSchema,
  positive,
  rangeSchema,
  recordIdSchema,
  storeIdSchema,
  text,
} from '../schemas.ts';

export const claimSchema = v.strictObject({
  record: recordIdSchema,
  job: jobIdSchema,
  range: rangeSchema,
  round: natural,
  lineage: text(80),
  /** The highest that its holders gave; each numbers its own grants. */
  fence: natural,
  /** On this tab's own monotonic clock: the owner stops here unless it is renewed (rule 4). */
  stopAt: amount,
});
export type Claim = v.InferOutput<typeof claimSchema>;

export const recordViewSchema = v.strictObject({
  record: recordIdSchema,
  range: rangeSchema,
  round: natural,
  lineage: text(80),
  holders: listOf(storeIdSchema, 16),
  state: v.picklist(['waiting', 'claimed', 'lost']),
  owner: v.nullable(peerIdSchema),
});
export type RecordView = v.InferOutput<typeof recordViewSchema>;

/** Whom this tab has caught with something false, as of now; most recent last. */
export const forgerySchema = v.strictObject({
  /** A slice that is none of the body it belongs to, from its holder; or a label that says other than the body, from whoever sent it. */
  what: v.picklist(['slice', 'label']),
  identity: identityIdSchema,
  /** The forging holder's; null for a label. */
  store: v.nullable(storeIdSchema),
  /** The latest. */
  record: recordIdSchema,
  times: positive,
});
export type Forgery = v.InferOutput<typeof forgerySchema>;
export const forgeriesMax = 64;

export const queueContract = contract({
  name: 'queue',
  resources: {
    records: {
      /** Local, by the steward or the submitter: append these ranges, in order, as one new lineage. Answers when majorities of the holders hold them durably. */
      create: operation(
        'local',
        v.strictObject({ job: jobIdSchema, round: natural, ranges: v.pipe(listOf(rangeSchema, 1_024), v.minLength(1)) }),
        v.strictObject({ lineage: text(80), acknowledged: natural, holders: listOf(storeIdSchema, 16) }),
      ),
      /**
       * To every member: functions that exist. A holder named in them gets its slices, and keeps them durably before it answers. What
       * does not fit is refused one by one: `why` says it of the first.
       */
      insert: operation('member', labelsSchema, v.strictObject({ kept: natural, refused: natural, why: text(200) })),
      /** Records of a job as this tab knows them. */
      query: operation(
        'local',
        v.strictObject({ job: jobIdSchema }),
        v.strictObject({ records: listOf(recordViewSchema, recordsPerJobMax) }),
      ),
      /** A member that joined asks for labels of unfinished jobs: by record id, the next `max` after `after`, without slices. */
      lookup: operation(
        'member',
        v.strictObject({ after: v.nullable(recordIdSchema), max: positive }),
        v.strictObject({ appends: listOf(labelsSchema, functionsPerMessageMax) }),
      ),
      /** The owner is done with it (rule 5c): refused when the fencing number is superseded. */
      delete: operation('member', v.strictObject({ record: recordIdSchema, fence: natural }), empty),
    },
    locks: {
      /** Lock-read-delete, first half: answers with slice, lease and fencing number, durable before the answer; or why not. */
      create: operation(
        'member',
        v.strictObject({ record: recordIdSchema }),
        v.variant('granted', [
          v.strictObject({ granted: v.literal(true), fence: positive, leaseMs: positive, slice: bytes(recordSliceBytesMax) }),
          v.strictObject({
            granted: v.literal(false),
            why: v.picklist(['leased', 'decided', 'unknown', 'ended']),
            /** How long the present lease has left, 0 where there is none. */
            retryMs: amount,
            owner: v.nullable(peerIdSchema),
          }),
        ]),
      ),
      /** Renew; the answer lists those still held. */
      update: operation(
        'member',
        v.strictObject({ locks: listOf(v.strictObject({ record: recordIdSchema, fence: positive }), 256) }),
        v.strictObject({ renewed: listOf(recordIdSchema, 256) }),
      ),
      /** Release. */
      delete: operation(
        'member',
        v.strictObject({ locks: listOf(v.strictObject({ record: recordIdSchema, fence: positive }), 256) }),
        empty,
      ),
    },
    /** A claimant tells the others what it owns now, so that they ask for something else: advice only. */
    hints: {
      update: operation(
        'member',
        v.strictObject({
          owned: listOf(recordIdSchema, 64),
          released: listOf(recordIdSchema, 64),
          /** No longer held by a majority of their holders: done, or lost. Not to be asked for again. */
          ended: listOf(recordIdSchema, 64),
        }),
        empty,
      ),
    },
    /** This tab's own claims. Renewed by the queue until deleted. */
    claims: {
      /** The next function in order among `jobs` (in order of preference); null when none could be had now. `tried`: there was one, that others had or came before for. */
      create: operation(
        'local',
        v.strictObject({ jobs: listOf(jobIdSchema, jobsMax) }),
        v.strictObject({ claim: v.nullable(claimSchema), tried: v.boolean(), waiting: natural }),
      ),
      query: operation('local', empty, v.strictObject({ claims: listOf(claimSchema, 1_024) })),
      /** 'done' deletes the record at its holders, 'release' unlocks it; this tab does not take it again for `avoidMs`. */
      delete: operation(
        'local',
        v.strictObject({ record: recordIdSchema, how: v.picklist(['done', 'release']), avoidMs: v.optional(amount) }),
        empty,
      ),
    },
  },
  publishes: {
    /** Claims whose lease could not be renewed by a majority: their work must stop. */
    lost: v.strictObject({ records: listOf(recordIdSchema, 1_024) }),
    /** Something became claimable, in open jobs: the scheduler need not poll. */
    changed: v.strictObject({ waiting: natural }),
    forgeries: v.strictObject({ forgeries: listOf(forgerySchema, forgeriesMax) }),
  },
});
