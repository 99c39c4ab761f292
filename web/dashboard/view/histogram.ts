// Numbers in bins with round edges.

export interface Bin {
  readonly from: number;
  /** Exclusive, but for the last bin. */
  readonly to: number;
  readonly count: number;
}

const binsMax = 40;

/** Round steps, about the root of the count of them; numbers that are none are left out. */
export function histogramOf(values: ArrayLike<number>): Bin[] {
  let [least, most, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    count++;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (count === 0) return [];
  if (least === most) return [{ from: least, to: least, count }];
  const wanted = Math.min(binsMax, Math.max(5, Math.ceil(Math.sqrt(count))));
  const step = roundStep((most - least) / wanted);
  const first = Math.floor(least / step);
  const bins = Math.max(1, Math.floor(most / step) - first + 1);
  const counts = new Uint32Array(bins);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isFinite(value)) counts[Math.min(bins - 1, Math.max(0, Math.floor(value / step) - first))]!++;
  }
  return Array.from(counts, (each, i) => ({ from: tidy((first + i) * step), to: tidy((first + i + 1) * step), count: each }));
}

/** At or above `least`: 1, 2 or 5 times a power of ten. */
export function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * 0.999_999) ?? 10 * power;
}

/** 0.1 + 0.2 is 0.3. */
const tidy = (value: number) => Number(value.toPrecision(12));

/** Least, median, most and mean; null where there is no number. */
export function figuresOf(values: ArrayLike<number>): { least: number; median: number; most: number; mean: number } | null {
  const sorted = Float64Array.from(Array.from(values).filter((value) => Number.isFinite(value))).sort();
  if (sorted.length === 0) return null;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
  return { least: sorted[0]!, median, most: sorted.at(-1)!, mean };
}
