// The slots of one store, in 256 buckets by the first byte of the object's id, each with a digest: two that compare digests find out
// where they differ without naming what they agree on.
import { bytesOfHex, hexOf } from '../../lib/bytes.ts';
import { objectId, type ObjectId } from '../../lib/ids.ts';
import { slicesPerSegmentMax } from '../../limits.ts';
import { holdingBytes } from '../../protocol/contracts/blocks.ts';
import type { Slot } from './slots.ts';

export const bucketCount = 256;
/** Of one digest. */
export const digestBytes = 8;

/** (k, index) of a slot as one number. */
export const codeOf = ({ k, index }: Pick<Slot, 'k' | 'index'>) => k * 256 + index;
export const slotOf = (object: ObjectId, code: number): Slot => ({ object, k: code >>> 8, index: code & 255 });

const bucketOf = (object: ObjectId) => Number.parseInt(object.slice(0, 2), 16);

/** Ids are SHA-256, so two words of one, mixed with the code, tell entries apart. It guards against loss, not against who announces lies of itself. */
function mixed(word: number, code: number): number {
  let mix = Math.imul(word ^ Math.imul(code + 1, 0x9e3779b1), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 15), 0xc2b2ae35);
  return mix ^ (mix >>> 13);
}

/** A set of fewer objects has no buckets: a tab knows many such sets, and of one it is quick to look through all. */
const fewMax = 256;

interface Buckets {
  readonly maps: Map<number, Map<ObjectId, readonly number[]>>;
  /** Two words a bucket: the entries' mixes, combined by exclusive or. */
  readonly words: Int32Array;
}

export class SlotSet {
  readonly #few = new Map<ObjectId, readonly number[]>();
  /** Once there are more than few, all are in these. */
  #buckets: Buckets | undefined;
  /** The same of all buckets. */
  readonly #all: [number, number] = [0, 0];
  #size = 0;

  constructor(private readonly objectsOfFew = fewMax) {}

  get size(): number {
    return this.#size;
  }

  has({ object, k, index }: Slot): boolean {
    return this.codes(object).includes(codeOf({ k, index }));
  }

  /** @returns false where it was there */
  add(slot: Slot): boolean {
    const codes = this.codes(slot.object);
    const code = codeOf(slot);
    if (codes.includes(code)) return false;
    this.#mapFor(slot.object).set(slot.object, shared([...codes, code]));
    this.#size++;
    this.#toggle(slot.object, code);
    if (this.#few.size > this.objectsOfFew) this.#divide();
    return true;
  }

  /** @returns false where it was not there */
  delete(slot: Slot): boolean {
    const codes = this.codes(slot.object);
    const code = codeOf(slot);
    if (!codes.includes(code)) return false;
    const map = this.#mapFor(slot.object);
    const left = codes.filter((other) => other !== code);
    if (left.length > 0) map.set(slot.object, shared(left));
    else map.delete(slot.object);
    this.#size--;
    this.#toggle(slot.object, code);
    return true;
  }

  /** Codes of the slots of an object. */
  codes(object: ObjectId): readonly number[] {
    const map = this.#buckets === undefined ? this.#few : this.#buckets.maps.get(bucketOf(object));
    return map?.get(object) ?? none;
  }

  *objects(): Generator<ObjectId> {
    yield* this.#few.keys();
    for (const map of this.#buckets?.maps.values() ?? []) yield* map.keys();
  }

  slotsIn(bucket: number): Slot[] {
    const those =
      this.#buckets === undefined
        ? [...this.#few].filter(([object]) => bucketOf(object) === bucket)
        : [...(this.#buckets.maps.get(bucket) ?? [])];
    return those.flatMap(([object, codes]) => codes.map((code) => slotOf(object, code)));
  }

  /** Of everything: `digestBytes`. */
  digest(): Uint8Array {
    return bytesOfWords(this.#all);
  }

  /** One for each bucket, in order. */
  digests(): Uint8Array {
    if (this.#buckets !== undefined) return bytesOfWords(this.#buckets.words);
    const words = new Int32Array(2 * bucketCount);
    for (const [object, codes] of this.#few) for (const code of codes) mixInto(words, 2 * bucketOf(object), object, code);
    return bytesOfWords(words);
  }

  #mapFor(object: ObjectId): Map<ObjectId, readonly number[]> {
    if (this.#buckets === undefined) return this.#few;
    const at = bucketOf(object);
    let map = this.#buckets.maps.get(at);
    if (map === undefined) this.#buckets.maps.set(at, (map = new Map()));
    return map;
  }

  #divide(): void {
    this.#buckets = { maps: new Map(), words: new Int32Array(2 * bucketCount) };
    for (const [object, codes] of this.#few) {
      this.#mapFor(object).set(object, codes);
      for (const code of codes) mixInto(this.#buckets.words, 2 * bucketOf(object), object, code);
    }
    this.#few.clear();
  }

  #toggle(object: ObjectId, code: number): void {
    mixInto(this.#all, 0, object, code);
    if (this.#buckets !== undefined) mixInto(this.#buckets.words, 2 * bucketOf(object), object, code);
  }
}

function mixInto(words: Int32Array | [number, number], at: number, object: ObjectId, code: number): void {
  for (const lane of [0, 1]) words[at + lane]! ^= mixed(Number.parseInt(object.slice(8 + 8 * lane, 16 + 8 * lane), 16), code);
}

const none: readonly number[] = [];
/** Nearly every object has one slot a store: those lists are shared, because there are hundreds of thousands. */
const singles = new Map<number, readonly number[]>();
function shared(codes: readonly number[]): readonly number[] {
  const [code] = codes;
  if (codes.length !== 1 || code === undefined) return codes;
  const known = singles.get(code);
  if (known === undefined) singles.set(code, codes);
  return known ?? codes;
}

function bytesOfWords(words: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < words.length; i++) view.setInt32(4 * i, words[i]!);
  return bytes;
}

/** As they travel: the object's id, k, the index. */
export function encodeSlots(slots: readonly Slot[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(holdingBytes * slots.length);
  slots.forEach(({ object, k, index }, i) => {
    bytes.set(bytesOfHex(object), holdingBytes * i);
    bytes[holdingBytes * i + 32] = k;
    bytes[holdingBytes * i + 33] = index;
  });
  return bytes;
}

/** What of it can be slots. */
export function decodeSlots(bytes: Uint8Array): Slot[] {
  const slots: Slot[] = [];
  for (let at = 0; at + holdingBytes <= bytes.length; at += holdingBytes) {
    const k = bytes[at + 32]!;
    const index = bytes[at + 33]!;
    if (k < 1 || k > slicesPerSegmentMax || index >= slicesPerSegmentMax || (k === 1 && index > 0)) continue;
    slots.push({ object: objectId(hexOf(bytes.subarray(at, at + 32))), k, index });
  }
  return slots;
}

export interface SlotsPage {
  readonly same: boolean;
  /** Buckets given in full, one byte each: whatever else the asker has in them is gone. */
  readonly buckets: Uint8Array<ArrayBuffer>;
  readonly slots: readonly Slot[];
  /** The bucket to go on from; null at the end. */
  readonly next: number | null;
}

/**
 * What to tell somebody who knows `digests` of this set: nothing (he knows nothing), one over all, or one a bucket. One over all that
 * differs asks for those of the buckets (`next` 0, no bucket given). About `slotsMax` slots at most, whole buckets; of one that somebody
 * has filled with made-up objects four times as many.
 */
export function pageFor(set: SlotSet, digests: Uint8Array, from: number, slotsMax: number): SlotsPage {
  const same: SlotsPage = { same: true, buckets: new Uint8Array(), slots: [], next: null };
  if (digests.length === digestBytes) return equalAt(digests, set.digest(), 0) ? same : { ...same, same: false, next: 0 };
  if (digests.length === 0 && set.size === 0) return same;
  const known = digests.length === bucketCount * digestBytes ? digests : new Uint8Array(bucketCount * digestBytes);
  const own = set.digests();
  const buckets: number[] = [];
  const slots: Slot[] = [];
  for (let at = from; at < bucketCount; at++) {
    if (equalAt(known, own, at * digestBytes)) continue;
    const bucket = set.slotsIn(at).slice(0, 4 * slotsMax);
    if (buckets.length > 0 && slots.length + bucket.length > slotsMax)
      return { same: false, buckets: Uint8Array.from(buckets), slots, next: at };
    buckets.push(at);
    for (const slot of bucket) slots.push(slot);
  }
  return { same: buckets.length === 0, buckets: Uint8Array.from(buckets), slots, next: null };
}

function equalAt(a: Uint8Array, b: Uint8Array, at: number): boolean {
  for (let i = at; i < at + digestBytes; i++) if (a[i] !== b[i]) return false;
  return true;
}
