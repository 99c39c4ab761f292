// What of some pieces no range covers.
type Range = readonly [first: number, end: number];

/** The parts of `pieces` (ascending, apart) that no range of `covers` (in any order) touches, ascending. */
export function uncovered<P extends { readonly range: Range }>(pieces: readonly P[], covers: readonly Range[]): P[] {
  const sorted = covers.toSorted((a, b) => a[0] - b[0]);
  const open: P[] = [];
  let at = 0;
  let reach = 0; // one past the last item covered by anything seen so far
  for (const piece of pieces) {
    let first = piece.range[0];
    const end = piece.range[1];
    while (first < end) {
      while (at < sorted.length && sorted[at]![0] <= first) reach = Math.max(reach, sorted[at++]![1]);
      if (reach > first) {
        first = Math.min(end, reach);
        continue;
      }
      const next = Math.min(end, sorted[at]?.[0] ?? end);
      open.push({ ...piece, range: [first, next] });
      first = next;
    }
  }
  return open;
}
