// What slots each member's store has, as the members announce it: all of it when somebody is first seen, then what comes and goes, and
// a digest with every message, so that what was lost on the way is noticed and asked for. Nobody is asked "who has this".
import type { ObjectId, PeerId, StoreId } from '../../lib/ids.ts';
import { holdingsAllMax, holdingsCheckEveryMs, holdingsPerIdentityMax, holdingsPerIdentityShare } from '../../limits.ts';
import type { Cancel, Platform } from '../../platform.ts';
import { blocksContract, holdingsPerMessageMax } from '../../protocol/contracts/blocks.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import type { ReplyOf, RequestOf } from '../../protocol/contract.ts';
import type { Bus } from '../../service.ts';
import { HoldingsBook, type Change, type Speaker } from './holdings-book.ts';
import { isKeeper } from './placement.ts';
import { bucketCount, codeOf, decodeSlots, encodeSlots, pageFor, SlotSet, slotOf } from './slot-set.ts';
import type { Holding, Slot, WhoHolds } from './slots.ts';

type Query = RequestOf<typeof blocksContract, 'holdings', 'query'>;
type Page = ReplyOf<typeof blocksContract, 'holdings', 'query'>;
type Update = RequestOf<typeof blocksContract, 'holdings', 'update'>;

/** What comes and goes is told together: at once where it is rare, every two seconds while it goes on. */
export const tellAfterMs = 250;
export const tellEveryMsMax = 2_000;
/** What a member was seen to take counts as held for so long without being announced. */
export const assumedMs = 10_000;
const assumedMax = 16_384;
/** A member that did not have what it announced is not believed about that object for so long. */
export const deniedMs = 600_000;
const denialsMax = 4_096;
const slotsPerPage = holdingsPerMessageMax / 4;
const askTimeoutMs = 5_000;
const retryMsMin = 1_000;
const retryMsMax = 15_000;

/** The slots this tab's store has, and which of them come and go. */
export interface OwnSlots {
  slots(): Iterable<Slot>;
  onSlots(listener: (added: readonly Slot[], removed: readonly Slot[]) => void): void;
}

/** How it stands with one member. */
interface Exchange {
  /** A link of one's own is open: what is told arrives, unless the link ends before. */
  linked: boolean;
  /** When to ask it what it has. */
  askAt: number;
  /** When to tell it our digest: it has missed something. */
  tellAt: number;
  askFailures: number;
  tellFailures: number;
  asking: boolean;
}

export class Holdings implements WhoHolds {
  readonly #book = new HoldingsBook({
    identityMax: holdingsPerIdentityMax,
    identityShare: holdingsPerIdentityShare,
    allMax: holdingsAllMax,
    denialsMax,
  });
  readonly #own = new SlotSet();
  readonly #exchanges = new Map<PeerId, Exchange>();
  readonly #status = new Map<PeerId, Member['status']>();
  readonly #listeners = new Set<(change: Change) => void>();
  /** Slots that members have acknowledged, by object, until they announce them. */
  readonly #assumed = new Map<ObjectId, { readonly peer: PeerId; readonly code: number; readonly until: number }[]>();
  /** Own slots that came (true) or went since the members were last told. */
  #untold = new Map<string, { readonly slot: Slot; readonly here: boolean }>();
  #tellMs = tellAfterMs;
  #toldAt = -Infinity;
  #cancelTell: Cancel | undefined;
  #cancelTick: Cancel | undefined;
  #tickAt = Infinity;
  #running = false;

  constructor(
    private readonly platform: Platform,
    private readonly bus: Bus,
    private readonly store: OwnSlots,
    private readonly members: () => readonly Member[],
    private readonly ownStore: () => StoreId | null,
  ) {
    store.onSlots((added, removed) => this.#ownChanged(added, removed));
  }

  /** Once the store is loaded. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    for (const slot of this.store.slots()) this.#own.add(slot);
    this.viewed();
  }

  stop(): void {
    this.#running = false;
    this.#cancelTell?.();
    this.#cancelTick?.();
    this.#cancelTell = this.#cancelTick = undefined;
    this.#tickAt = Infinity;
  }

  /** After each view of the membership. Those who are doubted keep their slots until they are gone. */
  viewed(): void {
    if (!this.#running) return;
    const now = this.platform.clock.now();
    const speakers: Speaker[] = this.members().filter(isKeeper);
    const { fresh, change } = this.#book.present(speakers);
    // A tab that keeps nothing announces nothing, and yet wants to know. Whether there is a link is noted below: in a group that stays the
    // same no other view comes.
    for (const { peer } of fresh)
      this.#exchanges.set(peer, { linked: false, askAt: now, tellAt: Infinity, askFailures: 0, tellFailures: 0, asking: false });
    this.#status.clear();
    for (const { peer, status, rttMs } of this.members()) {
      this.#status.set(peer, status);
      const exchange = this.#exchanges.get(peer);
      if (exchange === undefined) continue;
      // The last that was told on the link may not have come.
      if (exchange.linked && rttMs === null) exchange.askAt = Math.min(exchange.askAt, now + tellEveryMsMax);
      exchange.linked = rttMs !== null;
    }
    for (const peer of this.#exchanges.keys()) if (!this.#status.has(peer)) this.#exchanges.delete(peer);
    if (fresh.length > 0) this.#tick();
    else this.#schedule();
    this.#tellListeners(change);
  }

  /** Calls `listener` with the objects of which slots came or went, own ones included. */
  onChange(listener: (change: Change) => void): void {
    this.#listeners.add(listener);
  }

  /** Stores that say they have slots of this object: of members alive and doubted, and the own one. */
  of(object: ObjectId): readonly Holding[] {
    const now = this.platform.clock.now();
    const holdings: Holding[] = this.#book
      .of(object, now)
      .map(({ peer, identity, store, k, index }) => ({ peer, identity, store, status: this.#status.get(peer) ?? 'suspect', k, index }));
    for (const { peer, code, until } of this.#assumed.get(object) ?? []) {
      const { k, index } = slotOf(object, code);
      if (until <= now || holdings.some((held) => held.peer === peer && held.k === k && held.index === index)) continue;
      const member = this.members().find((other) => other.peer === peer);
      if (member?.store === null || member === undefined) continue;
      holdings.push({ peer, identity: member.identity, store: member.store, status: member.status, k, index });
    }
    const own = this.ownStore();
    if (own !== null) {
      const { peer, identity } = this.bus.self;
      for (const code of this.#own.codes(object)) {
        const { k, index } = slotOf(object, code);
        holdings.push({ peer, identity, store: own, status: 'alive', k, index });
      }
    }
    return holdings;
  }

  /** Objects of which this member says it has slots. */
  objectsOf(peer: PeerId): Iterable<ObjectId> {
    return this.#book.slotsOf(peer)?.objects() ?? [];
  }

  /** Codes of the slots of an object here, announced or not. */
  ownSlots(object: ObjectId): readonly number[] {
    return this.#own.codes(object);
  }

  /** This member has acknowledged a slot: it counts before it is announced. */
  assume(peer: PeerId, slot: Slot): void {
    const until = this.platform.clock.now() + assumedMs;
    const code = codeOf(slot);
    const others = (this.#assumed.get(slot.object) ?? []).filter((other) => other.peer !== peer || other.code !== code);
    this.#assumed.delete(slot.object);
    this.#assumed.set(slot.object, [...others, { peer, code, until }]);
    this.#forgetAssumed();
  }

  /** A member did not have what it announced. */
  denied(peer: PeerId, object: ObjectId): void {
    const now = this.platform.clock.now();
    const struck = this.#book.deny(peer, object, now + deniedMs);
    const assumed = this.#assumed.get(object)?.filter((other) => other.peer !== peer) ?? [];
    if (assumed.length > 0) this.#assumed.set(object, assumed);
    else this.#assumed.delete(object);
    if (struck) this.#tellListeners({ gained: new Set(), lost: new Set([object]) });
  }

  /** To a member that asks what is here. */
  answer({ digests, from }: Query): Page {
    const store = this.ownStore();
    const own = store === null ? new SlotSet() : this.#own;
    const { same, buckets, slots, next } = pageFor(own, digests, from, slotsPerPage);
    return { store, same, buckets, entries: encodeSlots(slots), next };
  }

  /** From a member that tells what has come and gone. One that is not in view yet is asked when it is. */
  told(peer: PeerId, { store, added, removed, digest }: Update): void {
    if (!this.#running || this.#book.storeOf(peer) !== store) return;
    const change = this.#book.update(peer, decodeSlots(added), decodeSlots(removed));
    const exchange = this.#exchanges.get(peer);
    if (exchange !== undefined && !exchange.asking) {
      const now = this.platform.clock.now();
      const agree = sameBytes(this.#book.slotsOf(peer)!.digest(), digest);
      // Where asking did not help (it announces more than is taken), it is not asked more and more.
      if (agree) this.#asked(exchange, true);
      else exchange.askAt = Math.min(exchange.askAt, now + (exchange.askFailures === 0 ? tellAfterMs : retryMs(exchange.askFailures)));
      this.#schedule();
    }
    this.#tellListeners(change);
  }

  #ownChanged(added: readonly Slot[], removed: readonly Slot[]): void {
    const change: Change = { gained: new Set(), lost: new Set() };
    const note = (slot: Slot, here: boolean) => {
      const key = `${slot.object}${codeOf(slot)}`;
      // Told before and back as it was: nothing to tell. It never was told, because it is in here the other way.
      if (this.#untold.get(key)?.here === !here) this.#untold.delete(key);
      else this.#untold.set(key, { slot, here });
    };
    for (const slot of removed) {
      if (!this.#own.delete(slot)) continue;
      change.lost.add(slot.object);
      note(slot, false);
    }
    for (const slot of added) {
      if (!this.#own.add(slot)) continue;
      change.gained.add(slot.object);
      note(slot, true);
    }
    if (!this.#running) return;
    if (this.#untold.size > 0) this.#tellSoon();
    this.#tellListeners(change);
  }

  #tellSoon(): void {
    const { clock } = this.platform;
    if (this.#cancelTell !== undefined) return;
    const wait = Math.max(tellAfterMs, this.#toldAt + this.#tellMs - clock.now());
    this.#cancelTell = clock.after(wait, () => {
      this.#cancelTell = undefined;
      // Twice as long from now on while it goes on; from the start again after a pause.
      const steady = clock.now() - this.#toldAt < 2 * this.#tellMs;
      this.#tellMs = steady ? Math.min(tellEveryMsMax, 2 * this.#tellMs) : tellAfterMs;
      this.#toldAt = clock.now();
      this.#tell();
    });
  }

  #tell(): void {
    const untold = [...this.#untold.values()];
    this.#untold = new Map();
    if (this.ownStore() === null || untold.length === 0) return;
    for (let at = 0; at < untold.length; at += holdingsPerMessageMax) {
      const run = untold.slice(at, at + holdingsPerMessageMax);
      const added = encodeSlots(run.filter(({ here }) => here).map(({ slot }) => slot));
      const removed = encodeSlots(run.filter(({ here }) => !here).map(({ slot }) => slot));
      // A digest before the last page would not be of what was told so far: who lacks the rest then asks, and gets it twice.
      for (const { peer, status } of this.members()) {
        const exchange = this.#exchanges.get(peer);
        // Who is doubted and has no link finds out when it is back, by our digest.
        if (status === 'suspect' && exchange?.linked === false) exchange.tellAt = 0;
        else void this.#tellTo(peer, added, removed);
      }
    }
  }

  async #tellTo(peer: PeerId, added: Uint8Array, removed: Uint8Array): Promise<void> {
    const store = this.ownStore();
    if (store === null) return;
    const request = { store, added, removed, digest: this.#own.digest() };
    // Over a link it comes, unless the link ends: then whoever was told asks.
    if (this.#exchanges.get(peer)?.linked === true) return this.bus.tell(blocksContract, 'holdings', 'update', request, peer);
    const answer = await this.bus.ask(blocksContract, 'holdings', 'update', request, { peer, timeoutMs: askTimeoutMs });
    const exchange = this.#exchanges.get(peer);
    if (!this.#running || exchange === undefined) return;
    exchange.tellFailures = answer.ok ? 0 : exchange.tellFailures + 1;
    exchange.tellAt = answer.ok ? Infinity : this.platform.clock.now() + retryMs(exchange.tellFailures);
    this.#schedule();
  }

  #asked(exchange: Exchange, well: boolean): void {
    const { clock, random } = this.platform;
    exchange.askFailures = well ? 0 : exchange.askFailures + 1;
    exchange.askAt = clock.now() + (well ? holdingsCheckEveryMs * (0.75 + 0.5 * random.fraction()) : retryMs(exchange.askFailures));
  }

  async #ask(peer: PeerId, exchange: Exchange): Promise<void> {
    exchange.asking = true;
    const well = await this.#fetch(peer);
    exchange.asking = false;
    this.#asked(exchange, well);
    this.#schedule();
  }

  /** Asks a member for what differs from what is on record. False where it did not work out. */
  async #fetch(peer: PeerId): Promise<boolean> {
    const store = this.#book.storeOf(peer);
    const slots = this.#book.slotsOf(peer);
    if (slots === undefined) return false;
    const change: Change = { gained: new Set(), lost: new Set() };
    let digests: Uint8Array = slots.size === 0 ? new Uint8Array() : slots.digest();
    let from = 0;
    let well = false;
    // Each page goes at least one bucket on, after the first answer that only says that something differs.
    for (let page = 0; page <= bucketCount + 1; page++) {
      const answer = await this.bus.ask(blocksContract, 'holdings', 'query', { digests, from }, { peer, timeoutMs: askTimeoutMs });
      if (!this.#running || !answer.ok || answer.value.body.store !== store || this.#book.slotsOf(peer) !== slots) break;
      const { same, buckets, entries, next } = answer.value.body;
      const came = this.#book.replace(peer, buckets, decodeSlots(entries));
      for (const object of came.gained) change.gained.add(object);
      for (const object of came.lost) change.lost.add(object);
      if (same || next === null) {
        well = true;
        break;
      }
      if (buckets.length > 0) from = next;
      else digests = slots.digests();
    }
    this.#tellListeners(change);
    return well;
  }

  /** Asks and tells whom it is time to. */
  #tick(): void {
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    this.#tickAt = Infinity;
    const now = this.platform.clock.now();
    for (const [peer, exchange] of this.#exchanges) {
      // One that is doubted is asked again when it is back.
      if (this.#status.get(peer) !== 'alive') continue;
      if (exchange.askAt <= now && !exchange.asking) void this.#ask(peer, exchange);
      if (exchange.tellAt <= now) {
        exchange.tellAt = Infinity;
        void this.#tellTo(peer, new Uint8Array(), new Uint8Array());
      }
    }
    this.#forgetAssumed();
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#running) return;
    const { clock } = this.platform;
    let at = Infinity;
    for (const [peer, { askAt, tellAt, asking }] of this.#exchanges) {
      if (this.#status.get(peer) !== 'alive') continue;
      at = Math.min(at, tellAt, asking ? Infinity : askAt);
    }
    for (const assumed of this.#assumed.values()) {
      at = Math.min(at, Math.max(...assumed.map(({ until }) => until)));
      break;
    }
    if (at >= this.#tickAt) return;
    this.#cancelTick?.();
    this.#tickAt = at;
    this.#cancelTick = clock.after(Math.max(0, at - clock.now()), () => this.#tick());
  }

  /** In the order in which they were seen; what was announced meanwhile is in the book. */
  #forgetAssumed(): void {
    const now = this.platform.clock.now();
    const lost = new Set<ObjectId>();
    for (const [object, assumed] of this.#assumed) {
      if (this.#assumed.size <= assumedMax && assumed.some(({ until }) => until > now)) break;
      this.#assumed.delete(object);
      const unannounced = ({ peer, code }: (typeof assumed)[number]) => !this.#book.slotsOf(peer)?.codes(object).includes(code);
      if (assumed.some(unannounced)) lost.add(object);
    }
    if (lost.size > 0) this.#tellListeners({ gained: new Set(), lost });
    this.#schedule();
  }

  #tellListeners(change: Change): void {
    if (change.gained.size === 0 && change.lost.size === 0) return;
    for (const listener of this.#listeners) listener(change);
  }
}

const retryMs = (failures: number) => Math.min(retryMsMax, retryMsMin * 2 ** (failures - 1));

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
