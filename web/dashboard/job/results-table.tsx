import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useReducer, useRef, useState } from 'react';
import type { Job } from '../../sdk/types.ts';
import { Empty, PeerName, Skeleton } from '../pieces/pieces.tsx';
import { useSnapshot } from '../shell/deps.ts';
import { count, duration, pretty, short } from '../view/format.ts';
import { tookKey } from './columns.ts';
import type { DecidedRows } from './decided.ts';
import { ImageValue } from './image-value.tsx';
import { RowCache, type Row } from './row-cache.ts';
import { hasEnded } from './use-job.ts';

/** Browsers end a page somewhere above 30 million pixels: more rows than this are looked at in stretches. */
const stretchRows = 200_000;
const rowPx = 36;
const rowPhonePx = 76;
/** Clocks in a browser are coarse: nothing takes no time. */
const leastMs = 0.1;

export interface Sorting {
  /** null: by item. */
  readonly key: string | null;
  readonly descending: boolean;
}

/** All decided items, as many as there are; what is in sight is fetched. `order` is there where they are sorted by a column. */
export function ResultsTable({
  job,
  rows,
  order,
  sorting,
  keys,
  onSort,
}: {
  job: Job;
  rows: DecidedRows;
  order: Uint32Array | null;
  sorting: Sorting;
  keys: readonly string[];
  onSort: (sorting: Sorting) => void;
}) {
  const own = useSnapshot((snapshot) => snapshot.self?.identity);
  const scroller = useRef<HTMLDivElement>(null);
  const cache = useMemo(() => new RowCache(job), [job]);
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const [stretch, setStretch] = useState(0);
  const [open, setOpen] = useState<number | null>(null);
  const phone = usePhone();
  useEffect(() => {
    const cancel = cache.subscribe(redraw);
    return () => {
      cancel();
      cache.want([]);
    };
  }, [cache]);
  // Fewer than before: some are run anew, and what was read of them is no longer true.
  const most = useRef(0);
  useEffect(() => {
    if (rows.count < most.current) cache.forget();
    most.current = rows.count;
  }, [cache, rows.count]);
  const total = order?.length ?? rows.count;
  const from = Math.min(stretch, Math.max(0, Math.ceil(total / stretchRows) - 1)) * stretchRows;
  const shown = Math.min(stretchRows, total - from);
  const virtual = useVirtualizer({
    count: shown,
    getScrollElement: () => scroller.current,
    estimateSize: () => (phone ? rowPhonePx : rowPx),
    overscan: 8,
  });
  useEffect(() => virtual.measure(), [phone, virtual]);
  const itemAt = (row: number) => {
    if (order !== null) return order[row]!;
    return rows.itemAt(sorting.descending ? total - 1 - row : row);
  };
  const inSight = virtual.getVirtualItems();
  const indices = inSight.map(({ index }) => itemAt(from + index));
  const wanted = indices.join();
  useEffect(() => {
    cache.want(indices);
    // oxlint-disable-next-line react/exhaustive-deps -- a new list each time; `wanted` says when it differs
  }, [cache, wanted]);
  if (total === 0 && job.progress.committed + job.progress.failed > 0) return <Skeleton lines={6} label="Results are being fetched" />;
  if (total === 0)
    return (
      <Empty title={hasEnded(job) ? 'There are no results.' : 'No results yet.'}>
        <p className="mute sm">
          {hasEnded(job) ? 'The job ended before any part was done.' : 'They appear here as soon as the first part is done.'}
        </p>
      </Empty>
    );
  const head = (label: string, key: string | null, className = '') => {
    const by = sorting.key === key;
    return (
      <span role="columnheader" className={className} aria-sort={by ? (sorting.descending ? 'descending' : 'ascending') : 'none'}>
        <button type="button" className="sort" onClick={() => onSort({ key, descending: by ? !sorting.descending : key !== null })}>
          {label}
          <span aria-hidden="true">{by ? (sorting.descending ? ' ↓' : ' ↑') : ''}</span>
        </button>
      </span>
    );
  };
  const valueKey = sorting.key !== null && sorting.key !== tookKey ? sorting.key : (keys[0] ?? null);
  return (
    <div>
      <div className="rows" role="table" aria-label="Results" aria-rowcount={total + 1}>
        <div role="rowgroup">
          <div role="row" className="rows-head" aria-rowindex={1}>
            {head('#', null, 'row-index')}
            <span role="columnheader">Input</span>
            {valueKey === null ? (
              <span role="columnheader">Result</span>
            ) : (
              head(valueKey === '' ? 'Result' : `Result, by ${valueKey}`, valueKey)
            )}
            <span role="columnheader" className="row-by">
              By
            </span>
            {head('Took', tookKey, 'num row-took')}
          </div>
        </div>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached with the keyboard */}
        <div ref={scroller} className="rows-body" role="rowgroup" tabIndex={0} aria-label="Rows of results">
          <div className="rows-all" style={{ height: virtual.getTotalSize() }}>
            {inSight.map(({ index, start }, i) => {
              const item = indices[i]!;
              const row = cache.get(item);
              return (
                <div
                  key={index}
                  role="row"
                  aria-rowindex={from + index + 2}
                  className="rows-row"
                  style={{ transform: `translateY(${start}px)` }}
                >
                  <span role="cell" className="row-index">
                    <button
                      type="button"
                      className="link"
                      aria-expanded={open === item}
                      onClick={() => setOpen(open === item ? null : item)}
                    >
                      {count(item)}
                    </button>
                  </span>
                  {row === undefined ? (
                    <span role="cell" className="mute row-waits">
                      …
                    </span>
                  ) : (
                    <Cells row={row} own={own} />
                  )}
                </div>
              );
            })}
          </div>
        </div>
      </div>
      {total > stretchRows ? (
        <div className="pager sm">
          <button type="button" className="btn ghost small" disabled={from === 0} onClick={() => setStretch(stretch - 1)}>
            Rows before
          </button>
          <span className="mute nowrap">
            {count(from + 1)} to {count(from + shown)} of {count(total)}
          </span>
          <button type="button" className="btn ghost small" disabled={from + shown >= total} onClick={() => setStretch(stretch + 1)}>
            Rows after
          </button>
        </div>
      ) : null}
      {open === null ? null : <Detail index={open} row={cache.get(open)} own={own} onClose={() => setOpen(null)} />}
    </div>
  );
}

function Cells({ row: { result, input }, own }: { row: Row; own: string | undefined }) {
  const failed = 'error' in result;
  const given = failed ? (result.error.input ?? input) : input;
  return (
    <>
      <span role="cell" className="value mute" title={short(given, 1_000)}>
        {short(given, 120)}
      </span>
      <span
        role="cell"
        className={failed ? 'value wrong' : 'value'}
        title={failed ? result.error.message.slice(0, 1_000) : short(result.value, 1_000)}
      >
        {failed ? `failed: ${short(result.error.message, 120)}` : short(result.value, 120)}
      </span>
      <span role="cell" className="row-by">
        {result.by.map((identity) => (
          <PeerName key={identity} identity={identity} self={own} />
        ))}
      </span>
      <span role="cell" className="num row-took">
        {duration(Math.max(result.tookMs, leastMs))}
      </span>
    </>
  );
}

/** All of one item: what it was given, what came, what it wrote. */
function Detail({ index, row, own, onClose }: { index: number; row: Row | undefined; own: string | undefined; onClose: () => void }) {
  return (
    <section className="row-detail stack" aria-label={`Item ${index}`}>
      <div className="between">
        <h3>Item {count(index)}</h3>
        <button type="button" className="btn ghost small" onClick={onClose}>
          Close
        </button>
      </div>
      {row === undefined ? (
        <p className="mute sm">It is being fetched.</p>
      ) : (
        <>
          <p className="sm mute">
            {duration(Math.max(row.result.tookMs, leastMs))} by{' '}
            {row.result.by.map((identity) => (
              <PeerName key={identity} identity={identity} self={own} />
            ))}
          </p>
          <div className="row-both">
            <div>
              <h4 className="h2">Input</h4>
              <pre tabIndex={0}>{pretty('error' in row.result ? (row.result.error.input ?? row.input) : row.input)}</pre>
            </div>
            <div>
              <h4 className="h2">{'error' in row.result ? 'What went wrong' : 'Result'}</h4>
              <pre tabIndex={0}>
                {'error' in row.result
                  ? `${row.result.error.name}: ${row.result.error.message}\n${row.result.error.stack.slice(0, 4_000)}`
                  : pretty(row.result.value)}
              </pre>
            </div>
          </div>
          {'error' in row.result ? null : <ImageValue value={row.result.value} name={`The picture of item ${index}`} />}
          {row.result.logs === undefined ? null : (
            <div>
              <h4 className="h2">What it wrote</h4>
              <pre tabIndex={0}>{row.result.logs.join('\n')}</pre>
            </div>
          )}
        </>
      )}
    </section>
  );
}

function usePhone(): boolean {
  const [phone, setPhone] = useState(() => matchMedia('(max-width: 720px)').matches);
  useEffect(() => {
    const query = matchMedia('(max-width: 720px)');
    const change = () => setPhone(query.matches);
    query.addEventListener('change', change);
    return () => query.removeEventListener('change', change);
  }, []);
  return phone;
}
