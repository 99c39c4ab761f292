import { useEffect, useReducer, useState } from 'react';
import type { Job, Overview, Result } from '../../sdk/types.ts';
import { Empty, PeerName, Skeleton } from '../pieces/pieces.tsx';
import { useCommand, useSnapshot } from '../shell/deps.ts';
import { Notice } from '../shell/shell.tsx';
import { count, duration, plural, short } from '../view/format.ts';
import { decidedRanges, failedRanges, itemsIn, pageFromEnd } from './decided.ts';
import { hasEnded } from './use-job.ts';

const pageItems = 10;
const failuresShown = 20;

interface Row {
  readonly result: Result;
  readonly input: unknown;
}

/** Clocks in a browser are coarse: nothing takes no time. */
const leastMs = 0.1;

/** On one line, so that rows keep their height while they stream; more of it under the pointer. */
const Value = ({ className, text }: { className: string; text: (max: number) => string }) => (
  <td className={`value ${className}`} title={text(1_000)}>
    {text(120)}
  </td>
);

/** The newest results by input order, a page at a time. */
export function ResultsTable({ job, overview }: { job: Job; overview: Overview | null }) {
  const own = useSnapshot((snapshot) => snapshot.self?.identity);
  const [page, setPage] = useState(0);
  const ranges = overview === null ? null : decidedRanges(overview.spans);
  const decided = ranges === null ? 0 : itemsIn(ranges);
  const rows = useRows(job, ranges === null ? null : pageFromEnd(ranges, page, pageItems));
  const pages = Math.max(1, Math.ceil(decided / pageItems));
  return (
    <section className="card stack" aria-label="Results">
      <div className="between">
        <h2>{hasEnded(job) ? 'Results' : 'Results so far'}</h2>
        {pages > 1 ? (
          <div className="pager sm">
            <button type="button" className="btn ghost small" disabled={page === 0} onClick={() => setPage(page - 1)}>
              Later items
            </button>
            <span className="mute nowrap">
              <span className="wide-only">page </span>
              {count(page + 1)} of {count(pages)}
            </span>
            <button type="button" className="btn ghost small" disabled={page + 1 >= pages} onClick={() => setPage(page + 1)}>
              Earlier items
            </button>
          </div>
        ) : null}
      </div>
      {rows === null ? (
        <Skeleton lines={4} label="Results are being fetched" />
      ) : rows.length === 0 ? (
        <Empty title={decided > 0 ? 'These results have not come yet.' : hasEnded(job) ? 'There are no results.' : 'No results yet.'}>
          <p className="mute sm">
            {decided > 0
              ? 'Whoever keeps them has not answered. They are asked again every few seconds.'
              : hasEnded(job)
                ? 'The job ended before any part was done.'
                : 'They appear here as soon as the first part is done.'}
          </p>
        </Empty>
      ) : (
        <div className="scroll">
          <table className="results">
            <thead>
              <tr>
                <th scope="col">#</th>
                <th scope="col" className="value">
                  Input
                </th>
                <th scope="col" className="value">
                  Result
                </th>
                <th scope="col">By</th>
                <th scope="col" className="num">
                  Took
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ result, input }) => (
                <tr key={result.index}>
                  <td className="index">{count(result.index)}</td>
                  <Value className="mute" text={(max) => short('error' in result ? result.error.input : input, max)} />
                  <Value
                    className={'error' in result ? 'wrong' : ''}
                    text={(max) => ('error' in result ? `failed: ${short(result.error.message, max)}` : short(result.value, max))}
                  />
                  <td>
                    {result.by.map((identity) => (
                      <PeerName key={identity} identity={identity} self={own} />
                    ))}
                  </td>
                  <td className="num">{duration(Math.max(result.tookMs, leastMs))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** What could not be had is asked for again after so long: a keeper may be back, though the job no longer changes. */
const againMs = 3_000;

/** Results and inputs of these ranges, highest item first; null until they came once. */
function useRows(job: Job, ranges: readonly (readonly [number, number])[] | null): Row[] | null {
  const [rows, setRows] = useState<Row[] | null>(null);
  const stamp = ranges === null ? null : ranges.join(';');
  const [again, askAgain] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    if (ranges === null) return;
    let wanted = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const later = () => {
      if (wanted) timer = setTimeout(askAgain, againMs);
    };
    const read = async () => {
      const found: Row[] = [];
      for (const [first, end] of ranges) {
        const [results, inputs] = await Promise.all([job.peek(first, end - first), job.inputs(first, end - first).catch(() => [])]);
        found.push(...results.map((result) => ({ result, input: inputs[result.index - first] })));
      }
      if (wanted) setRows(found.toSorted((a, b) => b.result.index - a.result.index));
      if (found.length < itemsIn(ranges)) later();
    };
    // A page that cannot be read shows as empty, with the reason in words.
    read().catch(() => {
      if (wanted) setRows((before) => before ?? []);
      later();
    });
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
    // oxlint-disable-next-line react/exhaustive-deps -- ranges are new objects each time; `stamp` says when they differ
  }, [job, stamp, again]);
  return rows;
}

/** Items that failed for good: what they were given, what they said, where. */
export function Failures({ job, overview, mine }: { job: Job; overview: Overview; mine: boolean }) {
  const { failed } = job.progress;
  const rows = useRows(job, failedRanges(overview.spans, failuresShown))?.toReversed() ?? [];
  const { run, busy, problem } = useCommand();
  if (failed === 0) return null;
  return (
    <section className="card stack" aria-label="Failed items">
      <div className="between">
        <h2>
          {plural(failed, 'item')} failed{failed === 1 ? '' : ', each'} after three tries or more
        </h2>
        {mine ? (
          <button
            type="button"
            className="btn ghost small"
            disabled={busy || job.state === 'cancelled'}
            onClick={() => run(() => job.retry())}
          >
            Try failed items again
          </button>
        ) : null}
      </div>
      {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
      <ul className="failures">
        {rows.map(({ result, input }) =>
          'error' in result ? (
            <li key={result.index}>
              <details>
                <summary>
                  <span className="mute">#{count(result.index)}</span>{' '}
                  <span className="wrong">{result.error.name === '' ? 'Error' : result.error.name}:</span>{' '}
                  {short(result.error.message, 160)}
                </summary>
                <p className="sm">
                  <span className="mute">Input</span> <code>{short(result.error.input ?? input, 400)}</code>
                </p>
                {result.error.stack === '' ? null : <pre>{result.error.stack.slice(0, 4_000)}</pre>}
              </details>
            </li>
          ) : null,
        )}
      </ul>
      {failed > failuresShown ? <p className="mute sm">The first {failuresShown} are shown; the download lists them all.</p> : null}
    </section>
  );
}
