import { describe, expect, it } from 'vitest';
import { layoutOf } from './parts-grid.tsx';

describe('the grid of parts', () => {
  it('is as large as fits, whatever the number of items and the width', () => {
    for (const width of [320, 640, 1_100])
      for (const items of [1, 10, 96, 1_000, 43_200, 1_000_000]) {
        const { columns, cell, cells, height } = layoutOf(items, width);
        expect(height).toBeLessThanOrEqual(264);
        expect(columns * (cell + 2) - 2).toBeLessThanOrEqual(width);
        expect(cell).toBeGreaterThanOrEqual(6);
        expect(cells).toBeLessThanOrEqual(items);
      }
    expect(layoutOf(10, 640)).toMatchObject({ cell: 28, cells: 10 });
    expect(layoutOf(1_000_000, 640).cells).toBeGreaterThan(2_000);
  });
});
