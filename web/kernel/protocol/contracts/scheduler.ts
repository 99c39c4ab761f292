// Decides what this tab works on next, and, when it is its turn, keeps the queue filled (steward).
import * as v from 'valibot';
import { contract, operation } from '../contract.ts';
import { amount, empty, jobIdSchema, natural, text } from '../schemas.ts';

export const schedulerContract = contract({
  name: 'scheduler',
  resources: {
    /** The submitter asks for the first functions to be appended; answers when they are held. */
    jobs: { submit: operation('local', v.strictObject({ job: jobIdSchema }), v.strictObject({ functions: natural })) },
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
