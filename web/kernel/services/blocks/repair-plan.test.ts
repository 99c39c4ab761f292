import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identityId, makePeerId, objectId, storeId, type PeerId } from '../../lib/ids.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import { heldOf } from './health.ts';
import { RecodeClock } from './recode-clock.ts';
import { kFor, nMaxOf, smallCopiesFor } from './redundancy.ts';
import { planFor, type Facts, type Stance } from './repair-plan.ts';
import type { Holding } from './slots.ts';

const member = (
  person: number,
  over: { status?: Member['status']; keeps?: boolean } = {},
): Member & { store: NonNullable<Member['store']> } => {
  const identity = identityId(person.toString(16).padStart(64, '0'));
  const { status = 'alive', keeps = true } = over;
  return {
    peer: makePeerId(identity, new Uint8Array(8).fill(person)),
    identity,
    store: storeId(person.toString(16).padStart(32, '0')),
    status,
    rttMs: 4,
    offer: {
      state: 'idle',
      reason: '',
      machine: { cores: 2, memoryMiB: null },
      sandbox: { workersAllowed: 1, workersRunning: 0, claimed: 0, itemsPerSecond: 0 },
      storage: { keeps, usedMiB: 0, allowedMiB: 100 },
    },
  };
};
const group = (count: number, over: Record<number, Parameters<typeof member>[1]> = {}) =>
  Array.from({ length: count }, (_, i) => member(i + 1, over[i + 1] ?? {}));
const holds = (members: readonly Member[], person: number, k: number, index: number): Holding => {
  const { peer, identity, store, status } = members.find(({ peer: other }) => other === member(person).peer)!;
  return { peer, identity, store: store!, status, k, index };
};
const id = objectId('ab'.repeat(32));
const large: Facts = { id, small: false, k: 2, by: member(1).identity };
const small: Facts = { ...large, small: true, k: 1 };
const seenBy = (person: number, members: readonly Member[], over: Partial<Stance> = {}): Stance => ({
  members,
  ownStore: member(person).store,
  upK: 1,
  mayGoDown: true,
  refusing: new Set<PeerId>(),
  ...over,
});
const peersOf = (plan: ReturnType<typeof planFor>) => plan.job?.gifts.map(({ to }) => to.peer) ?? [];

describe('an object of 2 of 6', () => {
  const nine = group(9);
  const six = [1, 2, 3, 4, 5, 6].map((person) => holds(nine, person, 2, person - 1));

  it('lacks nothing while six of nine have a slice each', () => {
    expect(planFor(large, six, seenBy(1, nine))).toMatchObject({ k: 2, held: 6, lacking: 0, spare: 4, job: undefined, release: undefined });
  });

  it('is filled up when four have gone: what they had goes to people who have none', () => {
    const five = nine.filter((_, i) => [0, 1, 6, 7, 8].includes(i));
    const plan = planFor(large, six.slice(0, 2), seenBy(1, five));
    expect(plan).toMatchObject({ k: 2, held: 2, lacking: 3, spare: 0 });
    expect(plan.job?.k).toBe(2);
    expect(plan.job?.gifts.map(({ index }) => index)).toEqual([2, 3, 4]);
    expect(new Set(peersOf(plan))).toEqual(new Set([7, 8, 9].map((person) => member(person).peer)));
  });

  it('waits for who is only doubted, unless one more loss would leave too little', () => {
    const doubted = group(9, { 5: { status: 'suspect' }, 6: { status: 'suspect' } });
    const seen = [1, 2, 3, 4, 5, 6].map((person) => holds(doubted, person, 2, person - 1));
    expect(planFor(large, seen, seenBy(1, doubted))).toMatchObject({ held: 6, job: undefined });
    const more = group(9, { 4: { status: 'suspect' }, 5: { status: 'suspect' }, 6: { status: 'suspect' } });
    const few = [1, 2, 3, 4, 5, 6].map((person) => holds(more, person, 2, person - 1));
    const plan = planFor(large, few, seenBy(1, more));
    expect(plan).toMatchObject({ held: 3, spare: 1 });
    expect(plan.job?.gifts.map(({ index }) => index)).toEqual([3, 4, 5]);
    // Whoever is doubted gets nothing, and what they have is not given twice to one person.
    expect(new Set(peersOf(plan))).toEqual(new Set([7, 8, 9].map((person) => member(person).peer)));
  });

  it('is given to no person twice, and to nobody who keeps nothing for others', () => {
    const members = [
      ...group(4),
      { ...member(2), peer: makePeerId(member(2).identity, new Uint8Array(8).fill(99)), store: storeId('f'.repeat(32)) },
      member(9, { keeps: false }),
    ];
    const plan = planFor({ ...large, by: member(9).identity }, [holds(members, 1, 2, 0), holds(members, 2, 2, 1)], seenBy(1, members));
    expect(new Set(peersOf(plan))).toEqual(new Set([3, 4].map((person) => member(person).peer)));
    expect(planFor(large, [holds(members, 1, 2, 0), holds(members, 2, 2, 1)], seenBy(1, members)).job?.gifts).toHaveLength(2);
  });

  it('goes to the next where somebody has refused', () => {
    const plan = planFor(large, six.slice(0, 5), seenBy(1, nine));
    const next = planFor(large, six.slice(0, 5), seenBy(1, nine, { refusing: new Set(peersOf(plan)) }));
    expect(peersOf(plan)).toHaveLength(1);
    expect(peersOf(next)).toHaveLength(1);
    expect(peersOf(next)).not.toEqual(peersOf(plan));
  });

  it('is coded anew when fewer than four are left, and whole copies suffice', () => {
    const three = group(3);
    const seen = [1, 2, 3].map((person) => holds(three, person, 2, person));
    expect(planFor(large, seen, seenBy(1, three)).job).toMatchObject({ k: 1 });
    expect(planFor(large, seen, seenBy(1, three)).job?.gifts).toHaveLength(3);
    // A group that is coming back is given time.
    expect(planFor(large, seen, seenBy(1, three, { mayGoDown: false })).job).toBeUndefined();
  });

  it('drops its old slices only when the new ones are on everybody', () => {
    const three = group(3);
    const old = [1, 2, 3].map((person) => holds(three, person, 2, person));
    const two = [1, 2].map((person) => holds(three, person, 1, 0));
    expect(planFor(large, [...old, ...two], seenBy(1, three)).release).toBeUndefined();
    const all = [...two, holds(three, 3, 1, 0)];
    expect(planFor(large, [...old, ...all], seenBy(1, three)).release).toMatchObject({ k: 2, for: 1 });
    const five = group(5);
    const coded = [1, 2, 3, 4, 5].map((person) => holds(five, person, 2, person));
    expect(planFor(large, [...coded, ...[1, 2, 3].map((person) => holds(five, person, 1, 0))], seenBy(1, five)).release).toMatchObject({
      k: 1,
      for: 2,
    });
  });

  it('keeps one of two slices that are the same', () => {
    const seen = [...six, holds(nine, 7, 2, 2)];
    const third = planFor(large, seen, seenBy(3, nine));
    const seventh = planFor(large, seen, seenBy(7, nine));
    expect(new Set([third.release?.rank, seventh.release?.rank])).toEqual(new Set([0, 1]));
    expect(planFor(large, seen, seenBy(1, nine)).release).toBeUndefined();
  });
});

describe('a coding for more people', () => {
  const twelve = group(12);
  const held = [1, 2, 3, 4, 5, 6].map((person) => holds(twelve, person, 2, person - 1));

  it('is asked for only after the time it takes to believe in them', () => {
    expect(planFor(large, held, seenBy(1, twelve)).job).toBeUndefined();
    const plan = planFor(large, held, seenBy(1, twelve, { upK: 3 }));
    expect(plan.job?.k).toBe(3);
    expect(plan.job?.gifts).toHaveLength(12);
    expect(new Set(plan.job?.gifts.map(({ index }) => index)).size).toBe(12);
  });

  it('comes after what is there, where that is in danger', () => {
    const plan = planFor(large, held.slice(0, 3), seenBy(1, twelve, { upK: 3 }));
    expect(plan.job?.k).toBe(2);
  });
});

describe('a small object', () => {
  it('has as many copies as the number of people asks for, and none is dropped when that number falls', () => {
    for (const [people, copies] of [
      [1, 1],
      [2, 2],
      [5, 3],
      [9, 4],
      [14, 5],
      [20, 6],
    ] as const) {
      const members = group(people);
      const plan = planFor(small, [holds(members, 1, 1, 0)], seenBy(1, members));
      expect([people, 1 + (plan.job?.gifts.length ?? 0)]).toEqual([people, copies]);
    }
    const members = group(7);
    const six = [1, 2, 3, 4, 5, 6].map((person) => holds(members, person, 1, 0));
    expect(planFor(small, six, seenBy(2, members)).release).toBeUndefined();
    const seven = [...six, holds(members, 7, 1, 0)];
    const releasing = [1, 2, 3, 4, 5, 6, 7].map((person) => planFor(small, seven, seenBy(person, members)).release?.rank);
    // Its owner's copy is the last to go.
    expect(releasing[0]).toBe(6);
    expect(new Set(releasing)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
  });

  it('is never coded otherwise', () => {
    const members = group(20);
    expect(planFor(small, [holds(members, 1, 1, 0)], seenBy(1, members, { upK: 4 })).job?.k).toBe(1);
  });
});

describe('whatever is held by whom', () => {
  it('repair brings every object to what can be held, and dropping never takes it below that', () => {
    const scene = fc.record({
      people: fc.integer({ min: 1, max: 20 }),
      k: fc.constantFrom(1, 2, 3, 4),
      small: fc.boolean(),
      slots: fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.constantFrom(1, 2, 3, 4), fc.nat(15)), { maxLength: 30 }),
    });
    fc.assert(
      fc.property(scene, ({ people, k, small: isSmall, slots }) => {
        const members = group(people);
        const facts: Facts = { ...large, small: isSmall, k: isSmall ? 1 : k };
        let holdings = slots
          .filter(([person, of]) => person <= people && (!isSmall || of === 1))
          .map(([person, of, index]) => holds(members, person, of, of === 1 ? 0 : index % nMaxOf(of)));
        for (let turn = 0; turn < 6; turn++) {
          const { job } = planFor(facts, holdings, seenBy(1, members));
          if (job === undefined) break;
          for (const { to, index } of job.gifts) {
            expect(holdings.some((holding) => holding.identity === to.identity && holding.k === job.k)).toBe(false);
            holdings = [...holdings, { ...to, k: job.k, index }];
          }
        }
        const filled = planFor(facts, holdings, seenBy(1, members));
        expect(filled.job).toBeUndefined();
        const enough = (of: number) => Math.min(isSmall ? smallCopiesFor(people) : nMaxOf(of), people);
        const before = heldOf(holdings, filled.k);
        // Each drops its own, one after the other, as the delays make it.
        for (let turn = 0; turn < 60; turn++) {
          const releasing = members.map(({ store }) => ({
            store,
            release: planFor(facts, holdings, { ...seenBy(1, members), ownStore: store }).release,
          }));
          const next = releasing.find(({ release }) => release?.rank === 0);
          if (next === undefined) break;
          holdings = holdings.filter((holding) => holding.store !== next.store || holding.k !== next.release!.k);
        }
        const after = planFor(facts, holdings, seenBy(1, members));
        expect(heldOf(holdings, after.k)).toBeGreaterThanOrEqual(Math.min(before, enough(after.k)));
      }),
      { numRuns: 400 },
    );
  });
});

describe('the number of people', () => {
  it('asks for a higher k when it has lasted, and a break begins the time anew', () => {
    const clock = new RecodeClock(600, 20);
    clock.update(4, 0);
    clock.update(5, 100);
    expect(clock.upK(699)).toBe(1);
    expect(clock.changesAt(200)).toBe(700);
    expect(clock.upK(700)).toBe(2);
    clock.update(16, 710);
    clock.update(15, 720);
    clock.update(16, 730);
    expect([clock.upK(1_311), clock.upK(1_329), clock.upK(1_330)]).toEqual([3, 3, 4]);
    clock.update(4, 1_340);
    expect(clock.upK(9_999)).toBe(1);
    expect(kFor(4)).toBe(1);
  });

  it('is waited for while it grows, and not when somebody has gone', () => {
    const clock = new RecodeClock(600, 20);
    clock.update(1, 0);
    clock.update(2, 10);
    expect(clock.calmAt()).toBe(30);
    clock.update(1, 15);
    expect(clock.calmAt()).toBe(-Infinity);
  });
});
