import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { groupId, identityId, makePeerId, storeId, type GroupId, type IdentityId } from '../web/kernel/lib/ids.ts';
import { Groups, groupPeersWithReturning, numberedGroupId, type JoinWish, type Member } from './groups.ts';

const bounds = {
  groupPeersMax: 3,
  mergeAfterMs: 60_000,
  splitAfterMs: 30_000,
  networksMax: 2,
  groupsPerNetworkMax: 4,
  storesRememberedMax: 5,
};
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
  const placement = groups.join(which, 0);
  if (placement.kind !== 'placed') throw new Error(placement.kind);
  return placement.member;
};

describe('groups', () => {
  test('a peer id held by another identity is taken', () => {
    const groups = new Groups(bounds);
    const first = wish(1);
    groups.join(first, 0);
    expect(groups.join({ ...first, identity: `${first.identity.slice(0, 63)}1` as IdentityId }, 0).kind).toBe('taken');
  });

  test('networks of made-up names never take the place of the public one', () => {
    const groups = new Groups(bounds);
    const kinds = ['x', 'y', 'z', 'public', 'z'].map((network, n) => groups.join(wish(n + 1, network), 0).kind);
    expect(kinds).toEqual(['placed', 'placed', 'full', 'placed', 'full']);
  });

  test('a store named by another identity is not that store', () => {
    const groups = new Groups(bounds);
    const [ann, eve] = [wish(1), wish(2)];
    const home = placed(groups, { ...ann, lastGroup: numberedGroupId('public', 3) });
    groups.leave(home, 0);
    placed(groups, { ...eve, store: ann.store, lastGroup: numberedGroupId('public', 2) });
    expect(placed(groups, ann).group).toBe(home.group);
  });

  test('only so many stores are remembered, the longest unseen forgotten first', () => {
    const groups = new Groups(bounds);
    const far = numberedGroupId('public', 3);
    for (let n = 1; n <= 6; n++) groups.leave(placed(groups, { ...wish(n), lastGroup: far }), 0);
    expect(placed(groups, wish(6)).group).toBe(far);
    groups.leave(placed(groups, wish(6)), 0);
    expect(placed(groups, wish(1)).group).toBe(numberedGroupId('public', 0));
  });

  test('leaving late, after the same peer came back, changes nothing', () => {
    const groups = new Groups(bounds);
    const old = placed(groups, wish(1));
    const again = placed(groups, wish(1));
    expect(groups.leave(old, 0)).toEqual([]);
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
            groups.leave(member, 0);
            live.delete(peer);
          } else if (!leaves) {
            const placement = groups.join(wish(peer, network, claim === null ? null : numberedGroupId(network, claim)), 0);
            if (placement.kind === 'placed') live.set(peer, placement.member);
          }
          const counts = groups.counts();
          expect(counts.peers).toBe(live.size);
          expect(counts.networks).toBeLessThanOrEqual(bounds.networksMax);
          for (const is of live.values()) {
            const members = groups.membersOf(is.network, is.group);
            expect(members).toContain(is);
            expect(members.length).toBeLessThanOrEqual(groupPeersWithReturning(bounds.groupPeersMax));
            expect(members.every((other) => other.network === is.network)).toBe(true);
          }
        }
        for (const member of live.values()) groups.leave(member, 0);
        expect(groups.counts()).toEqual({ networks: 0, groups: 0, peers: 0 });
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  describe('that shrink or grow', () => {
    const many = { ...bounds, groupPeersMax: 6, groupsPerNetworkMax: 10 };
    const at = (number: number) => numberedGroupId('public', number);
    /** So many members in each of the groups, by number. */
    const town = (...sizes: number[]) => {
      const groups = new Groups(many);
      const members = sizes.map((size, number) =>
        Array.from({ length: size }, (_, i) => placed(groups, wish(100 * number + i + 1, 'public', at(number)))),
      );
      return { groups, members };
    };

    test('are merged when they could have been one for a minute, the smaller into the larger', () => {
      const { groups, members } = town(1, 3);
      expect(groups.regroup(59_000)).toEqual([]);
      const [merged] = groups.regroup(60_000);
      expect(merged).toMatchObject({ kind: 'merged', from: at(0), into: at(1) });
      expect(merged!.moved.map(({ peer }) => peer)).toEqual(members[0]!.map(({ peer }) => peer));
      expect(groups.membersOf('public', at(1))).toHaveLength(4);
      expect(groups.aroundOf('public', at(1))).toEqual({ absorbed: [at(0)], neighbours: [] });
      expect(groups.counts()).toEqual({ networks: 1, groups: 1, peers: 4 });
    });

    test('stay apart when one was larger within the last minute', () => {
      const { groups } = town(2, 2);
      const third = placed(groups, wish(900, 'public', at(0)));
      groups.leave(third, 30_000);
      expect(groups.regroup(70_000)).toEqual([]);
      expect(groups.regroup(110_000)).toHaveLength(1);
    });

    test('stay apart when they would fill more than two thirds', () => {
      expect(town(3, 2).groups.regroup(100_000)).toEqual([]);
    });

    test('lead who comes back to the group that took its own in, and do not give that id to another', () => {
      const { groups, members } = town(2, 1);
      groups.leave(members[0]![1]!, 0);
      const [merged] = groups.regroup(200_000);
      const into = merged!.into;
      const gone = merged!.from;
      const back = placed(groups, wish(2, 'public', at(0)));
      expect(back.group).toBe(into);
      expect(placed(groups, wish(77, 'public', gone)).group).toBe(into);
      for (let n = 0; n < 20; n++) expect(placed(groups, wish(500 + n)).group).not.toBe(gone);
    });

    test('answer for what those absorbed by them had absorbed', () => {
      const { groups } = town(1, 1, 1);
      groups.regroup(60_000);
      groups.regroup(200_000);
      const [only] = [...new Set([0, 1, 2].map(at))].filter((group) => groups.membersOf('public', group).length > 0);
      expect(groups.aroundOf('public', only!).absorbed.toSorted()).toEqual(
        [0, 1, 2]
          .map(at)
          .filter((group) => group !== only)
          .toSorted(),
      );
    });

    test('are split in halves when they have been too large for long, and not merged again', () => {
      const { groups } = town(6);
      for (const n of [801, 802]) placed(groups, wish(n, 'public', at(0)));
      expect(placed(groups, wish(803, 'public', at(0))).group).not.toBe(at(0));
      expect(groups.regroup(29_000)).toEqual([]);
      const [split] = groups.regroup(30_000);
      expect(split).toMatchObject({ kind: 'split', from: at(0) });
      expect(groups.membersOf('public', at(0))).toHaveLength(4);
      expect(groups.membersOf('public', split!.into)).toHaveLength(4);
      expect(groups.aroundOf('public', split!.into).absorbed).toEqual([]);
      expect(groups.regroup(300_000)).toEqual([]);
    });

    test('stay neighbours of their other half wherever the rings put them, until they are split again', () => {
      const groups = new Groups({ ...bounds, groupsPerNetworkMax: 40, groupPeersMax: 6 });
      let n = 0;
      for (let number = 0; number < 30; number++)
        for (let i = 0; i < 6; i++) placed(groups, wish(++n, 'public', numberedGroupId('public', number)));
      const large = numberedGroupId('public', 7);
      for (let i = 0; i < 2; i++) placed(groups, wish(++n, 'public', large));
      const around = (group: GroupId) => groups.aroundOf('public', group).neighbours.map((near) => near.group);
      const [split] = groups.regroup(30_000);
      const half = split!.into;
      expect(split).toMatchObject({ kind: 'split', from: large });
      expect(around(large)).toContain(half);
      expect(around(half)).toContain(large);
      expect(new Set(around(half)).size).toBe(around(half).length);
      groups.takeChanged();
      for (const member of groups.membersOf('public', half).slice(1)) groups.leave(member, 31_000);
      expect(groups.takeChanged().map(({ group }) => group)).toContain(large);
      const last = groups.membersOf('public', half)[0]!;
      groups.leave(last, 32_000);
      expect(around(large)).not.toContain(half);
      groups.join({ ...last, lastGroup: half }, 33_000);
      expect(around(large)).toContain(half);
      for (let i = 0; i < 4; i++) groups.join(wish(++n, 'public', large), 34_000);
      groups.takeChanged();
      const [again] = groups.regroup(65_000);
      expect(again).toMatchObject({ kind: 'split', from: large });
      expect(around(large)).toContain(again!.into);
      expect(around(large)).not.toContain(half);
      expect(around(half)).not.toContain(large);
      expect(groups.takeChanged().map(({ group }) => group)).toEqual(expect.arrayContaining([half, large]));
    });

    test('have neighbours that know whom to dial, and hear of each change once', () => {
      const { groups, members } = town(6, 6, 6, 6, 6, 6);
      groups.takeChanged();
      groups.leave(members[2]![0]!, 1_000);
      const changed = groups.takeChanged().map(({ group }) => group);
      expect(changed).toContain(at(2));
      expect(changed.toSorted()).toEqual([at(2), ...groups.aroundOf('public', at(2)).neighbours.map(({ group }) => group)].toSorted());
      expect(groups.takeChanged()).toEqual([]);
      for (const { group, contacts } of groups.aroundOf('public', at(2)).neighbours) {
        expect(contacts).toHaveLength(4);
        expect(groups.membersOf('public', group).map(({ peer }) => peer)).toEqual(expect.arrayContaining([...contacts]));
        expect(groups.aroundOf('public', group).neighbours.map((other) => other.group)).toContain(at(2));
      }
    });
  });
});
