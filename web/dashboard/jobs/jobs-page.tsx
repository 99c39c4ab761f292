import type { JobSummary } from '../../kernel/protocol/contracts/ledger.ts';
import { gallery } from '../../samples/gallery.ts';
import { submissions, useSubmissions } from '../new-job/submission.ts';
import { Empty, Skeleton } from '../pieces/pieces.tsx';
import { useSnapshot } from '../shell/deps.ts';
import { Heading, Link, navigate } from '../shell/router.tsx';
import { Notice } from '../shell/shell.tsx';
import { JobTable } from './job-table.tsx';

const moves = (job: JobSummary) => job.state === 'running' || job.state === 'queued';

export function JobsPage() {
  const jobs = useSnapshot((snapshot) => snapshot.jobs);
  const own = useSnapshot((snapshot) => snapshot.self?.identity);
  const mine = jobs?.filter((job) => job.manifest.submitter === own) ?? [];
  const others = jobs?.filter((job) => job.manifest.submitter !== own) ?? [];
  const active = mine.filter(moves).length;
  return (
    <>
      <div className="page-head">
        <div>
          <Heading title="Jobs">
            {jobs === null
              ? 'Your jobs'
              : mine.length === 0
                ? 'You have no jobs yet'
                : active === 0
                  ? 'None of your jobs is under way'
                  : active === 1
                    ? 'One of your jobs is under way'
                    : `${active} of your jobs are under way`}
          </Heading>
          <p className="mute">A job is your code, run once for each item of your input, in other people’s idle tabs.</p>
        </div>
        <button type="button" className="btn" onClick={() => navigate('/jobs/new')}>
          New job
        </button>
      </div>
      <Submissions />
      <section className="card" aria-label="Your jobs">
        {jobs === null ? (
          <Skeleton lines={4} label="Your jobs are being read" />
        ) : mine.length === 0 ? (
          <NoJobs />
        ) : (
          <JobTable jobs={mine} />
        )}
      </section>
      {others.length === 0 ? null : (
        <section className="card stack" aria-label="Other people’s jobs">
          <h2>Other people’s jobs in this group</h2>
          <JobTable jobs={others} from />
        </section>
      )}
    </>
  );
}

function NoJobs() {
  return (
    <Empty title="Try one of these, or write your own.">
      <div className="sample-links">
        {gallery.slice(0, 3).map((sample) => (
          <Link key={sample.id} to={`/jobs/new?sample=${sample.id}`} className="sample">
            <b>{sample.name}</b>
            <span className="mute sm">{sample.about}</span>
          </Link>
        ))}
      </div>
      <p className="sm">
        <Link to="/samples">All samples, each with its picture</Link>; or run one <Link to="/examples">from your own code</Link>
      </p>
    </Empty>
  );
}

/** Jobs on their way to the network: they have no id and no state there yet. */
function Submissions() {
  const pending = useSubmissions();
  return pending.map(({ key, name, step }) =>
    step.kind === 'failed' ? (
      <Notice key={key} tone="coral">
        <b>{name}</b> could not be handed over: {step.sentence}{' '}
        <button type="button" className="link" onClick={() => submissions.forget(key)}>
          Forget it
        </button>
      </Notice>
    ) : (
      <Notice key={key} tone="tide">
        <b>{name}</b> is uploading. Keep this tab open until it is handed over.
      </Notice>
    ),
  );
}
