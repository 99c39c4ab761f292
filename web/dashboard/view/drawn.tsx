// What a job answers with, drawn: lines with bands, heat maps, images.
import { lazy, Suspense, useEffect, useId, useRef } from 'react';
import { Skeleton } from '../pieces/pieces.tsx';
import { figure } from './format.ts';
import type { PlotChartProps, PlotSeries } from './plot-chart.tsx';
import type { Bitmap, HeatMap, LineChart } from './result-shapes.ts';

const Chart = lazy(() => import('./plot-chart.tsx').then((module) => ({ default: module.PlotChart })));

/** Colours of several lines, told apart by their names beside them too. */
export const lineColours = ['--tide', '--dusk', '--violet', '--coral', '--sea', '--moss', '--mute'] as const;
export const colourOf = (place: number) => lineColours[Math.min(place, lineColours.length - 1)]!;

export const Plot = (props: PlotChartProps) => (
  <Suspense fallback={<Skeleton lines={Math.max(3, Math.floor(props.height / 30))} label="The chart is being drawn" />}>
    <Chart {...props} />
  </Suspense>
);

const said = (value: number) => figure(value, 3);
const axisWord = (value: number | string) => (typeof value === 'number' ? said(value) : value);

export function LineFigure({ title, x, xLabel, yLabel, series, mark }: LineChart) {
  const drawn: PlotSeries[] = [];
  const bands: [number, number][] = [];
  series.forEach(({ name, y, band }, i) => {
    const colour = colourOf(i);
    drawn.push({ name, y, colour, kind: 'line' });
    if (band === null) return;
    drawn.push({ name: `${name}, high`, y: band.high, colour, kind: 'edge' }, { name: `${name}, low`, y: band.low, colour, kind: 'edge' });
    bands.push([drawn.length - 2, drawn.length - 1]);
  });
  return (
    <figure className="drawn">
      {title === '' ? null : (
        <figcaption>
          <h3>{title}</h3>
        </figcaption>
      )}
      <Plot
        label={`${title || yLabel || 'Lines'}: ${series.map(({ name, y }) => `${name}, at the end ${said(y.at(-1) ?? Number.NaN)}`).join('; ')}`}
        x={x}
        series={drawn}
        bands={bands}
        xLabel={xLabel}
        yLabel={yLabel}
        height={300}
        mark={mark}
      />
      <p className="legend sm mute">
        {series.map(({ name }, i) => (
          <span key={name}>
            <i className={`line${colourOf(i)}`} />
            {name}
          </span>
        ))}
        {mark === null ? null : (
          <span>
            <i className="line-mark" />
            {figure(mark, 6)}, what is known
          </span>
        )}
      </p>
    </figure>
  );
}

/** Sea to sand: even steps of lightness, so that it reads in grey too. */
const scale = [
  [11, 32, 44],
  [15, 92, 104],
  [30, 157, 138],
  [140, 204, 150],
  [250, 232, 160],
] as const;
function heatOf(share: number): readonly [number, number, number] {
  const place = Math.min(0.999_999, Math.max(0, share)) * (scale.length - 1);
  const [from, to] = [scale[Math.floor(place)]!, scale[Math.floor(place) + 1]!];
  const mix = (i: 0 | 1 | 2) => Math.round(from[i] + (to[i] - from[i]) * (place - Math.floor(place)));
  return [mix(0), mix(1), mix(2)];
}

export function HeatMapFigure({ title, x, y, values, xLabel, yLabel, unit }: HeatMap) {
  const id = useId();
  const canvas = useRef<HTMLCanvasElement>(null);
  const all = values.flat().filter((value) => Number.isFinite(value));
  const least = all.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = all.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context === null || context === undefined) return;
    const pixels = new ImageData(x.length, y.length);
    values.forEach((row, r) =>
      row.forEach((value, c) => {
        // The first row of a picture is its top; the first of an axis its bottom.
        const at = ((y.length - 1 - r) * x.length + c) * 4;
        if (Number.isFinite(value)) pixels.data.set([...heatOf((value - least) / (most - least || 1)), 255], at);
      }),
    );
    context.putImageData(pixels, 0, 0);
  }, [x, y, values, least, most]);
  // The middle one only where there is one between the ends.
  const ends = (axis: readonly (number | string)[]) =>
    axis.length < 3 ? [...new Set([axis[0]!, axis.at(-1)!])] : [axis[0]!, axis[Math.floor((axis.length - 1) / 2)]!, axis.at(-1)!];
  return (
    <figure className="drawn heat" aria-labelledby={id}>
      <figcaption id={id}>
        <h3>{title || 'By two settings'}</h3>
        <span className="sm mute">
          {said(least)} <i className="heat-scale" /> {said(most)} {unit}
        </span>
      </figcaption>
      <div className="heat-body">
        <span className="heat-y-label sm mute">{yLabel}</span>
        <span className="heat-y sm mute" aria-hidden="true">
          {ends(y)
            .toReversed()
            .map((value, i) => (
              <span key={i}>{axisWord(value)}</span>
            ))}
        </span>
        <canvas
          ref={canvas}
          className="heat-map"
          width={x.length}
          height={y.length}
          role="img"
          aria-label={`${yLabel} by ${xLabel}: from ${said(least)} to ${said(most)} ${unit}`}
        />
        <span className="heat-x sm mute" aria-hidden="true">
          {ends(x).map((value, i) => (
            <span key={i}>{axisWord(value)}</span>
          ))}
        </span>
        <span className="heat-x-label sm mute">{xLabel}</span>
      </div>
    </figure>
  );
}

export function BitmapFigure({ title, width, height, rgba }: Bitmap) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    canvas.current?.getContext('2d')?.putImageData(new ImageData(new Uint8ClampedArray(rgba), width, height), 0, 0);
  }, [width, height, rgba]);
  return (
    <figure className="drawn">
      <canvas
        ref={canvas}
        className="picture"
        width={width}
        height={height}
        role="img"
        aria-label={title || `An image of ${width} by ${height} pixels`}
      />
      {title === '' ? null : <figcaption className="sm mute">{title}</figcaption>}
    </figure>
  );
}
