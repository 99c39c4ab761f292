// Bugs that the checkers must catch, or they show nothing. Prints how many seeds each needed. Those that a few seeds show are here; all of them,
// the rare ones too, by `npm run sim -- --plants`.
import { describe, expect, it } from 'vitest';
import { hunt, lineOf } from './testing/hunt.ts';
import { plants, rarelySeen } from './testing/plants.ts';

const seedsMax = 60;
const peers = 6;

describe('a planted bug is caught', () => {
  const table: string[] = [];
  it.each(Object.keys(plants).filter((name) => !rarelySeen.has(name)))(
    '%s',
    async (name) => {
      const caught = await hunt(plants[name]!, peers, seedsMax);
      table.push(lineOf(name, caught));
      expect(caught, `${seedsMax} seeds did not show it`).toBeDefined();
    },
    60_000,
  );

  it('and each is told with the seeds it took', () => {
    process.stdout.write(`planted bug, seeds, invariants\n${table.join('\n')}\n`);
    expect(table).toHaveLength(Object.keys(plants).length - rarelySeen.size);
  });
});
