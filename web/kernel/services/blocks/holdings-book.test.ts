import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identityId, makePeerId, objectId, storeId } from '../../lib/ids.ts';
import { hexOf } from '../../lib/bytes.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { HoldingsBook, type Speaker } from './holdings-book.ts';
import { bucketCount, decodeSlots, digestBytes, encodeSlots, pageFor, SlotSet } from './slot-set.ts';
import type { Slot } from './slots.ts';

const limits = { identityMax: 1_000, allMax: 10_000, identityShare: 100, denialsMax: 4 };
const slotBy = (number: number, k = 1, index = 0): Slot => ({
  // The first byte spreads them over a few buckets, the rest tells them apart.
  object: objectId((number % 7).toString(16).padStart(2, '0') + number.toString(16).padStart(8, '0').repeat(8).slice(0, 62)),
  k,
  index,
});
const speaker = (number: number, identity = number): Speaker => {
  const id = identityId(identity.toString(16).padStart(2, '0').repeat(32));
  return { peer: makePeerId(id, new Uint8Array(8).fill(number)), identity: id, store: storeId(number.toString(16).padStart(32, '0')) };
};
const slotArbitrary = fc
  .tuple(fc.nat(60), fc.constantFrom([1, 0], [2, 0], [2, 5], [4, 15]))
  .map(([number, [k, index]]) => slotBy(number, k, index));

/** Asks until nothing differs, as Holdings does. @returns slots that travelled */
function catchUp(book: HoldingsBook, { peer }: Speaker, theirs: SlotSet, slotsMax = 8): number {
  let travelled = 0;
  let digests: Uint8Array = book.slotsOf(peer)!.size === 0 ? new Uint8Array() : book.slotsOf(peer)!.digest();
  let from = 0;
  for (let turn = 0; turn <= bucketCount + 1; turn++) {
    const { same, buckets, slots, next } = pageFor(theirs, digests, from, slotsMax);
    travelled += slots.length;
    book.replace(peer, buckets, decodeSlots(encodeSlots(slots)));
    if (same || next === null) return travelled;
    if (buckets.length > 0) from = next;
    else digests = book.slotsOf(peer)!.digests();
  }
  throw new Error('it never ends');
}

const contents = (set: SlotSet) =>
  Array.from({ length: bucketCount }, (_, bucket) => set.slotsIn(bucket))
    .flat()
    .map((slot) => JSON.stringify(slot))
    .toSorted();

describe('a set of slots', () => {
  it('has the digest of what is in it, however it came there, and whether it has buckets or not', () => {
    fc.assert(
      fc.property(fc.array(slotArbitrary), fc.array(slotArbitrary), (slots, passing) => {
        const [one, two] = [new SlotSet(), new SlotSet(3)];
        for (const slot of slots) one.add(slot);
        for (const slot of passing) two.add(slot);
        for (const slot of slots.toReversed()) two.add(slot);
        for (const slot of passing) if (!one.has(slot)) two.delete(slot);
        expect(two.digest()).toEqual(one.digest());
        expect(two.digests()).toEqual(one.digests());
        expect(two.size).toBe(contents(one).length);
        expect(contents(two)).toEqual(contents(one));
        expect([...two.objects()].toSorted()).toEqual([...one.objects()].toSorted());
      }),
    );
  });

  it('tells two indexes, two codings and two objects apart', () => {
    const digests = [slotBy(1, 2, 0), slotBy(1, 2, 1), slotBy(1, 4, 0), slotBy(2, 2, 0)].map((slot) => {
      const set = new SlotSet();
      set.add(slot);
      return set.digest().join(',');
    });
    expect(new Set(digests).size).toBe(4);
  });
});

describe('what a member is known to have', () => {
  it('becomes what it has after any losses, by asking', () => {
    const change = fc.record({ add: fc.boolean(), slot: slotArbitrary, lost: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 120 }), fc.integer({ min: 10, max: 40 }), (changes, slotsMax) => {
        const book = new HoldingsBook(limits);
        const member = speaker(1);
        book.present([member]);
        const theirs = new SlotSet();
        for (const { add, slot, lost } of changes) {
          if (!(add ? theirs.add(slot) : theirs.delete(slot)) || lost) continue;
          book.update(member.peer, add ? [slot] : [], add ? [] : [slot]);
        }
        catchUp(book, member, theirs, slotsMax);
        expect(contents(book.slotsOf(member.peer)!)).toEqual(contents(theirs));
        expect(pageFor(theirs, book.slotsOf(member.peer)!.digest(), 0, slotsMax).same).toBe(true);
        expect(book.size).toBe(theirs.size);
      }),
    );
  });

  it('costs one bucket where one announcement was lost', () => {
    const book = new HoldingsBook({ ...limits, identityMax: 50_000, allMax: 50_000 });
    const member = speaker(1);
    book.present([member]);
    const theirs = new SlotSet();
    const random = seededRandom('many objects');
    for (let i = 0; i < 20_000; i++) theirs.add({ object: objectId(hexOf(random.bytes(32))), k: 1, index: 0 });
    expect(catchUp(book, member, theirs, 4_096)).toBe(20_000);
    theirs.add(slotBy(5));
    expect(catchUp(book, member, theirs, 4_096)).toBeLessThan(400);
    expect(book.of(slotBy(5).object, 0)).toHaveLength(1);
  });

  it('goes with it, and is asked for anew when it comes back as another page', () => {
    const book = new HoldingsBook(limits);
    const [one, two] = [speaker(1), speaker(2)];
    book.present([one, two]);
    book.update(one.peer, [slotBy(1), slotBy(2)], []);
    book.update(two.peer, [slotBy(2)], []);
    expect([...book.present([two]).change.lost]).toEqual([slotBy(1).object, slotBy(2).object]);
    expect(book.of(slotBy(2).object, 0).map(({ peer }) => peer)).toEqual([two.peer]);
    const back = { ...one, peer: makePeerId(one.identity, new Uint8Array(8).fill(9)) };
    expect(book.present([two, back]).fresh).toEqual([back]);
    expect(book.size).toBe(1);
  });

  it('is not believed for a while where it was found untrue, unless it is announced anew', () => {
    const book = new HoldingsBook(limits);
    const member = speaker(1);
    book.present([member]);
    book.update(member.peer, [slotBy(1)], []);
    const { object } = slotBy(1);
    expect(book.deny(member.peer, object, 500)).toBe(true);
    expect(book.of(object, 499)).toEqual([]);
    expect(book.of(object, 500)).toHaveLength(1);
    book.deny(member.peer, object, 500);
    book.update(member.peer, [], [slotBy(1)]);
    book.update(member.peer, [slotBy(1)], []);
    expect(book.of(object, 0)).toHaveLength(1);
    // Only of what was announced, and only so many are remembered.
    expect(book.deny(member.peer, slotBy(2).object, 500)).toBe(false);
  });
});

describe('the book', () => {
  it('holds what one identity announces to a bound, and never takes another’s share for it', () => {
    const book = new HoldingsBook({ ...limits, identityMax: 400, allMax: 500, identityShare: 50 });
    const [greedy, twin, honest] = [speaker(1), speaker(2, 1), speaker(3)];
    book.present([greedy, twin, honest]);
    const many = Array.from({ length: 2_000 }, (_, i) => slotBy(i));
    book.update(greedy.peer, many, []);
    book.update(twin.peer, many, []);
    expect(book.size).toBe(400);
    const others = Array.from({ length: 10 }, (_, i) => speaker(10 + i));
    book.present([greedy, twin, honest, ...others]);
    for (const other of others) book.update(other.peer, many, []);
    expect(book.size).toBeLessThanOrEqual(500 + 11 * 50);
    book.update(honest.peer, many.slice(0, 50), []);
    expect(book.slotsOf(honest.peer)!.size).toBe(50);
    book.present([honest]);
    expect(book.size).toBe(50);
  });

  it('takes nothing from members that are not here', () => {
    const book = new HoldingsBook(limits);
    expect(book.update(speaker(1).peer, [slotBy(1)], []).gained.size).toBe(0);
    expect(book.replace(speaker(1).peer, [0], [slotBy(1)]).gained.size).toBe(0);
    expect(book.size).toBe(0);
  });

  it('leaves out of a message what can be no slot', () => {
    const good = encodeSlots([slotBy(1, 2, 3)]);
    const bytes = new Uint8Array([...encodeSlots([slotBy(2, 0, 0), slotBy(3, 17, 0), slotBy(4, 2, 16), slotBy(5, 1, 1)]), ...good, 7, 7]);
    expect(decodeSlots(bytes)).toEqual([slotBy(1, 2, 3)]);
    expect(digestBytes).toBe(8);
  });
});
