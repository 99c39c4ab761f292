// Items that others had to interrupt again and again go only to members that stay idle for longer than they ran. Pure.
import type { LongItem } from '../../protocol/contracts/ledger.ts';
import type { Range } from '../../protocol/schemas.ts';

/** `stretchSeconds` is how long this machine stays idle, as it tells in its offer; undefined until it has learnt it. */
export const tooLongHere = (long: readonly LongItem[], stretchSeconds: number | undefined): number[] =>
  stretchSeconds === undefined ? [] : long.filter(({ ranMs }) => ranMs >= stretchSeconds * 1_000).map(({ item }) => item);

/** The pieces without those items (ascending). */
export function withoutItems<T extends { readonly range: Range }>(pieces: readonly T[], items: readonly number[]): T[] {
  if (items.length === 0) return [...pieces];
  return pieces.flatMap((piece) => {
    const kept: T[] = [];
    let first = piece.range[0];
    for (const item of items) {
      if (item < first || item >= piece.range[1]) continue;
      if (item > first) kept.push({ ...piece, range: [first, item] });
      first = item + 1;
    }
    if (first < piece.range[1]) kept.push({ ...piece, range: [first, piece.range[1]] });
    return kept;
  });
}
