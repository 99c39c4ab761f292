// The manifests and re-codings a store has, and which slots follow from the slices it keeps. In memory, told what is there.
import type { IdentityId, ObjectId } from '../../lib/ids.ts';
import { codingsPerObjectMax } from '../../limits.ts';
import type { ObjectManifest } from '../../protocol/object.ts';
import { indexesOf, layoutOf, type Layout } from './coding.ts';
import { parseManifest, parseRecoding } from './manifest.ts';
import { nMaxOf } from './redundancy.ts';
import type { Recoding, SignedRecoding, Slot } from './slots.ts';

/** Parsed manifests kept at hand, by the length of their bytes. */
const parsedBytesMax = 8 * 1024 * 1024;

/** What of a manifest is asked for often: read from it once. */
export interface ObjectFacts {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly expires: number;
  readonly by: IdentityId;
  readonly k: number;
  readonly n: number;
  readonly segments: number;
}

interface Known {
  readonly bytes: Uint8Array;
  readonly facts: ObjectFacts;
  readonly recodings: Map<number, SignedRecoding>;
  slots: readonly Slot[];
}

export class ObjectBook {
  readonly #objects = new Map<ObjectId, Known>();
  readonly #parsed = new Map<ObjectId, ObjectManifest>();
  #parsedBytes = 0;
  #bytes = 0;
  /** In order, while none has come or gone since. */
  #sorted: readonly ObjectId[] | undefined;

  get size(): number {
    return this.#objects.size;
  }

  /** Of manifests and re-codings. */
  get bytes(): number {
    return this.#bytes;
  }

  ids(): ObjectId[] {
    return [...this.#objects.keys()];
  }

  /** By id, those behind `after`. */
  *idsAfter(after: ObjectId | undefined): Iterable<ObjectId> {
    const sorted = (this.#sorted ??= this.ids().toSorted());
    for (let at = after === undefined ? 0 : firstAbove(sorted, after); at < sorted.length; at++) yield sorted[at]!;
  }

  has(id: ObjectId): boolean {
    return this.#objects.has(id);
  }

  facts(id: ObjectId): ObjectFacts | undefined {
    return this.#objects.get(id)?.facts;
  }

  manifestBytes(id: ObjectId): Uint8Array | undefined {
    return this.#objects.get(id)?.bytes;
  }

  manifest(id: ObjectId): ObjectManifest | undefined {
    const known = this.#objects.get(id);
    if (known === undefined) return undefined;
    const manifest = this.#parsed.get(id) ?? parseManifest(known.bytes);
    if (manifest !== undefined) this.#remember(id, manifest, known.bytes.length);
    return manifest;
  }

  add(id: ObjectId, bytes: Uint8Array, manifest: ObjectManifest): void {
    if (this.#objects.has(id)) return;
    const { name, type, size, expires, by, k, n, segments } = manifest;
    const facts = { name, type, size, expires, by, k, n, segments: segments.length };
    this.#objects.set(id, { bytes, facts, recodings: new Map(), slots: [] });
    this.#sorted = undefined;
    this.#bytes += bytes.length;
    this.#remember(id, manifest, bytes.length);
  }

  /** @returns the slots that went with it */
  delete(id: ObjectId): readonly Slot[] {
    const known = this.#objects.get(id);
    if (known === undefined) return [];
    this.#bytes -= known.bytes.length;
    for (const { bytes } of known.recodings.values()) this.#bytes -= bytes.length;
    this.#forget(id);
    this.#objects.delete(id);
    this.#sorted = undefined;
    return known.slots;
  }

  /** Whether another coding of this object may be noted. */
  mayRecode(id: ObjectId, k: number): boolean {
    const known = this.#objects.get(id);
    return known !== undefined && known.facts.k !== k && !known.recodings.has(k) && known.recodings.size + 1 < codingsPerObjectMax;
  }

  addRecoding(id: ObjectId, k: number, signed: SignedRecoding): void {
    const known = this.#objects.get(id);
    if (known === undefined || known.recodings.has(k)) return;
    known.recodings.set(k, signed);
    this.#bytes += signed.bytes.length;
  }

  deleteRecoding(id: ObjectId, k: number): void {
    const known = this.#objects.get(id);
    const signed = known?.recodings.get(k);
    if (known === undefined || signed === undefined) return;
    this.#bytes -= signed.bytes.length;
    known.recodings.delete(k);
  }

  signedRecoding(id: ObjectId, k: number): SignedRecoding | undefined {
    return this.#objects.get(id)?.recodings.get(k);
  }

  /** The object under k: what the manifest says for its own k, what follows by itself for k = 1, or what somebody has signed. */
  recoding(id: ObjectId, k: number): Recoding | undefined {
    const signed = this.signedRecoding(id, k);
    if (signed !== undefined) return parseRecoding(signed.bytes);
    const manifest = this.manifest(id);
    if (manifest === undefined || (k !== manifest.k && k !== 1)) return undefined;
    const { by, segments } = manifest;
    const own = k === manifest.k;
    const slices = segments.map((segment) => (own ? segment.slices : new Uint8Array(0)));
    return { v: 1, object: id, k, n: own ? manifest.n : nMaxOf(1), slices, by };
  }

  /** Each k under which slices of the object can be told: its own, k = 1 and the re-codings. */
  codings(id: ObjectId): readonly number[] {
    const known = this.#objects.get(id);
    return known === undefined ? [] : [...new Set([known.facts.k, 1, ...known.recodings.keys()])];
  }

  layouts(id: ObjectId): readonly Layout[] {
    const manifest = this.manifest(id);
    if (manifest === undefined) return [];
    return this.codings(id).map((k) => layoutOf(manifest, k === manifest.k ? undefined : this.recoding(id, k)));
  }

  /** Hashes of all segments and slices of an object, each once. */
  hashes(id: ObjectId): Set<string> {
    const hashes = new Set<string>();
    const segments = this.#objects.get(id)?.facts.segments ?? 0;
    for (const layout of this.layouts(id)) {
      for (const index of indexesOf(layout)) for (let segment = 0; segment < segments; segment++) hashes.add(layout.hash(segment, index));
    }
    return hashes;
  }

  slots(id: ObjectId): readonly Slot[] {
    return this.#objects.get(id)?.slots ?? [];
  }

  /**
   * Finds out anew which slots are complete, `keeps` telling whether a slice is here to stay.
   * @returns those that came and those that went
   */
  review(id: ObjectId, keeps: (hash: string) => boolean): { added: Slot[]; removed: Slot[] } {
    const known = this.#objects.get(id);
    if (known === undefined) return { added: [], removed: [] };
    const slots: Slot[] = [];
    for (const layout of this.layouts(id)) {
      // From the end: slices come in order, so what is not complete yet is seen at the first look.
      const complete = (index: number) => {
        for (let segment = known.facts.segments - 1; segment >= 0; segment--) if (!keeps(layout.hash(segment, index))) return false;
        return true;
      };
      for (const index of indexesOf(layout)) if (complete(index)) slots.push({ object: id, k: layout.k, index });
    }
    const includesSlot = (list: readonly Slot[], slot: Slot) => list.some(({ k, index }) => k === slot.k && index === slot.index);
    const added = slots.filter((slot) => !includesSlot(known.slots, slot));
    const removed = known.slots.filter((slot) => !includesSlot(slots, slot));
    if (added.length > 0 || removed.length > 0) known.slots = slots;
    return { added, removed };
  }

  #remember(id: ObjectId, manifest: ObjectManifest, length: number): void {
    this.#forget(id);
    this.#parsed.set(id, manifest);
    this.#parsedBytes += length;
    for (const oldest of this.#parsed.keys()) {
      if (this.#parsedBytes <= parsedBytesMax || oldest === id) return;
      this.#forget(oldest);
    }
  }

  #forget(id: ObjectId): void {
    if (this.#parsed.delete(id)) this.#parsedBytes -= this.#objects.get(id)?.bytes.length ?? 0;
  }
}

/** Where in a sorted list the first one above `bound` is. */
function firstAbove(sorted: readonly ObjectId[], bound: ObjectId): number {
  let low = 0;
  for (let high = sorted.length; low < high;) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}
