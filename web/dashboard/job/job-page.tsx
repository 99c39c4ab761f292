import { useMemo } from 'react';
import type { Job, Span } from '../../sdk/types.ts';
import { nameOf } from '../../kernel/lib/names.ts';
import { GuideStep } from '../guide/guide.tsx';
import { Empty, JobStateBadge, Skeleton } from '../pieces/pieces.tsx';
import { whyDenied } from '../donate/denied-words.ts';
import { useSnapshot } from '../shell/deps.ts';
import { Heading, Link } from '../shell/router.tsx';
import { Actions } from './actions.tsx';
import { Failures } from './failures.tsx';
import { KeepingCard } from './keeping-card.tsx';
import { LogsCard } from './logs-card.tsx';
import { MembersCard } from './members-card.tsx';
import { MoreInput } from './more-input.tsx';
import { ReducedCard, usePictureSize } from './outcome.tsx';
import { OverTime, useHistory } from './over-time.tsx';
import { PartsGrid } from './parts-grid.tsx';
import { Picture } from './picture.tsx';
import { ProgressCard } from './progress-card.tsx';
import { ResultsCard } from './results-card.tsx';
import { Situation } from './situation.tsx';
import { SourceCard } from './source-card.tsx';
import { hasEnded, useJob, useOverview } from './use-job.ts';
import { useStanding } from './use-standing.ts';
import { WhereItRuns } from './where-it-runs.tsx';

const jobId = /^[0-9a-f]{64}$/;

export function JobPage({ id }: { id: string }) {
  const found = useJob(id);
  switch (found.kind) {
    case 'looking':
      return (
        <>
          <div>
            <JobsCrumb />
            <Heading title="Job">Looking for this job</Heading>
          </div>
          <div className="card">
            <Skeleton lines={6} />
          </div>
        </>
      );
    case 'missing':
      return <MissingJob id={id} sentence={found.sentence} />;
    case 'found':
      return <FoundJob job={found.job} />;
  }
}

function MissingJob({ id, sentence }: { id: string; sentence: string }) {
  const denied = useSnapshot((snapshot) => whyDenied(snapshot.denied, id));
  const isId = jobId.test(id);
  return (
    <>
      <div>
        <JobsCrumb />
        <Heading title="Job">
          {denied !== undefined ? 'This job is denied' : isId ? 'This job is not to be found' : 'This is not the address of a job'}
        </Heading>
      </div>
      <div className="card">
        <Empty title={denied ?? (isId ? sentence : 'Part of the address may have been lost when it was copied.')}>
          <p className="mute sm">
            {isId && denied === undefined ? 'If its keepers are away, it comes back with them. ' : ''}
            <Link to="/jobs">See your jobs.</Link>
          </p>
        </Empty>
      </div>
    </>
  );
}

const JobsCrumb = () => (
  <p className="mute sm crumb">
    <Link to="/jobs">Jobs</Link> /
  </p>
);

const unclaimed = (span: Span): Span => ({ ...span, state: 'waiting', by: '' });

function FoundJob({ job }: { job: Job }) {
  const own = useSnapshot((snapshot) => snapshot.self?.identity);
  const overview = useOverview(job);
  const { standing, idle } = useStanding(job);
  const history = useHistory(job.id, overview);
  const picture = usePictureSize(job, overview);
  const mine = job.submitter === own;
  const ended = hasEnded(job);
  // Where nobody works on it a claim that is known of has been given back, or its tab is gone.
  const spans = useMemo(
    () => (idle ? (overview?.spans ?? []).map((span) => (span.state === 'claimed' ? unclaimed(span) : span)) : (overview?.spans ?? [])),
    [overview, idle],
  );
  const shown = picture === null || overview === null ? null : { overview, size: picture };
  const order = (
    <section className="card stack" aria-label="Items in order">
      <h2>Items, in order</h2>
      {overview === null ? <Skeleton lines={5} /> : <PartsGrid items={job.progress.items} spans={spans} />}
    </section>
  );
  return (
    <>
      <div className="page-head">
        <div>
          <JobsCrumb />
          <div className="title-line">
            <Heading>{job.name}</Heading>
            {job.state === 'uploading' ? null : <JobStateBadge state={job.state} />}
          </div>
          {mine ? null : (
            <p className="mute sm">
              submitted by {nameOf(job.submitter)}
              {job.open ? ' · open: takes more input' : ''}
            </p>
          )}
        </div>
        <Actions job={job} mine={mine} />
      </div>
      {mine ? <GuideStep at={ended ? 'done' : job.progress.committed > 0 ? 'running' : 'waiting'} /> : null}
      <Situation job={job} waitsFor={idle ? (standing?.sentence ?? '') : ''} />
      <ProgressCard job={job} overview={overview} mine={mine} idle={idle} />
      {mine && job.open && job.state !== 'uploading' ? <MoreInput job={job} /> : null}
      {picture === null && job.hasReduce && job.state === 'done' ? <ReducedCard job={job} mine={mine} /> : null}
      <div className="job-middle">
        <div className="job-column">{shown === null ? order : <Picture job={job} overview={shown.overview} {...shown.size} />}</div>
        <div className="job-column">
          <section className="card stack" aria-label="Throughput and peers">
            <h2>Items per second, and whose</h2>
            <div className="over-time">
              <OverTime history={history} ended={ended} />
            </div>
            {overview === null || (overview.contributors.length === 0 && job.progress.committed > 0) ? (
              <Skeleton lines={3} />
            ) : (
              <WhereItRuns overview={overview} own={own} ended={ended} />
            )}
          </section>
          {shown === null ? null : order}
        </div>
      </div>
      {ended || job.state === 'uploading' ? null : <MembersCard standing={standing} own={own} paused={job.state === 'paused'} />}
      {overview === null ? null : <Failures job={job} overview={overview} mine={mine} />}
      <ResultsCard job={job} overview={overview} />
      <LogsCard job={job} overview={overview} />
      <SourceCard job={job} />
      <KeepingCard job={job} mine={mine} />
    </>
  );
}
