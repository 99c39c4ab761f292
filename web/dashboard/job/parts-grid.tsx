import { memo, useMemo } from 'react';
import { nameOf } from '../../kernel/lib/names.ts';
import type { Span } from '../../sdk/types.ts';
import { cellsOf, tallyCells, type CellState } from '../view/cells.ts';
import { items as itemsText, plural } from '../view/format.ts';

const words: Record<CellState, string> = {
  waiting: 'waiting',
  claimed: 'running',
  partly: 'partly done',
  committed: 'done',
  failed: 'failed',
};

/** Every item of the job in a bounded number of cells, in order. */
export const PartsGrid = memo(function PartsGrid({ items, spans }: { items: number; spans: readonly Span[] }) {
  const cells = useMemo(() => cellsOf(items, spans), [items, spans]);
  const tally = tallyCells(cells);
  const said = (Object.keys(words) as CellState[]).filter((state) => tally[state] > 0).map((state) => `${tally[state]} ${words[state]}`);
  return (
    <div className={cells.length <= 96 ? 'grid few' : 'grid'} role="img" aria-label={`${plural(cells.length, 'cell')}: ${said.join(', ')}`}>
      {cells.map(({ range, state, by }) => (
        <b key={range[0]} className={state} title={`${itemsText(range)} · ${words[state]}${by === '' ? '' : ` · ${nameOf(by)}`}`} />
      ))}
    </div>
  );
});
