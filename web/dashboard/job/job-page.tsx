import type { JobSummary } from '../../kernel/protocol/contracts/ledger.ts';
import type { Job, Overview } from '../../sdk/types.ts';
import { nameOf } from '../../kernel/lib/names.ts';
import { Bar, Empty, JobStateBadge, PeerName, Pill, Skeleton, Sparkline, type Tone } from '../pieces/pieces.tsx';
import { useCommand, useDeps, useSnapshot } from '../shell/deps.ts';
import { Heading, Link } from '../shell/router.tsx';
import { Notice } from '../shell/shell.tsx';
import { count, duration, percent, plural, rate, timeLeft } from '../view/format.ts';
import { emptySeries } from '../view/samples-over-time.ts';
import { downloadResults } from './download.ts';
import { KeepingCard } from './keeping-card.tsx';
import { MoreInput } from './more-input.tsx';
import { ReducedCard, usePictureSize } from './outcome.tsx';
import { PartsGrid } from './parts-grid.tsx';
import { Picture } from './picture.tsx';
import { Failures, ResultsTable } from './results.tsx';
import { hasEnded, useJob, useOverview } from './use-job.ts';

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
      return (
        <>
          <div>
            <JobsCrumb />
            <Heading title="Job">{jobId.test(id) ? 'This job is not to be found' : 'This is not the address of a job'}</Heading>
          </div>
          <div className="card">
            <Empty title={jobId.test(id) ? found.sentence : 'Part of the address may have been lost when it was copied.'}>
              <p className="mute sm">
                {jobId.test(id) ? 'If its keepers are away, it comes back with them. ' : ''}
                <Link to="/jobs">See your jobs.</Link>
              </p>
            </Empty>
          </div>
        </>
      );
    case 'found':
      return <FoundJob job={found.job} />;
  }
}

const JobsCrumb = () => (
  <p className="mute sm crumb">
    <Link to="/jobs">Jobs</Link> /
  </p>
);

function FoundJob({ job }: { job: Job }) {
  const own = useSnapshot((snapshot) => snapshot.self?.identity);
  const overview = useOverview(job);
  const picture = usePictureSize(job, overview);
  const mine = job.submitter === own;
  const shown = picture === null || overview === null ? null : { overview, size: picture };
  const order = (
    <section className="card stack" aria-label="Items in order">
      <h2>Items, in order</h2>
      {overview === null ? <Skeleton lines={5} /> : <PartsGrid items={job.progress.items} spans={overview.spans} />}
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
      <Situation job={job} />
      <ProgressCard job={job} overview={overview} mine={mine} />
      {mine && job.open && job.state !== 'uploading' ? <MoreInput job={job} /> : null}
      {picture === null && job.hasReduce && job.state === 'done' ? <ReducedCard job={job} mine={mine} /> : null}
      <div className="job-middle">
        <div className="job-column">{shown === null ? order : <Picture job={job} overview={shown.overview} {...shown.size} />}</div>
        <div className="job-column">
          <section className="card stack" aria-label="Throughput and peers">
            <h2>Throughput, items per second</h2>
            <Throughput job={job} />
            <h2>Where it runs</h2>
            {overview === null ? <Skeleton lines={3} /> : <WhereItRuns overview={overview} own={own} ended={hasEnded(job)} />}
          </section>
          {shown === null ? null : order}
        </div>
      </div>
      <KeepingCard job={job} mine={mine} />
      {overview === null ? null : <Failures job={job} overview={overview} mine={mine} />}
      <ResultsTable job={job} overview={overview} />
    </>
  );
}

function Actions({ job, mine }: { job: Job; mine: boolean }) {
  const { run, busy, problem } = useCommand();
  const { committed, failed } = job.progress;
  const nothing = committed + failed === 0;
  const open = mine && !hasEnded(job);
  return (
    <div className="actions">
      {open && job.state !== 'paused' ? (
        <button type="button" className="btn ghost" disabled={busy || job.state === 'uploading'} onClick={() => run(() => job.pause())}>
          Pause
        </button>
      ) : null}
      {open && job.state === 'paused' ? (
        <button type="button" className="btn ghost" disabled={busy} onClick={() => run(() => job.resume())}>
          Resume
        </button>
      ) : null}
      {open ? (
        <button type="button" className="btn ghost" disabled={busy || job.state === 'uploading'} onClick={() => run(() => job.cancel())}>
          Cancel
        </button>
      ) : null}
      <button type="button" className="btn ghost" disabled={busy || nothing} onClick={() => run(() => downloadResults(job, 'csv', mine))}>
        Download CSV
      </button>
      <button
        type="button"
        className="btn"
        disabled={busy || nothing}
        title="All results so far, as JSON"
        onClick={() => run(() => downloadResults(job, 'json', mine))}
      >
        Download results
      </button>
      {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
    </div>
  );
}

const comesBefore = (other: JobSummary, job: Job) =>
  other.state === 'running' && other.manifest.submitter === job.submitter && other.manifest.createdAt < job.createdAt;

/** One sentence on what the job waits for, or what went wrong. */
function Situation({ job }: { job: Job }) {
  const behind = useSnapshot((snapshot) => job.state === 'queued' && (snapshot.jobs?.some((other) => comesBefore(other, job)) ?? false));
  const { lull } = useDeps();
  const { run, busy, problem } = useCommand();
  const donating = useSnapshot((snapshot) => snapshot.resources?.value.donating ?? false);
  const donors = useSnapshot(
    (snapshot) => snapshot.group?.members.filter((member, i) => i > 0 && member.offer !== null && member.offer.state !== 'off').length ?? 0,
  );
  const { items, committed, failed } = job.progress;
  const left = items - committed - failed;
  if (job.state === 'failed') return <Notice tone="coral">{job.reason || 'The job failed.'}</Notice>;
  if (job.state === 'uploading') return <Notice tone="tide">Uploading: keep this tab open until the job is handed over.</Notice>;
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
      ) : job.reason === '' || (job.open && left === 0) ? null : (
        <Notice tone="dusk">{job.reason}</Notice>
      )}
      {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
    </>
  );
}

function ProgressCard({ job, overview, mine }: { job: Job; overview: Overview | null; mine: boolean }) {
  const { items, committed, failed, etaSeconds } = job.progress;
  // Whoever still holds a part of an ended job is stopping.
  const running = hasEnded(job) ? 0 : job.progress.running;
  const of = (n: number) => (items === 0 ? 0 : n / items);
  const runners = new Set(overview?.spans.filter(({ state, by }) => state === 'claimed' && by !== '').map(({ by }) => by)).size;
  const goesOn = job.state === 'running' || job.state === 'queued';
  const waits = goesOn && job.open && committed + failed >= items;
  const left = waits ? 'waits for more input' : goesOn && committed > 0 ? timeLeft(etaSeconds) : '';
  return (
    <section className="card stack" aria-label="Progress">
      <div className="between">
        <span>
          <b>{percent(of(committed + failed))}</b>{' '}
          <span className="mute">
            · {count(committed)} of {plural(items, 'item')}
            {job.open ? ' so far' : ''} done{failed > 0 ? `, ${count(failed)} failed` : ''}
            {running > 0 ? ` · ${count(running)} running${runners > 0 ? ` on ${plural(runners, 'peer')}` : ''}` : ''}
          </span>
        </span>
        <span className="mute">{left}</span>
      </div>
      <Bar
        thick
        label="Items done"
        value={of(committed + failed)}
        shares={[
          { tone: 'tide', share: of(committed) },
          { tone: 'coral', share: of(failed) },
          { tone: 'dusk', share: of(running) },
        ]}
      />
      <div className="between">
        <div className="legend sm mute">
          <span>
            <i className="tide" />
            done
          </span>
          <span>
            <i className="dusk" />
            running
          </span>
          <span>
            <i className="coral" />
            failed
          </span>
          <span>
            <i />
            waiting
          </span>
        </div>
        {mine && !hasEnded(job) && job.state !== 'uploading' ? <Closing closable={job.closable} /> : null}
      </div>
    </section>
  );
}

/** Whether the tab may be closed. Beside the legend, where its coming and going moves nothing. */
const Closing = ({ closable }: { closable: boolean }) =>
  closable ? (
    <span className="sm">
      <i className="dot tide" />
      You can close this tab. The job goes on, and its results wait for you.
    </span>
  ) : (
    <span className="sm waits">
      <i className="dot dusk" />
      Only this tab keeps the job so far: leave it open until somebody else joins the group.
    </span>
  );

const noRates = emptySeries(1_000, 180);

function Throughput({ job }: { job: Job }) {
  const series = useSnapshot((snapshot) => snapshot.jobRates[job.id]) ?? noRates;
  return (
    <Sparkline
      series={series}
      label="Items per second"
      unit="/ s"
      format={rate}
      ended={hasEnded(job)}
      empty={hasEnded(job) ? 'This tab saw too little of the job to draw a line.' : 'A line appears here when the first parts are done.'}
    />
  );
}

const toneOf: Record<string, Tone> = { idle: 'tide', cooling: 'dusk', 'in use': 'dusk', off: 'mute', gone: 'mute' };

function WhereItRuns({ overview, own, ended }: { overview: Overview; own: string | undefined; ended: boolean }) {
  const members = useSnapshot((snapshot) => snapshot.group?.members);
  const { contributors } = overview;
  if (contributors.length === 0) return <p className="mute sm">{ended ? 'Nobody finished a part.' : 'Nobody has finished a part yet.'}</p>;
  return (
    <div className="scroll">
      <table className="compact">
        <thead>
          <tr>
            <th scope="col">Peer</th>
            <th scope="col" className="num">
              Items
            </th>
            <th scope="col" className="num wide">
              Parts
            </th>
            <th scope="col" className="num">
              CPU time
            </th>
            <th scope="col">Now</th>
          </tr>
        </thead>
        <tbody>
          {contributors.slice(0, 24).map(({ identity, items, parts, tookMs }) => {
            const member = members?.find((each) => each.identity === identity);
            const state = member === undefined ? 'gone' : (member.offer?.state ?? 'off');
            return (
              <tr key={identity}>
                <td>
                  <PeerName identity={identity} self={own} />
                </td>
                <td className="num">{count(items)}</td>
                <td className="num wide">{count(parts)}</td>
                <td className="num">{duration(tookMs)}</td>
                <td>
                  <Pill tone={toneOf[state] ?? 'mute'}>{state}</Pill>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
