// Cuts a result blob into the computed events that announce it. Pure.
import { failedRangesMax } from '../../protocol/event.ts';
import type { Range } from '../../protocol/schemas.ts';

export interface RoundPiece {
  readonly range: Range;
  readonly round: number;
}

export interface PlannedEvent {
  readonly range: Range;
  readonly failed: Range[];
  readonly round: number;
}

/**
 * Events that together cover the parts of `blob` that lie in `pieces` (ascending, apart): one for each run of one round, and more
 * where more than `failedRangesMax` runs of items failed. All of them name the same result object.
 */
export function planEvents(blob: Range, failed: readonly Range[], pieces: readonly RoundPiece[]): PlannedEvent[] {
  const events: PlannedEvent[] = [];
  for (const piece of joined(pieces)) {
    const end = Math.min(blob[1], piece.range[1]);
    let first = Math.max(blob[0], piece.range[0]);
    if (first >= end) continue;
    const here = failed
      .filter((range) => range[0] < end && range[1] > first)
      .map((range): Range => [Math.max(first, range[0]), Math.min(end, range[1])]);
    while (first < end) {
      const some = here.splice(0, failedRangesMax);
      const last = here.length > 0 ? some.at(-1)![1] : end;
      events.push({ range: [first, last], failed: some, round: piece.round });
      first = last;
    }
  }
  return events;
}

/** Neighbours of one round as one piece. */
function joined(pieces: readonly RoundPiece[]): RoundPiece[] {
  const whole: RoundPiece[] = [];
  for (const { range, round } of pieces) {
    const before = whole.at(-1);
    if (before !== undefined && before.round === round && before.range[1] === range[0])
      whole[whole.length - 1] = { range: [before.range[0], range[1]], round };
    else whole.push({ range, round });
  }
  return whole;
}
