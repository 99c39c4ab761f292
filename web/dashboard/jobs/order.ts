// In which order jobs are listed. Pure.
import type { JobSummary } from '../../kernel/protocol/contracts/ledger.ts';

const rankOf: Record<JobSummary['state'], number> = { running: 0, queued: 1, paused: 2, failed: 3, done: 3, cancelled: 3 };

/** What is under way first, in the order in which it is worked on (priority, then age); then what is paused, then what has ended, the newest first. */
export function listed(jobs: readonly JobSummary[]): JobSummary[] {
  return jobs.toSorted((a, b) => {
    const rank = rankOf[a.state];
    if (rank !== rankOf[b.state]) return rank - rankOf[b.state];
    const age = a.manifest.createdAt - b.manifest.createdAt || (a.id < b.id ? -1 : 1);
    return rank < 2 ? b.priority - a.priority || age : -age;
  });
}

/** Those whose name has all words of `filter`, in any order and case. */
export function named(jobs: readonly JobSummary[], filter: string): readonly JobSummary[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return jobs;
  return jobs.filter(({ manifest: { name } }) => words.every((word) => name.toLowerCase().includes(word)));
}
