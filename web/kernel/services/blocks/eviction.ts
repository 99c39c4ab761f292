// What a store drops when it needs room, in which order. Pure: it reads what is there and drops nothing.
import type { IdentityId, ObjectId } from '../../lib/ids.ts';
import type { ObjectBook } from './object-book.ts';
import type { SliceMeta } from './slice-values.ts';
import type { Slot } from './slots.ts';

export const manifestsMax = 50_000;
export const manifestsBytesMax = 64 * 1024 * 1024;
/** Manifests dropped at once beside those that must be, so that the next ones fit too. */
const manifestsPerTurn = 256;

/** What the store may drop for room, told by who knows what others hold. */
export interface Spare {
  /** Others hold enough of it to read it without this store. */
  readable(object: ObjectId): boolean;
  /** Nobody would miss this slot. */
  needless(slot: Slot): boolean;
}

export interface Contents {
  readonly slices: ReadonlyMap<string, SliceMeta>;
  /** Which objects here name a slice that is here. */
  readonly users: ReadonlyMap<string, ReadonlySet<ObjectId>>;
  readonly book: ObjectBook;
  /** Whose store it is. */
  readonly identity: IdentityId;
}

/** Slices that may go: what has expired, then copies kept for convenience, then slots nobody would miss. Never what is needed. */
export function* droppableSlices({ slices, users, book, identity }: Contents, spare: Spare, wall: number): Iterable<string> {
  for (const [hash, meta] of slices) if (meta.expires <= wall) yield hash;
  const mayGo = (id: ObjectId) => book.facts(id)?.by !== identity || spare.readable(id);
  for (const [hash, meta] of slices) {
    if (meta.expires > wall && meta.pinned && meta.orphanUntil === null && [...(users.get(hash) ?? [])].every(mayGo)) yield hash;
  }
  for (const id of book.ids()) {
    const segments = book.facts(id)!.segments;
    for (const slot of book.slots(id)) {
      const layout = spare.needless(slot) ? book.layouts(id).find(({ k }) => k === slot.k) : undefined;
      for (let segment = 0; layout !== undefined && segment < segments; segment++) {
        const hash = layout.hash(segment, slot.index);
        const { expires = 0, pinned = true } = slices.get(hash) ?? {};
        if (!pinned && expires > wall && users.get(hash)?.size === 1) yield hash;
      }
    }
  }
}

export const manifestsFit = (book: ObjectBook, bytes: number) => book.size < manifestsMax && book.bytes + bytes <= manifestsBytesMax;

/** Manifests that make way for `bytes` more: of what has expired, then the oldest of which no slice is here. */
export function droppableManifests({ users, book }: Contents, bytes: number, wall: number): ObjectId[] {
  const used = new Set<ObjectId>();
  for (const each of users.values()) for (const id of each) used.add(id);
  const rank = (id: ObjectId) => (book.facts(id)!.expires <= wall ? 0 : 1);
  const able = book.ids().filter((id) => rank(id) === 0 || !used.has(id));
  const dropped: ObjectId[] = [];
  let size = 0;
  for (const id of able.toSorted((a, b) => rank(a) - rank(b))) {
    const enough = book.size - dropped.length < manifestsMax && book.bytes - size + bytes <= manifestsBytesMax;
    if (enough && dropped.length >= manifestsPerTurn) break;
    dropped.push(id);
    size += book.manifestBytes(id)!.length;
  }
  return dropped;
}
