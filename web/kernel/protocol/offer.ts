// What a member offers: metrics of its machine and of its sandbox, carried by membership's probes.
import * as v from 'valibot';
import { amount, natural, text } from './schemas.ts';

export const donorStates = ['off', 'in use', 'cooling', 'idle', 'constrained', 'stopped'] as const;

export const offerSchema = v.strictObject({
  state: v.picklist(donorStates),
  /** Named reason (reasons.ts) why nothing, or not more, runs; '' while work may run. A newer tab may name one that is not known here. */
  reason: text(60),
  machine: v.strictObject({ cores: natural, memoryMiB: v.nullable(amount) }),
  sandbox: v.strictObject({
    workersAllowed: natural,
    workersRunning: natural,
    claimed: natural,
    itemsPerSecond: amount,
    /** How long work may go on there before somebody interrupts it: the median of the last stretches. Absent until there were some. */
    stretchSeconds: v.optional(natural),
  }),
  storage: v.strictObject({ keeps: v.boolean(), usedMiB: amount, allowedMiB: amount }),
});
export type Offer = v.InferOutput<typeof offerSchema>;
