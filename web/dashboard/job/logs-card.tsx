import { useState } from 'react';
import type { Job, Overview } from '../../sdk/types.ts';
import { FilterField } from '../pieces/filter-field.tsx';
import { Empty } from '../pieces/pieces.tsx';
import { sentenceOf } from '../shell/deps.ts';
import { Notice } from '../shell/shell.tsx';
import { count } from '../view/format.ts';
import { decidedRanges } from './decided.ts';

interface Line {
  readonly index: number;
  readonly text: string;
}

const linesMax = 5_000;
const shownMax = 500;
const perRead = 500;

/** What the code wrote with task.log and console. Read when asked for: the lines travel with the results. */
export function LogsCard({ job, overview }: { job: Job; overview: Overview | null }) {
  const [lines, setLines] = useState<readonly Line[] | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const [filter, setFilter] = useState('');
  const read = async () => {
    setBusy(true);
    setProblem('');
    const found: Line[] = [];
    try {
      for (const [first, end] of decidedRanges(overview?.spans ?? [])) {
        for (let at = first; at < end && found.length < linesMax; at += perRead) {
          const results = await job.peek(at, Math.min(perRead, end - at));
          for (const { index, logs } of results) for (const text of logs ?? []) found.push({ index, text });
          setLines([...found]);
        }
      }
      setLines(found);
    } catch (error) {
      setProblem(sentenceOf(error));
    } finally {
      setBusy(false);
    }
  };
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const item = /^#(\d+)$/.exec(filter.trim())?.[1];
  const wanted = ({ index, text }: Line) =>
    item !== undefined ? index === Number(item) : words.every((word) => text.toLowerCase().includes(word));
  const shown = lines?.filter(wanted) ?? [];
  return (
    <section className="card stack" aria-label="Logs">
      <div className="between">
        <h2>Logs of the items</h2>
        <button
          type="button"
          className="btn ghost small"
          disabled={busy || job.progress.committed + job.progress.failed === 0}
          onClick={() => void read()}
        >
          {lines === null ? 'Read the logs' : 'Read again'}
        </button>
      </div>
      {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
      {lines === null ? (
        <p className="mute sm">What the code writes with task.log or console comes with the results.</p>
      ) : lines.length === 0 ? (
        <Empty title={busy ? 'Reading …' : 'No item wrote anything.'} />
      ) : (
        <>
          <FilterField
            value={filter}
            change={setFilter}
            placeholder="words, or #17 for one item"
            found={shown.length}
            all={lines.length}
            noun="line"
            more={lines.length >= linesMax ? ', the first' : ''}
          />
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached with the keyboard */}
          <ol className="log-lines" tabIndex={0} aria-label="Log lines">
            {shown.slice(0, shownMax).map(({ index, text }, i) => (
              <li key={i}>
                <span className="mute">#{count(index)}</span> {text}
              </li>
            ))}
          </ol>
          {shown.length > shownMax ? <p className="mute sm">The first {shownMax} are shown: filter to see others.</p> : null}
        </>
      )}
    </section>
  );
}
