// Hands slices, manifests and re-codings to other stores, and answers once each has said that it is durable there.
import { bytesOfHex, concatBytes } from '../../lib/bytes.ts';
import type { IdentityId, ObjectId, StoreId } from '../../lib/ids.ts';
import { failure, success, type Outcome } from '../../lib/outcome.ts';
import { blocksContract } from '../../protocol/contracts/blocks.ts';
import type { ObjectManifest } from '../../protocol/object.ts';
import type { Coder, Platform } from '../../platform.ts';
import type { Bus } from '../../service.ts';
import { codingFor, placedOf, type Coding } from './coding.ts';
import { copiesOf } from './health.ts';
import { leafHash } from './leaf-hash.ts';
import { encodeManifest, idOfManifest } from './manifest.ts';
import { transferMs, type Neighbours } from './neighbours.ts';
import { consents, isKeeper, placementOrder, type Keeper } from './placement.ts';
import type { SliceStore } from './slice-store.ts';
import type { SignedRecoding } from './slots.ts';
import { Stragglers } from './stragglers.ts';

/** Manifests of what is put are shown to this many members beside the holders, best effort. */
const shownMax = 48;

export interface PutSettings {
  readonly name: string;
  readonly type: string;
  readonly expires: number;
  readonly owner?: IdentityId | undefined;
}

export interface Slice {
  /** Leaf hash. */
  readonly hash: string;
  readonly bytes: Uint8Array;
}

/** Who has acknowledged a slot. */
export interface Given {
  readonly to: Keeper;
  readonly index: number;
}

export interface Placed {
  readonly id: ObjectId;
  readonly size: number;
  readonly k: number;
  readonly given: readonly Given[];
  /** Times over that other identities hold all of it; where this tab has no store, that of another tab of the same identity counts too. */
  readonly copies: number;
  /** Fewer have it than should. */
  readonly short: boolean;
}

/** How an object is to be held: slot 0 by this tab where it keeps data, the others by those in `order`, who are more than are needed. */
export interface Plan {
  readonly coding: Coding;
  /** Slots to place, the own one included. */
  readonly slots: number;
  readonly selfKeeps: boolean;
  readonly order: Keeper[];
}

export interface Own {
  /** This store's name, where it has one that others can see. */
  store(): StoreId | null;
  /** Whether this tab keeps data for others. */
  keeps(): boolean;
}

export class Placer {
  constructor(
    private readonly platform: Platform,
    private readonly bus: Bus,
    private readonly store: SliceStore,
    private readonly neighbours: Neighbours,
    readonly own: Own,
  ) {}

  hash(bytes: Uint8Array): Promise<string> {
    return leafHash(this.platform.digest, bytes);
  }

  plan(key: string, small: boolean, settings: PutSettings): Plan {
    const alive = this.neighbours.alive();
    const self = this.bus.self.identity;
    // Another tab of the same person may speak for the store that this one has none of: it is the first to be asked then.
    const storeless = this.own.store() === null;
    const owner = settings.owner ?? (storeless ? self : undefined);
    const order = placementOrder(key, alive, new Set(storeless ? [] : [self]), owner);
    const keepers = alive.filter((member) => isKeeper(member) && (consents(member) || member.identity === owner));
    const others = new Set(keepers.map(({ identity }) => identity));
    if (!storeless) others.delete(self);
    // Where nobody else keeps anything the own store does, whether it does so for others or not.
    const selfKeeps = this.own.keeps() || others.size === 0;
    const identities = others.size + (selfKeeps ? 1 : 0);
    const coding = codingFor(identities, small);
    return { coding, slots: placedOf(coding, identities), selfKeeps, order };
  }

  sendSlice(to: Keeper, slice: Slice, settings: Pick<PutSettings, 'expires' | 'owner'>, manifest?: Uint8Array): Promise<Outcome<unknown>> {
    const { expires, owner } = settings;
    const body = {
      hash: slice.hash,
      expires,
      size: slice.bytes.length,
      data: 0,
      ...(owner === undefined ? {} : { owner }),
      ...(manifest === undefined ? {} : { manifest }),
    };
    const timeoutMs = transferMs(slice.bytes.length);
    return this.neighbours.while(to.peer, () =>
      this.bus.ask(blocksContract, 'slices', 'insert', body, { peer: to.peer, buffers: [slice.bytes], timeoutMs }),
    );
  }

  sendManifest(to: Pick<Keeper, 'peer'>, manifest: Uint8Array): Promise<Outcome<unknown>> {
    const options = { peer: to.peer, buffers: [manifest], timeoutMs: transferMs(manifest.length) };
    return this.neighbours.while(to.peer, () => this.bus.ask(blocksContract, 'manifests', 'insert', { manifest: 0 }, options));
  }

  sendRecoding(to: Pick<Keeper, 'peer'>, { bytes, signature }: SignedRecoding): Promise<Outcome<unknown>> {
    const options = { peer: to.peer, buffers: [bytes], timeoutMs: transferMs(bytes.length) };
    return this.neighbours.while(to.peer, () => this.bus.ask(blocksContract, 'recodings', 'insert', { recoding: 0, signature }, options));
  }

  /**
   * An object of one segment: each holder's slice and the manifest in one message, so that a result costs two messages a copy. A holder that
   * fails is replaced by the next in order. With a `coder` it is coded as larger ones are, else copied. Faults: 'storage' where nobody, this
   * tab included, could keep it.
   */
  async placeSmall(segment: Uint8Array, settings: PutSettings, coder?: Coder): Promise<Outcome<Placed>> {
    const { expires } = settings;
    const hash = await this.hash(segment);
    const { coding, slots, selfKeeps, order } = this.plan(hash, coder === undefined, settings);
    const { k, n } = coding;
    const slices = coder === undefined || k === 1 ? [] : await this.slicesOf(await coder.encode(segment, k, n));
    const own = selfKeeps ? this.own.store() : null;
    const named = order.splice(0, slots - (selfKeeps ? 1 : 0));
    const holders = [...(own === null ? [] : [own]), ...named.map(({ store }) => store)];
    const manifest = this.manifestOf(settings, coding, [{ size: segment.length, hash, slices: hashesOf(slices) }], holders);
    const bytes = encodeManifest(manifest);
    const id = await idOfManifest(this.platform.digest, bytes);
    // Of a coded one the whole is kept for convenience, and the own slot as others keep theirs.
    const kept = this.store.keep(hash, segment, { expires, pinned: k > 1 || !selfKeeps }, [id, bytes]);
    const ownSlot = kept.then((whole) => {
      // Where there is no room for the whole there may be some for what tells of it.
      if (!whole.ok) return this.store.keepManifest(id, bytes, manifest);
      return selfKeeps && k > 1 ? this.#keepSlot(slices[0]!, expires, id) : whole;
    });
    const stragglers = this.stragglers(named.length, segment.length);
    const give = async (to: Keeper | undefined, index: number, first = false): Promise<Given[]> => {
      if (to === undefined) return [];
      const sending = this.sendSlice(to, slices[index] ?? { hash, bytes: segment }, settings, bytes);
      const answer = await (first ? stragglers.first(sending) : sending);
      return answer.ok ? [{ to, index }] : give(order.shift(), index);
    };
    const given = (await Promise.all(named.map((to, at) => give(to, k === 1 ? 0 : at + (selfKeeps ? 1 : 0), true)))).flat();
    await ownSlot;
    if (coder !== undefined) this.#show(bytes, given);
    return this.placed({ id, size: segment.length, k, given, short: given.length < named.length }, await kept);
  }

  /** To those who hold nothing of it: they need not ask for it first when they want it. */
  #show(manifest: Uint8Array, given: readonly Given[]): void {
    const holding = new Set(given.map(({ to }) => to.peer));
    for (const other of this.neighbours.alive().slice(0, shownMax)) if (!holding.has(other.peer)) void this.sendManifest(other, manifest);
  }

  /** For `count` deliveries of one segment. */
  stragglers(count: number, sliceBytes: number): Stragglers {
    return new Stragglers(this.platform.clock, count, transferMs(sliceBytes));
  }

  slicesOf(rows: readonly Uint8Array[]): Promise<Slice[]> {
    return Promise.all(rows.map(async (bytes) => ({ hash: await this.hash(bytes), bytes })));
  }

  #keepSlot({ hash, bytes }: Slice, expires: number, object: ObjectId): Promise<Outcome<void>> {
    return this.store.keep(hash, bytes, { expires, object, orphan: true });
  }

  /**
   * A manifest made and given to the own store, durably to those who hold a slot, and shown to the other members. `holders` are in the
   * order of the slots.
   */
  async placeManifest(
    settings: PutSettings,
    { coding, slots, selfKeeps }: Plan,
    segments: ObjectManifest['segments'],
    holders: readonly StoreId[],
    given: readonly Given[],
    ownKept: Outcome<void>,
  ): Promise<Outcome<Placed>> {
    const manifest = this.manifestOf(settings, coding, segments, holders);
    const bytes = encodeManifest(manifest);
    const id = await idOfManifest(this.platform.digest, bytes);
    const [kept, ...told] = await Promise.all([
      this.store.keepManifest(id, bytes, manifest),
      ...given.map(({ to }) => this.sendManifest(to, bytes)),
    ]);
    this.#show(bytes, given);
    const acknowledged = given.filter((_, i) => told[i]!.ok);
    const wanted = slots - (selfKeeps ? 1 : 0);
    const short = acknowledged.length < wanted;
    return this.placed({ id, size: manifest.size, k: coding.k, given: acknowledged, short }, ownKept.ok ? kept : ownKept);
  }

  /** The own copy is kept like a slot where the object could not be read without it. */
  private async placed(placed: Omit<Placed, 'copies'>, kept: Outcome<void>): Promise<Outcome<Placed>> {
    const copies = copiesOf(placed.given.length, placed.k);
    if (copies === 0 && !kept.ok) return kept;
    if (copies === 0 && !(await this.store.insist(placed.id)))
      return failure('storage', 'Nobody else could keep it, and here it has gone.');
    return success({ ...placed, copies });
  }

  private manifestOf(
    { name, type, expires }: PutSettings,
    { k, n }: Coding,
    segments: ObjectManifest['segments'],
    holders: readonly StoreId[],
  ): ObjectManifest {
    const size = segments.reduce((sum, segment) => sum + segment.size, 0);
    return { v: 2, size, name, type, expires, by: this.bus.self.identity, k, n, segments, holders: holders.slice(0, n) };
  }
}

/** As a manifest lists them: of a segment that is copied there are none. */
export const hashesOf = (slices: readonly Slice[]) => concatBytes(slices.map(({ hash }) => bytesOfHex(hash)));
