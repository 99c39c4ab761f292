// Ratios of alternating pairs and their bootstrap interval (DESIGN section 6).

export interface Interval {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
};

/** 95 % interval of the median by resampling (percentile bootstrap). */
export function bootstrapMedian(values: readonly number[], resamples = 4_000): Interval {
  const medians = Array.from({ length: resamples }, () => median(values.map(() => values[Math.floor(Math.random() * values.length)]!)));
  medians.sort((a, b) => a - b);
  return { low: medians[Math.floor(0.025 * resamples)]!, middle: median(values), high: medians[Math.floor(0.975 * resamples)]! };
}
