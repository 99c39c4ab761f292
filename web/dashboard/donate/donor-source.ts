// What the donor's page asks the kernel beyond the public API: limits by themselves, a pause, and what this machine did.
import { abuseContract } from '../../kernel/protocol/contracts/abuse.ts';
import { resourcesContract, type Limits } from '../../kernel/protocol/contracts/resources.ts';
import { schedulerContract, type Receipt } from '../../kernel/protocol/contracts/scheduler.ts';
import type { JobId } from '../../kernel/lib/ids.ts';
import type { ReportReason } from '../../kernel/protocol/deny-list.ts';
import type { Bus } from '../../kernel/service.ts';

export type { Receipt } from '../../kernel/protocol/contracts/scheduler.ts';

/** The server is waited for. */
const reportTimeoutMs = 30_000;

export interface DonorSource {
  /** What the person allows, and no word on whether they donate: while the store is not open yet nobody here knows that. Rejects with a sentence. */
  limit(change: Partial<Limits>): Promise<void>;
  /** No work for so long; 0 goes on. Rejects with a sentence. */
  pause(ms: number): Promise<void>;
  /** What this machine did, the latest job first. Rejects with a sentence. */
  receipts(): Promise<readonly Receipt[]>;
  /** Never runs the job here again and reports it to the operator. Answers '' where they have the report, else why it waits. Rejects with a sentence. */
  report(job: JobId, words: ReportWords): Promise<string>;
}

export interface ReportWords {
  readonly reason: ReportReason;
  readonly words: string;
  /** Never run anything of whoever submitted it, either. */
  readonly submitter: boolean;
}

/** `bus` is the kernel's of the moment: it is another one when this tab takes the profile's store over. */
export function donorSource(bus: () => Bus): DonorSource {
  return {
    async limit(change) {
      const answer = await bus().ask(resourcesContract, 'limits', 'update', change);
      if (!answer.ok) throw new Error(answer.fault.message);
    },
    async pause(ms) {
      const answer = await bus().ask(resourcesContract, 'pause', 'replace', { ms });
      if (!answer.ok) throw new Error(answer.fault.message);
    },
    async receipts() {
      const answer = await bus().ask(schedulerContract, 'receipts', 'query', {});
      if (!answer.ok) throw new Error(answer.fault.message);
      return answer.value.body.receipts;
    },
    async report(job, words) {
      const answer = await bus().ask(abuseContract, 'reports', 'create', { job, ...words }, { timeoutMs: reportTimeoutMs });
      if (!answer.ok) throw new Error(answer.fault.message);
      return answer.value.body.why;
    },
  };
}
