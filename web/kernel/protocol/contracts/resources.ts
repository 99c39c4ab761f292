// What this tab may use now, and why not more (DESIGN section 4, Limits; first form).
import * as v from 'valibot';
import { contract, operation } from '../contract.ts';
import { donorStates } from '../offer.ts';
import { amount, empty, natural, positive, text } from '../schemas.ts';

export const limitsSchema = v.strictObject({
  cores: positive,
  idleAfterSeconds: amount,
  storageMiB: natural,
  /** 'ignore' is for tests and benches with several donors on one machine. */
  whenBusy: v.picklist(['yield', 'ignore']),
});
export type Limits = v.InferOutput<typeof limitsSchema>;

export const resourceStateSchema = v.strictObject({
  donating: v.boolean(),
  /** null until the person has been asked and has answered. */
  consent: v.nullable(v.boolean()),
  /** off: not donating. in use: input just now. cooling: the quiet time runs. idle: workers may run. */
  state: v.picklist(donorStates),
  reason: v.strictObject({ code: text(60), sentence: text(300) }),
  workersAllowed: natural,
  coresOfMachine: positive,
  /** How long nobody has touched the tab; and how long until workers may run (0 when they may, null when off). */
  quietMs: amount,
  resumesInMs: v.nullable(amount),
  limits: limitsSchema,
});
export type ResourceState = v.InferOutput<typeof resourceStateSchema>;

export const resourcesContract = contract({
  name: 'resources',
  resources: {
    state: { get: operation('local', empty, resourceStateSchema) },
    limits: { update: operation('local', v.partial(limitsSchema), resourceStateSchema) },
    /** Start or stop donating; remembered in the store. */
    consent: { replace: operation('local', v.strictObject({ donating: v.boolean() }), resourceStateSchema) },
  },
  publishes: {
    /** Published at once on every change: the executor's stop hangs on it. */
    state: resourceStateSchema,
  },
});
