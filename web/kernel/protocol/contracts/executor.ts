// Runs claimed functions in sandboxes.
import * as v from 'valibot';
import { contract, operation } from '../contract.ts';
import {
  amount,
  bufferIndex,
  bytes,
  empty,
  eventIdSchema,
  jobIdSchema,
  listOf,
  natural,
  positive,
  rangeSchema,
  recordIdSchema,
  text,
} from '../schemas.ts';

export const runningSchema = v.strictObject({
  job: jobIdSchema,
  record: recordIdSchema,
  range: rangeSchema,
  /** Items finished, of range's length less what was already decided. */
  finished: natural,
  items: natural,
  phase: v.picklist(['waiting', 'fetching', 'running', 'stopping']),
  startedAgoMs: amount,
  /** Of the item that reports it, 0 to 1; null where the code reports none. */
  progress: v.nullable(amount),
});
export type Running = v.InferOutput<typeof runningSchema>;

/** Items of one try-out, and lines that their code may write in it. */
export const triedItemsMax = 16;
export const triedLogsMax = 200;

/**
 * Result blobs, one for each run of consecutive finished items of one part of the input, in order; each names the failed items in it,
 * and the part its items were read from (null: the manifest's own input): the results are of these, whatever is appended meanwhile.
 */
const resultBlobs = listOf(
  v.strictObject({
    range: rangeSchema,
    part: v.nullable(eventIdSchema),
    failed: listOf(rangeSchema, 1_000_000),
    data: bufferIndex,
    tookMs: amount,
  }),
  1_024,
);

/** One run of consecutive items that ended the same way; the values are in the packed result blob (lib/result-blob.ts). */
export const runOutcomeSchema = v.strictObject({
  ended: v.picklist([
    'finished', // every item has an outcome
    'stopped', // the person came back, or the run was deleted
    'unloadable', // the code cannot be loaded
    'died', // no sandbox could be had; what was finished before is here
    'no-data', // input or code could not be fetched
  ]),
  message: text(2_000),
  /** How long it had a worker, whatever came of it. */
  workerMs: amount,
  /** Where it was stopped in the middle of an item: which, and how long it had run. */
  interrupted: v.nullable(v.strictObject({ item: natural, ranMs: amount })),
  blobs: resultBlobs,
});
export type RunOutcome = v.InferOutput<typeof runOutcomeSchema>;

export const executorContract = contract({
  name: 'executor',
  resources: {
    runs: {
      /** Answers when the run has ended, however it ended. Fetches at once, runs when a worker is free and allowed. */
      submit: operation(
        'local',
        v.strictObject({
          job: jobIdSchema,
          record: recordIdSchema,
          /** The runs of items to compute, ascending. */
          ranges: v.pipe(listOf(rangeSchema, 1_024), v.minLength(1)),
        }),
        runOutcomeSchema,
      ),
      query: operation('local', empty, v.strictObject({ running: listOf(runningSchema, 256) })),
      /** What a run has finished so far, once: its own answer carries what comes after. 'not-found' where no such run goes on. */
      get: operation('local', v.strictObject({ record: recordIdSchema }), v.strictObject({ blobs: resultBlobs })),
      /**
       * Ends a run early: no item from `end` on is begun, and it finishes there. Answers with the first item that it leaves: later than `end`
       * where that was begun already. 'not-found' where no such run goes on.
       */
      update: operation('local', v.strictObject({ record: recordIdSchema, end: natural }), v.strictObject({ end: natural })),
      /** Stop at once: the answers of the runs carry what was finished. */
      delete: operation('local', v.strictObject({ records: v.nullable(listOf(recordIdSchema, 256)) }), empty),
    },
    /**
     * Runs code outside the queue, for the person's own tab: a reduce step, a try-out. Needs no consent: it is their own code.
     * Each buffer of `values` is a packed run (lib/packed.ts) of encoded values (lib/value-codec.ts), such as a result blob has.
     * The code's default function is called once, with the list of all those values in order and a task as items get it (`args` in it);
     * `data` is its encoded result.
     */
    trials: {
      submit: operation(
        'local',
        v.strictObject({ code: text(4_000_000), args: v.optional(bytes(64 * 1024)), values: listOf(bufferIndex, 64), itemMs: positive }),
        v.strictObject({ ok: v.boolean(), message: text(2_000), data: v.nullable(bufferIndex) }),
      ),
    },
    /**
     * Runs a few items before there is a job, each as a job would: by its index, with `args`, within `itemMs`. The one buffer is a packed run
     * of their encoded values. `loaded` is false where the code could not be loaded: `message` says why.
     */
    tries: {
      submit: operation(
        'local',
        v.strictObject({
          code: text(4_000_000),
          args: bytes(64 * 1024),
          values: bufferIndex,
          indices: v.pipe(listOf(natural, triedItemsMax), v.minLength(1)),
          itemMs: positive,
        }),
        v.strictObject({
          loaded: v.boolean(),
          message: text(2_000),
          loadMs: amount,
          items: listOf(
            v.strictObject({
              index: natural,
              tookMs: amount,
              error: v.nullable(v.strictObject({ name: text(200), message: text(4_000), stack: text(20_000) })),
              data: v.nullable(bufferIndex),
            }),
            triedItemsMax,
          ),
          logs: listOf(v.strictObject({ index: natural, text: text(4_000) }), triedLogsMax),
        }),
      ),
    },
  },
  publishes: {
    running: v.strictObject({ running: listOf(runningSchema, 256) }),
    /** What a worker got of the processor between two items, as it says itself: time by the clock, and what of it went to others. */
    probe: v.strictObject({ ranMs: amount, lostMs: amount, gaps: natural }),
    logs: v.strictObject({ job: jobIdSchema, index: natural, text: text(4_000) }),
  },
});
