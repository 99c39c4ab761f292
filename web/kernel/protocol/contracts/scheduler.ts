// Decides what this tab works on next, and, when it is its turn, keeps the queue filled (steward).
import * as v from 'valibot';
import { contract, operation } from '../contract.ts';
import { amount, empty, hashSchema, identityIdSchema, jobIdSchema, listOf, natural, text } from '../schemas.ts';

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

export const schedulerContract = contract({
  name: 'scheduler',
  resources: {
    /** The submitter asks for the first functions to be appended; answers when they are held. */
    jobs: { submit: operation('local', v.strictObject({ job: jobIdSchema }), v.strictObject({ functions: natural })) },
    /** What this machine did, the latest job first. */
    receipts: { query: operation('local', empty, v.strictObject({ receipts: listOf(receiptSchema, receiptsMax) })) },
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
