import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { groupId, identityId, makePeerId, storeId, type IdentityId } from '../web/kernel/lib/ids.ts';
import { Groups, numberedGroupId, type JoinWish, type Member } from './groups.ts';

const bounds = { groupPeersMax: 3, networksMax: 2, groupsPerNetworkMax: 4, storesRememberedMax: 5 };
const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0');
const wish = (n: number, network = 'public', lastGroup: string | null = null): JoinWish => {
  const identity = identityId(hex(n, 32) + '0'.repeat(32));
  return {
    network,
    identity,
    peer: makePeerId(identity, new Uint8Array(8)),
    store: storeId(hex(n, 32)),
    lastGroup: lastGroup === null ? null : groupId(lastGroup),
  };
};
const placed = (groups: Groups, which: JoinWish): Member => {
  const placement = groups.join(which);
  if (placement.kind !== 'placed') throw new Error(placement.kind);
  return placement.member;
};

describe('groups', () => {
  test('a peer id held by another identity is taken', () => {
    const groups = new Groups(bounds);
    const first = wish(1);
    groups.join(first);
    expect(groups.join({ ...first, identity: `${first.identity.slice(0, 63)}1` as IdentityId }).kind).toBe('taken');
  });

  test('a store named by another identity is not that store', () => {
    const groups = new Groups(bounds);
    const [ann, eve] = [wish(1), wish(2)];
    const home = placed(groups, { ...ann, lastGroup: numberedGroupId('public', 3) });
    groups.leave(home);
    placed(groups, { ...eve, store: ann.store, lastGroup: numberedGroupId('public', 2) });
    expect(placed(groups, ann).group).toBe(home.group);
  });

  test('only so many stores are remembered, the longest unseen forgotten first', () => {
    const groups = new Groups(bounds);
    const far = numberedGroupId('public', 3);
    for (let n = 1; n <= 6; n++) groups.leave(placed(groups, { ...wish(n), lastGroup: far }));
    expect(placed(groups, wish(6)).group).toBe(far);
    groups.leave(placed(groups, wish(6)));
    expect(placed(groups, wish(1)).group).toBe(numberedGroupId('public', 0));
  });

  test('leaving late, after the same peer came back, changes nothing', () => {
    const groups = new Groups(bounds);
    const old = placed(groups, wish(1));
    const again = placed(groups, wish(1));
    expect(groups.leave(old)).toEqual([]);
    expect(groups.membersOf('public', again.group)).toEqual([again]);
  });

  test('whatever the order of joins and leaves, no bound is passed and nobody is counted twice', () => {
    const step = fc.record({
      peer: fc.integer({ min: 1, max: 30 }),
      network: fc.constantFrom('a', 'b', 'c'),
      leaves: fc.boolean(),
      claim: fc.option(fc.integer({ min: 0, max: 9 })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const groups = new Groups(bounds);
        const live = new Map<number, Member>();
        for (const { peer, network, leaves, claim } of steps) {
          const member = live.get(peer);
          if (leaves && member !== undefined) {
            groups.leave(member);
            live.delete(peer);
          } else if (!leaves) {
            const placement = groups.join(wish(peer, network, claim === null ? null : numberedGroupId(network, claim)));
            if (placement.kind === 'placed') live.set(peer, placement.member);
          }
          const counts = groups.counts();
          expect(counts.peers).toBe(live.size);
          expect(counts.networks).toBeLessThanOrEqual(bounds.networksMax);
          for (const is of live.values()) {
            const members = groups.membersOf(is.network, is.group);
            expect(members).toContain(is);
            expect(members.length).toBeLessThanOrEqual(bounds.groupPeersMax);
            expect(members.every((other) => other.network === is.network)).toBe(true);
          }
        }
        for (const member of live.values()) groups.leave(member);
        expect(groups.counts()).toEqual({ networks: 0, groups: 0, peers: 0 });
      }),
      { seed: 7, numRuns: 200 },
    );
  });
});
