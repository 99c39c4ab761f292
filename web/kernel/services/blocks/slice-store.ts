// The slices and manifests of this tab's store: verified on every read, within the room the person gave, dropped when they expire.
// What is complete of an object is told as slots.
import type { ObjectId } from '../../lib/ids.ts';
import { failure, success, type Outcome } from '../../lib/outcome.ts';
import { joined, type Pieces } from '../../lib/pieces.ts';
import { afterLifeMs } from '../../limits.ts';
import type { Platform, WriteOp } from '../../platform.ts';
import type { ObjectManifest } from '../../protocol/object.ts';
import { ByteCache } from './byte-cache.ts';
import { indexesOf, layoutOf } from './coding.ts';
import { droppableManifests, droppableSlices, manifestsFit, type Contents, type Spare } from './eviction.ts';
import { leafHash } from './leaf-hash.ts';
import { parseManifest, parseRecoding } from './manifest.ts';
import { ObjectBook } from './object-book.ts';
import { Room, type Usage } from './room.ts';
import { inRuns, metaWrite, ownBytes, readSlice, sliceDeletes, sliceWrites, type SliceMeta } from './slice-values.ts';
import type { KeepOptions, Recoding, SignedRecoding, Slot } from './slots.ts';
import { goneBecause, loadStore, recodingKey } from './store-loading.ts';

export const slicesMax = 200_000;
/** In memory, and for a minute or two: what was just put or read is what is asked for. */
export const cacheBytesMax = 64 * 1024 * 1024;
/** A slice whose manifest never came is dropped after this. */
export const orphanMs = 3_600_000;

type Listener = (added: readonly Slot[], removed: readonly Slot[]) => void;
/** A manifest and the id that is its hash. */
export type NamedManifest = readonly [ObjectId, Uint8Array];

export class SliceStore {
  readonly #slices = new Map<string, SliceMeta>();
  /** Which objects here name a slice that is here. */
  readonly #users = new Map<string, Set<ObjectId>>();
  readonly #book = new ObjectBook();
  readonly #writing = new Map<string, Promise<Outcome<void>>>();
  readonly #reading = new Map<string, Promise<Pieces | undefined>>();
  /** Slices found damaged or missing, with what they were: stored again when fetched again. */
  readonly #damaged = new Map<string, SliceMeta>();
  readonly #cache: ByteCache;
  readonly #listeners: Listener[] = [];
  readonly #room: Room;
  #gone = false;
  spare: Spare = { readable: () => false, needless: () => false };

  constructor(
    private readonly platform: Platform,
    private readonly changed: () => void,
  ) {
    this.#room = new Room(platform.storage, changed);
    this.#cache = new ByteCache(cacheBytesMax, () => platform.random.fraction());
  }

  /** Reads what is held. A storage that refuses is told in `usage`, and nothing is held. */
  async load(): Promise<void> {
    const loaded = await loadStore(this.platform.storage);
    if (!loaded.ok) {
      this.#room.refused(loaded.fault.message);
      return;
    }
    const { slices, manifests, recodings, stray } = loaded.value;
    for (const [hash, meta] of slices) {
      if (this.#slices.has(hash)) continue;
      this.#slices.set(hash, meta);
      this.#room.took(meta.size);
    }
    const before = this.#book.bytes;
    for (const { id, bytes, manifest } of manifests) this.#book.add(id, bytes, manifest);
    for (const { id, k, signed } of recodings) this.#book.addRecoding(id, k, signed);
    this.#room.took(this.#book.bytes - before);
    for (const run of inRuns(stray)) await this.#write(run.map((key) => ({ table: 'slices', key, delete: true })));
    for (const id of this.#book.ids()) this.#adopt(id);
    await this.sweep();
  }

  limit(bytes: number): void {
    this.#room.limit(bytes);
  }

  usage(): Usage & { readonly objects: number } {
    return { ...this.#room.usage(), objects: this.#book.size };
  }

  has = (hash: string): boolean => this.#slices.has(hash);

  /** Held, and not dropped for room before it expires. */
  keeps(hash: string): boolean {
    return this.#slices.get(hash)?.pinned === false;
  }

  /** By id, those behind `after`. */
  objects(after?: ObjectId): Iterable<ObjectId> {
    return this.#book.idsAfter(after);
  }

  facts(id: ObjectId) {
    return this.#book.facts(id);
  }

  manifestBytes(id: ObjectId): Uint8Array | undefined {
    return this.#book.manifestBytes(id);
  }

  manifest(id: ObjectId): ObjectManifest | undefined {
    return this.#book.manifest(id);
  }

  codings(id: ObjectId): readonly number[] {
    return this.#book.codings(id);
  }

  recoding(id: ObjectId, k: number): Recoding | undefined {
    return this.#book.recoding(id, k);
  }

  signedRecoding(id: ObjectId, k: number): SignedRecoding | undefined {
    return this.#book.signedRecoding(id, k);
  }

  /** What is complete here and kept. */
  *slots(): Iterable<Slot> {
    for (const id of this.#book.ids()) yield* this.#book.slots(id);
  }

  onSlots(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Every segment is here as a whole: any slice can be made without asking anybody. */
  wholeHere(id: ObjectId): boolean {
    return this.#book.manifest(id)?.segments.every(({ hash }) => this.#slices.has(hash)) === true;
  }

  /** Bytes of this object's segments and slices here, each counted once. */
  bytesHere(id: ObjectId): number {
    if ((this.#book.facts(id)?.segments ?? 0) === 0) return 0;
    let bytes = 0;
    for (const hash of this.#book.hashes(id)) bytes += this.#slices.get(hash)?.size ?? 0;
    return bytes;
  }

  /** Bytes known to be those of `hash`, from memory; or from the store, where a flipped bit counts as absent. */
  async pieces(hash: string): Promise<Pieces | undefined> {
    const known = this.#cache.get(hash) ?? this.#reading.get(hash);
    if (known !== undefined) return known;
    const work = this.#read(hash).finally(() => this.#reading.delete(hash));
    this.#reading.set(hash, work);
    return work;
  }

  async #read(hash: string): Promise<Pieces | undefined> {
    await this.#writing.get(hash);
    const meta = this.#slices.get(hash);
    if (meta === undefined) return undefined;
    const read = await readSlice(this.platform.storage, hash, meta.size);
    if (!read.ok) this.#room.refused(read.fault.message);
    const bytes = read.ok ? read.value : undefined;
    if (bytes !== undefined && (await leafHash(this.platform.digest, bytes)) === hash) {
      this.#cache.put(hash, [bytes]);
      return [bytes];
    }
    if ((bytes === undefined && (await this.#vanished())) || !read.ok) return undefined;
    if (this.#slices.get(hash) === meta) {
      this.platform.report('warning', 'A slice in the store was damaged; it is fetched again', hash);
      await this.#drop([hash]);
      this.#damaged.set(hash, meta);
      if (this.#damaged.size > slicesMax) this.#damaged.clear();
    }
    return undefined;
  }

  /** Remembers verified bytes for a while, longest where they are `awaited`, and puts them back where the store had them damaged. */
  async remember(hash: string, pieces: Pieces, awaited = false): Promise<void> {
    this.#cache.put(hash, pieces, awaited);
    const meta = this.#damaged.get(hash);
    if (meta === undefined) return;
    this.#damaged.delete(hash);
    await this.keep(hash, joined(pieces), { expires: meta.expires, pinned: meta.pinned });
  }

  /**
   * Keeps `bytes`, whose leaf hash the caller has checked to be `hash`, with `manifest` in the same write. Durable when it resolves.
   * Faults: 'storage' when there is no room or the browser refuses; 'overloaded' for one manifest too many.
   */
  async keep(hash: string, bytes: Uint8Array, options: KeepOptions, manifest?: NamedManifest): Promise<Outcome<void>> {
    // Two that bring the same slice at once: one write after the other, each seeing what the one before has done.
    const before = this.#writing.get(hash);
    const work = (async () => {
      await before;
      return this.#keep(hash, bytes, options, manifest);
    })();
    this.#writing.set(hash, work);
    const outcome = await work;
    if (this.#writing.get(hash) === work) this.#writing.delete(hash);
    return outcome;
  }

  async #keep(hash: string, bytes: Uint8Array, options: KeepOptions, named?: NamedManifest): Promise<Outcome<void>> {
    const held = this.#slices.get(hash);
    const orphanUntil = options.orphan === true && !this.#users.has(hash) ? this.platform.clock.wall() + orphanMs : null;
    const meta: SliceMeta = {
      size: bytes.length,
      expires: Math.max(options.expires, held?.expires ?? 0),
      pinned: (options.pinned ?? false) && (held?.pinned ?? true),
      orphanUntil: held === undefined || (held.orphanUntil !== null && orphanUntil !== null) ? orphanUntil : null,
    };
    const last: WriteOp[] = [metaWrite(hash, meta)];
    const parsed = named === undefined || this.#book.has(named[0]) ? undefined : parseManifest(named[1]);
    const added = (held === undefined ? bytes.length : 0) + (parsed === undefined ? 0 : named![1].length);
    if (held === undefined && this.#slices.size >= slicesMax) return this.#room.full();
    if (parsed !== undefined) {
      if (!(await this.#makeManifestRoom(named![1].length))) return failure('overloaded', 'This tab keeps as many manifests as it may.');
      last.push({ table: 'objects', key: named![0], value: ownBytes(named![1]) });
    }
    const writes = held === undefined ? sliceWrites(hash, bytes, last) : [last];
    const written = await this.#writeNew(added, writes);
    if (!written.ok) {
      if (held === undefined && writes.length > 1) await this.platform.storage.write(sliceDeletes(hash, bytes.length));
      return written;
    }
    if (held !== undefined && !this.#slices.has(hash)) {
      // Dropped meanwhile, perhaps to make room for just this: what was written tells of bytes that are gone.
      this.#room.took(-added);
      const untrue = named !== undefined && this.#book.has(named[0]) ? last.slice(0, 1) : last;
      await this.#write(untrue.map(({ table, key }) => ({ table, key, delete: true })));
      return this.#keep(hash, bytes, options, named);
    }
    this.#slices.set(hash, meta);
    if (parsed !== undefined) this.#book.add(named![0], ownBytes(named![1]), parsed);
    if (options.object !== undefined && this.#book.has(options.object)) this.#use(hash, options.object);
    if (named !== undefined) this.#adopt(named[0]);
    else this.#review(this.#users.get(hash) ?? []);
    this.changed();
    return written;
  }

  /** Keeps a manifest, and adopts the slices here that it names. */
  async keepManifest(id: ObjectId, bytes: Uint8Array, manifest: ObjectManifest): Promise<Outcome<void>> {
    if (!this.#book.has(id)) {
      if (!(await this.#makeManifestRoom(bytes.length))) return failure('overloaded', 'This tab keeps as many manifests as it may.');
      const written = await this.#writeNew(bytes.length, [[{ table: 'objects', key: id, value: ownBytes(bytes) }]]);
      if (!written.ok) return written;
      this.#book.add(id, ownBytes(bytes), manifest);
    }
    return this.#adoptDurably(id);
  }

  /** Keeps a re-coding whose signature the caller has checked, and adopts the slices here that it names. Faults: 'refused', 'storage'. */
  async keepRecoding(signed: SignedRecoding, { object, k, slices }: Recoding): Promise<Outcome<void>> {
    if (this.#book.signedRecoding(object, k) !== undefined) return this.#adoptDurably(object);
    const facts = this.#book.facts(object);
    if (facts === undefined || slices.length !== facts.segments) return failure('refused', 'That is no coding of an object known here.');
    if (!this.#book.mayRecode(object, k)) return failure('refused', 'There are as many codings of that object as there may be.');
    const value = { bytes: ownBytes(signed.bytes), signature: ownBytes(signed.signature) };
    const written = await this.#writeNew(signed.bytes.length, [[{ table: 'objects', key: recodingKey(object, k), value }]]);
    if (!written.ok) return written;
    this.#book.addRecoding(object, k, value);
    return this.#adoptDurably(object);
  }

  /** Forgets a re-coding, and the slices that only it names. */
  async dropRecoding(id: ObjectId, k: number): Promise<void> {
    const signed = this.#book.signedRecoding(id, k);
    const manifest = this.#book.manifest(id);
    if (signed === undefined || manifest === undefined) return;
    const layout = layoutOf(manifest, parseRecoding(signed.bytes));
    this.#book.deleteRecoding(id, k);
    this.#room.took(-signed.bytes.length);
    await this.#write([{ table: 'objects', key: recodingKey(id, k), delete: true }]);
    const hashes = indexesOf(layout).flatMap((index) => manifest.segments.map((_, segment) => layout.hash(segment, index)));
    await this.#dropUnused(id, hashes);
  }

  /**
   * Drops the slices here of that coding that nothing else here needs. Segments of an own object stay, as what is dropped first when
   * room is needed; an object without bytes is let go altogether.
   */
  async release(id: ObjectId, k: number): Promise<void> {
    const manifest = this.#book.manifest(id);
    const recoding = this.#book.recoding(id, k);
    if (manifest === undefined || recoding === undefined) return;
    if (manifest.segments.length === 0) return this.#dropManifests([id]);
    const layout = layoutOf(manifest, k === manifest.k ? undefined : recoding);
    const mine = manifest.by === this.platform.signer.identity;
    const segments = new Set(manifest.segments.map(({ hash }) => hash));
    const hashes = [...new Set(indexesOf(layout).flatMap((index) => manifest.segments.map((_, segment) => layout.hash(segment, index))))];
    const own = hashes.filter((hash) => this.keeps(hash) && this.#isOnlyOf(hash, id));
    const stay = own.filter((hash) => mine && segments.has(hash));
    for (const run of inRuns(stay)) await this.#setPinned(run, true);
    await this.#drop(own.filter((hash) => !stay.includes(hash)));
  }

  /** What is here of an object's segments for convenience is now kept like what others rely on. False where not all of it could be. */
  async insist(id: ObjectId): Promise<boolean> {
    const hashes = [...new Set(this.#book.manifest(id)?.segments.map(({ hash }) => hash))];
    for (const run of inRuns(hashes.filter((hash) => !this.keeps(hash)))) await this.#setPinned(run, false);
    return this.#book.has(id) && hashes.every((hash) => this.keeps(hash));
  }

  /** Drops those of `hashes` that no object here has named. */
  forget(hashes: readonly string[]): Promise<void> {
    return this.#drop(hashes.filter((hash) => !this.#users.has(hash)));
  }

  /** Lets go of objects altogether, and of the slices that nothing else here names. */
  async dropObjects(ids: readonly ObjectId[]): Promise<void> {
    const known = ids.filter((id) => this.#book.facts(id) !== undefined);
    const hashes = new Set(known.flatMap((id) => [...this.#book.hashes(id)]));
    await this.#dropManifests(known);
    await this.#drop([...hashes].filter((hash) => (this.#users.get(hash)?.size ?? 0) === 0));
  }

  /** Drops what has outlived its time, and looks again at what the host allows. */
  async sweep(): Promise<void> {
    this.#cache.dropIdle();
    if (await this.#vanished()) return;
    await this.#room.look();
    const wall = this.platform.clock.wall();
    const over = (expires: number) => expires + afterLifeMs <= wall;
    await this.#drop(
      [...this.#slices]
        .filter(([, meta]) => over(meta.expires) || (meta.orphanUntil !== null && meta.orphanUntil <= wall))
        .map(([hash]) => hash),
    );
    await this.#dropManifests(this.#book.ids().filter((id) => over(this.#book.facts(id)!.expires)));
    this.changed();
  }

  /** Notes which slices here an object names: they are no orphans. @returns those of which that is to be written down */
  #adopt(id: ObjectId): Map<string, SliceMeta> {
    const adopted = new Map<string, SliceMeta>();
    const expires = this.#book.facts(id)?.expires ?? 0;
    for (const hash of this.#book.hashes(id)) {
      const meta = this.#slices.get(hash);
      if (meta === undefined) continue;
      this.#use(hash, id);
      if (meta.orphanUntil === null && meta.expires >= expires) continue;
      const next = { ...meta, orphanUntil: null, expires: Math.max(meta.expires, expires) };
      adopted.set(hash, next);
      this.#slices.set(hash, next);
    }
    this.#review([id]);
    return adopted;
  }

  #use(hash: string, id: ObjectId): void {
    this.#users.set(hash, (this.#users.get(hash) ?? new Set<ObjectId>()).add(id));
  }

  async #adoptDurably(id: ObjectId): Promise<Outcome<void>> {
    const adopted = [...this.#adopt(id)].map(([hash, meta]) => metaWrite(hash, meta));
    let outcome: Outcome<void> = success(undefined);
    for (const run of inRuns(adopted)) if (outcome.ok) outcome = await this.#write(run);
    this.changed();
    return outcome;
  }

  #review(ids: Iterable<ObjectId>): void {
    const added: Slot[] = [];
    const removed: Slot[] = [];
    for (const id of ids) {
      const change = this.#book.review(id, (hash) => this.keeps(hash));
      added.push(...change.added);
      removed.push(...change.removed);
    }
    this.#tell(added, removed);
  }

  #tell(added: readonly Slot[], removed: readonly Slot[]): void {
    if (added.length > 0 || removed.length > 0) for (const listener of this.#listeners) listener(added, removed);
  }

  #isOnlyOf(hash: string, id: ObjectId): boolean {
    return [...(this.#users.get(hash) ?? [])].every((user) => user === id);
  }

  async #setPinned(hashes: readonly string[], pinned: boolean): Promise<void> {
    const metas = hashes.flatMap((hash) => {
      const meta = this.#slices.get(hash);
      return meta === undefined ? [] : [[hash, { ...meta, pinned }] as const];
    });
    const written = await this.#write(metas.map(([hash, meta]) => metaWrite(hash, meta)));
    if (!written.ok) return;
    for (const [hash, meta] of metas) if (this.#slices.has(hash)) this.#slices.set(hash, meta);
    this.#review(new Set(hashes.flatMap((hash) => [...(this.#users.get(hash) ?? [])])));
  }

  /** Drops those of `hashes` that no object here names any more. */
  async #dropUnused(id: ObjectId, hashes: readonly string[]): Promise<void> {
    const named = this.#book.hashes(id);
    await this.#drop([...new Set(hashes)].filter((hash) => this.#slices.has(hash) && !named.has(hash) && this.#isOnlyOf(hash, id)));
    this.#review([id]);
  }

  /** Writes what makes the store larger; where the browser has no more room, makes some and tries once more. */
  async #writeNew(bytes: number, writes: readonly (readonly WriteOp[])[]): Promise<Outcome<void>> {
    if (this.#gone) return failure('storage', 'The browser has cleared what Lull kept here.');
    if (!(await this.#makeRoom(bytes))) return this.#room.full();
    // Reserved before the write, so that writes under way together do not pass the limit together.
    this.#room.took(bytes);
    let written: Outcome<void> = success(undefined);
    for (let at = 0, tries = 0; at < writes.length; at++) {
      written = await this.#write(writes[at]!);
      if (written.ok) continue;
      if (written.fault.full !== true || tries++ > 0) break;
      this.#room.shrink(bytes);
      if (!(await this.#makeRoom(0, true))) break;
      at--;
    }
    if (written.ok) this.#room.fitted();
    else this.#room.took(-bytes);
    return written;
  }

  /** Drops what may be dropped for `bytes` more, if that is enough; for a mere try whatever there is. */
  async #makeRoom(bytes: number, isTry = false): Promise<boolean> {
    const lacking = this.#room.lacking(bytes);
    if (lacking <= 0) return true;
    const dropped: string[] = [];
    let freed = 0;
    for (const hash of droppableSlices(this.#contents(), this.spare, this.platform.clock.wall())) {
      if (freed >= lacking) break;
      dropped.push(hash);
      freed += this.#slices.get(hash)?.size ?? 0;
    }
    const enough = freed >= lacking || (isTry && freed > 0);
    if (enough) await this.#drop(dropped);
    return enough;
  }

  async #makeManifestRoom(bytes: number): Promise<boolean> {
    if (manifestsFit(this.#book, bytes)) return true;
    await this.#dropManifests(droppableManifests(this.#contents(), bytes, this.platform.clock.wall()));
    return manifestsFit(this.#book, bytes);
  }

  #contents(): Contents {
    return { slices: this.#slices, users: this.#users, book: this.#book, identity: this.platform.signer.identity };
  }

  async #dropManifests(ids: readonly ObjectId[]): Promise<void> {
    for (const run of inRuns(ids)) {
      const keys = run.flatMap((id) => [
        id,
        ...this.#book.codings(id).flatMap((k) => (this.signedRecoding(id, k) ? [recodingKey(id, k)] : [])),
      ]);
      const written = await this.#write(keys.map((key) => ({ table: 'objects', key, delete: true })));
      if (!written.ok) return;
      const removed: Slot[] = [];
      const before = this.#book.bytes;
      for (const id of run) {
        for (const hash of this.#book.hashes(id)) this.#users.get(hash)?.delete(id);
        removed.push(...this.#book.delete(id));
      }
      this.#room.took(this.#book.bytes - before);
      this.#tell([], removed);
    }
  }

  async #drop(hashes: readonly string[]): Promise<void> {
    for (const run of inRuns(hashes)) {
      const ops: WriteOp[] = [];
      const touched = new Set<ObjectId>();
      for (const hash of run) {
        const meta = this.#slices.get(hash);
        if (meta === undefined) continue;
        this.#room.took(-meta.size);
        this.#slices.delete(hash);
        this.#cache.delete(hash);
        for (const id of this.#users.get(hash) ?? []) touched.add(id);
        this.#users.delete(hash);
        ops.push(...sliceDeletes(hash, meta.size));
      }
      this.#review(touched);
      await this.#write(ops);
    }
    if (hashes.length > 0) this.changed();
  }

  async #write(ops: readonly WriteOp[]): Promise<Outcome<void>> {
    const written = await this.platform.storage.write(ops);
    this.#room.refused(written.ok ? '' : written.fault.message);
    return written;
  }

  /** The data was cleared or closed under our feet: nothing of it is here any more, and nothing more is kept. */
  async #vanished(): Promise<boolean> {
    const because = this.#gone ? undefined : await goneBecause(this.platform.storage, this.#slices.keys().next().value);
    if (because === undefined || this.#gone) return this.#gone;
    this.#gone = true;
    const removed = [...this.slots()];
    this.#slices.clear();
    this.#users.clear();
    for (const id of this.#book.ids()) this.#book.delete(id);
    this.#room.empty(because);
    this.platform.report('warning', 'The data of this site went while it was in use', because);
    this.#tell([], removed);
    this.changed();
    return true;
  }
}
