import { useEffect, useState } from 'react';
import { nameOf } from '../../kernel/lib/names.ts';
import type { Receipt } from '../donate/donor-source.ts';
import { HistoryCard } from '../donate/history-card.tsx';
import { save } from '../job/download.ts';
import { Empty, Skeleton } from '../pieces/pieces.tsx';
import { sentenceOf, useDeps, useSnapshot } from '../shell/deps.ts';
import { Heading, Link } from '../shell/router.tsx';
import { Notice } from '../shell/shell.tsx';
import { Plot } from '../view/drawn.tsx';
import { bytes, count, duration, plural } from '../view/format.ts';
import { byDay, givenCsv, givenOf, sharedSentence, sinceWords, type Given } from './given.ts';
import { cardOf } from './share-card.ts';
import { TeamCard } from './team-card.tsx';

const lookEveryMs = 5_000;
const days = 30;
const dayName = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

/** Thanks: what this machine gave, since when, over time, and as something to keep or show. */
export function UsagePage() {
  const { donor } = useDeps();
  const self = useSnapshot((snapshot) => snapshot.self);
  const kept = useSnapshot((snapshot) => snapshot.kept);
  const [found, setFound] = useState<{ readonly receipts: readonly Receipt[]; readonly at: number } | null>(null);
  const [problem, setProblem] = useState('');
  const started = self !== null;
  useEffect(() => {
    if (!started) return undefined;
    let gone = false;
    const look = () =>
      donor.receipts().then(
        (receipts) => {
          if (gone) return;
          setFound({ receipts, at: Date.now() });
          setProblem('');
        },
        (error: unknown) => {
          if (!gone) setProblem(sentenceOf(error));
        },
      );
    void look();
    const timer = setInterval(() => void look(), lookEveryMs);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [donor, started]);
  if (found === null || self === null)
    return (
      <>
        <div className="page-head">
          <Heading title="Thanks">What this machine gave</Heading>
        </div>
        {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
        <div className="card">
          <Skeleton lines={6} />
        </div>
      </>
    );
  const { receipts, at } = found;
  const given = givenOf(receipts, self.identity);
  return (
    <>
      <div className="page-head">
        <div>
          <Heading title="Thanks">{headingOf(given)}</Heading>
          <p className="mute">
            {given.since === null
              ? 'Whatever this machine gives is counted here.'
              : `Counted in this browser ${sinceWords(given.since, at)}, and nowhere else.`}
          </p>
        </div>
        {given.jobs === 0 ? null : <Share given={given} name={nameOf(self.identity)} receipts={receipts} />}
      </div>
      {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
      {given.jobs === 0 ? (
        <section className="card">
          <Empty title="Nothing was given yet.">
            <p className="mute sm">
              <Link to="/">Start donating</Link> and leave the machine alone for a while: what it does for others appears here.
            </p>
          </Empty>
        </section>
      ) : (
        <>
          <dl className="tiles four">
            <Tile label="CPU time given" value={duration(given.cpuMs)} below={`${plural(given.items, 'item')} computed`} />
            <Tile
              label="Jobs helped"
              value={count(given.helped)}
              below={given.helped === 0 ? 'so far only your own' : `of ${plural(given.people, 'person', 'people')}`}
            />
            <Tile label="Parts done" value={count(given.parts)} below={`${bytes(given.bytes)} of results`} />
            <Tile
              label="Kept for others"
              value={bytes(kept?.usedBytes ?? 0)}
              below={kept === null ? 'not known yet' : `of ${bytes(kept.allowedBytes)} you allow`}
            />
          </dl>
          <section className="card stack" aria-label="Given over time">
            <h2>CPU minutes a day, the last {days} days</h2>
            <Days receipts={receipts} at={at} />
          </section>
          <HistoryCard />
        </>
      )}
      <TeamCard self={self.identity} />
    </>
  );
}

function headingOf({ jobs, helped, cpuMs, forOthers }: Given): string {
  if (jobs === 0) return 'Thank you for looking in';
  return helped === 0
    ? `This machine gave ${duration(cpuMs)} to your own jobs`
    : `Thank you: ${plural(helped, 'job')} of others had ${duration(forOthers.cpuMs)} of this machine`;
}

const Tile = ({ label, value, below }: { label: string; value: string; below: string }) => (
  <div className="card">
    <dt>{label}</dt>
    <dd>
      <b className="big">{value}</b>
      <span className="mute sm">{below}</span>
    </dd>
  </div>
);

function Days({ receipts, at }: { receipts: readonly Receipt[]; at: number }) {
  const all = byDay(receipts, at, days);
  const most = Math.max(...all.map(({ cpuMs }) => cpuMs));
  return (
    <Plot
      label={`CPU time by day: ${duration(all.at(-1)!.cpuMs)} today, ${duration(most)} on the best day`}
      x={all.map((_, i) => i - days + 1)}
      series={[{ name: 'CPU minutes', y: all.map(({ cpuMs }) => cpuMs / 60_000), colour: '--tide', kind: 'bars' }]}
      xLabel=""
      yLabel="minutes"
      height={200}
      zero
      sayX={(x) => (x === 0 ? 'today' : dayName.format(at + x * 86_400_000))}
    />
  );
}

/** To keep, and to show. */
function Share({ given, name, receipts }: { given: Given; name: string; receipts: readonly Receipt[] }) {
  const [said, setSaid] = useState('');
  const sentence = sharedSentence(name, given);
  const copy = () =>
    navigator.clipboard.writeText(`${sentence} ${location.origin}`).then(
      () => setSaid('Copied.'),
      () => setSaid('The browser did not let the page copy.'),
    );
  const picture = async () => {
    const blob = await cardOf(given, name, location.host);
    if (blob !== null) save(blob, `lull-${name}.png`);
  };
  return (
    <div className="job-actions">
      <div className="actions">
        <button type="button" className="btn ghost small" onClick={() => void copy()}>
          Copy a sentence
        </button>
        <button type="button" className="btn ghost small" onClick={() => void picture()}>
          Save a picture to share
        </button>
        <button
          type="button"
          className="btn ghost small"
          onClick={() => save(new Blob([givenCsv(receipts)], { type: 'text/csv' }), 'lull-given.csv')}
        >
          Download CSV
        </button>
      </div>
      <span className="mute sm" role="status">
        {said}
      </span>
    </div>
  );
}
