import { describe, expect, it } from 'vitest';
import { identityId, makePeerId, storeId } from '../../lib/ids.ts';
import { healthOf, heldOf, lossEstimate } from './health.ts';
import type { Holding } from './slots.ts';

/** Who, which coding, which index. */
const holding = (person: number, k: number, index: number, status: Holding['status'] = 'alive'): Holding => {
  const identity = identityId(person.toString(16).padStart(64, '0'));
  return {
    peer: makePeerId(identity, new Uint8Array(8)),
    identity,
    store: storeId(person.toString(16).padStart(32, '0')),
    status,
    k,
    index,
  };
};

describe('an object is held by', () => {
  it('as many as have a slice that nobody else counts for', () => {
    expect(heldOf([holding(1, 2, 0), holding(2, 2, 1), holding(3, 2, 1)], 2)).toBe(2);
    expect(heldOf([holding(1, 2, 0), holding(1, 2, 1), holding(1, 2, 2)], 2)).toBe(1);
    // The one with two makes room for the one that has only the first.
    expect(heldOf([holding(1, 2, 0), holding(1, 2, 1), holding(2, 2, 0)], 2)).toBe(2);
    expect(heldOf([holding(1, 1, 0), holding(2, 1, 0), holding(3, 1, 0)], 1)).toBe(3);
    expect(heldOf([holding(1, 1, 0)], 2)).toBe(0);
  });

  it('the coding with the most to spare', () => {
    const both = [holding(1, 1, 0), holding(2, 1, 0), ...[0, 1, 2, 3].map((index) => holding(index + 1, 2, index))];
    expect(healthOf(both, 1)).toEqual({ k: 2, held: 4, online: 4, placed: 6 });
    expect(healthOf(both.slice(0, 4), 2)).toMatchObject({ k: 1, held: 2 });
    expect(healthOf([holding(1, 2, 0), holding(2, 2, 1, 'suspect')], 2)).toMatchObject({ held: 2, online: 1 });
    expect(healthOf([], 3)).toEqual({ k: 3, held: 0, online: 0, placed: 0 });
  });

  it('and what that is worth when three in ten are away', () => {
    expect(lossEstimate(1, 1)).toBeCloseTo(0.3);
    expect(lossEstimate(3, 1)).toBeCloseTo(0.027);
    // The codings in use: 2 of 6, 3 of 12, 4 of 16.
    expect(lossEstimate(6, 2)).toBeCloseTo(0.010_935, 6);
    expect(lossEstimate(12, 3)).toBeLessThan(0.001);
    expect(lossEstimate(16, 4)).toBeLessThan(0.001);
    expect(lossEstimate(1, 2)).toBe(1);
    expect(lossEstimate(0, 1)).toBe(1);
  });
});
