// Which jobs go on, and which of them ask for work. Pure.
import type { JobSummary } from '../../protocol/contracts/ledger.ts';

export const isOpen = ({ state }: JobSummary) => state === 'queued' || state === 'running';

/** An open job of which all is decided has nothing to claim until more input comes, or items are opened again. */
export const wantsWork = (job: JobSummary) => isOpen(job) && job.committed + job.failed < job.items;
