// The replicated set of signed events of each job, and its fold (rules 1, 6, 9, 10, 12).
import * as v from 'valibot';
import { actorsPerJobMax, appendsPerJobMax, eventsPerExchangeMax, exchangeBytesMax, findHopsMax, jobsMax } from '../../limits.ts';
import { contract, operation } from '../contract.ts';
import { clockSchema, eventBodySchema, signedEventSchema } from '../event.ts';
import { inputPartSchema, jobManifestSchema, signedJobSchema } from '../job-manifest.ts';
import {
  amount,
  bytes,
  empty,
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
  teamMarkSchema,
  text,
} from '../schemas.ts';

/** Numbers compared by one look for forks. */
export const forkNumbersMax = 1_024;
/** Parts in one answer: far more than one function or one page of results touches. */
export const partsPerAnswerMax = 512;

export const jobStates = ['queued', 'running', 'paused', 'done', 'failed', 'cancelled'] as const;

/** The fold, in short: what lists and decisions need. Detail by `jobs get`. */
export const jobSummarySchema = v.strictObject({
  id: jobIdSchema,
  manifest: jobManifestSchema,
  /** 'queued' until a first item is decided, then 'running': derived from the events alone. */
  state: v.picklist(jobStates),
  reason: text(2_000),
  /** So far, where the job is open. */
  items: natural,
  /** More input may be appended. */
  open: v.boolean(),
  /** Parts of the input; the last append among them (null: there is none): it is another one when anything about the parts changes. */
  parts: positive,
  tail: v.nullable(eventIdSchema),
  /** Items with a result; items failed for good. */
  committed: natural,
  failed: natural,
  priority: v.number(),
  /** The group that sees to it that everything is run: the manifest's, or where the submitter moved it. */
  home: groupIdSchema,
  /** Items per second over the last seconds, by arrival here. */
  ratePerSecond: amount,
  /** When the last item was decided, by wall clock here; null before. */
  endedAt: v.nullable(amount),
  events: natural,
});
export type JobSummary = v.InferOutput<typeof jobSummarySchema>;

export const decidedSpanSchema = v.strictObject({
  range: rangeSchema,
  outcome: v.picklist(['ok', 'failed']),
  event: eventIdSchema,
  result: objectIdSchema,
  resultHash: hashSchema,
  by: identityIdSchema,
  actor: peerIdSchema,
  tookMs: amount,
  accepted: v.boolean(),
});
export type DecidedSpan = v.InferOutput<typeof decidedSpanSchema>;

/** An item that donors had to interrupt again and again, and the longest that it ran. */
export const longItemSchema = v.strictObject({ item: natural, times: positive, ranMs: amount });
export type LongItem = v.InferOutput<typeof longItemSchema>;
export const longItemsPerAnswerMax = 256;

export const contributorSchema = v.strictObject({
  identity: identityIdSchema,
  /** Decided items whose outcome is this identity's; surplus results count for nobody. */
  items: natural,
  parts: natural,
  tookMs: amount,
});

/** What one identity gave one job in the name of a team, by the events it signed. */
export const teamGiftSchema = v.strictObject({
  job: jobIdSchema,
  identity: identityIdSchema,
  team: teamMarkSchema,
  /** Decided items whose outcome it is; functions that were run. */
  items: natural,
  parts: natural,
});
export type TeamGift = v.InferOutput<typeof teamGiftSchema>;
export const teamGiftsMax = 20_000;

export const clockRelations = ['equal', 'behind', 'ahead', 'concurrent'] as const;

/** How a job stands here to how a neighbouring group has it, as far as the bridge has heard. */
export const relationSchema = v.strictObject({
  group: groupIdSchema,
  job: jobIdSchema,
  relation: v.picklist(clockRelations),
  /** Events held here, and there. */
  ours: natural,
  theirs: natural,
  /** Events that came over this bridge, and when the last did, by wall clock here. */
  mergedEvents: natural,
  lastMergeAt: v.nullable(amount),
  /** How it was before, the latest last: with since when, by wall clock here. Some pass too quickly to be published themselves. */
  history: listOf(v.strictObject({ relation: v.picklist(clockRelations), since: amount }), 16),
  words: text(200),
});
export type ClockRelationOfJob = v.InferOutput<typeof relationSchema>;
export const relationsMax = 512;
/** Jobs whose clocks go over a bridge in one message. */
export const sharesPerMessageMax = 64;

/** Of one loan; undecided runs of it. */
export const loansMax = 1_024;
export const loanRunsMax = 256;
export const loanSchema = v.strictObject({
  event: eventIdSchema,
  /** Who lent. */
  actor: peerIdSchema,
  to: groupIdSchema,
  round: natural,
  /** What is undecided of it, ascending, apart. */
  open: listOf(rangeSchema, loanRunsMax),
});

export const foundJobsMax = 64;
/** Jobs named in one message as let go of. */
export const overMax = 256;
/** Of a node of the hash tree over all jobs: one for each hex digit. */
export const nodeChildren = 16;
/** Of SHA-256: whoever would have two sets of jobs with one hash must try 2^64 of them. */
export const hashBytesOfNode = 16;
const findFields = {
  hops: v.pipe(natural, v.maxValue(findHopsMax)),
  request: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
};

/** Events of one job, `eventsPerExchangeMax` in all: some as they are, computed ones packed (services/ledger/packed-events.ts). */
const someEvents = {
  events: listOf(signedEventSchema, eventsPerExchangeMax),
  packed: v.optional(bytes(exchangeBytesMax)),
};

const exchange = v.strictObject({
  job: jobIdSchema,
  clock: clockSchema,
  /** XOR of the ids of all events held: equal clocks with unlike digests reveal a fork. */
  digest: hashSchema,
});

export const ledgerContract = contract({
  name: 'ledger',
  resources: {
    jobs: {
      /** A signed manifest, from the submitter or from a member who knows it; kept and passed on. Answered when durable. */
      insert: operation('member', signedJobSchema, v.strictObject({ job: jobIdSchema })),
      query: operation('local', empty, v.strictObject({ jobs: listOf(jobSummarySchema, jobsMax) })),
      get: operation('member', v.strictObject({ job: jobIdSchema }), signedJobSchema),
      /** Local: sign and announce a manifest; answers as `events create` does, with how many other identities acknowledged. */
      create: operation(
        'local',
        v.strictObject({ manifest: jobManifestSchema }),
        v.strictObject({ job: jobIdSchema, acknowledged: natural }),
      ),
    },
    /** The fold's detail. */
    decisions: {
      /** Decided spans from item `from` on, ascending, at most `max`; `by` says who ran what. */
      query: operation(
        'local',
        v.strictObject({ job: jobIdSchema, from: natural, max: positive }),
        v.strictObject({ spans: listOf(decidedSpanSchema, 10_000) }),
      ),
      /**
       * Ranges nobody has decided, ascending, from `from` on, at most `max`, none across two parts of the input; with identities that
       * already failed there. Where `end` is past the items an open job has so far, those to come count as undecided.
       */
      lookup: operation(
        'local',
        v.strictObject({ job: jobIdSchema, from: natural, end: v.optional(natural), max: positive }),
        v.strictObject({
          undecided: listOf(v.strictObject({ range: rangeSchema, round: natural, failedBy: listOf(identityIdSchema, 16) }), 10_000),
          /** Of the items from `from` to `end`, ascending. */
          long: listOf(longItemSchema, longItemsPerAnswerMax),
        }),
      ),
      /** `settingVersion` and `round` are the highest seen. */
      get: operation(
        'local',
        v.strictObject({ job: jobIdSchema }),
        v.strictObject({
          contributors: listOf(contributorSchema, 1_000),
          surplusItems: natural,
          clock: clockSchema,
          unloadable: natural,
          /** What one of them said was wrong with the code; '' where nobody did. */
          unloadableWhy: text(2_000),
          settingVersion: natural,
          round: natural,
          /** What an append or a close names: where it goes. */
          items: natural,
          open: v.boolean(),
          tail: v.nullable(eventIdSchema),
        }),
      ),
    },
    /** What was given in the name of teams, to all jobs that are known here. */
    teams: { query: operation('local', empty, v.strictObject({ gifts: listOf(teamGiftSchema, teamGiftsMax) })) },
    /** What groups have lent each other of a job, as far as it is undecided (rule 13). */
    loans: {
      query: operation('local', v.strictObject({ job: jobIdSchema }), v.strictObject({ loans: listOf(loanSchema, loansMax) })),
    },
    /** Where the values of a job's items are. */
    parts: {
      /** The parts that touch [from, end), ascending, at most `partsPerAnswerMax`. */
      query: operation(
        'local',
        v.strictObject({ job: jobIdSchema, from: natural, end: natural }),
        v.strictObject({ parts: listOf(inputPartSchema, partsPerAnswerMax), items: natural }),
      ),
      /** Which of these appends count: of two behind the same one only one does (services/ledger/chain.ts). */
      lookup: operation(
        'local',
        v.strictObject({ job: jobIdSchema, parts: listOf(eventIdSchema, appendsPerJobMax) }),
        v.strictObject({ counting: listOf(eventIdSchema, appendsPerJobMax) }),
      ),
    },
    events: {
      /**
       * Local: number, sign, keep, send to members; answers when `ackStoresMin` identities (or all there are, this one counts) hold it,
       * or after `ackWaitMs`. `acknowledged` counts other identities. A setting's version is raised above the highest seen, and the round
       * it opens is chosen here. An append or a close that does not go behind the last append is 'refused'.
       */
      create: operation(
        'local',
        v.strictObject({ job: jobIdSchema, body: eventBodySchema }),
        v.strictObject({ event: eventIdSchema, acknowledged: natural }),
      ),
      /** Events from a member; answered when durable. `refused` says why, by place: the packed ones come behind the others. Fault: 'malformed'. */
      insert: operation(
        'member',
        v.strictObject({ job: jobIdSchema, ...someEvents }),
        v.strictObject({ held: natural, refused: listOf(v.strictObject({ at: natural, why: text(200) }), eventsPerExchangeMax) }),
      ),
    },
    clocks: {
      /**
       * Anti-entropy. The answer has the asker's missing events (bounded: `more` says that some were left out) and the answerer's
       * clocks where they differ, so that the asker can return the favour.
       */
      query: operation(
        'member',
        v.strictObject({
          /** XOR of the ids of all jobs and events held. */
          jobsKnown: hashSchema,
          /** `clocks` names every job the asker holds with `after` < id <= `until` (null: no limit). Without a window only `same` is asked. */
          window: v.nullable(v.strictObject({ after: v.nullable(jobIdSchema), until: v.nullable(jobIdSchema) })),
          clocks: listOf(exchange, 256),
          /** Of these ids, too: let go of here, because their time was over. */
          over: listOf(jobIdSchema, overMax),
        }),
        v.strictObject({
          same: v.boolean(),
          more: v.boolean(),
          /** Of jobs named that differ here; an empty clock for a job that is unknown here. */
          clocks: listOf(exchange, 256),
          events: listOf(v.strictObject({ job: jobIdSchema, ...someEvents }), 64),
          /** Jobs of the window the asker did not name. */
          jobs: listOf(signedJobSchema, 64),
          /** Of those named: let go of here, because their time was over. */
          over: listOf(jobIdSchema, overMax),
        }),
      ),
      /** Whose jobs differ, of those with ids that begin with `prefix`, by the next digit. */
      lookup: operation(
        'member',
        v.strictObject({
          prefix: v.pipe(v.string(), v.regex(/^[0-9a-f]{0,8}$/)),
          /** For each next digit a hash over those jobs (services/ledger/hash-tree.ts). */
          children: v.pipe(bytes(hashBytesOfNode * nodeChildren), v.minLength(hashBytesOfNode * nodeChildren)),
        }),
        v.strictObject({ unlike: listOf(v.pipe(v.string(), v.regex(/^[0-9a-f]$/)), nodeChildren) }),
      ),
    },
    /** Beyond this group: asked from group to group over `hops` bridges, each question (`request`, random) once. What is found is kept. */
    finds: {
      /** `atHome`: of those who know it only who is at home for it answers, or has its end. Fault: 'not-found'. */
      lookup: operation('member', v.strictObject({ job: jobIdSchema, atHome: v.boolean(), ...findFields }), signedJobSchema),
      /** Those of one submitter, those known here among them. */
      query: operation(
        'member',
        v.strictObject({ submitter: identityIdSchema, ...findFields }),
        v.strictObject({ jobs: listOf(signedJobSchema, foundJobsMax) }),
      ),
    },
    /** Between two bridges: jobs that both their groups take part in. */
    shares: {
      /**
       * The clocks of such jobs, only what changed since the last answer: what `clock` names replaces what was known of those actors, all of
       * it where `whole`; `dots` is how many there are then. `unknown`: not held here. `stale`: tell the whole clock.
       */
      update: operation(
        'member',
        v.strictObject({
          group: groupIdSchema,
          jobs: listOf(
            v.strictObject({ job: jobIdSchema, whole: v.boolean(), clock: clockSchema, dots: natural, digest: hashSchema }),
            sharesPerMessageMax,
          ),
        }),
        v.strictObject({ unknown: listOf(jobIdSchema, sharesPerMessageMax), stale: listOf(jobIdSchema, sharesPerMessageMax) }),
      ),
    },
    /** Where clocks are equal and digests are not, somebody signed two events with one number: both are found and kept. */
    forks: {
      /** Digests per actor in; the actors whose digest differs here out. */
      query: operation(
        'member',
        v.strictObject({ job: jobIdSchema, actors: v.record(peerIdSchema, hashSchema) }),
        v.strictObject({ actors: listOf(peerIdSchema, actorsPerJobMax) }),
      ),
      /** XOR of the ids per number from `from` on, 32 bytes each; events held here at numbers that differ out. */
      lookup: operation(
        'member',
        v.strictObject({ job: jobIdSchema, actor: peerIdSchema, from: positive, digests: bytes(32 * forkNumbersMax) }),
        v.strictObject({ events: listOf(signedEventSchema, eventsPerExchangeMax) }),
      ),
    },
  },
  publishes: {
    /** All jobs, newest first: within 20 ms of one that has come or ended, else at most every 100 ms. */
    jobs: v.strictObject({ jobs: listOf(jobSummarySchema, jobsMax) }),
    /** At a bridge: the jobs shared with neighbours, the latest changed first; at most every 250 ms. Empty elsewhere. */
    relations: v.strictObject({ relations: listOf(relationSchema, relationsMax) }),
    /** What was decided just now: the queue drops its records on it, at once. */
    decided: v.strictObject({ job: jobIdSchema, ranges: listOf(rangeSchema, 10_000), ended: v.boolean() }),
  },
});
