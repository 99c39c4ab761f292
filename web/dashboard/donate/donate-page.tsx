import { useState } from 'react';
import { nameOf } from '../../kernel/lib/names.ts';
import type { ResourceState } from '../../kernel/protocol/contracts/resources.ts';
import { Bar, Empty, Skeleton, Sparkline } from '../pieces/pieces.tsx';
import { TableHead } from '../pieces/table-head.tsx';
import { useCommand, useDeps, useNow, useSnapshot } from '../shell/deps.ts';
import { Heading, Link } from '../shell/router.tsx';
import { Notice } from '../shell/shell.tsx';
import { bytes, count, duration, items, plural, rate } from '../view/format.ts';
import { ChoiceCard } from './choice-card.tsx';
import { HistoryCard } from './history-card.tsx';
import { JobDialog } from './job-dialog.tsx';
import { LimitsCard } from './limits-card.tsx';
import { Opening } from './opening.tsx';
import { Ring } from './ring.tsx';
import { donating, secondTabHeading } from './wording.ts';

const pauseMs = 3_600_000;

export function DonatePage() {
  const resources = useSnapshot((snapshot) => snapshot.resources);
  const running = useSnapshot((snapshot) => snapshot.running.value);
  const waitingFor = useSnapshot((snapshot) => snapshot.given.waitingFor);
  // A tab that keeps nothing because the browser does not let it is nobody's second.
  const secondTab = useSnapshot(
    (snapshot) => snapshot.group !== null && snapshot.group.members[0]?.store === null && snapshot.storageProblem === '',
  );
  const now = useNow(500, resources !== null);
  const { lull, durable, donor } = useDeps();
  const { run, busy, problem } = useCommand();
  const start = () => {
    // What is kept for others should outlast a full disk. The browser may show the question to the person, who has just said yes.
    void durable.ask();
    run(() => lull.donate(true));
  };
  if (resources === null) {
    return (
      <>
        <div className="page-head">
          <Heading title="Donate">Lull is starting</Heading>
        </div>
        <div className="card">
          <Skeleton lines={6} />
        </div>
      </>
    );
  }
  const said = donating(resources.value, running, Math.max(0, now - resources.atMs), waitingFor);
  const on = resources.value.donating;
  const paused = resources.value.reason.code === 'paused';
  const working = running.some(({ phase }) => phase === 'running');
  // Elsewhere the way to the button has stopped what it would finish.
  const goesOnBeside = resources.value.limits.coresInUse > 0 || resources.value.limits.whenBusy === 'ignore';
  if (resources.value.consent === null && !on && !secondTab)
    return (
      <>
        <Opening resources={resources.value} busy={busy} onStart={start} />
        {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
        <LimitsCard resources={resources.value} />
        <ChoiceCard resources={resources.value} />
      </>
    );
  return (
    <>
      <div className="page-head">
        <div>
          <Heading title="Donate">{secondTab && !on ? secondTabHeading : said.heading}</Heading>
          <p className="mute">
            {secondTab && !on
              ? 'That one speaks for this browser and keeps its data. This one can submit and watch; if the other closes, this one takes over.'
              : said.sentence}
          </p>
          {on ? <Reasons reasons={said.beside} /> : null}
        </div>
        {on ? (
          <div className="stop">
            <button className="btn ghost" type="button" disabled={busy} onClick={() => run(() => lull.donate(false))}>
              Stop donating
            </button>
            {paused ? (
              <button className="link sm" type="button" disabled={busy} onClick={() => run(() => donor.pause(0))}>
                Go on now
              </button>
            ) : (
              <button className="link sm" type="button" disabled={busy} onClick={() => run(() => donor.pause(pauseMs))}>
                Pause for an hour
              </button>
            )}
            {working && goesOnBeside && !resources.value.finishing ? (
              <button
                className="link sm"
                type="button"
                disabled={busy}
                onClick={() => run(() => lull.donate(false, undefined, { finish: true }))}
              >
                Finish current parts, then stop
              </button>
            ) : null}
          </div>
        ) : null}
      </div>
      {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
      <KeptNotice />
      {on || secondTab ? null : <Again resources={resources.value} busy={busy} onStart={start} />}
      <div className="donate-top">
        <section className="card ring-card" aria-label="Now">
          <Ring {...said.ring} {...(secondTab && !on ? { below: 'the other tab may donate' } : {})} tone={said.tone} />
        </section>
        <section className="card stack">
          <h2>Running now</h2>
          <div className="running">
            <RunningTable />
          </div>
          <h2>Cores given to others</h2>
          <GivenChart />
        </section>
      </div>
      <Tiles secondTab={secondTab} />
      {secondTab ? null : (
        <>
          <LimitsCard resources={resources.value} />
          <ChoiceCard resources={resources.value} />
          <HistoryCard />
        </>
      )}
    </>
  );
}

/** What else holds work back: the page's sentence says the first. */
function Reasons({ reasons }: { reasons: readonly string[] }) {
  if (reasons.length === 0) return null;
  return (
    <ul className="reasons sm mute" aria-label="What else holds it back">
      {reasons.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}

/** A full disk, or storage that the browser refuses: the tab still computes, but it can keep nothing more for others. */
function KeptNotice() {
  // The shell has said already where the store was closed.
  const problem = useSnapshot((snapshot) => (snapshot.storageClosed === '' ? (snapshot.kept?.problem ?? '') : ''));
  return problem === '' ? null : <Notice tone="dusk">{problem}</Notice>;
}

/** They said yes before, and then stopped. */
function Again({ resources: { limits }, busy, onStart }: { resources: ResourceState; busy: boolean; onStart: () => void }) {
  return (
    <section className="card consent short" aria-label="Start again">
      <p>
        You know how it goes: while nobody uses this machine, at most {plural(limits.cores, 'core')} and{' '}
        {bytes(limits.storageMiB * 2 ** 20)}.
      </p>
      <button className="btn" type="button" disabled={busy} onClick={onStart}>
        Start donating
      </button>
    </section>
  );
}

function RunningTable() {
  const running = useSnapshot((snapshot) => snapshot.running);
  const jobs = useSnapshot((snapshot) => snapshot.jobs);
  const own = useSnapshot((snapshot) => snapshot.self?.identity);
  const now = useNow(500, running.value.length > 0);
  const [looked, setLooked] = useState<string | null>(null);
  const lookedAt = jobs?.find((each) => each.id === looked);
  const dialog = lookedAt === undefined ? null : <JobDialog key={lookedAt.id} job={lookedAt} onClose={() => setLooked(null)} />;
  if (running.value.length === 0 && dialog === null) {
    return (
      <Empty title="Nothing runs in this tab.">
        <p className="mute sm">
          Have work to do? <Link to="/jobs/new">Submit a job</Link> of your own.
        </p>
      </Empty>
    );
  }
  return (
    <div className="scroll">
      <table>
        <TableHead columns={['Job', ['From', 'wide'], ['Part', 'wide'], 'Running for', 'Done', { unseen: 'More', className: 'wide' }]} />
        <tbody>
          {running.value.slice(0, 8).map((run) => {
            const job = jobs?.find((each) => each.id === run.job);
            const share = run.items === 0 ? 0 : (run.finished + (run.progress ?? 0)) / run.items;
            return (
              <tr key={run.record}>
                <td className="job-cell" title={job?.manifest.name}>
                  {job === undefined ? '…' : <Link to={`/jobs/${run.job}`}>{job.manifest.name}</Link>}
                </td>
                <td className="mute nowrap wide">
                  {job === undefined ? '' : job.manifest.submitter === own ? 'you' : nameOf(job.manifest.submitter)}
                </td>
                <td className="nowrap wide">{items(run.range)}</td>
                <td>
                  {run.phase === 'running' ? (
                    duration(run.startedAgoMs + Math.max(0, now - running.atMs))
                  ) : (
                    <span className="mute">{run.phase}</span>
                  )}
                </td>
                <td className="bar-cell">
                  <Bar label={`${job?.manifest.name ?? 'job'}, ${items(run.range)}`} value={share} shares={[{ tone: 'tide', share }]} />
                </td>
                <td className="num wide">
                  {job === undefined ? null : (
                    <button type="button" className="link sm" onClick={() => setLooked(job.id)}>
                      Look
                    </button>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {running.value.length > 8 ? <p className="mute sm">and {plural(running.value.length - 8, 'more part', 'more parts')}</p> : null}
      {dialog}
    </div>
  );
}

function GivenChart() {
  const series = useSnapshot((snapshot) => snapshot.givenHistory);
  return (
    <Sparkline
      series={series}
      label="Cores computing for others"
      unit="cores"
      format={rate}
      topMin={1}
      empty="A line appears here when the tab has been open for half a minute."
    />
  );
}

function Tiles({ secondTab }: { secondTab: boolean }) {
  const given = useSnapshot((snapshot) => snapshot.given);
  const kept = useSnapshot((snapshot) => snapshot.kept);
  return (
    <dl className="tiles">
      <div className="card">
        <dt>Parts done</dt>
        <dd>
          <b className="big">{count(given.parts)}</b>
          <span className="mute sm">{plural(given.items, 'item')}, since this tab was opened</span>
        </dd>
      </div>
      <div className="card">
        <dt>CPU time given</dt>
        <dd>
          <b className="big">{duration(given.cpuMs)}</b>
          <span className="mute sm">since this tab was opened</span>
        </dd>
      </div>
      <div className="card">
        <dt>Data kept for others</dt>
        <dd>
          <b className="big">{bytes(kept?.usedBytes ?? 0)}</b>
          <span className="mute sm">
            {kept === null ? 'not known yet' : secondTab ? 'the other tab keeps it' : `of ${bytes(kept.allowedBytes)} you allow`}
          </span>
        </dd>
      </div>
    </dl>
  );
}
