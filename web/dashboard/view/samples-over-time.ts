// Figures over time in bounded memory: a fixed step, the newest kept, older ones dropped.

export interface Series {
  readonly stepMs: number;
  readonly max: number;
  /** One value a step, oldest first. */
  readonly values: readonly number[];
}

export const emptySeries = (stepMs: number, max: number): Series => ({ stepMs, max, values: [] });

export function append(series: Series, value: number): Series {
  return { ...series, values: [...series.values.slice(Math.max(0, series.values.length + 1 - series.max)), value] };
}

/** How much a growing total grew, per `perMs`. A total that fell was reset (the kernel restarted): it grew by what it is. */
export function growth(before: number, after: number, elapsedMs: number): number {
  if (elapsedMs <= 0) return 0;
  return Math.max(0, after >= before ? after - before : after) / elapsedMs;
}

/** How many steps a chart shows: a sixth of the series while that holds all there is, then more, so that a young line is not a splinter. */
export function stepsShown({ values, max }: Series): number {
  return [max / 6, max / 3, max / 1.5].map(Math.ceil).find((steps) => steps > 1 && steps >= values.length) ?? max;
}

/** The line and the area under it in a box of `width` x `height`, `steps` wide; the newest value at the right edge, zero at the bottom. */
export function sparkPath(
  series: Series,
  width: number,
  height: number,
  top: number,
  steps = series.max,
): { line: string; area: string; last: readonly [number, number] } | null {
  const { values } = series;
  if (values.length < 2) return null;
  const step = width / (steps - 1);
  const left = width - (values.length - 1) * step;
  const y = (value: number) => height - (Math.min(value, top) / (top || 1)) * (height - 3);
  const points = values.map((value, i) => `${(left + i * step).toFixed(1)} ${y(value).toFixed(1)}`);
  const line = `M${points.join('L')}`;
  return { line, area: `${line}L${width} ${height}L${left.toFixed(1)} ${height}Z`, last: [width, y(values.at(-1)!)] };
}

/** A round number at or above every value: 1, 2 or 5 times a power of ten. */
export function roundTop(values: readonly number[]): number {
  const most = Math.max(0, ...values);
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((factor) => factor * power).find((top) => top >= most * 0.999) ?? most;
}
