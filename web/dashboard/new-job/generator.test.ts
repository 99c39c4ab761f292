import { expect, it } from 'vitest';
import { generatedItemsMax, generatorModule, generatorProblem } from './generator.ts';

type Generate = (list: unknown, task: { args: unknown; random: () => number; now: () => number }) => Promise<unknown[]>;

async function items(body: string, args: unknown = null): Promise<unknown[]> {
  const url = `data:text/javascript;charset=utf-8,${encodeURIComponent(generatorModule(body))}`;
  const { default: generate } = (await import(/* @vite-ignore */ url)) as { default: Generate };
  return generate([], { args, random: () => 0.25, now: () => 7 });
}

it('gives what the lines yield, in order, of any kind', async () => {
  expect(await items('for (let a = 1; a < 3; a++) for (const b of "xy") yield { a, b };')).toEqual([
    { a: 1, b: 'x' },
    { a: 1, b: 'y' },
    { a: 2, b: 'x' },
    { a: 2, b: 'y' },
  ]);
  expect(await items('yield* [1, 2]; // the last line may be a comment')).toEqual([1, 2]);
});

it('sees the arguments, the seeded randomness and what it awaits', async () => {
  expect(await items('for (let n = 0; n < args.times; n++) yield await Promise.resolve(n + random());', { times: 2 })).toEqual([
    0.25, 1.25,
  ]);
});

it('ends where it yields without end', async () => {
  expect(generatedItemsMax).toBe(1_000_000);
  await expect(items('for (;;) yield 1;')).rejects.toThrow('more than a million items');
});

it('says what is missing before anything is run', () => {
  expect(generatorProblem(' ')).toMatch(/no input yet/);
  expect(generatorProblem('return [1, 2];')).toMatch(/yields its items/);
  expect(generatorProblem('yield 1;')).toBeNull();
});
