// The simulator in the tests: a few seeds here, hundreds by `npm run sim`. A seed that once failed stays, under the name of what it showed.
import { describe, expect, it } from 'vitest';
import { planOf } from './plan.ts';
import { run } from './run.ts';

describe('a group of tabs under faults', () => {
  const seeds = Array.from({ length: 50 }, (_, i) => `test ${i}`);
  it.each(seeds)(
    'does its work and comes to rest (seed %s)',
    async (seed) => {
      const { violations } = await run(seed, { peers: 5 + (Number(seed.slice(5)) % 3) });
      expect(violations).toEqual([]);
    },
    30_000,
  );

  it.each([
    ['a store that refuses a delete is asked again', '3', 10],
    ['a store that refuses a delete is asked again, seven times over', '31', 8],
    ['ledgers are compared only where they hold the same events', 'plant 25', 6],
    ['an event that a cancel takes away while it is written is acknowledged by nobody', '203', 20],
    ['a read that joins one begun before the holders were back is tried again', 'test 9', 6],
    ['a result that one store alone has taken, which then goes for good, was not announced', 'm463', 5],
    ['who was given a slice of a function with a wrong bit forged nothing', '11312', 6],
    ['a cancel that its tab could not write before it died is asked for again', 'n2324', 7],
  ])(
    '%s',
    async (_name, seed, peers) => {
      expect((await run(seed, { peers })).violations).toEqual([]);
    },
    30_000,
  );
});

describe('a run', () => {
  it('is a function of its seed', async () => {
    const [first, second] = [await run('twice', { peers: 7 }), await run('twice', { peers: 7 })];
    expect(second).toEqual(first);
    expect(first.events).toBeGreaterThan(1_000);
    expect((await run('once', { peers: 7 })).hash).not.toBe(first.hash);
  }, 30_000);

  it('meets every kind of fault within a hundred seeds', () => {
    const met = new Set(Array.from({ length: 100 }, (_, i) => planOf(String(i), 10).faults.map(([, { kind }]) => kind)).flat());
    expect(met.size).toBe(23);
  });
});
