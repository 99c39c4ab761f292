// How long this machine stays free for work before somebody interrupts it: what the group sizes work by. Pure.
export const stretchesMax = 16;
/** Shorter ones say more about a hand on the mouse than about the machine. */
const stretchMsMin = 1_000;

/** Seconds, the latest last. */
export function withStretch(stretches: readonly number[], lengthMs: number): readonly number[] {
  if (lengthMs < stretchMsMin) return stretches;
  return [...stretches, Math.round(lengthMs / 1_000)].slice(-stretchesMax);
}

/** The median; what goes on now counts once it is longer. Undefined until there is one. */
export function typicalStretch(stretches: readonly number[], currentMs: number): number | undefined {
  if (stretches.length === 0) return undefined;
  const sorted = stretches.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1]!;
  return Math.max(median, Math.floor(currentMs / 1_000) > 2 * median ? Math.floor(currentMs / 1_000) : 0);
}
