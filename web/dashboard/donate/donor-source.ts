// What the donor's page asks the kernel beyond the public API: a pause, and what this machine did.
import { resourcesContract } from '../../kernel/protocol/contracts/resources.ts';
import { schedulerContract, type Receipt } from '../../kernel/protocol/contracts/scheduler.ts';
import type { Bus } from '../../kernel/service.ts';

export type { Receipt } from '../../kernel/protocol/contracts/scheduler.ts';

export interface DonorSource {
  /** No work for so long; 0 goes on. Rejects with a sentence. */
  pause(ms: number): Promise<void>;
  /** What this machine did, the latest job first. Rejects with a sentence. */
  receipts(): Promise<readonly Receipt[]>;
}

/** `bus` is the kernel's of the moment: it is another one when this tab takes the profile's store over. */
export function donorSource(bus: () => Bus): DonorSource {
  return {
    async pause(ms) {
      const answer = await bus().ask(resourcesContract, 'pause', 'replace', { ms });
      if (!answer.ok) throw new Error(answer.fault.message);
    },
    async receipts() {
      const answer = await bus().ask(schedulerContract, 'receipts', 'query', {});
      if (!answer.ok) throw new Error(answer.fault.message);
      return answer.value.body.receipts;
    },
  };
}
