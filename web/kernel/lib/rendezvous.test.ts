import { describe, expect, it } from 'vitest';
import { hash53, orderByRendezvous, rankByRendezvous, rendezvousRank } from './rendezvous.ts';

const names = Array.from({ length: 12 }, (_, i) => `member-${i}`);

describe('rendezvous hashing', () => {
  it('ranks alike whatever the order of the names', () => {
    expect(rankByRendezvous('job', names.toReversed())).toEqual(rankByRendezvous('job', names));
  });

  it('moves nothing else when a name goes', () => {
    const before = rankByRendezvous('job', names);
    expect(
      rankByRendezvous(
        'job',
        names.filter((name) => name !== before[3]),
      ),
    ).toEqual(before.toSpliced(3, 1));
  });

  it('tells each name its place', () => {
    const ranked = rankByRendezvous('job', names);
    expect(ranked.map((name) => rendezvousRank('job', name, names))).toEqual(ranked.map((_, i) => i));
  });

  it('spreads first places evenly', () => {
    const first = new Map(names.map((name) => [name, 0]));
    for (let i = 0; i < 12_000; i++) {
      const [winner] = rankByRendezvous(`key ${i}`, names);
      first.set(winner!, first.get(winner!)! + 1);
    }
    for (const wins of first.values()) expect(Math.abs(wins - 1_000)).toBeLessThan(150);
  });

  it('makes safe integers', () => {
    for (let i = 0; i < 100; i++) expect(Number.isSafeInteger(hash53(`${i}`))).toBe(true);
  });
});

describe('weighted rendezvous hashing', () => {
  const weight = (name: string) => (name === 'member-0' ? 3 : name === 'member-1' ? 0 : 1);
  const order = (key: string, nodes: readonly string[]) => orderByRendezvous(key, nodes, (name) => name, weight);

  it('gives triple weight three times as many first places, and no weight none', () => {
    const firsts = Array.from({ length: 4_000 }, (_, i) => order(`key ${i}`, names)[0]!);
    const share = (name: string) => firsts.filter((first) => first === name).length / firsts.length;
    expect(Math.abs(share('member-0') - 3 / 13)).toBeLessThan(0.03);
    expect(share('member-1')).toBe(0);
  });

  it('moves nothing else when a node goes', () => {
    expect(order('object', names.slice(1))).toEqual(order('object', names).filter((name) => name !== names[0]));
  });
});
