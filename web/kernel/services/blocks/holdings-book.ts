// What the members' stores are known to keep. Pure: it is told who is here and what they announce, and answers who holds what.
// Bounded, whatever is announced: each identity has a share that others cannot take, and a most.
import type { IdentityId, ObjectId, PeerId, StoreId } from '../../lib/ids.ts';
import { bucketCount, SlotSet, slotOf } from './slot-set.ts';
import type { Slot } from './slots.ts';

export interface BookLimits {
  /** Slots of one identity's stores. */
  readonly identityMax: number;
  /** Slots of all; past it only identities below their share add any. */
  readonly allMax: number;
  readonly identityShare: number;
  /** Denials remembered of one member. */
  readonly denialsMax: number;
}

/** A member that speaks for a store. */
export interface Speaker {
  readonly peer: PeerId;
  readonly identity: IdentityId;
  readonly store: StoreId;
}

/** Objects of which slots came, and of which slots went. */
export interface Change {
  readonly gained: Set<ObjectId>;
  readonly lost: Set<ObjectId>;
}
export const noChange = (): Change => ({ gained: new Set(), lost: new Set() });

interface Announced extends Speaker {
  readonly slots: SlotSet;
  /** Objects it did not have when asked, and until when it is not believed about them. */
  readonly denied: Map<ObjectId, number>;
}

export class HoldingsBook {
  readonly #speakers = new Map<PeerId, Announced>();
  readonly #countOf = new Map<IdentityId, number>();
  #count = 0;

  constructor(private readonly limits: BookLimits) {}

  get size(): number {
    return this.#count;
  }

  /** Who is here now. @returns those who are new, and what left with those who went */
  present(speakers: readonly Speaker[]): { fresh: Speaker[]; change: Change } {
    const change = noChange();
    const here = new Map(speakers.map((speaker) => [speaker.peer, speaker]));
    for (const [peer, announced] of this.#speakers) {
      if (here.get(peer)?.store === announced.store) continue;
      for (const object of announced.slots.objects()) change.lost.add(object);
      this.#speakers.delete(peer);
      this.#counted(announced.identity, -announced.slots.size);
    }
    const fresh = speakers.filter(({ peer }) => !this.#speakers.has(peer));
    for (const { peer, identity, store } of fresh)
      this.#speakers.set(peer, { peer, identity, store, slots: new SlotSet(), denied: new Map() });
    return { fresh, change };
  }

  knows(peer: PeerId): boolean {
    return this.#speakers.has(peer);
  }

  storeOf(peer: PeerId): StoreId | undefined {
    return this.#speakers.get(peer)?.store;
  }

  slotsOf(peer: PeerId): SlotSet | undefined {
    return this.#speakers.get(peer)?.slots;
  }

  /** What has come to and gone from a member's store. Of somebody who is not here: nothing. */
  update(peer: PeerId, added: readonly Slot[], removed: readonly Slot[]): Change {
    const change = noChange();
    const announced = this.#speakers.get(peer);
    if (announced === undefined) return change;
    for (const slot of removed) this.#remove(announced, slot, change);
    for (const slot of added) this.#add(announced, slot, change);
    return change;
  }

  /** All that a member's store has in these buckets. */
  replace(peer: PeerId, buckets: Iterable<number>, slots: readonly Slot[]): Change {
    const change = noChange();
    const announced = this.#speakers.get(peer);
    if (announced === undefined) return change;
    const next = new SlotSet();
    for (const slot of slots) next.add(slot);
    const replaced = new Set(buckets);
    for (const bucket of replaced) {
      if (bucket >= bucketCount) continue;
      for (const slot of announced.slots.slotsIn(bucket)) if (!next.has(slot)) this.#remove(announced, slot, change);
      for (const slot of next.slotsIn(bucket)) this.#add(announced, slot, change);
    }
    return change;
  }

  /** A member did not have what it announced: it is not believed about this object until `until`, or until it announces it anew. */
  deny(peer: PeerId, object: ObjectId, until: number): boolean {
    const announced = this.#speakers.get(peer);
    if (announced === undefined || announced.slots.codes(object).length === 0) return false;
    announced.denied.delete(object);
    announced.denied.set(object, until);
    for (const oldest of announced.denied.keys()) {
      if (announced.denied.size <= this.limits.denialsMax) break;
      announced.denied.delete(oldest);
    }
    return true;
  }

  /** Whose stores have which slots of an object. */
  of(object: ObjectId, now: number): (Speaker & Slot)[] {
    const holding: (Speaker & Slot)[] = [];
    for (const { peer, identity, store, slots, denied } of this.#speakers.values()) {
      const codes = slots.codes(object);
      if (codes.length === 0 || (denied.get(object) ?? -Infinity) > now) continue;
      for (const code of codes) holding.push({ peer, identity, store, ...slotOf(object, code) });
    }
    return holding;
  }

  #add(announced: Announced, slot: Slot, change: Change): void {
    if (announced.slots.has(slot) || !this.#room(announced.identity)) return;
    announced.slots.add(slot);
    this.#counted(announced.identity, 1);
    announced.denied.delete(slot.object);
    change.gained.add(slot.object);
  }

  #remove(announced: Announced, slot: Slot, change: Change): void {
    if (!announced.slots.delete(slot)) return;
    this.#counted(announced.identity, -1);
    change.lost.add(slot.object);
  }

  #room(identity: IdentityId): boolean {
    const own = this.#countOf.get(identity) ?? 0;
    return own < this.limits.identityShare || (own < this.limits.identityMax && this.#count < this.limits.allMax);
  }

  #counted(identity: IdentityId, by: number): void {
    this.#count += by;
    const count = (this.#countOf.get(identity) ?? 0) + by;
    if (count > 0) this.#countOf.set(identity, count);
    else this.#countOf.delete(identity);
  }
}
