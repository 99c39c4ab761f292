import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntervalClock } from './interval-clock.ts';

type Dots = readonly (readonly [string, number])[];
const dots: fc.Arbitrary<Dots> = fc.array(fc.tuple(fc.constantFrom('ada', 'bob', 'cyd'), fc.integer({ min: 1, max: 12 })), {
  maxLength: 30,
});

const clockOf = (...lists: Dots[]) => {
  const clock = new IntervalClock();
  for (const [actor, n] of lists.flat()) clock.add(actor, n);
  return clock;
};
const merged = (...clocks: IntervalClock[]) => {
  const all = new IntervalClock();
  for (const clock of clocks) all.merge(clock);
  return all;
};
const setOf = (list: Dots) => new Set(list.map(([actor, n]) => `${actor}/${n}`));

describe('an interval clock', () => {
  it('merges in any order, in any grouping and any number of times to the same clock', () => {
    fc.assert(
      fc.property(dots, dots, dots, (a, b, c) => {
        const [A, B, C] = [clockOf(a), clockOf(b), clockOf(c)];
        const all = clockOf(a, b, c).toRecord();
        expect(merged(A, merged(B, C)).toRecord()).toEqual(all);
        expect(merged(merged(A, B), C).toRecord()).toEqual(all);
        expect(merged(C, B, A).toRecord()).toEqual(all);
        expect(merged(A, B, C, A, B, B).toRecord()).toEqual(all);
      }),
    );
  });

  it('relates two clocks as sets of dots relate', () => {
    fc.assert(
      fc.property(dots, dots, (a, b) => {
        const [A, B] = [setOf(a), setOf(b)];
        const ahead = [...A].some((dot) => !B.has(dot));
        const behind = [...B].some((dot) => !A.has(dot));
        expect(clockOf(a).relation(clockOf(b))).toBe(ahead ? (behind ? 'concurrent' : 'ahead') : behind ? 'behind' : 'equal');
      }),
    );
  });

  it('tells exactly what the other misses', () => {
    fc.assert(
      fc.property(dots, dots, (a, b) => {
        const told = [...clockOf(a).missingFrom(clockOf(b))].flatMap(({ actor, span: [first, end] }) =>
          Array.from({ length: end - first }, (_, i) => `${actor}/${first + i}`),
        );
        expect(told.toSorted()).toEqual([...setOf(a)].filter((dot) => !setOf(b).has(dot)).toSorted());
      }),
    );
  });

  it('keeps one interval for numbers without a gap, survives being sent, and counts', () => {
    fc.assert(
      fc.property(dots, (a) => {
        const clock = clockOf(a);
        expect(IntervalClock.from(clock.toRecord()).toRecord()).toEqual(clock.toRecord());
        expect(clock.size).toBe(setOf(a).size);
        for (const [actor, n] of a) expect(clock.has(actor, n)).toBe(true);
      }),
    );
    const clock = clockOf([
      ['ada', 2],
      ['ada', 1],
      ['ada', 3],
      ['ada', 6],
    ]);
    expect(clock.toRecord()).toEqual({
      ada: [
        [1, 3],
        [6, 6],
      ],
    });
    expect([clock.prefix('ada'), clock.highest('ada'), clock.prefix('bob')]).toEqual([3, 6, 0]);
    expect(clock.add('ada', 3)).toBe(false);
  });

  it('takes malformed intervals from outside as what they cover', () => {
    expect(
      IntervalClock.from({
        ada: [
          [5, 9],
          [1, 6],
          [4, 3],
        ],
      }).toRecord(),
    ).toEqual({ ada: [[1, 9]] });
  });
});
