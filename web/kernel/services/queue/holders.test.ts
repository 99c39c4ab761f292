import { describe, expect, it } from 'vitest';
import { identityId, storeId } from '../../lib/ids.ts';
import { chooseHolders, majorityOf, type HolderCandidate } from './holders.ts';

const candidate = (n: number, more: Partial<HolderCandidate> = {}): HolderCandidate => ({
  store: storeId(n.toString(16).padStart(32, '0')),
  identity: identityId(n.toString(16).padStart(64, '0')),
  keeps: true,
  durable: true,
  ...more,
});
const watcher = (n: number) => candidate(n, { keeps: false });

describe('the holders of a record', () => {
  it('are three donors where there are three, whoever else is there', () => {
    const donors = [1, 2, 3, 4, 5].map((n) => candidate(n));
    const chosen = chooseHolders('job a.1', [...donors, watcher(6), watcher(7)]);
    expect(new Set(chosen).size).toBe(3);
    expect(donors.map(({ store }) => store)).toEqual(expect.arrayContaining(chosen));
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
