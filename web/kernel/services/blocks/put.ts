// One object put in pieces: each segment is coded, and its slices go to the own store and to the holders; a few segments at a time, so
// that the link is never idle and no more than those are in memory.
import { failure, success, type Outcome } from '../../lib/outcome.ts';
import { joined } from '../../lib/pieces.ts';
import { objectSegmentsMax, putSegmentsInFlightMax, segmentBytesMax } from '../../limits.ts';
import type { ObjectManifest } from '../../protocol/object.ts';
import type { Coder } from '../../platform.ts';
import { hashesOf, type Given, type Placed, type Placer, type Plan, type PutSettings, type Slice } from './placer.ts';
import type { PutClaims } from './put-claims.ts';
import { SlotSender } from './slot-sender.ts';
import type { SliceStore } from './slice-store.ts';

type Segment = ObjectManifest['segments'][number];

export class Put {
  readonly #segments: (Segment | undefined)[] = [];
  #plan: Plan | undefined;
  #senders: SlotSender[] = [];
  /** What the own store said; the first refusal stands, because a copy with a gap is none. */
  #whole: Outcome<void> = success(undefined);
  #ownSlot: Outcome<void> = success(undefined);
  /** What it has brought into the own store: segments, and slices of the own slot. */
  readonly #segmentsHere = new Set<string>();
  readonly #slicesHere = new Set<string>();
  #over = false;
  /** Segments under way; none of these rejects. */
  readonly #running = new Set<Promise<unknown>>();
  #turn: Promise<unknown> = Promise.resolve();
  touchedAt: number;

  constructor(
    private readonly placer: Placer,
    private readonly store: SliceStore,
    private readonly coder: Coder,
    private readonly claims: PutClaims,
    readonly settings: PutSettings,
    now: number,
  ) {
    this.touchedAt = now;
  }

  /**
   * In the order of the calls; `bytes` are the put's own from now on. Resolves when each slot that has a holder has its slice.
   * Faults: 'too-large'; 'storage' where too few could keep it, this tab included.
   */
  add(bytes: Uint8Array): Promise<Outcome<void>> {
    const turn = this.#turn;
    let pass = () => {};
    this.#turn = new Promise<void>((resolve) => (pass = resolve));
    return (async () => {
      await turn;
      while (this.#running.size >= putSegmentsInFlightMax) await Promise.race(this.#running);
      if (this.#over) {
        pass();
        return failure('not-found', 'That put has ended.');
      }
      if (bytes.length > segmentBytesMax || this.#segments.length >= objectSegmentsMax) {
        pass();
        return bytes.length > segmentBytesMax
          ? failure('too-large', `A segment has at most ${segmentBytesMax} bytes.`)
          : failure('too-large', `An object has at most ${objectSegmentsMax} segments.`);
      }
      const at = this.#segments.push(undefined) - 1;
      const hashing = this.placer.hash(bytes);
      // Holders are chosen by the first segment.
      if (this.#plan === undefined) this.#begin(await hashing);
      const work = hashing.then((hash) => this.#add(at, hash, bytes));
      const settled = work.catch(() => undefined);
      this.#running.add(settled);
      pass();
      try {
        return await work;
      } finally {
        this.#running.delete(settled);
      }
    })();
  }

  async finish(): Promise<Outcome<Placed>> {
    await this.#turn;
    while (this.#running.size > 0) await Promise.race(this.#running);
    // An object without segments has only a manifest to keep.
    const plan = this.#plan ?? this.#begin('');
    const slotOf = (index: number) => (plan.coding.k === 1 ? 0 : index);
    const given = this.#senders.flatMap(({ holder, index }): Given[] =>
      holder === undefined ? [] : [{ to: holder, index: slotOf(index) }],
    );
    const own = plan.selfKeeps && this.#ownSlot.ok ? this.placer.own.store() : null;
    const holders = [...(own === null ? [] : [own])];
    // A manifest names holders in the order of the slots: what comes after a gap is found by what the holders announce.
    for (const { holder } of this.#senders) {
      if (holder === undefined || (plan.selfKeeps && own === null)) break;
      holders.push(holder.store);
    }
    const segments = this.#segments.filter((segment) => segment !== undefined);
    if (segments.length < this.#segments.length) {
      await this.giveUp();
      return failure('storage', 'A part of the object could not be stored.');
    }
    // A copy with a gap would only fill the room that the manifest needs.
    if (!this.#whole.ok) await this.#leave(this.#segmentsHere);
    if (!this.#ownSlot.ok) await this.#leave(this.#slicesHere);
    const placed = await this.placer.placeManifest(this.settings, plan, segments, holders, given, this.#whole);
    await Promise.all([this.#segmentsHere, this.#slicesHere].map((hashes) => this.#leave(hashes)));
    return placed;
  }

  /** Nothing is to come of it: what it has brought into the own store makes room again. */
  async giveUp(): Promise<void> {
    this.#over = true;
    await this.#turn;
    while (this.#running.size > 0) await Promise.race(this.#running);
    await Promise.all([this.#segmentsHere, this.#slicesHere].map((hashes) => this.#leave(hashes)));
  }

  async #leave(hashes: Set<string>): Promise<void> {
    const left = [...hashes];
    hashes.clear();
    await this.claims.release(left);
  }

  /** Keeps a slice in the own store, where nothing was refused before; `known` has those kept. */
  async #keep(before: Outcome<void>, known: Set<string>, { hash, bytes }: Slice, pinned: boolean): Promise<Outcome<void>> {
    if (!before.ok) return before;
    if (!known.has(hash)) {
      known.add(hash);
      this.claims.claim(hash);
    }
    return this.store.keep(hash, bytes, { expires: this.settings.expires, orphan: true, pinned });
  }

  #begin(key: string): Plan {
    const plan = this.placer.plan(key, key === '', this.settings);
    this.#plan = plan;
    const host = {
      send: (to: Given['to'], slice: Slice) => this.placer.sendSlice(to, slice, this.settings),
      next: () => plan.order.shift(),
      again: (segment: number, index: number) => this.#again(segment, index),
    };
    for (let index = plan.selfKeeps ? 1 : 0; index < plan.slots; index++) this.#senders.push(new SlotSender(host, index));
    return plan;
  }

  async #add(at: number, hash: string, bytes: Uint8Array): Promise<Outcome<void>> {
    const { coding, selfKeeps } = this.#plan!;
    const { k } = coding;
    // For k = 1 the own copy is the slot, where this tab has one.
    const keeping = this.#keep(this.#whole, this.#segmentsHere, { hash, bytes }, k > 1 || !selfKeeps);
    // Whoever waits for it asks for it next.
    void this.store.remember(hash, [bytes], true);
    const slices = await this.#slicesOf(hash, bytes);
    const keepingSlot = k > 1 && selfKeeps ? this.#keep(this.#ownSlot, this.#slicesHere, slices[0]!, false) : undefined;
    const sent = (index: number) => slices[k === 1 ? 0 : index]!;
    const stragglers = this.placer.stragglers(this.#senders.length, sent(0).bytes.length);
    await Promise.all(this.#senders.map((sender) => sender.deliver(at, sent(sender.index), stragglers)));
    const [whole, slot] = await Promise.all([keeping, keepingSlot]);
    if (!whole.ok) this.#whole = whole;
    if (slot?.ok === false) this.#ownSlot = slot;
    else if (k === 1 && !whole.ok) this.#ownSlot = whole;
    this.#segments[at] = { size: bytes.length, hash, slices: k === 1 ? new Uint8Array(0) : hashesOf(slices) };
    const held = this.#senders.filter(({ holder }) => holder !== undefined).length + (selfKeeps && this.#ownSlot.ok ? 1 : 0);
    return this.#whole.ok || held >= k ? success(undefined) : this.#whole;
  }

  async #slicesOf(hash: string, bytes: Uint8Array): Promise<Slice[]> {
    const { k, n } = this.#plan!.coding;
    if (k === 1) return [{ hash, bytes }];
    return this.placer.slicesOf(await this.coder.encode(bytes, k, n));
  }

  /** Out of the own copy. */
  async #again(segment: number, index: number): Promise<Slice | undefined> {
    const known = this.#segments[segment];
    const pieces = known === undefined ? undefined : await this.store.pieces(known.hash);
    if (known === undefined || pieces === undefined) return undefined;
    return (await this.#slicesOf(known.hash, joined(pieces)))[this.#plan!.coding.k === 1 ? 0 : index];
  }
}
