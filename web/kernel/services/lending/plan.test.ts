import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lentRangesMax } from '../../protocol/event.ts';
import { functionsToSpare, isWorthIt, planLoan, type Free } from './plan.ts';

const free = (...ranges: [number, number][]): Free[] => ranges.map((range) => ({ range, round: 0 }));
const itemsOf = (ranges: readonly (readonly [number, number])[]) => ranges.reduce((sum, [first, end]) => sum + end - first, 0);

describe('a loan', () => {
  it('is about twenty seconds of work for the borrower, behind what this group does meanwhile', () => {
    const loan = planLoan({ free: free([100, 10_000]), theirs: 5, ours: 5, itemMs: 100 })!;
    expect(itemsOf(loan.ranges)).toBe(1_000);
    expect(loan.ranges).toEqual([[1_100, 2_100]]);
  });

  it('is a fair share of what is left, the last of it', () => {
    const loan = planLoan({ free: free([0, 400]), theirs: 6, ours: 2, itemMs: 1_000 })!;
    expect(itemsOf(loan.ranges)).toBe(120);
    expect(planLoan({ free: free([0, 100]), theirs: 6, ours: 2, itemMs: 1_000 })!.ranges).toEqual([[25, 100]]);
  });

  it('is small before anything is known of an item, and everything where nobody works here', () => {
    expect(itemsOf(planLoan({ free: free([0, 1_000]), theirs: 4, ours: 4, itemMs: undefined })!.ranges)).toBe(8);
    expect(planLoan({ free: free([3, 9]), theirs: 4, ours: 0, itemMs: 5_000 })!.ranges).toEqual([[3, 9]]);
  });

  it('is none where this group alone is done sooner', () => {
    expect(planLoan({ free: free([0, 100]), theirs: 5, ours: 5, itemMs: 10 })).toBeUndefined();
    expect(planLoan({ free: [], theirs: 5, ours: 5, itemMs: 10 })).toBeUndefined();
    expect(isWorthIt(100, 5, 199)).toBe(false);
    expect(isWorthIt(100, 5, 201)).toBe(true);
  });

  it('has items of one round only, all of them free, in order, and as many runs as an event takes', () => {
    const pieces = fc
      .array(fc.record({ gap: fc.nat(5), items: fc.integer({ min: 1, max: 9 }), round: fc.nat(1) }), { minLength: 1, maxLength: 200 })
      .map((list) => {
        let at = 0;
        return list.map(({ gap, items, round }): Free => ({ range: [(at += gap), (at += items)], round }));
      });
    const situation = fc.record({
      free: pieces,
      theirs: fc.integer({ min: 1, max: 50 }),
      ours: fc.nat(50),
      itemMs: fc.option(fc.integer({ min: 0, max: 60_000 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(situation, (given) => {
        const loan = planLoan(given);
        if (loan === undefined) return;
        expect(loan.ranges.length).toBeGreaterThan(0);
        expect(loan.ranges.length).toBeLessThanOrEqual(lentRangesMax);
        let at = 0;
        for (const [first, end] of loan.ranges) {
          expect(first).toBeGreaterThanOrEqual(at);
          expect(end).toBeGreaterThan(first);
          at = end;
          expect(given.free.some(({ range, round }) => round === loan.round && range[0] <= first && end <= range[1])).toBe(true);
        }
        const total = itemsOf(given.free.map(({ range }) => range));
        expect(itemsOf(loan.ranges)).toBeLessThanOrEqual(Math.ceil((total * given.theirs) / (given.theirs + given.ours)));
      }),
    );
  });

  it('hands over waiting functions only as far as nobody here waits for them', () => {
    expect(functionsToSpare(20, 5, 5)).toBe(7);
    expect(functionsToSpare(20, 5, 0)).toBe(10);
    expect(functionsToSpare(5, 5, 5)).toBe(0);
  });
});
