// What a busy donor gives away while others, or workers of its own, have nothing to do: a function it has not begun, whole; or of the
// one that takes longest the items it has not begun, in equal parts for itself and for those who wait. Pure.
import type { RecordId } from '../../lib/ids.ts';
import type { Range } from '../../protocol/schemas.ts';

/** What takes less is sooner done than handed over: it is appended, then claimed, and what came of it is told. */
export const giftMsMin = 300;
const giftRoundTrips = 3;
/** The group sees what came of a gift before the next one. */
export const giftEveryMs = 1_200;
/** Between two functions a worker has nothing for a moment. */
export const idleSettleMs = 300;
/** Each further owner gives those before it time to act. */
export const giftRankMs = 400;
export const piecesMax = 7;

export interface HeldFunction {
  readonly record: RecordId;
  readonly begun: boolean;
  /** Items that have an outcome; items in all. */
  readonly finished: number;
  readonly items: number;
  /** As measured, or at least. */
  readonly itemMs: number;
}

export interface GiftSituation {
  readonly now: number;
  /** Functions that anybody may claim. */
  readonly waiting: number;
  /** Workers without work: of this tab, and of others. */
  readonly idleHere: number;
  readonly idleElsewhere: number;
  /** Since when something has been idle with nothing waiting. */
  readonly idleSince: number;
  /** Place of this tab among those that have work. */
  readonly rank: number;
  readonly lastGiftAt: number;
  /** Between members. */
  readonly rttMs: number;
  /** In order of claiming. */
  readonly held: readonly HeldFunction[];
}

export type Gift =
  | { readonly kind: 'whole'; readonly records: readonly RecordId[] }
  /** After `keep` of its items; the rest in up to `pieces` functions. */
  | { readonly kind: 'tail'; readonly record: RecordId; readonly keep: number; readonly pieces: number };

export function planGift({
  now,
  waiting,
  idleHere,
  idleElsewhere,
  idleSince,
  rank,
  lastGiftAt,
  rttMs,
  held,
}: GiftSituation): Gift | undefined {
  const leastMs = Math.max(giftMsMin, giftRoundTrips * rttMs);
  const idle = idleHere + idleElsewhere;
  if (waiting > 0 || idle === 0 || now - lastGiftAt < giftEveryMs) return undefined;
  if (now - idleSince < idleSettleMs + Math.max(0, rank - idle + 1) * giftRankMs) return undefined;
  const ahead = held.filter(({ begun, items, itemMs }) => !begun && items * itemMs >= leastMs);
  if (ahead.length > 0 && idleElsewhere > 0) return { kind: 'whole', records: ahead.slice(-idleElsewhere).map(({ record }) => record) };
  let longest: HeldFunction | undefined;
  let longestMs = 0;
  for (const one of held) {
    const ms = leftOf(one) * one.itemMs;
    if (one.begun && ms > longestMs) [longest, longestMs] = [one, ms];
  }
  if (longest === undefined) return undefined;
  const left = leftOf(longest);
  const pieces = Math.min(idle, piecesMax, left, Math.max(1, Math.floor(longestMs / leastMs) - 1));
  const given = Math.ceil((left * pieces) / (pieces + 1));
  if (given * longest.itemMs < leastMs) return undefined;
  return { kind: 'tail', record: longest.record, keep: longest.items - given, pieces };
}

/** Items that have not begun: one is under way. */
const leftOf = ({ finished, items }: HeldFunction) => Math.max(0, items - finished - 1);

/** Where the run of `ranges` (ascending, apart) ends that has its first `keep` items. */
export function endAfter(ranges: readonly Range[], keep: number): number {
  let rest = keep;
  for (const [first, end] of ranges) {
    if (rest < end - first) return first + rest;
    rest -= end - first;
  }
  return ranges.at(-1)![1];
}

export interface RoundRange {
  readonly range: Range;
  readonly round: number;
}

/** The parts of `pieces` before or from item `at` on. */
export const before = <T extends RoundRange>(pieces: readonly T[], at: number): T[] =>
  pieces.flatMap((piece) => (piece.range[0] < at ? [{ ...piece, range: [piece.range[0], Math.min(at, piece.range[1])] as const }] : []));
export const from = <T extends RoundRange>(pieces: readonly T[], at: number): T[] =>
  pieces.flatMap((piece) => (piece.range[1] > at ? [{ ...piece, range: [Math.max(at, piece.range[0]), piece.range[1]] as const }] : []));
export const itemsOf = (pieces: readonly { readonly range: Range }[]) =>
  pieces.reduce((sum, { range: [first, end] }) => sum + end - first, 0);

/** Cuts `pieces` into functions, about `count` in all, by round: an append has one. */
export function cut(pieces: readonly RoundRange[], count: number): Map<number, [number, number][]> {
  const size = Math.max(1, Math.ceil(itemsOf(pieces) / count));
  const byRound = new Map<number, [number, number][]>();
  for (const { range, round } of pieces) {
    const ranges = byRound.get(round) ?? [];
    byRound.set(round, ranges);
    for (let first = range[0]; first < range[1]; first += size) ranges.push([first, Math.min(first + size, range[1])]);
  }
  return byRound;
}
