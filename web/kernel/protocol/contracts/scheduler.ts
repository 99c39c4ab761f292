// Decides what this tab works on next, and, when it is its turn, keeps the queue filled (steward).
import * as v from 'valibot';
import { contract, operation } from '../contract.ts';
import { groupPeersMax } from '../../limits.ts';
import {
  amount,
  empty,
  groupIdSchema,
  hashSchema,
  identityIdSchema,
  jobIdSchema,
  listOf,
  natural,
  peerIdSchema,
  rangeSchema,
  teamMarkSchema,
  text,
} from '../schemas.ts';
import { jobStates } from './ledger.ts';

export const receiptsMax = 500;

/** What this machine did for one job. */
export const receiptSchema = v.strictObject({
  job: jobIdSchema,
  name: text(200),
  submitter: identityIdSchema,
  codeHash: hashSchema,
  /** By this machine's clock, ms since 1970. */
  firstAt: amount,
  lastAt: amount,
  parts: natural,
  items: natural,
  failed: natural,
  cpuMs: amount,
  /** Of results that were handed in. */
  bytes: amount,
  /** How many parts ended how. */
  verdicts: v.strictObject({ finished: natural, stopped: natural, unloadable: natural, died: natural, 'no-data': natural }),
});
export type Receipt = v.InferOutput<typeof receiptSchema>;

export const standingRunsMax = 64;
/** What one tab does of a job. */
export const standingSchema = v.strictObject({
  known: v.boolean(),
  /** Whether its steward said that the job may use this tab; null where no steward that is here said anything. */
  allocated: v.nullable(v.boolean()),
  claimed: natural,
  runs: listOf(v.strictObject({ range: rangeSchema, items: natural, finished: natural, phase: text(20) }), standingRunsMax),
  /** Why it does nothing of it: a named reason (exclusions.ts), maybe one of a newer site; '' where it does something. */
  excludedBy: text(60),
});

export const schedulerContract = contract({
  name: 'scheduler',
  resources: {
    /** The submitter asks for the first functions to be appended; answers when they are held. */
    jobs: { submit: operation('local', v.strictObject({ job: jobIdSchema }), v.strictObject({ functions: natural })) },
    /** What this machine did, the latest job first. */
    receipts: { query: operation('local', empty, v.strictObject({ receipts: listOf(receiptSchema, receiptsMax) })) },
    /** In whose name this tab gives from now on; null: in nobody's but its own. */
    team: { replace: operation('local', v.strictObject({ mark: v.nullable(teamMarkSchema) }), empty) },
    /**
     * A steward tells a member which jobs may use it, and which may not any more: advice. `declined` are those of them that it does not run,
     * because of its person's choice or the memory they ask for.
     */
    allocations: {
      update: operation(
        'member',
        v.strictObject({ jobs: listOf(v.strictObject({ job: jobIdSchema, allocated: v.boolean() }), 256) }),
        v.strictObject({ declined: listOf(jobIdSchema, 256) }),
      ),
    },
    /** The state of a job. */
    standings: {
      /** By the asked tab's own kernel. */
      get: operation('member', v.strictObject({ job: jobIdSchema }), standingSchema),
      /** By the kernels of all members, and the ledger; `standing` is null for a member that has not answered. Fault: 'not-found'. */
      query: operation(
        'member',
        v.strictObject({ job: jobIdSchema }),
        v.strictObject({
          state: v.picklist(jobStates),
          reason: text(2_000),
          items: natural,
          committed: natural,
          failed: natural,
          home: groupIdSchema,
          /** Functions in this group's queue; items that are lent, here or elsewhere, and undecided. */
          waiting: natural,
          claimed: natural,
          lentItems: natural,
          members: listOf(
            v.strictObject({ peer: peerIdSchema, identity: identityIdSchema, standing: v.nullable(standingSchema) }),
            2 * groupPeersMax,
          ),
        }),
      ),
    },
    state: {
      get: operation(
        'local',
        empty,
        v.strictObject({
          claimed: natural,
          running: natural,
          partsDone: natural,
          itemsDone: natural,
          cpuMs: amount,
          waitingFor: text(200),
        }),
      ),
    },
  },
  publishes: {
    /** What this tab has given since it was opened. */
    given: v.strictObject({ parts: natural, items: natural, cpuMs: amount, itemsPerSecond: amount, waitingFor: text(200) }),
  },
});
