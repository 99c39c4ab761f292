import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GroupRings } from './group-rings.ts';
import { groupId, type GroupId } from './ids.ts';

const idOf = (number: number): GroupId => {
  // Halves that are random to each other, as in a hash.
  const hex = (seed: number) =>
    Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d)
      .toString(16)
      .replace('-', 'f')
      .padStart(8, '0')
      .slice(0, 8);
  return groupId([1, 2, 3, 4].map((salt) => hex((number + 1) * 0x9e3779b1 * salt + salt * 0x85ebca6b)).join(''));
};

const reachable = (rings: GroupRings, from: GroupId): Set<GroupId> => {
  const seen = new Set([from]);
  for (const group of seen) for (const next of rings.neighboursOf(group)) seen.add(next);
  return seen;
};

/** True adds the group of that number, false takes it away. */
const steps = fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 60 })), { maxLength: 120 });

describe('the rings of groups', () => {
  it('keep neighbours mutual, few and all groups connected, whatever comes and goes', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const rings = new GroupRings();
        const there = new Set<GroupId>();
        for (const [comes, number] of taken) {
          const group = idOf(number);
          if (comes) {
            rings.add(group);
            there.add(group);
          } else {
            rings.remove(group);
            there.delete(group);
          }
          expect(rings.size).toBe(there.size);
          for (const one of there) {
            const neighbours = rings.neighboursOf(one);
            expect(neighbours.length).toBeLessThanOrEqual(4);
            expect(neighbours.length).toBeGreaterThanOrEqual(Math.min(2, there.size - 1));
            expect(neighbours).not.toContain(one);
            for (const other of neighbours) expect(rings.neighboursOf(other)).toContain(one);
          }
          for (const any of [...there].slice(0, 1)) expect(reachable(rings, any)).toEqual(there);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('change the neighbours of at most four groups when one comes', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 500 }), { minLength: 2, maxLength: 60 }), (numbers) => {
        const rings = new GroupRings();
        const [last, ...others] = numbers.map(idOf);
        for (const group of others) rings.add(group);
        const before = new Map(others.map((group) => [group, rings.neighboursOf(group).toSorted().join(' ')]));
        rings.add(last!);
        const changed = others.filter((group) => rings.neighboursOf(group).toSorted().join(' ') !== before.get(group));
        expect(changed.length).toBeLessThanOrEqual(4);
      }),
      { numRuns: 60 },
    );
  });

  it('have no group far from any other', () => {
    const rings = new GroupRings();
    for (let number = 0; number < 500; number++) rings.add(idOf(number));
    const distance = new Map([[idOf(0), 0]]);
    for (const [group, steps] of distance)
      for (const next of rings.neighboursOf(group)) if (!distance.has(next)) distance.set(next, steps + 1);
    expect(distance.size).toBe(500);
    expect(Math.max(...distance.values())).toBeLessThanOrEqual(14);
  });
});
