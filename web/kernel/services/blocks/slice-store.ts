// The slices and manifests of this tab's store: verified on every read, within the room the person gave, dropped when they expire.
import * as v from 'valibot';
import { isHex64, objectId, type ObjectId } from '../../lib/ids.ts';
import { failure, success, type Outcome } from '../../lib/outcome.ts';
import { afterLifeMs } from '../../limits.ts';
import type { Platform, WriteOp } from '../../platform.ts';
import type { ObjectManifest } from '../../protocol/object.ts';
import { amount, natural } from '../../protocol/schemas.ts';
import { ByteCache } from './byte-cache.ts';
import { leafHash } from './leaf-hash.ts';
import { parseManifest } from './manifest.ts';

export const slicesMax = 200_000;
export const manifestsMax = 50_000;
export const manifestsBytesMax = 64 * 1024 * 1024;
export const cacheBytesMax = 32 * 1024 * 1024;
/** A slice whose manifest never came is dropped after this. */
export const orphanMs = 3_600_000;
/** Until the person's limit is known. */
export const allowedBytesDefault = 512 * 1024 * 1024;
/** Share of the host's quota that is left alone: past it browsers fail writes in ways that are hard to tell. */
const hostReserveShare = 0.1;
const dropsPerWrite = 256;

const MiB = 1024 * 1024;
const metaSchema = v.strictObject({ size: natural, expires: amount, pinned: v.boolean(), orphanUntil: v.nullable(amount) });
type SliceMeta = v.InferOutput<typeof metaSchema>;

interface HeldManifest {
  readonly bytes: Uint8Array;
  readonly expires: number;
}

export interface KeepOptions {
  readonly expires: number;
  /** Kept for convenience: dropped first when room is needed. */
  readonly pinned?: boolean;
  /** Its manifest is not here yet. */
  readonly orphan?: boolean;
}

export interface Usage {
  readonly usedBytes: number;
  readonly allowedBytes: number;
  readonly objects: number;
  readonly problem: string;
}

export class SliceStore {
  readonly #slices = new Map<string, SliceMeta>();
  readonly #manifests = new Map<ObjectId, HeldManifest>();
  readonly #writing = new Map<string, Promise<Outcome<void>>>();
  /** Slices found damaged or missing, with what they were: stored again when fetched again. */
  readonly #damaged = new Map<string, SliceMeta>();
  readonly #cache = new ByteCache(cacheBytesMax);
  #usedBytes = 0;
  #manifestBytes = 0;
  #limitBytes = allowedBytesDefault;
  #hostBytes = Infinity;
  /** What the browser said when it last refused; and whether the person's own limit is reached. */
  #refusal = '';
  #isFull = false;

  constructor(
    private readonly platform: Platform,
    private readonly changed: () => void,
  ) {}

  /** Reads what is held. A storage that refuses is told in `usage`, and nothing is held. */
  async load(): Promise<void> {
    const { storage } = this.platform;
    const [slices, manifests] = await Promise.all([storage.entries('meta', 'slice/'), storage.entries('objects', '')]);
    if (!slices.ok || !manifests.ok) {
      this.#fails(slices.ok ? (manifests.ok ? '' : manifests.fault.message) : slices.fault.message);
      return;
    }
    for (const [key, value] of slices.value) {
      const meta = v.safeParse(metaSchema, value);
      const hash = key.slice('slice/'.length);
      if (!meta.success || !isHex64(hash) || this.#slices.has(hash)) continue;
      this.#slices.set(hash, meta.output);
      this.#usedBytes += meta.output.size;
    }
    for (const [key, value] of manifests.value) {
      const manifest = value instanceof Uint8Array && isHex64(key) ? parseManifest(value) : undefined;
      if (manifest !== undefined) this.#hold(objectId(key), value as Uint8Array, manifest.expires);
    }
    await this.sweep();
  }

  /** The person's limit, in bytes. */
  limit(bytes: number): void {
    this.#limitBytes = bytes;
    this.changed();
  }

  usage(): Usage {
    return {
      usedBytes: this.#usedBytes + this.#manifestBytes,
      allowedBytes: this.#allowed(),
      objects: this.#manifests.size,
      problem: this.#isFull ? this.#fullMessage() : this.#refusal,
    };
  }

  has(hash: string): boolean {
    return this.#slices.has(hash);
  }

  /** Held, and not dropped for room before it expires. */
  keeps(hash: string): boolean {
    return this.#slices.get(hash)?.pinned === false;
  }

  objects(): readonly ObjectId[] {
    return [...this.#manifests.keys()];
  }

  manifestBytes(id: ObjectId): Uint8Array | undefined {
    return this.#manifests.get(id)?.bytes;
  }

  manifest(id: ObjectId): ObjectManifest | undefined {
    const held = this.#manifests.get(id);
    return held === undefined ? undefined : parseManifest(held.bytes);
  }

  /** Bytes known to be those of `hash`, from memory; or from the store, where a flipped bit counts as absent. */
  async get(hash: string): Promise<Uint8Array | undefined> {
    const cached = this.#cache.get(hash);
    if (cached !== undefined) return cached;
    await this.#writing.get(hash);
    const meta = this.#slices.get(hash);
    if (meta === undefined) return undefined;
    const read = await this.platform.storage.get('slices', hash);
    if (!read.ok) {
      this.#fails(read.fault.message);
      return undefined;
    }
    const bytes = read.value;
    if (bytes instanceof Uint8Array && (await leafHash(this.platform.digest, bytes)) === hash) {
      this.#cache.put(hash, bytes);
      return bytes;
    }
    this.platform.report('warning', 'A slice in the store was damaged; it is fetched again', hash);
    if (this.#slices.get(hash) === meta) {
      await this.#drop([hash]);
      this.#damaged.set(hash, meta);
      if (this.#damaged.size > slicesMax) this.#damaged.clear();
    }
    return undefined;
  }

  /** Remembers verified bytes for a while, and puts them back where the store had them damaged. */
  async remember(hash: string, bytes: Uint8Array): Promise<void> {
    this.#cache.put(hash, ownBytes(bytes));
    const meta = this.#damaged.get(hash);
    if (meta === undefined) return;
    this.#damaged.delete(hash);
    await this.keep(hash, bytes, { expires: meta.expires, pinned: meta.pinned });
  }

  /**
   * Keeps `bytes`, whose SHA-256 the caller has checked to be `hash`, with `manifest` (id and bytes) in the same write. Durable
   * when it resolves. Faults: 'storage' when there is no room or the browser refuses.
   */
  async keep(hash: string, bytes: Uint8Array, options: KeepOptions, manifest?: readonly [ObjectId, Uint8Array]): Promise<Outcome<void>> {
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

  async #keep(hash: string, bytes: Uint8Array, options: KeepOptions, manifest?: readonly [ObjectId, Uint8Array]): Promise<Outcome<void>> {
    const held = this.#slices.get(hash);
    const orphanUntil = options.orphan === true ? this.platform.clock.wall() + orphanMs : null;
    const meta: SliceMeta = {
      size: bytes.length,
      expires: Math.max(options.expires, held?.expires ?? 0),
      pinned: (options.pinned ?? false) && (held?.pinned ?? true),
      orphanUntil: held === undefined || (held.orphanUntil !== null && orphanUntil !== null) ? orphanUntil : null,
    };
    const ops: WriteOp[] = [{ table: 'meta', key: `slice/${hash}`, value: meta }];
    if (held === undefined) {
      if (this.#slices.size >= slicesMax) return this.#full();
      const room = await this.#makeRoom(bytes.length + (manifest?.[1].length ?? 0));
      if (!room.ok) return room;
      ops.push({ table: 'slices', key: hash, value: ownBytes(bytes) });
    }
    const brings = manifest !== undefined && !this.#manifests.has(manifest[0]);
    if (brings && this.#manifestsFull(manifest[1])) return failure('overloaded', 'This tab keeps as many manifests as it may.');
    if (brings) ops.push({ table: 'objects', key: manifest[0], value: ownBytes(manifest[1]) });
    // Reserved before the write, so that writes under way together do not pass the limit together.
    if (held === undefined) this.#usedBytes += bytes.length;
    const written = await this.#write(ops);
    if (!written.ok) {
      if (held === undefined) this.#usedBytes -= bytes.length;
      return written;
    }
    this.#slices.set(hash, meta);
    if (manifest !== undefined) {
      const parsed = parseManifest(manifest[1]);
      if (parsed !== undefined) this.#hold(manifest[0], ownBytes(manifest[1]), parsed.expires);
    }
    this.changed();
    return written;
  }

  /** Keeps a manifest, and adopts the slices here that it names. */
  async keepManifest(id: ObjectId, bytes: Uint8Array, manifest: ObjectManifest): Promise<Outcome<void>> {
    if (this.#manifests.has(id)) return success(undefined);
    if (this.#manifestsFull(bytes)) return failure('overloaded', 'This tab keeps as many manifests as it may.');
    const ops: WriteOp[] = [{ table: 'objects', key: id, value: ownBytes(bytes) }];
    const adopted = new Map<string, SliceMeta>();
    for (const { hash } of manifest.segments) {
      const meta = this.#slices.get(hash);
      if (meta !== undefined && (meta.orphanUntil !== null || meta.expires < manifest.expires)) {
        adopted.set(hash, { ...meta, orphanUntil: null, expires: Math.max(meta.expires, manifest.expires) });
      }
    }
    for (const [hash, meta] of adopted) ops.push({ table: 'meta', key: `slice/${hash}`, value: meta });
    const written = await this.#write(ops);
    if (!written.ok) return written;
    for (const [hash, meta] of adopted) if (this.#slices.has(hash)) this.#slices.set(hash, meta);
    this.#hold(id, ownBytes(bytes), manifest.expires);
    this.changed();
    return written;
  }

  /** Drops what has outlived its time, and looks again at what the host allows. */
  async sweep(): Promise<void> {
    const estimate = await this.platform.storage.estimate();
    const ours = this.#usedBytes + this.#manifestBytes;
    this.#hostBytes = Math.max(0, estimate.quotaBytes * (1 - hostReserveShare) - Math.max(0, estimate.usedBytes - ours));
    const wall = this.platform.clock.wall();
    const over = (expires: number) => expires + afterLifeMs <= wall;
    await this.#drop(
      [...this.#slices]
        .filter(([, meta]) => over(meta.expires) || (meta.orphanUntil !== null && meta.orphanUntil <= wall))
        .map(([hash]) => hash),
    );
    const manifests = [...this.#manifests].filter(([, held]) => over(held.expires)).map(([id]) => id);
    for (let at = 0; at < manifests.length; at += dropsPerWrite) {
      const run = manifests.slice(at, at + dropsPerWrite);
      const written = await this.#write(run.map((id) => ({ table: 'objects', key: id, delete: true })));
      if (!written.ok) break;
      for (const id of run) {
        this.#manifestBytes -= this.#manifests.get(id)?.bytes.length ?? 0;
        this.#manifests.delete(id);
      }
    }
    this.changed();
  }

  #hold(id: ObjectId, bytes: Uint8Array, expires: number): void {
    if (this.#manifests.has(id)) return;
    this.#manifests.set(id, { bytes, expires });
    this.#manifestBytes += bytes.length;
  }

  #manifestsFull(bytes: Uint8Array): boolean {
    return this.#manifests.size >= manifestsMax || this.#manifestBytes + bytes.length > manifestsBytesMax;
  }

  #allowed(): number {
    return Math.min(this.#limitBytes, this.#hostBytes);
  }

  /** Drops, for `bytes` more: what has expired, then what is only pinned, oldest first. Never what is kept for somebody. */
  async #makeRoom(bytes: number): Promise<Outcome<void>> {
    const lacking = () => this.#usedBytes + this.#manifestBytes + bytes - this.#allowed();
    if (lacking() <= 0) {
      this.#isFull = false;
      return success(undefined);
    }
    const wall = this.platform.clock.wall();
    const expired = [...this.#slices].filter(([, meta]) => meta.expires <= wall);
    const pinned = [...this.#slices].filter(([, meta]) => meta.expires > wall && meta.pinned);
    const dropped: string[] = [];
    let freed = 0;
    for (const [hash, meta] of [...expired, ...pinned]) {
      if (freed >= lacking()) break;
      dropped.push(hash);
      freed += meta.size;
    }
    if (freed < lacking()) return this.#full();
    await this.#drop(dropped);
    this.#isFull = false;
    return success(undefined);
  }

  #full(): Outcome<void> {
    this.#isFull = true;
    this.changed();
    return failure('storage', this.#fullMessage());
  }

  #fullMessage(): string {
    return `The ${Math.floor(this.#allowed() / MiB)} MiB that Lull may store here are full.`;
  }

  async #drop(hashes: readonly string[]): Promise<void> {
    for (let at = 0; at < hashes.length; at += dropsPerWrite) {
      const run = hashes.slice(at, at + dropsPerWrite);
      for (const hash of run) {
        this.#usedBytes -= this.#slices.get(hash)?.size ?? 0;
        this.#slices.delete(hash);
      }
      await this.#write(
        run.flatMap((hash): WriteOp[] => [
          { table: 'slices', key: hash, delete: true },
          { table: 'meta', key: `slice/${hash}`, delete: true },
        ]),
      );
    }
  }

  async #write(ops: readonly WriteOp[]): Promise<Outcome<void>> {
    const written = await this.platform.storage.write(ops);
    if (!written.ok) this.#fails(written.fault.message);
    else if (this.#refusal !== '') this.#fails('');
    return written;
  }

  #fails(message: string): void {
    this.#refusal = message.slice(0, 300);
    this.changed();
  }
}

/** Without the rest of a larger buffer: a view would be stored, and kept alive, with all of it. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}
