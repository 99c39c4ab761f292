// Whose job this tab serves next. Pure: submitters take turns, each submitter's own jobs go by priority, then by age.
import type { IdentityId, JobId } from '../../lib/ids.ts';

export interface Wanting {
  readonly id: JobId;
  readonly submitter: IdentityId;
  readonly priority: number;
  /** By the submitter's clock: orders only its own jobs. */
  readonly createdAt: number;
}

export interface Served {
  /** Functions of this submitter that this tab has in hand now. */
  readonly inHand: number;
  /** When one of its functions was last taken here; earlier goes first. */
  readonly lastAt: number;
}

const nothing: Served = { inHand: 0, lastAt: -Infinity };

/** Jobs in order of preference: of whom the fewest are in hand here, then who waited longest; the rest follows in turn. */
export function orderJobs(jobs: readonly Wanting[], served: ReadonlyMap<IdentityId, Served>): JobId[] {
  const bySubmitter = new Map<IdentityId, Wanting[]>();
  for (const job of jobs) bySubmitter.set(job.submitter, [...(bySubmitter.get(job.submitter) ?? []), job]);
  return [...bySubmitter]
    .map(([submitter, own]) => ({ submitter, own, ...(served.get(submitter) ?? nothing) }))
    .toSorted((a, b) => a.inHand - b.inHand || compare(a.lastAt, b.lastAt) || compare(a.submitter, b.submitter))
    .flatMap(({ own }) => own.toSorted((a, b) => b.priority - a.priority || a.createdAt - b.createdAt || compare(a.id, b.id)))
    .map(({ id }) => id);
}

const compare = <T extends string | number>(a: T, b: T) => (a < b ? -1 : a > b ? 1 : 0);
