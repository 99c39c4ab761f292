import { useEffect, useState } from 'react';
import type { Job, Overview } from '../../sdk/types.ts';
import { Bar, BarChart, Empty, Skeleton } from '../pieces/pieces.tsx';
import { sentenceOf } from '../shell/deps.ts';
import { Notice } from '../shell/shell.tsx';
import { BitmapFigure, HeatMapFigure, LineFigure } from '../view/drawn.tsx';
import { count, plural, pretty } from '../view/format.ts';
import { pictureSize, summaryOf, tileOf } from '../view/result-shapes.ts';
import { decidedRanges } from './decided.ts';

type Reduced =
  | { readonly kind: 'working'; readonly read: number; readonly of: number }
  | { readonly kind: 'there'; readonly value: unknown }
  | { readonly kind: 'wrong'; readonly sentence: string };

/** The size of the picture that the job's tiles make; null where its results are something else, or none has come. */
export function usePictureSize(job: Job, overview: Overview | null): { width: number; height: number } | null {
  const size = pictureSize(job.args);
  const tiles = useIsPicture(job, overview, size !== null);
  return tiles ? size : null;
}

/** Whether the first result that came is a tile. */
function useIsPicture(job: Job, overview: Overview | null, possible: boolean): boolean {
  const [is, setIs] = useState<boolean | null>(null);
  const first = decidedRanges(overview?.spans ?? [])[0]?.[0];
  useEffect(() => {
    if (!possible || is !== null || first === undefined) return;
    let wanted = true;
    job
      .peek(first, 1)
      .then(([result]) => {
        if (wanted && result !== undefined && !('error' in result)) setIs(tileOf(result.value) !== null);
      })
      .catch(() => undefined);
    return () => {
      wanted = false;
    };
  }, [job, possible, is, first, overview]);
  return is === true;
}

const begun: Reduced = { kind: 'working', read: 0, of: 0 };

/** What the job was for, where it has a reduce step. */
export function ReducedCard({ job, mine }: { job: Job; mine: boolean }) {
  // The step runs in this tab: somebody else's code needs a yes first, even in the sandbox.
  const [agreed, agree] = useState(mine);
  const [reduced, setReduced] = useState<Reduced>(begun);
  const [round, again] = useState(0);
  useEffect(() => {
    if (!agreed) return undefined;
    let wanted = true;
    job
      .reduced({ onProgress: (read, of) => wanted && setReduced({ kind: 'working', read, of }) })
      .then((value) => wanted && setReduced({ kind: 'there', value }))
      .catch((error: unknown) => wanted && setReduced({ kind: 'wrong', sentence: sentenceOf(error) }));
    return () => {
      wanted = false;
    };
  }, [job, round, agreed]);
  return (
    <section className="card stack" aria-label="Reduced result">
      <h2>All together</h2>
      {!agreed ? (
        <>
          <p className="mute">
            A last step makes one answer of all results. It is the submitter's code, and it would run in the sandbox of this tab.
          </p>
          <div>
            <button type="button" className="btn ghost small" onClick={() => agree(true)}>
              Run the reduce step here
            </button>
          </div>
        </>
      ) : reduced.kind === 'working' ? (
        <Working {...reduced} items={job.progress.items} />
      ) : reduced.kind === 'wrong' ? (
        <>
          <Notice tone="coral">{reduced.sentence}</Notice>
          <div>
            <button
              type="button"
              className="btn ghost small"
              onClick={() => {
                setReduced(begun);
                again(round + 1);
              }}
            >
              Run the reduce step again
            </button>
          </div>
        </>
      ) : (
        <ReducedValue value={reduced.value} />
      )}
    </section>
  );
}

/** What is being waited for: the results on their way here, then the step itself. */
function Working({ read, of, items }: { read: number; of: number; items: number }) {
  const all = of > 0 && read === of;
  return (
    <>
      <p className="mute sm">
        {all ? 'The reduce step runs in this tab …' : `Fetching the results, ${count(read)} of ${count(of || items)} …`}
      </p>
      <Bar label="Results fetched" value={of === 0 ? 0 : read / of} shares={[{ tone: 'tide', share: of === 0 ? 0 : read / of }]} />
      <Skeleton lines={5} label="The result of the reduce step" />
    </>
  );
}

function ReducedValue({ value }: { value: unknown }) {
  const summary = summaryOf(value);
  if (summary === null)
    return value === undefined ? (
      <Empty title="The reduce step answered with nothing." />
    ) : (
      <pre className="reduced" tabIndex={0}>
        {pretty(value)}
      </pre>
    );
  return (
    <>
      {summary.figures.length === 0 ? null : (
        <dl className="figures">
          {summary.figures.map(([label, figure]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{Number.isInteger(figure) ? count(figure) : figure.toPrecision(4)}</dd>
            </div>
          ))}
        </dl>
      )}
      {summary.lines.map((chart, i) => (
        <LineFigure key={i} {...chart} />
      ))}
      <div className="pictures">
        {summary.images.map((image, i) => (
          <BitmapFigure key={i} {...image} />
        ))}
        {summary.heatmaps.map((map, i) => (
          <HeatMapFigure key={i} {...map} />
        ))}
      </div>
      <div className="charts">
        {summary.charts.map(({ title, bars, all }) => (
          <BarChart
            key={title}
            title={title}
            bars={bars}
            note={all > bars.length ? `the first ${bars.length} of ${count(all)}` : plural(all, 'bar')}
          />
        ))}
      </div>
    </>
  );
}
