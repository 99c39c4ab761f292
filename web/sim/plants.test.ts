// Bugs that the checkers must catch, or they show nothing. Prints how many seeds each needed.
import { describe, expect, it } from 'vitest';
import { run } from './run.ts';
import { plants } from './testing/plants.ts';

const seedsMax = 60;
const peers = 6;

describe('a planted bug is caught', () => {
  const table: string[] = [];
  it.each(Object.keys(plants))(
    '%s',
    async (name) => {
      for (let seed = 0; seed < seedsMax; seed++) {
        const { violations } = await run(`plant ${seed}`, { peers, plant: plants[name]! });
        if (violations.length === 0) continue;
        // It is the bug that is caught, and nothing else.
        expect((await run(`plant ${seed}`, { peers })).violations).toEqual([]);
        table.push(
          `${name.padEnd(48)} ${String(seed + 1).padStart(3)} ${[...new Set(violations.map(({ invariant }) => invariant))].join(' ')}`,
        );
        return;
      }
      expect.fail(`${seedsMax} seeds did not show it`);
    },
    60_000,
  );

  it('and each is told with the seeds it took', () => {
    process.stdout.write(`${'planted bug'.padEnd(48)} seeds, invariants\n${table.join('\n')}\n`);
    expect(table).toHaveLength(Object.keys(plants).length);
  });
});
