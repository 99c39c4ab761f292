// How long, in words that stand in a sentence of the kernel's own.
const units: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
];

/** In the largest unit of which it is one at least, to a tenth: '90 minutes' is '1.5 hours'. Below a second in milliseconds. */
export function durationWords(ms: number): string {
  const [unitMs, name] = units.find(([each]) => ms >= each) ?? [1, 'millisecond'];
  const count = Math.round((ms / unitMs) * 10) / 10;
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
