import { describe, expect, it } from 'vitest';
import { bitmapOf, heatMapOf, lineChartOf, pictureSize, summaryOf, tileOf } from './result-shapes.ts';

describe('charts of a reduced value', () => {
  it('draws pairs and objects of numbers, largest first, twenty at most', () => {
    expect(
      summaryOf([
        ['a', 1],
        ['b', 3],
      ]),
    ).toMatchObject({
      charts: [
        {
          title: '',
          bars: [
            ['b', 3],
            ['a', 1],
          ],
          all: 2,
        },
      ],
      figures: [],
    });
    const many = summaryOf(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, i])));
    expect(many?.charts[0]).toMatchObject({ all: 50 });
    expect(many?.charts[0]?.bars).toHaveLength(20);
  });

  it('finds charts inside an object, and its numbers beside them', () => {
    expect(summaryOf({ lines: 3, totalWords: 9, words: [['and', 2]], note: 'x' })).toMatchObject({
      charts: [{ title: 'words', bars: [['and', 2]], all: 1 }],
      figures: [
        ['lines', 3],
        ['total words', 9],
      ],
    });
  });

  it.each([[null], [7], [[]], [[1, 2]], ['text'], [{}], [{ a: 'x' }], [new Uint8Array(3)], [[['a', Number.NaN]]]])(
    'draws no chart of %j',
    (value) => expect(summaryOf(value)).toBeNull(),
  );
});

describe('pictures of a reduced value', () => {
  const heatmap = { x: [1, 2], y: ['a'], values: [[3, 4]], xLabel: 'n' };
  it('is a heat map where it has two axes and a number for each pair', () => {
    expect(summaryOf({ best: 4, heatmap })).toMatchObject({ heatmaps: [{ ...heatmap, title: '', unit: '' }], figures: [['best', 4]] });
    expect(summaryOf(heatmap)?.heatmaps).toHaveLength(1);
    for (const wrong of [
      { values: [[3]] },
      {
        values: [
          [3, 4],
          [5, 6],
        ],
      },
      { values: [[3, 'x']] },
      { x: [] },
      { y: [null] },
    ])
      expect(heatMapOf({ ...heatmap, ...wrong })).toBeNull();
  });

  it('is a line chart where lines are as long as their axis, with bands where both edges are', () => {
    const lines = {
      x: [0, 1],
      series: [
        { name: 'a', y: [1, 2], low: [0, 1], high: [2, 3] },
        { name: 'b', y: [1, 2], low: [0] },
      ],
      mark: 3,
    };
    expect(summaryOf({ lines })?.lines[0]).toMatchObject({
      mark: 3,
      series: [
        { name: 'a', band: { low: [0, 1], high: [2, 3] } },
        { name: 'b', band: null },
      ],
    });
    expect(lineChartOf({ x: [0, 1], series: [{ name: 'a', y: [1] }] })).toBeNull();
    expect(lineChartOf({ x: [], series: [] })).toBeNull();
  });

  it('is an image where the bytes fit the size', () => {
    const image = { width: 2, height: 1, rgba: new Uint8Array(8) };
    expect(summaryOf({ image })?.images).toMatchObject([{ width: 2, height: 1 }]);
    expect(bitmapOf({ ...image, height: 2 })).toBeNull();
  });
});

describe('tiles', () => {
  const rgba = new Uint8Array(16);
  it('takes a tile whose bytes fit its size, and nothing else', () => {
    expect(tileOf({ x: 0, y: 4, width: 2, height: 2, rgba })).not.toBeNull();
    expect(tileOf({ x: 0, y: 4, width: 3, height: 2, rgba })).toBeNull();
    expect(tileOf({ x: -1, y: 4, width: 2, height: 2, rgba })).toBeNull();
    expect(tileOf({ x: 0, y: 0, width: 2, height: 2, rgba: [...rgba] })).toBeNull();
    expect(tileOf({ x: 0, y: 0, width: 0, height: 0, rgba: new Uint8Array(0) })).toBeNull();
  });

  it('needs a whole picture of a size that a browser can hold', () => {
    expect(pictureSize({ width: 1536, height: 1024 })).toEqual({ width: 1536, height: 1024 });
    expect(pictureSize({ width: 1e6, height: 1e6 })).toBeNull();
    expect(pictureSize({ width: '2', height: 2 })).toBeNull();
    expect(pictureSize(null)).toBeNull();
  });
});
