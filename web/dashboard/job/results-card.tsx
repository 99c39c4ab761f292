import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import type { Job, Overview, Result } from '../../sdk/types.ts';
import { Skeleton } from '../pieces/pieces.tsx';
import { Plot } from '../view/drawn.tsx';
import { plain } from '../view/export.ts';
import { count, duration, figure, plural } from '../view/format.ts';
import { figuresOf, histogramOf } from '../view/histogram.ts';
import { columnsMax, tookKey, type Columns } from './columns.ts';
import { decidedRanges, decidedRows } from './decided.ts';
import { ResultsTable, type Sorting } from './results-table.tsx';
import { useColumns, type Loaded } from './use-columns.ts';
import { hasEnded } from './use-job.ts';

const tabs = ['Table', 'Plot', 'Histogram', 'JSON'] as const;
type Tab = (typeof tabs)[number];

/** What came, in four ways to look at it; more comes in while one looks. */
export function ResultsCard({ job, overview }: { job: Job; overview: Overview | null }) {
  const [tab, setTab] = useState<Tab>('Table');
  const [sorting, setSorting] = useState<Sorting>({ key: null, descending: false });
  const spans = overview?.spans ?? null;
  const needsColumns = tab === 'Plot' || tab === 'Histogram' || sorting.key !== null;
  const loaded = useColumns(job, spans, needsColumns);
  const rows = useMemo(() => decidedRows(decidedRanges(spans ?? [])), [spans]);
  const { columns, version } = loaded;
  const order = useMemo(
    () => (sorting.key === null ? null : columns.order(sorting.key, sorting.descending)),
    // oxlint-disable-next-line react/exhaustive-deps -- the columns grow in place: `version` says when
    [columns, version, sorting],
  );
  return (
    <section className="card stack results-card" aria-label="Results">
      <div className="between">
        <h2>{hasEnded(job) ? 'Results' : 'Results so far'}</h2>
        <Tabs tab={tab} onTab={setTab} />
      </div>
      <div role="tabpanel" id={`panel-${tab}`} aria-labelledby={`tab-${tab}`} className="results-panel">
        {overview === null ? (
          <Skeleton lines={6} label="Results are being fetched" />
        ) : tab === 'Table' ? (
          <>
            {sorting.key === null ? null : <Loading loaded={loaded} of={rows.count} doing="sorted" />}
            <ResultsTable job={job} rows={rows} order={order} sorting={sorting} keys={columns.keys} onSort={setSorting} />
          </>
        ) : tab === 'JSON' ? (
          <AsJson job={job} rows={rows} />
        ) : (
          <>
            <Loading loaded={loaded} of={rows.count} doing="drawn" />
            <Drawn columns={columns} version={version} kind={tab} />
          </>
        )}
      </div>
    </section>
  );
}

function Tabs({ tab, onTab }: { tab: Tab; onTab: (tab: Tab) => void }) {
  const list = useRef<HTMLDivElement>(null);
  const keyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length]!;
    onTab(next);
    list.current?.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
    event.preventDefault();
  };
  return (
    <div ref={list} className="tabs" role="tablist" aria-label="How to look at the results" onKeyDown={keyDown}>
      {tabs.map((each) => (
        <button
          key={each}
          type="button"
          role="tab"
          id={`tab-${each}`}
          aria-selected={each === tab}
          {...(each === tab && { 'aria-controls': `panel-${each}` })}
          tabIndex={each === tab ? 0 : -1}
          onClick={() => onTab(each)}
        >
          {each}
        </button>
      ))}
    </div>
  );
}

function Loading({ loaded: { columns, all, full }, of, doing }: { loaded: Loaded; of: number; doing: string }) {
  return (
    <p className="mute sm results-said" aria-live="polite">
      {full && of > columnsMax
        ? `The first ${count(columnsMax)} of ${count(of)} are ${doing}.`
        : all
          ? ''
          : `${count(columns.size)} of ${plural(of, 'result')} read so far …`}
    </p>
  );
}

const nameOfKey = (key: string) => (key === '' ? 'the result' : key === tookKey ? 'time taken, ms' : key);
const said = (value: number) => figure(value, 4);

function Drawn({ columns, version, kind }: { columns: Columns; version: number; kind: 'Plot' | 'Histogram' }) {
  const [chosen, choose] = useState<string | null>(null);
  const keys = [...columns.keys, tookKey];
  const key = chosen !== null && keys.includes(chosen) ? chosen : keys[0]!;
  const drawn = useMemo((): { chart: ReactNode; figures: ReturnType<typeof figuresOf> } => {
    const values = columns.column(key);
    const figures = figuresOf(values);
    if (figures === null) return { chart: null, figures };
    if (kind === 'Plot') {
      const [x, y] = columns.points(key);
      const points = x.length < 3_000;
      return {
        figures,
        chart: (
          <Plot
            label={`${nameOfKey(key)} by item: from ${said(figures.least)} to ${said(figures.most)}`}
            x={x}
            series={[{ name: nameOfKey(key), y, colour: '--tide', kind: points ? 'points' : 'line' }]}
            xLabel="item"
            yLabel={nameOfKey(key)}
            height={320}
          />
        ),
      };
    }
    const bins = histogramOf(values);
    return {
      figures,
      chart: (
        <Plot
          label={`How often ${nameOfKey(key)} is how large, in ${plural(bins.length, 'bin')}`}
          x={bins.map(({ from, to }) => (from + to) / 2)}
          series={[{ name: 'items', y: bins.map(({ count: items }) => items), colour: '--tide', kind: 'bars' }]}
          xLabel={nameOfKey(key)}
          yLabel="items"
          height={320}
          zero
        />
      ),
    };
    // oxlint-disable-next-line react/exhaustive-deps -- the columns grow in place: `version` says when
  }, [columns, version, key, kind]);
  return (
    <div className="stack">
      <div className="between">
        <label className="pick sm">
          Number to draw{' '}
          <select value={key} onChange={(event) => choose(event.target.value)}>
            {keys.map((each) => (
              <option key={each} value={each}>
                {nameOfKey(each)}
              </option>
            ))}
          </select>
        </label>
        {drawn.figures === null ? null : (
          <span className="sm mute">
            least {saidOf(key, drawn.figures.least)} · median {saidOf(key, drawn.figures.median)} · mean {saidOf(key, drawn.figures.mean)} ·
            most {saidOf(key, drawn.figures.most)}
          </span>
        )}
      </div>
      {drawn.chart ?? <p className="mute sm plot-empty">No number to draw has come yet.</p>}
    </div>
  );
}

const saidOf = (key: string, value: number) => (key === tookKey ? duration(value) : said(value));

const jsonItems = 50;

/** A page of results as the download has them. */
function AsJson({ job, rows }: { job: Job; rows: { readonly count: number; itemAt(row: number): number } }) {
  const [page, setPage] = useState(0);
  const [text, setText] = useState('');
  const pages = Math.max(1, Math.ceil(rows.count / jsonItems));
  const first = Math.min(page, pages - 1) * jsonItems;
  const end = Math.min(rows.count, first + jsonItems);
  useEffect(() => {
    let wanted = true;
    const read = async () => {
      const found: Result[] = [];
      for (let row = first; row < end;) {
        const from = rows.itemAt(row);
        let more = 1;
        while (row + more < end && rows.itemAt(row + more) === from + more) more++;
        found.push(...(await job.peek(from, more)));
        row += more;
      }
      if (wanted) setText(found.map((result) => JSON.stringify(result, plain).slice(0, 4_000)).join('\n'));
    };
    read().catch(() => {
      if (wanted) setText('They cannot be fetched just now: whoever keeps them has not answered.');
    });
    return () => {
      wanted = false;
    };
  }, [job, rows, first, end]);
  return (
    <div className="stack">
      <pre className="json" tabIndex={0} aria-label="Results as JSON">
        {text || 'No results yet.'}
      </pre>
      {pages > 1 ? (
        <div className="pager sm">
          <button type="button" className="btn ghost small" disabled={first === 0} onClick={() => setPage(page - 1)}>
            Earlier items
          </button>
          <span className="mute nowrap">
            page {count(page + 1)} of {count(pages)}
          </span>
          <button type="button" className="btn ghost small" disabled={page + 1 >= pages} onClick={() => setPage(page + 1)}>
            Later items
          </button>
        </div>
      ) : null}
    </div>
  );
}
