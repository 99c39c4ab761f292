import type { JobSummary } from '../../kernel/protocol/contracts/ledger.ts';
import type { Job } from '../../sdk/types.ts';
import { useCommand, useDeps, useSnapshot } from '../shell/deps.ts';
import { Link } from '../shell/router.tsx';
import { Notice } from '../shell/shell.tsx';
import { hasEnded } from './use-job.ts';

/** What browsers say of code comes without an end. */
const sentenceEnded = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`);

const comesBefore = (other: JobSummary, job: Job) =>
  other.state === 'running' && other.manifest.submitter === job.submitter && other.manifest.createdAt < job.createdAt;

/** One sentence on what the job waits for, or what went wrong. `waitsFor`: what keeps the members from it, where nobody works on it. */
export function Situation({ job, waitsFor }: { job: Job; waitsFor: string }) {
  const behind = useSnapshot((snapshot) => job.state === 'queued' && (snapshot.jobs?.some((other) => comesBefore(other, job)) ?? false));
  const { lull } = useDeps();
  const { run, busy, problem } = useCommand();
  const donating = useSnapshot((snapshot) => snapshot.resources?.value.donating ?? false);
  // Where work may run here the machine is not what the job waits for.
  const ownReason = useSnapshot((snapshot) => {
    const { code, sentence } = snapshot.resources?.value.reason ?? { code: '', sentence: '' };
    return code === '' ? '' : sentence;
  });
  const donors = useSnapshot(
    (snapshot) => snapshot.group?.members.filter((member, i) => i > 0 && member.offer !== null && member.offer.state !== 'off').length ?? 0,
  );
  const { items, committed, failed } = job.progress;
  const left = items - committed - failed;
  if (job.state === 'failed')
    return (
      <Notice tone="coral">
        {sentenceEnded(job.reason || 'The job failed.')}
        {job.id === '' ? null : (
          <>
            {' '}
            <Link to={`/jobs/new?from=${job.id}`}>Change it and submit it once more</Link>; what was done stays here.
          </>
        )}
      </Notice>
    );
  if (job.state === 'uploading') return <Notice tone="tide">Uploading: keep this tab open until the job is handed over.</Notice>;
  if (job.state === 'cancelled')
    return (
      <Notice tone="dusk">
        The job is cancelled: nothing more is computed, and what was done stays here.{' '}
        <Link to={`/jobs/new?from=${job.id}`}>Submit it once more</Link>, changed or as it was.
      </Notice>
    );
  if (hasEnded(job)) return job.reason === '' ? null : <Notice tone="dusk">{job.reason}</Notice>;
  return (
    <>
      {donors === 0 && !donating && job.state !== 'paused' && left > 0 ? (
        <Notice tone="dusk">
          <span>Nobody in the group is donating just now, so the job waits. </span>
          <button type="button" className="link" disabled={busy} onClick={() => run(() => lull.donate(true))}>
            Compute it in this tab
          </button>
          <span> while nobody uses this machine.</span>
        </Notice>
      ) : behind ? (
        <Notice tone="dusk">
          Jobs of one person go by their age, so an earlier one comes first. This one starts as soon as that leaves room.
        </Notice>
      ) : donors === 0 && donating && ownReason !== '' && job.state === 'queued' && left > 0 ? (
        <Notice tone="dusk">Only this tab could work on it just now. {ownReason}</Notice>
      ) : waitsFor !== '' && job.state !== 'paused' && left > 0 ? (
        <Notice tone="dusk">
          {job.reason === '' ? 'Nobody works on it just now.' : job.reason} {waitsFor}
        </Notice>
      ) : job.reason === '' || (job.open && left === 0) ? null : (
        <Notice tone="dusk">{job.reason}</Notice>
      )}
      {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
    </>
  );
}
