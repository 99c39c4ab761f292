// Why nothing runs in this tab, in a sentence for its person. Pure.
import type { JobId } from '../../lib/ids.ts';
import type { JobSummary } from '../../protocol/contracts/ledger.ts';
import { isOpen, wantsWork } from './open-jobs.ts';

export interface WaitingFacts {
  /** Some worker may run. */
  readonly mayRun: boolean;
  /** Why none may; undefined until the machine has been looked at. */
  readonly reason: string | undefined;
  readonly inHand: number;
  readonly jobs: readonly JobSummary[];
  /** Its person chose not to run it. */
  isExcluded(job: JobSummary): boolean;
  /** Why the job is left alone for a while; undefined where it is not. */
  restOf(job: JobId): string | undefined;
  /** Functions that could be claimed when it was asked last. */
  readonly claimable: number;
}

/** '' while something runs. */
export function waitingFor({ mayRun, reason, inHand, jobs, isExcluded, restOf, claimable }: WaitingFacts): string {
  if (!mayRun) return reason ?? 'This tab is still starting.';
  if (inHand > 0) return '';
  const all = jobs.filter(isOpen);
  const open = all.filter((job) => !isExcluded(job));
  if (open.length === 0 && all.length > 0) return 'The jobs that wait are none of those you chose to run.';
  if (open.length === 0) return jobs.some(({ state }) => state === 'paused') ? 'All waiting jobs are paused.' : 'No job is waiting.';
  const wanting = open.filter(wantsWork);
  if (wanting.length === 0) return 'The open jobs wait for more input.';
  const rests = wanting.flatMap(({ id }) => restOf(id) ?? []);
  if (rests.length === wanting.length) return rests[0]!;
  return claimable > 0 ? 'Asking for a part to work on.' : 'Others are working on all parts there are.';
}
