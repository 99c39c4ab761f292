import { useEffect, useRef, useState } from 'react';
import { Empty } from '../pieces/pieces.tsx';
import { sentenceOf, useDeps, useSnapshot } from '../shell/deps.ts';
import { Notice } from '../shell/shell.tsx';
import { about, count, duration, plural, short } from '../view/format.ts';
import type { Checked } from './draft.ts';
import { coresOffered, estimate } from './estimate.ts';
import { threeItems } from './three-items.ts';
import type { Tried } from './tries.ts';

type State =
  | { readonly kind: 'none' }
  | { readonly kind: 'under'; readonly stamp: unknown }
  | {
      readonly kind: 'tried';
      readonly stamp: unknown;
      readonly tried: Tried;
      readonly values: ReadonlyMap<number, unknown>;
      readonly of: number | null;
    }
  | { readonly kind: 'wrong'; readonly stamp: unknown; readonly sentence: string };

/** Three items of the job, run here before anybody else sees it; from them, how long all would take. */
export function TryCard({ code, check, stamp }: { code: string; check: () => Checked; stamp: unknown }) {
  const { tries, objects } = useDeps();
  const [state, setState] = useState<State>({ kind: 'none' });
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);
  const put = (next: State) => {
    if (here.current) setState(next);
  };
  const run = async () => {
    const checked = check();
    if (!checked.ok) return;
    put({ kind: 'under', stamp });
    try {
      const chosen = await threeItems(
        checked.inputs,
        (object) => objects.head(object),
        (body) => tries.generate(body, checked.args),
      );
      if (chosen.values.length === 0) throw new Error('There is no item to try yet.');
      const tried = await tries.run(code, checked.args, chosen.indices, chosen.values);
      put({ kind: 'tried', stamp, tried, values: new Map(chosen.indices.map((index, i) => [index, chosen.values[i]])), of: chosen.of });
    } catch (error) {
      put({ kind: 'wrong', stamp, sentence: sentenceOf(error) });
    }
  };
  const under = state.kind === 'under';
  const stale = state.kind !== 'none' && state.stamp !== stamp;
  return (
    <section className="card stack try-card" aria-label="Try it here">
      <div className="between">
        <h2>Before you submit</h2>
        <button type="button" className="btn ghost small" disabled={under} onClick={() => void run()}>
          {state.kind === 'none' ? 'Try on three items here' : 'Try again'}
        </button>
      </div>
      <div className="try-outcome" aria-live="polite" aria-busy={under}>
        {state.kind === 'none' ? (
          <p className="mute sm">Three items run in this tab only, in the same locked box as everywhere. Nobody else sees them.</p>
        ) : state.kind === 'under' ? (
          <p className="mute sm">Running three items in this tab …</p>
        ) : state.kind === 'wrong' ? (
          <Notice tone="coral">{state.sentence}</Notice>
        ) : (
          <div className={stale ? 'stack stale' : 'stack'}>
            {stale ? <p className="mute sm">Something has changed since: try again.</p> : null}
            <Outcome tried={state.tried} values={state.values} />
            <Forecast tried={state.tried} of={state.of} />
          </div>
        )}
      </div>
    </section>
  );
}

function Outcome({ tried, values }: { tried: Tried; values: ReadonlyMap<number, unknown> }) {
  if (!tried.loaded) return <Notice tone="coral">The code cannot be loaded. {tried.message}</Notice>;
  if (tried.items.length === 0) return <Empty title={tried.message || 'No item was run.'} />;
  return (
    <>
      <ul className="tried">
        {tried.items.map(({ index, tookMs, value, error }) => {
          const logs = tried.logs.filter((line) => line.index === index);
          return (
            <li key={index}>
              <div className="between">
                <span className="mute sm">
                  #{count(index)} <code>{short(values.get(index), 48)}</code>
                </span>
                <span className="mute sm">{duration(Math.max(0.1, tookMs))}</span>
              </div>
              {error === null ? (
                <code className="tried-value">{short(value, 240)}</code>
              ) : (
                <details>
                  <summary className="wrong">
                    {error.name}: {error.message}
                  </summary>
                  {error.stack === '' ? null : <pre>{error.stack.slice(0, 2_000)}</pre>}
                </details>
              )}
              {logs.length === 0 ? null : <pre className="tried-logs">{logs.map(({ text }) => text).join('\n')}</pre>}
            </li>
          );
        })}
      </ul>
      {tried.message === '' ? null : <p className="sm wrong">{tried.message}</p>}
    </>
  );
}

/** From three items and what the group offers now. */
function Forecast({ tried, of }: { tried: Tried; of: number | null }) {
  const cores = useSnapshot((snapshot) => coresOffered(snapshot.group?.members ?? []));
  const took = tried.items.filter(({ error }) => error === null).map(({ tookMs }) => Math.max(0.05, tookMs));
  if (!tried.loaded || took.length === 0 || of === null) return null;
  const said = estimate(of, took, cores);
  if (said === null)
    return (
      <p className="forecast sm">
        <b>Nobody offers a core just now,</b> so all {plural(of, 'item')} would wait until somebody does. On one core like this it would
        take {about(estimate(of, took, 1)!.likelyMs)}.
      </p>
    );
  return (
    <p className="forecast sm">
      <b>
        All {plural(of, 'item')} would take {about(said.likelyMs)}
      </b>{' '}
      on the {plural(cores, 'core')} offered now: between {about(said.fromMs)} and {about(said.toMs)}, if those machines are like this one.
    </p>
  );
}
