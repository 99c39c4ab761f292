// uPlot, in the colours of the page. Fetched when a chart is first drawn.
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { figure } from './format.ts';

export interface PlotSeries {
  readonly name: string;
  /** As many as `x`; NaN where there is nothing. */
  readonly y: ArrayLike<number>;
  /** A custom property of the page, such as '--tide'. */
  readonly colour: string;
  /** 'edge' is that of a band: seen by what it fills. */
  readonly kind: 'line' | 'area' | 'points' | 'bars' | 'edge';
}

export interface PlotChartProps {
  readonly label: string;
  readonly x: ArrayLike<number>;
  readonly series: readonly PlotSeries[];
  /** Places of two series between which the space is filled. */
  readonly bands?: readonly (readonly [upper: number, lower: number])[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly height: number;
  /** The vertical axis begins at zero. */
  readonly zero?: boolean;
  readonly mark?: number | null;
  readonly sayX?: (x: number) => string;
}

/** Digits of the numbers at an axis. */
const axisDigits = 6;

export function PlotChart(props: PlotChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const { x, series, label, xLabel, yLabel, height } = props;
  // Another shape needs another chart; other figures only need to be drawn.
  const shape = JSON.stringify([
    series.map(({ name, colour, kind }) => [name, colour, kind]),
    props.bands ?? [],
    xLabel,
    yLabel,
    height,
    props.zero,
    props.mark,
  ]);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  useEffect(() => {
    const element = host.current!;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const draw = () => {
      chart.current?.destroy();
      chart.current = new uPlot(optionsOf(latest.current, element), dataOf(latest.current), element);
    };
    draw();
    const sized = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height }));
    sized.observe(element);
    dark.addEventListener('change', draw);
    return () => {
      sized.disconnect();
      dark.removeEventListener('change', draw);
      chart.current?.destroy();
      chart.current = null;
    };
  }, [shape, height]);
  useEffect(() => {
    chart.current?.setData(dataOf(latest.current));
  }, [x, series]);
  return <div ref={host} className={`plot plot-${height}`} role="img" aria-label={label} />;
}

const dataOf = ({ x, series }: PlotChartProps): uPlot.AlignedData => [
  Float64Array.from(x),
  // A gap is null to uPlot; NaN would stretch the axis.
  ...series.map(({ y }) => Array.from(y, (value) => (Number.isFinite(value) ? value : null))),
];

function optionsOf(
  { x: places, series, bands, xLabel, yLabel, height, zero, mark, sayX }: PlotChartProps,
  element: HTMLElement,
): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  // Bars stand for ranges that touch, so hardly anything is between them; a single one would be a wall.
  const barPixelsMax = places.length > 1 ? Infinity : 100;
  const barWidth = series.some(({ kind }) => kind === 'bars') ? (places.length > 1 ? places[1]! - places[0]! : 1) : 0;
  const font = `12px ${style.fontFamily}`;
  const axis = {
    stroke: colour('--mute'),
    font,
    labelFont: font,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
  };
  return {
    width: element.clientWidth || 600,
    height,
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: {
        time: false,
        ...(barWidth > 0 && {
          range: (_: uPlot, least: number, most: number): [number, number] => [least - barWidth / 2, most + barWidth / 2],
        }),
      },
      y: { range: (_, least, most) => rangeOf(Math.min(least, mark ?? least), Math.max(most, mark ?? most), zero === true) },
    },
    axes: [
      {
        ...axis,
        label: xLabel,
        labelSize: 18,
        size: 30,
        values: (_, ticks) => ticks.map((tick) => (sayX === undefined ? figure(tick, axisDigits) : sayX(tick))),
      },
      { ...axis, label: yLabel, labelSize: 18, size: 62, values: (_, ticks) => ticks.map((tick) => figure(tick, axisDigits)) },
    ],
    series: [
      {},
      ...series.map(({ name, colour: named, kind }): uPlot.Series => {
        const stroke = colour(named);
        const shared = { label: name, stroke, width: 2 };
        if (kind === 'points') return { ...shared, width: 0, paths: () => null, points: { show: true, size: 4, fill: stroke, stroke } };
        if (kind === 'bars')
          return { ...shared, width: 0, fill: stroke, paths: uPlot.paths.bars!({ size: [0.92, barPixelsMax] }), points: { show: false } };
        if (kind === 'edge') return { ...shared, width: 0.5, stroke: `${stroke}66`, points: { show: false } };
        return { ...shared, ...(kind === 'area' && { fill: `${stroke}44` }), points: { show: false } };
      }),
    ],
    ...(bands !== undefined && {
      bands: bands.map(([upper, lower]) => ({
        series: [upper + 1, lower + 1] as [number, number],
        fill: `${colour(series[upper]!.colour)}33`,
      })),
    }),
    hooks: {
      draw: [
        (plot) => {
          if (mark === null || mark === undefined) return;
          const y = plot.valToPos(mark, 'y', true);
          const { ctx, bbox } = plot;
          ctx.save();
          ctx.strokeStyle = colour('--dusk');
          ctx.setLineDash([6, 5]);
          ctx.lineWidth = 1.5;
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
          ctx.restore();
        },
      ],
    },
  };
}

/** With room above and below, and never nothing. */
function rangeOf(least: number, most: number, zero: boolean): [number, number] {
  if (!Number.isFinite(least) || !Number.isFinite(most)) return [0, 1];
  const low = zero ? Math.min(0, least) : least;
  const high = most === low ? low + (Math.abs(low) || 1) : most;
  const room = (high - low) * 0.06;
  return [zero && low === 0 ? 0 : low - room, high + room];
}
