// Small things that several pages draw.
import { useId, type ReactNode } from 'react';
import type { JobState } from '../../sdk/types.ts';
import { count, ticking } from '../view/format.ts';
import { roundTop, sparkPath, stepsShown, type Series } from '../view/samples-over-time.ts';
import { nameOf } from '../../kernel/lib/names.ts';

export type Tone = 'tide' | 'dusk' | 'coral' | 'mute';

export const Pill = ({ tone, children }: { tone: Tone; children: ReactNode }) => <span className={`pill ${tone}`}>{children}</span>;

export const toneOfState: Record<JobState, Tone> = {
  uploading: 'mute',
  queued: 'mute',
  running: 'tide',
  paused: 'dusk',
  done: 'tide',
  failed: 'coral',
  cancelled: 'mute',
};

/** Says exactly one of queued, running, paused, done, failed, cancelled, and says it again when it changes. */
export const JobStateBadge = ({ state }: { state: Exclude<JobState, 'uploading'> }) => (
  <span role="status" className={`pill ${toneOfState[state]}`}>
    {state}
  </span>
);

export interface Share {
  readonly tone: 'tide' | 'dusk' | 'coral';
  /** 0 to 1 of the whole. */
  readonly share: number;
}

export function Bar({ label, value, shares, thick = false }: { label: string; value: number; shares: readonly Share[]; thick?: boolean }) {
  return (
    <div
      className={thick ? 'bar thick' : 'bar'}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(Math.min(1, Math.max(0, value)) * 1000) / 10}
    >
      {shares.map(({ tone, share }) => (
        <i key={tone} className={tone} style={{ width: `${Math.min(1, Math.max(0, share)) * 100}%` }} />
      ))}
    </div>
  );
}

/** A line over time: zero at the bottom, the top of the axis and the last value written beside it, the time it spans below. */
export function Sparkline({
  series,
  label,
  unit,
  format,
  empty,
  topMin = 0,
  ended = false,
}: {
  series: Series;
  label: string;
  unit: string;
  format: (value: number) => string;
  empty: string;
  topMin?: number;
  ended?: boolean;
}) {
  const [width, height] = [600, 96];
  const top = roundTop([...series.values, topMin]);
  const steps = stepsShown(series);
  const path = sparkPath(series, width, height, top, steps);
  const last = series.values.at(-1) ?? 0;
  if (path === null) return <p className="spark-empty mute sm">{empty}</p>;
  return (
    <div
      className="spark"
      role="img"
      aria-label={`${label}: ${format(last)} ${unit} ${ended ? 'at the end' : 'now'}, ${format(Math.max(...series.values))} at most`}
    >
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        <path className="spark-area" d={path.area} />
        <path className="spark-line" d={path.line} vectorEffect="non-scaling-stroke" />
      </svg>
      <div className="spark-axis" aria-hidden="true">
        <span className="mute">{Number.isInteger(top) ? count(top) : format(top)}</span>
        <b style={{ top: `${Math.min(76, Math.max(22, (path.last[1] / height) * 100))}%` }}>
          {format(last)} {unit}
        </b>
        <span className="mute">0</span>
      </div>
      <div className="spark-time mute" aria-hidden="true">
        <span>
          {ticking(steps * series.stepMs)} {ended ? 'before the end' : 'ago'}
        </span>
        <span>{ended ? 'the end' : 'now'}</span>
      </div>
    </div>
  );
}

export function BarChart({ title, bars, note }: { title: string; bars: readonly (readonly [string, number])[]; note: string }) {
  const most = Math.max(...bars.map(([, value]) => Math.abs(value)), 1e-9);
  const id = useId();
  return (
    <figure className="bars" aria-labelledby={id}>
      <figcaption id={id}>
        <h3>{title}</h3>
        <span className="mute sm">{note}</span>
      </figcaption>
      <ol>
        {bars.map(([label, value]) => (
          <li key={label}>
            <span className="bars-label" title={label}>
              {label}
            </span>
            <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
              <rect className={value < 0 ? 'coral' : 'tide'} width={(Math.abs(value) / most) * 100} height={10} rx={1} />
            </svg>
            <span className="bars-value">{Number.isInteger(value) ? count(value) : value.toPrecision(4)}</span>
          </li>
        ))}
      </ol>
    </figure>
  );
}

/** Two words; the key they stand for is a hover away, in full on the Network page. */
export function PeerName({ identity, self }: { identity: string; self: string | undefined }) {
  return (
    <span className="nowrap" title={`key ${identity.slice(0, 16)}…`}>
      {nameOf(identity)}
      {identity === self ? <span className="mute"> (you)</span> : null}
    </span>
  );
}

export const Empty = ({ title, children }: { title: string; children?: ReactNode }) => (
  <div className="empty">
    <p>
      <b>{title}</b>
    </p>
    {children}
  </div>
);

/** Grey lines that keep the place of what is coming. */
export const Skeleton = ({ lines = 3, label = 'Loading' }: { lines?: number; label?: string }) => (
  <div className="skeleton" aria-busy="true" role="group" aria-label={label}>
    {Array.from({ length: lines }, (_, i) => (
      <i key={i} />
    ))}
  </div>
);
