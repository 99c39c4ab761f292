import { useEffect } from 'react';
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { nameOf } from '../../kernel/lib/names.ts';
import type { Overview } from '../../sdk/types.ts';
import { colourOf, Plot } from '../view/drawn.tsx';
import { rate, ticking } from '../view/format.ts';
import { rateLines, stacked, withSample, type History } from './history.ts';

/** Of the jobs looked at in this tab: leaving the page and coming back goes on with the line. */
const histories = createStore<ReadonlyMap<string, History>>(() => new Map());
const jobsMax = 16;
export const peersNamed = 5;
const noHistory: History = [];

/** Grows with each overview. */
export function useHistory(job: string, overview: Overview | null): History {
  useEffect(() => {
    if (overview === null) return;
    const items = new Map(overview.contributors.map((each) => [each.identity as string, each.items]));
    histories.setState((all) => {
      const others = [...all].filter(([id]) => id !== job).slice(1 - jobsMax);
      return new Map([...others, [job, withSample(all.get(job) ?? noHistory, { atMs: performance.now(), items })]]);
    }, true);
  }, [job, overview]);
  return useStore(histories, (all) => all.get(job) ?? noHistory);
}

/** Items per second, one area on the other for each who ran most. */
export function OverTime({ history, ended }: { history: History; ended: boolean }) {
  const { seconds, lines } = rateLines(history, peersNamed);
  if (seconds.length < 3)
    return (
      <p className="spark-empty mute sm">
        {ended ? 'This tab saw too little of the job to draw a line.' : 'A line appears here when the first parts are done.'}
      </p>
    );
  const sums = stacked(lines);
  const top = sums.at(-1) ?? [];
  const name = (identity: string) => (identity === '' ? 'others' : nameOf(identity));
  return (
    <Plot
      label={`Items per second over ${ticking(-(seconds[0] ?? 0) * 1_000)}, at most ${rate(Math.max(...top))}: ${lines.map(({ identity, rates }) => `${name(identity)} ${rate(rates.at(-1) ?? 0)} ${ended ? 'at the end' : 'now'}`).join(', ')}`}
      x={seconds}
      // The largest sum first: each next area is drawn over it.
      series={sums.map((y, i) => ({ name: name(lines[i]!.identity), y, colour: colourOf(i), kind: 'area' as const })).toReversed()}
      xLabel={ended ? 'before the end' : 'ago'}
      yLabel="items per second"
      height={150}
      zero
      sayX={(x) => (x === 0 ? (ended ? 'the end' : 'now') : ticking(-x * 1_000))}
    />
  );
}
