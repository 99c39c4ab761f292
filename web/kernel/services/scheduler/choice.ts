// Whose jobs this donor runs: what its person chose. One's own are always run. Pure.
import type { IdentityId } from '../../lib/ids.ts';
import type { JobSummary } from '../../protocol/contracts/ledger.ts';
import type { Limits } from '../../protocol/contracts/resources.ts';
import type { ExclusionCode } from '../../protocol/exclusions.ts';

export type Choice = Pick<Limits, 'jobs' | 'follow' | 'never' | 'memoryMiB'>;

/** Why not; '' where it may run. Which list it is on is nobody else's business. */
export function excluded(
  { id, manifest, home }: Pick<JobSummary, 'id' | 'manifest' | 'home'>,
  choice: Choice | undefined,
  self: IdentityId,
): Extract<ExclusionCode, 'job-memory' | 'not-chosen'> | '' {
  if (choice === undefined) return '';
  if ((manifest.memoryMiB ?? 0) > choice.memoryMiB) return 'job-memory';
  if (manifest.submitter === self) return '';
  // A group is where a job is at home now, and where it was submitted: it may have got another home since.
  if ([id, manifest.submitter, home, manifest.home].some((each) => choice.never.includes(each))) return 'not-chosen';
  if (choice.jobs === 'followed' && !choice.follow.includes(manifest.submitter)) return 'not-chosen';
  return '';
}

export const sameChoice = (a: Choice | undefined, b: Choice): boolean =>
  a !== undefined && a.jobs === b.jobs && a.memoryMiB === b.memoryMiB && sameList(a.follow, b.follow) && sameList(a.never, b.never);

const sameList = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((one, i) => one === b[i]);
