// Which items of a job a group lends to a neighbour that asks for work. Pure.
import type { Range } from '../../protocol/schemas.ts';
import { lentRangesMax } from '../../protocol/event.ts';

export interface Free {
  readonly range: Range;
  readonly round: number;
}

export interface Situation {
  /** Undecided, in no function and not lent, ascending. */
  readonly free: readonly Free[];
  /** Workers that the borrower and this group may run. */
  readonly theirs: number;
  readonly ours: number;
  /** What an item took, on the average; undefined where none was run. */
  readonly itemMs: number | undefined;
}

export interface Loan {
  readonly round: number;
  readonly ranges: [number, number][];
}

/** A loan is work for so long: it must outlast the way there by far, and be little where the borrower is lost with it. */
const loanMs = 20_000;
/** This group's own stewards queue the next of the free items meanwhile: what is lent lies behind those. */
const aheadMs = 20_000;
/** Items that take no time at all would be lent without bound. */
const itemMsMin = 0.01;
/** Before anything is known of an item: a few for each worker. */
const blindItems = 2;
/** Less work than this is sooner done here than lent. */
const worthMs = 4_000;

/** undefined where this group alone is done sooner. */
export function planLoan({ free, theirs, ours, itemMs }: Situation): Loan | undefined {
  const total = free.reduce((sum, { range: [first, end] }) => sum + end - first, 0);
  if (!isWorthIt(total, ours, itemMs)) return undefined;
  const each = itemMs === undefined ? undefined : Math.max(itemMs, itemMsMin);
  const share = Math.ceil((total * theirs) / (theirs + ours));
  const wanted = Math.min(share, each === undefined ? blindItems * theirs : Math.max(theirs, Math.floor((theirs * loanMs) / each)));
  const ahead = each === undefined ? 2 * blindItems * ours : Math.ceil((ours * aheadMs) / each);
  return cut(free, Math.min(ahead, total - wanted), wanted);
}

/** Whether so many items keep this group busy for longer than it takes to lend them. */
export function isWorthIt(items: number, ours: number, itemMs: number | undefined): boolean {
  if (items === 0) return false;
  return itemMs === undefined || ours === 0 || (items * itemMs) / ours >= worthMs;
}

/** `wanted` of the items behind the first `skip`, of one round, in few runs. */
function cut(free: readonly Free[], skip: number, wanted: number): Loan | undefined {
  let left = skip;
  let missing = wanted;
  let round: number | undefined;
  const ranges: [number, number][] = [];
  for (const piece of free) {
    const [first, end] = piece.range;
    const from = Math.min(end, first + left);
    left -= from - first;
    if (from >= end) continue;
    round ??= piece.round;
    if (piece.round !== round || missing === 0 || ranges.length >= lentRangesMax) break;
    const to = Math.min(end, from + missing);
    ranges.push([from, to]);
    missing -= to - from;
  }
  return round === undefined || ranges.length === 0 ? undefined : { round, ranges };
}

/** Functions to hand over that wait already: as many as the borrower has workers for, and no more than this group can spare. */
export function functionsToSpare(waiting: number, theirs: number, ours: number): number {
  return Math.max(0, Math.min(lentRangesMax, 2 * theirs, Math.floor(((waiting - ours) * theirs) / (theirs + ours))));
}
