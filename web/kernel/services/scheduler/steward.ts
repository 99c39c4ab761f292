// What the steward of a job appends (rules 7 and 8): items that nobody has decided and no living record covers. Pure.
import type { IdentityId } from '../../lib/ids.ts';
import type { InputPart } from '../../protocol/job-manifest.ts';
import type { Range } from '../../protocol/schemas.ts';
import { uncovered } from '../../lib/uncovered.ts';
import { functionItems, measuredMax, partsEnd, type Measured } from './sizing.ts';
import { functionTargetMs } from '../../limits.ts';

export interface Undecided {
  readonly range: Range;
  readonly round: number;
  readonly failedBy: readonly IdentityId[];
}

export interface Situation {
  /** Those that hold the undecided items, ascending. */
  readonly parts: readonly InputPart[];
  /** Ascending. */
  readonly undecided: readonly Undecided[];
  /** Ranges of all records that are not lost, in any order. */
  readonly queued: readonly Range[];
  /** How many of those nobody owns. */
  readonly waiting: number;
  /** Workers that all members together may run. */
  readonly workers: number;
  /** Round trip between members. */
  readonly rttMs: number;
  readonly recent: readonly Measured[];
}

/** One call of the queue's append takes one round. */
export interface Append {
  readonly round: number;
  readonly ranges: Range[];
}

/** Items that failed travel in small functions: others should not wait for them, nor be run again with them. */
const retryItems = 8;
const rangesPerAppendMax = 1_024;

const functionsAheadMin = 8;
/**
 * Functions to keep waiting, so that no core waits between two looks of the steward. While only `measured` were measured, too few to know the size
 * of the next by, one worker has fewer waiting: they are short, and those made later are not.
 */
export const functionsAhead = (workers: number, measured: number) =>
  Math.min(rangesPerAppendMax, Math.max(measured < measuredMax ? 1 : functionsAheadMin, 4 * Math.max(1, workers)));

/** A function that nobody ends is given this long, and twice what the largest that a steward makes, or four items, should take. */
const patienceMs = 60_000;
const itemsTogether = 4;
const functionsTogether = 3;

/**
 * How long a record may lie undecided, while there are workers, before it counts as queued no more (rule 7): its holders or its owner
 * may answer and renew for ever and do nothing else. Appending its items again costs work, never results.
 */
export function patienceWith(items: number, itemMsMax: number, recent: readonly Measured[]): number {
  const measured = recent.filter((one) => one.items > 0).map((one) => one.tookMs / one.items);
  const itemMs = measured.length === 0 ? itemMsMax : Math.min(itemMsMax, Math.max(...measured));
  return patienceMs + 2 * Math.min(items * itemMs, Math.max(itemsTogether * itemMs, functionsTogether * functionTargetMs));
}

/** Nothing while half of what should wait is waiting: appends come in batches. */
export function planAppends(situation: Situation): Append[] {
  const ahead = functionsAhead(situation.workers, situation.recent.length);
  if (2 * situation.waiting >= ahead) return [];
  const open = uncovered(situation.undecided, situation.queued);
  let remaining = open.reduce((sum, { range: [first, end] }) => sum + end - first, 0);
  let appended = 0;
  const byRound = new Map<number, Range[]>();
  for (const { range, round, failedBy } of open) {
    let first = range[0];
    while (first < range[1] && situation.waiting + appended < ahead) {
      const sized = functionItems(situation.recent, remaining, situation.workers, appended, situation.rttMs);
      const items = failedBy.length > 0 ? Math.min(sized, retryItems) : sized;
      const end = Math.min(range[1], first + items, Math.max(first + 1, partsEnd(situation.parts, first)));
      let ranges = byRound.get(round);
      if (ranges === undefined) byRound.set(round, (ranges = []));
      ranges.push([first, end]);
      appended++;
      remaining -= end - first;
      first = end;
    }
  }
  return [...byRound].map(([round, ranges]) => ({ round, ranges }));
}
