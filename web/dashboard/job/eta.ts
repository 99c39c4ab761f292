// How long a job still takes, and how sure that is.
import { timeLeft } from '../view/format.ts';

export interface Left {
  readonly likelySeconds: number;
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

/** Below so many seconds of watching nothing is known of how much the rate varies. */
const watchedSecondsMin = 8;
const blocks = 6;

/**
 * From items per second, one figure a second, the newest last: the mean of the last minute, and the second slowest and second fastest of six
 * stretches of it. null where nothing is done, or it has not been watched for long enough.
 */
export function timeLeftOf(itemsLeft: number, rates: readonly number[]): Left | null {
  const recent = rates.slice(-60);
  if (itemsLeft <= 0 || recent.length < watchedSecondsMin) return null;
  const mean = meanOf(recent);
  if (mean <= 0) return null;
  const size = Math.ceil(recent.length / blocks);
  const stretches = Array.from({ length: Math.ceil(recent.length / size) }, (_, i) =>
    meanOf(recent.slice(i * size, (i + 1) * size)),
  ).toSorted((a, b) => a - b);
  const slow = Math.max(stretches[Math.min(1, stretches.length - 1)]!, mean / 20);
  const fast = stretches[Math.max(0, stretches.length - 2)]!;
  return {
    likelySeconds: itemsLeft / mean,
    fromSeconds: itemsLeft / Math.max(fast, mean),
    toSeconds: itemsLeft / Math.min(slow, mean),
  };
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** 'about 6 min left, 4 to 9'; without the ends where they say nothing new. */
export function leftInWords(left: Left | null, etaSeconds: number | null): string {
  if (left === null) return timeLeft(etaSeconds);
  const likely = timeLeft(left.likelySeconds);
  if (left.likelySeconds < 30 || left.toSeconds < left.fromSeconds * 1.35) return likely;
  const [unit, per] =
    left.likelySeconds < 3_300
      ? (['min', 60] as const)
      : left.likelySeconds < 172_800
        ? (['h', 3_600] as const)
        : (['days', 86_400] as const);
  const from = Math.max(1, Math.floor(left.fromSeconds / per));
  const to = Math.ceil(left.toSeconds / per);
  return left.likelySeconds < 55 || to <= from ? likely : `${likely.replace(/ left$/, '')}, ${from} to ${to} ${unit}`;
}
