import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fractal, tilesOf, type FractalArgs, type Tile } from './fractal.ts';
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
