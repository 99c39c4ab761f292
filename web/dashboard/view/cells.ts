// The parts grid: any number of items in a bounded number of cells, each a run of consecutive items.
import type { Span } from '../../sdk/types.ts';

export const cellsMax = 432;

export type CellState = 'waiting' | 'claimed' | 'partly' | 'committed' | 'failed';

export interface Cell {
  /** [first, end) of the job's items. */
  readonly range: readonly [number, number];
  readonly state: CellState;
  /** Identity of whoever did or does most of it; '' where nobody. */
  readonly by: string;
}

interface Tally {
  committed: number;
  failed: number;
  claimed: number;
  by: string;
  most: number;
}

/** Cells in order. `spans` ascend and do not overlap; what they leave out waits. Wrong shows first, then what moves, then what is done. */
export function cellsOf(items: number, spans: readonly Span[], max = cellsMax): Cell[] {
  const cells = Math.max(0, Math.min(items, max));
  const startOf = (cell: number) => Math.floor((cell * items) / cells);
  const tallies = Array.from({ length: cells }, (): Tally => ({ committed: 0, failed: 0, claimed: 0, by: '', most: 0 }));
  for (const { range, state, by } of spans) {
    const first = Math.max(0, range[0]);
    const end = Math.min(items, range[1]);
    if (end <= first || state === 'waiting') continue;
    for (let cell = Math.min(cells - 1, Math.floor((first * cells) / items)); cell < cells && startOf(cell) < end; cell++) {
      const overlap = Math.min(end, startOf(cell + 1)) - Math.max(first, startOf(cell));
      if (overlap <= 0) continue;
      const tally = tallies[cell]!;
      tally[state] += overlap;
      if (by === '' || overlap <= tally.most) continue;
      tally.most = overlap;
      tally.by = by;
    }
  }
  return tallies.map((tally, cell) => {
    const range = [startOf(cell), startOf(cell + 1)] as const;
    return { range, state: stateOf(tally, range[1] - range[0]), by: tally.by };
  });
}

function stateOf({ committed, failed, claimed }: Tally, size: number): CellState {
  if (failed > 0) return 'failed';
  if (committed >= size) return 'committed';
  if (claimed > 0) return 'claimed';
  return committed > 0 ? 'partly' : 'waiting';
}

/** How many cells of each state: what the grid says to who cannot see it. */
export function tallyCells(cells: readonly Cell[]): Record<CellState, number> {
  const tally: Record<CellState, number> = { waiting: 0, claimed: 0, partly: 0, committed: 0, failed: 0 };
  for (const cell of cells) tally[cell.state]++;
  return tally;
}
