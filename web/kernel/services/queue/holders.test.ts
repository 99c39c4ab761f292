import { describe, expect, it } from 'vitest';
import { identityId, storeId } from '../../lib/ids.ts';
import { holdersMax } from '../../limits.ts';
import { chooseHolders, majorityOf, slicesNeeded, type HolderCandidate } from './holders.ts';

const candidate = (n: number, more: Partial<HolderCandidate> = {}): HolderCandidate => ({
  store: storeId(n.toString(16).padStart(32, '0')),
  identity: identityId(n.toString(16).padStart(64, '0')),
  keeps: true,
  durable: true,
  ...more,
});
const watcher = (n: number) => candidate(n, { keeps: false });

describe('the holders of a record', () => {
  it('are as many donors as their number asks for, whoever else is there', () => {
    const expected = [
      [3, 3, 1],
      [4, 3, 1],
      [5, 5, 2],
      [6, 6, 2],
      [20, 6, 2],
    ];
    for (const [donating, holders, k] of expected) {
      const donors = Array.from({ length: donating! }, (_, n) => candidate(n));
      const chosen = chooseHolders('job a.1', [...donors, watcher(60), watcher(70)]);
      expect(new Set(chosen).size).toBe(holders);
      expect(donors.map(({ store }) => store)).toEqual(expect.arrayContaining(chosen));
      expect(slicesNeeded(chosen.length)).toBe(k);
    }
    expect(chooseHolders('job', [candidate(1)])).toHaveLength(1);
    expect(chooseHolders('job', [candidate(1), candidate(2)])).toHaveLength(2);
  });

  it('are never so few in a majority that it could not read the record', () => {
    for (let holders = 1; holders <= holdersMax; holders++) expect(slicesNeeded(holders)).toBeLessThanOrEqual(majorityOf(holders));
  });

  it('are the same whatever the order of the view, and differ from one append to the next', () => {
    const donors = Array.from({ length: 9 }, (_, n) => candidate(n));
    expect(chooseHolders('job a.1', donors.toReversed())).toEqual(chooseHolders('job a.1', donors));
    const all = new Set(Array.from({ length: 20 }, (_, n) => chooseHolders(`job a.${n}`, donors)).flat());
    expect(all.size).toBe(9);
  });

  it('count identities, not tabs', () => {
    const one = candidate(1);
    expect(chooseHolders('job', [one, candidate(2, { identity: one.identity }), candidate(3, { identity: one.identity })])).toHaveLength(1);
  });

  it('are joined by another durable store when only two donate', () => {
    expect(chooseHolders('job', [candidate(1), candidate(2), watcher(3)])).toContain(watcher(3).store);
    expect(chooseHolders('job', [candidate(1), candidate(2)])).toHaveLength(2);
  });

  it('are a lone donor only, or any durable store where nobody donates', () => {
    expect(chooseHolders('job', [candidate(1), watcher(2)])).toEqual([candidate(1).store]);
    expect(chooseHolders('job', [watcher(2), watcher(3), candidate(4, { keeps: false, durable: false })]).toSorted()).toEqual([
      watcher(2).store,
      watcher(3).store,
    ]);
  });

  it('are the tab itself when it is alone and keeps nothing past the page', () => {
    const alone = candidate(1, { keeps: false, durable: false });
    expect(chooseHolders('job', [alone])).toEqual([alone.store]);
  });

  it('have majorities that meet', () => {
    for (let n = 1; n <= 6; n++) expect(2 * majorityOf(n)).toBeGreaterThan(n);
  });
});
