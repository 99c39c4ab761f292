// One line a figure: met or not, the median and its interval.
import type { Interval } from './statistics.ts';

/** Met when the near end of the interval is at or past the target. */
export function report(
  what: string,
  { low, middle, high }: Interval,
  target: number,
  beside: string,
  direction: 'at least' | 'at most' = 'at least',
): void {
  const met = direction === 'at least' ? low >= target : high <= target;
  console.log(
    `${met ? 'met    ' : 'NOT met'}  ${what}: ${intervalText({ low, middle, high })}, target ${direction} ${shown(target)}${beside === '' ? '' : `; ${beside}`}`,
  );
}

export const intervalText = ({ low, middle, high }: Interval): string => `${shown(middle)} [${shown(low)}, ${shown(high)}]`;

const shown = (value: number) => (value < 10 ? value.toFixed(3) : Math.round(value).toLocaleString('en'));
