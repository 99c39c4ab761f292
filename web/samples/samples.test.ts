import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fractal, tilesOf, type FractalArgs, type Tile } from './fractal.ts';
import { gallery } from './gallery.ts';
import { monteCarlo } from './monte-carlo.ts';
import { penguins } from './penguins.ts';
import type { Sample } from './sample.ts';
import { sweep } from './sweep.ts';
import { weatherTable } from './weather-table.ts';
import { wordCount, type WordCounts } from './word-count.ts';

/** Loads a sample's code as the sandbox does: as a module of its own, which sees nothing around it. */
async function load<F>(code: string): Promise<F> {
  const module: unknown = await import(/* @vite-ignore */ `data:text/javascript;charset=utf-8,${encodeURIComponent(code)}`);
  return (module as { default: F }).default;
}

const text = readFileSync(new URL('../../public/samples/genesis-to-samuel.txt', import.meta.url), 'utf8');

describe('the word count', () => {
  it('ships at least 1 MB of text, in at least 20 000 lines', () => {
    expect(text.length).toBeGreaterThan(1024 * 1024);
    expect(text.trimEnd().split('\n').length).toBeGreaterThan(20_000);
  });

  it('counts what a plain count of the whole text counts', async () => {
    const map = await load<(line: string) => unknown>(wordCount.code);
    const reduce = await load<(lines: unknown[]) => WordCounts>(wordCount.reduce!);
    const lines = text.trimEnd().split('\n');
    const counted = reduce(lines.map(map));

    const plain: Record<string, number> = Object.create(null);
    for (const word of text.toLowerCase().split(/[^a-z0-9'-]+/))
      if (word !== '') plain[word.replace(/^['-]+|['-]+$/g, '')] = (plain[word.replace(/^['-]+|['-]+$/g, '')] ?? 0) + 1;
    delete plain[''];
    expect(Object.fromEntries(counted.words)).toEqual({ ...plain });
    expect(counted.lines).toBe(lines.length);
    expect(counted.totalWords).toBe(Object.values(plain).reduce((sum, n) => sum + n, 0));
    expect(counted.words[0]).toEqual(['the', plain['the']]);
    expect(counted.phrases).toHaveLength(1000);
  });

  it('counts words that are names of properties, and none in an empty line', async () => {
    const map = await load<(line: string) => { words: unknown[]; phrases: unknown[] }>(wordCount.code);
    expect(map('Constructor __proto__ constructor')).toEqual({
      words: [
        ['constructor', 2],
        ['proto', 1],
      ],
      phrases: [
        ['constructor proto', 1],
        ['proto constructor', 1],
      ],
    });
    expect(map('')).toEqual({ words: [], phrases: [] });
  });
});

describe('the fractal', () => {
  it('draws tiles that cover the picture once', async () => {
    const args: FractalArgs = { ...(fractal.args as FractalArgs), width: 70, height: 40, tile: 32, iterations: 50 };
    const draw = await load<(index: number, task: { args: FractalArgs }) => Tile>(fractal.code);
    const covered = new Uint8Array(args.width * args.height);
    for (let index = 0; index < tilesOf(args); index++) {
      const tile = draw(index, { args });
      expect(tile.rgba).toHaveLength(tile.width * tile.height * 4);
      for (let row = 0; row < tile.height; row++)
        for (let column = 0; column < tile.width; column++) covered[(tile.y + row) * args.width + tile.x + column]!++;
    }
    expect(covered.every((times) => times === 1)).toBe(true);
  });
});

/** What a sample's code gets beside its item. */
const taskOf = (args: unknown, index: number) => {
  let state = index + 1;
  return {
    args,
    index,
    random: () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32,
    log: () => undefined,
    progress: () => undefined,
  };
};
const shipped = (path: string) => readFileSync(new URL(`../../public${path}`, import.meta.url), 'utf8');

/** Runs the sample over `items` and reduces what came. */
async function run(sample: Sample, items: readonly unknown[], changed: object = {}): Promise<Record<string, unknown>> {
  const args = {
    ...(sample.args as object),
    ...(sample.argsFile && { [sample.argsFile.key]: shipped(sample.argsFile.path) }),
    ...changed,
  };
  const map = await load<(item: unknown, task: object) => unknown>(sample.code);
  const reduce = await load<(values: unknown[], task: object) => Record<string, unknown>>(sample.reduce!);
  return reduce(
    items.map((item, index) => map(item, taskOf(args, index))),
    taskOf(args, 0),
  );
}
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('the gallery', () => {
  it('has a sample for each of its names, every one with a picture to wait for', () => {
    expect(new Set(gallery.map(({ id }) => id)).size).toBe(gallery.length);
    expect(gallery.filter(({ picture }) => !picture)).toEqual([]);
  });

  it('ships a small picture of what each ends in', () => {
    for (const { id } of gallery) {
      const picture = readFileSync(new URL(`../../public/samples/${id}.webp`, import.meta.url));
      expect(picture.subarray(8, 12).toString()).toBe('WEBP');
      expect(picture.length).toBeLessThan(60_000);
    }
  });

  it('names the source of every file that it ships', () => {
    const sources = shipped('/samples/SOURCES.md');
    for (const { input, argsFile, source } of gallery) {
      const path = input.kind === 'file' ? input.path : argsFile?.path;
      if (path === undefined) continue;
      expect(sources).toContain(path.split('/').at(-1));
      expect(source).toBeTruthy();
    }
  });
});

describe('the Monte Carlo estimate', () => {
  it('nears pi, and its band shrinks as the root of the darts', async () => {
    const { estimate, lines } = (await run(monteCarlo, upTo(64), { darts: 5_000 })) as {
      estimate: number;
      lines: { series: [{ low: number[]; high: number[] }] };
    };
    expect(Math.abs(estimate - Math.PI)).toBeLessThan(0.02);
    const [{ low, high }] = lines.series;
    const width = (i: number) => high[i]! - low[i]!;
    expect(width(3) / width(63)).toBeCloseTo(4, 0);
  });
});

describe('the sweep', () => {
  it('shows an epidemic where it is infectious and few are vaccinated, and none where most are', async () => {
    const shape = { across: 3, down: 3, people: 400, runs: 3 };
    const { heatmap } = (await run(sweep, upTo(9), shape)) as { heatmap: { x: number[]; y: number[]; values: number[][] } };
    expect([heatmap.x.length, heatmap.y.length, heatmap.values.length]).toEqual([3, 3, 3]);
    expect(heatmap.values[0]![2]).toBeGreaterThan(0.7);
    expect(heatmap.values[0]![0]).toBeLessThan(0.2);
    expect(heatmap.values[2]![2]).toBeLessThan(0.4);
  });
});

describe('the table', () => {
  it('adds up to the rain of the whole table', async () => {
    const lines = shipped('/samples/seattle-weather.csv').trimEnd().split('\n');
    const reduced = await run(weatherTable, lines);
    expect([reduced['days'], reduced['years']]).toEqual([1461, 4]);
    const rain = (reduced['rain, mm a month'] as [string, number][]).reduce((sum, [, mm]) => sum + mm, 0);
    const plain = lines.slice(1).reduce((sum, line) => sum + Number(line.split(',')[1]), 0);
    expect(rain * 4).toBeCloseTo(plain, 6);
  });
});

describe('the learning task', () => {
  it('tells penguins that it has not seen, and paints what it learned', async () => {
    const { accuracyOfUnseenBirds, image } = (await run(penguins, upTo(3), { grid: [8, 6], epochs: 60 })) as {
      accuracyOfUnseenBirds: number;
      image: { width: number; height: number; rgba: Uint8Array };
    };
    expect(accuracyOfUnseenBirds).toBeGreaterThan(0.9);
    expect(image.rgba).toHaveLength(image.width * image.height * 4);
  });
});
