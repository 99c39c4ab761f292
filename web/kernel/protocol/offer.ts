// What a member offers: metrics of its machine and of its sandbox, carried by membership's probes.
import * as v from 'valibot';
import { amount, natural, text } from './schemas.ts';

export const donorStates = ['off', 'in use', 'cooling', 'idle'] as const;

export const offerSchema = v.strictObject({
  state: v.picklist(donorStates),
  /** Named reason why nothing (or not more) runs; '' while work may run. */
  reason: text(60),
  machine: v.strictObject({ cores: natural, memoryMiB: v.nullable(amount) }),
  sandbox: v.strictObject({ workersAllowed: natural, workersRunning: natural, claimed: natural, itemsPerSecond: amount }),
  storage: v.strictObject({ keeps: v.boolean(), usedMiB: amount, allowedMiB: amount }),
});
export type Offer = v.InferOutput<typeof offerSchema>;
