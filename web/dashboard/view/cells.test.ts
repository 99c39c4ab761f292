import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Span } from '../../sdk/types.ts';
import { cellsMax, cellsOf, tallyCells } from './cells.ts';

const span = (first: number, end: number, state: Span['state'], by = ''): Span => ({ range: [first, end], state, by });

describe('the parts grid', () => {
  it('has one cell an item while there are few', () => {
    expect(cellsOf(3, [span(0, 1, 'committed', 'a'), span(1, 2, 'claimed', 'b')]).map(({ state, by }) => [state, by])).toEqual([
      ['committed', 'a'],
      ['claimed', 'b'],
      ['waiting', ''],
    ]);
  });

  it('shows what went wrong in a cell before anything else, and who did most of it', () => {
    const [cell] = cellsOf(1_000, [span(0, 300, 'committed', 'a'), span(300, 301, 'failed', 'b'), span(301, 990, 'committed', 'c')], 1);
    expect(cell).toEqual({ range: [0, 1_000], state: 'failed', by: 'c' });
  });

  it('tells a cell that is partly there from one that is all there', () => {
    expect(cellsOf(10, [span(0, 7, 'committed')], 2).map((cell) => cell.state)).toEqual(['committed', 'partly']);
  });

  it('has no cell for no item', () => expect(cellsOf(0, [])).toEqual([]));

  it('covers every item once, in bounded cells, from 1 item to 10 million', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), fc.array(fc.nat(10_000_000), { maxLength: 40 }), (items, cuts) => {
        const edges = [...new Set([0, ...cuts.map((cut) => Math.min(cut, items)), items])].sort((a, b) => a - b);
        const states = ['committed', 'failed', 'claimed', 'waiting'] as const;
        const spans = edges.slice(1).map((end, i) => span(edges[i]!, end, states[i % 4]!));
        const cells = cellsOf(items, spans);
        expect(cells.length).toBe(Math.min(items, cellsMax));
        let at = 0;
        for (const cell of cells) {
          expect(cell.range[0]).toBe(at);
          expect(cell.range[1]).toBeGreaterThan(at);
          at = cell.range[1];
        }
        expect(at).toBe(items);
        for (const failed of spans.filter((each) => each.state === 'failed')) {
          const hit = cells.find((cell) => cell.range[0] <= failed.range[0] && failed.range[0] < cell.range[1]);
          expect(hit?.state).toBe('failed');
        }
        expect(Object.values(tallyCells(cells)).reduce((sum, n) => sum + n, 0)).toBe(cells.length);
      }),
      { numRuns: 100 },
    );
  });
});
