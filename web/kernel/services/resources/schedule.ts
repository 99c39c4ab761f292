// The hours of the week in which work may run. Pure; times are the machine's own.
import type { Hours } from '../../protocol/contracts/resources.ts';

const dayMs = 86_400_000;
const minuteMs = 60_000;
const weekMs = 7 * dayMs;
/** 1 January 1970 was a Thursday. */
const firstDay = 4;

export interface Opening {
  readonly open: boolean;
  /** Until it opens or closes; null where it never does. */
  readonly changesInMs: number | null;
}

/** @param localMs milliseconds since the beginning of 1970 by the machine's own clock and zone */
export function openingAt(schedule: readonly Hours[], localMs: number): Opening {
  if (schedule.length === 0) return { open: true, changesInMs: null };
  const at = (localMs + firstDay * dayMs) % weekMs;
  const spans = schedule.flatMap(({ days, from, until }) =>
    days.map((day) => ({ from: day * dayMs + from * minuteMs, lengthMs: (until > from ? until - from : until - from + 1_440) * minuteMs })),
  );
  const openAt = (ms: number) => spans.some((span) => (ms - span.from + weekMs) % weekMs < span.lengthMs);
  const open = openAt(at);
  // Only where a span begins or ends can that change.
  const edges = spans
    .flatMap((span) => [span.from, (span.from + span.lengthMs) % weekMs])
    .map((edge) => (edge - at + weekMs) % weekMs || weekMs)
    .toSorted((a, b) => a - b);
  return { open, changesInMs: edges.find((inMs) => openAt((at + inMs) % weekMs) !== open) ?? null };
}
