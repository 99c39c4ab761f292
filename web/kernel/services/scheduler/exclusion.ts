// Why this tab runs nothing of one job, for whoever waits for it. Pure.
import type { IdentityId } from '../../lib/ids.ts';
import type { JobSummary } from '../../protocol/contracts/ledger.ts';
import type { ResourceState } from '../../protocol/contracts/resources.ts';
import type { ExclusionCode } from '../../protocol/exclusions.ts';
import type { ReasonCode } from '../../protocol/reasons.ts';
import { excluded } from './choice.ts';

/** Why a job is left alone for a while. */
export type LeftAlone = Extract<ExclusionCode, 'unloadable' | 'no-data' | 'broken'>;

export interface ExclusionFacts {
  readonly self: IdentityId;
  /** undefined: not known here. */
  readonly job: Pick<JobSummary, 'id' | 'manifest' | 'home'> | undefined;
  /** The job has something to run. */
  readonly wanted: boolean;
  /** undefined until the machine has been looked at. */
  readonly resources: Pick<ResourceState, 'state' | 'reason' | 'workersAllowed' | 'finishing' | 'limits'> | undefined;
  readonly leftAlone: LeftAlone | undefined;
  /** Functions of other jobs in hand. */
  readonly others: number;
  /** Functions that could be claimed when it was asked last. */
  readonly claimable: number;
}

/** What would still be so tomorrow is named before what may be over in a moment. */
export function exclusionOf(facts: ExclusionFacts): ExclusionCode | ReasonCode {
  const { self, job, wanted, resources, leftAlone, others, claimable } = facts;
  if (job === undefined) return 'not-known';
  if (resources === undefined) return 'starting';
  const { code } = resources.reason;
  if (resources.state === 'off' && code !== '') return code;
  const choice = excluded(job, resources.limits, self);
  if (choice !== '') return choice;
  if (resources.workersAllowed === 0 || resources.finishing) return code === '' ? 'starting' : code;
  if (!wanted) return 'nothing-wanted';
  return leftAlone ?? (others > 0 ? 'other-jobs' : claimable > 0 ? 'about-to' : 'none-free');
}
