// What this tab may use now, and why not more (DESIGN section 4, Limits).
import * as v from 'valibot';
import { isHex32, isHex64 } from '../../lib/ids.ts';
import { contract, operation } from '../contract.ts';
import { donorStates } from '../offer.ts';
import { reasonCodes } from '../reasons.ts';
import { amount, empty, identityIdSchema, listOf, natural, positive, text } from '../schemas.ts';

export const neverMax = 512;
export const followMax = 256;
const minutesOfDay = 1_440;
const minute = v.pipe(natural, v.maxValue(minutesOfDay));

/** The id of a submitter, a job or a group. */
const neverSchema = v.custom<string>((input) => typeof input === 'string' && (isHex64(input) || isHex32(input)), 'not an id');

/** Hours of the week in which work may run, by the machine's own time; `until` before `from` runs past midnight, equal is the whole day. */
export const hoursSchema = v.strictObject({
  /** 0 is Sunday; the day on which it begins. */
  days: v.pipe(listOf(v.pipe(natural, v.maxValue(6)), 7), v.minLength(1)),
  from: minute,
  until: minute,
});
export type Hours = v.InferOutput<typeof hoursSchema>;

export const limitsSchema = v.strictObject({
  /** While nobody uses the machine. */
  cores: positive,
  /** While somebody does. */
  coresInUse: natural,
  /** Percent of the time that a worker computes; the rest it rests, so that fans stay quiet. */
  shareOfTime: v.pipe(natural, v.minValue(10), v.maxValue(100)),
  idleAfterSeconds: amount,
  /** What all workers together may take; a worker counts for `workerMiB`. */
  memoryMiB: natural,
  storageMiB: natural,
  uploadMiBPerDay: natural,
  downloadMiBPerDay: natural,
  onBattery: v.boolean(),
  onMetered: v.boolean(),
  /** 'ignore' is for tests and benches with several donors on one machine. */
  whenBusy: v.picklist(['yield', 'ignore']),
  /** Empty: at any time. */
  schedule: listOf(hoursSchema, 16),
  /** Whose jobs are run: everybody's, or only those of whom `follow` names. One's own always are. */
  jobs: v.picklist(['all', 'followed']),
  /** Whom this person follows: each has a share of the machine of its own. */
  follow: listOf(identityIdSchema, followMax),
  /** Submitters, jobs, and groups of which no job at home there is run here. */
  never: listOf(neverSchema, neverMax),
});
export type Limits = v.InferOutput<typeof limitsSchema>;

export const pauseMsMax = 7 * 24 * 3_600_000;

/** What a worker is counted for. */
export const workerMiB = 128;

const reasonSchema = v.strictObject({ code: v.picklist(['', ...reasonCodes]), sentence: text(300) });
export type Reason = v.InferOutput<typeof reasonSchema>;

/** What the machine told; null where the browser does not tell. */
export const machineSignalsSchema = v.strictObject({
  battery: v.nullable(v.strictObject({ charging: v.boolean(), /** 0 to 1. */ level: amount })),
  /** Of the whole machine, our own load included. */
  pressure: v.nullable(v.picklist(['nominal', 'fair', 'serious', 'critical'])),
  /** Data saver, a mobile network, or one that its person called metered. */
  metered: v.nullable(v.boolean()),
  /** 'active': somebody used the machine within the last minute, in whatever program. */
  person: v.nullable(v.picklist(['active', 'away'])),
  /** Of the memory that the browser gives to this page, 0 to 1. */
  heapShare: v.nullable(amount),
  /** The browser has frozen the page, or is about to. */
  frozen: v.boolean(),
});
export type MachineSignals = v.InferOutput<typeof machineSignalsSchema>;

export const resourceStateSchema = v.strictObject({
  donating: v.boolean(),
  /** null until the person has been asked and has answered. */
  consent: v.nullable(v.boolean()),
  /**
   * off: not donating. in use: input just now. cooling: the quiet time runs. idle: workers may run. constrained: nobody is there, but
   * something else holds all work back. stopped: no new work is begun (finishing, or frozen).
   */
  state: v.picklist(donorStates),
  /** The first of `reasons`; '' while work may run to the limits. */
  reason: reasonSchema,
  /** All that hold work back now, the strongest first. */
  reasons: listOf(reasonSchema, 32),
  workersAllowed: natural,
  /** No new part is begun; those that run may end. */
  finishing: v.boolean(),
  coresOfMachine: positive,
  /** How long nobody has touched the tab; and how long until workers may run (0 when they may, null when nobody knows). */
  quietMs: amount,
  resumesInMs: v.nullable(amount),
  limits: limitsSchema,
  /** By the machine's own calendar. */
  today: v.strictObject({ uploadMiB: amount, downloadMiB: amount }),
  /** How much of the processor others took from our workers, 0 to 1, of late; null while nothing is measured. */
  takenByOthers: v.nullable(amount),
  signals: machineSignalsSchema,
});
export type ResourceState = v.InferOutput<typeof resourceStateSchema>;

export const resourcesContract = contract({
  name: 'resources',
  resources: {
    state: { get: operation('local', empty, resourceStateSchema) },
    limits: { update: operation('local', v.partial(limitsSchema), resourceStateSchema) },
    /** No work for so long, whatever else is the case; 0 goes on. Remembered in the store. */
    pause: { replace: operation('local', v.strictObject({ ms: v.pipe(amount, v.maxValue(pauseMsMax)) }), resourceStateSchema) },
    consent: {
      /** Start or stop donating; remembered in the store. `finish`: stop as soon as the parts that run now have ended. */
      replace: operation('local', v.strictObject({ donating: v.boolean(), finish: v.optional(v.boolean()) }), resourceStateSchema),
    },
  },
  publishes: {
    /** Published at once on every change: the executor's stop hangs on it. */
    state: resourceStateSchema,
  },
});
