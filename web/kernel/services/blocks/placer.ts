// Hands slices and manifests to other stores, and answers once each has said that it is durable there.
import type { IdentityId, ObjectId } from '../../lib/ids.ts';
import type { Outcome } from '../../lib/outcome.ts';
import { blocksContract } from '../../protocol/contracts/blocks.ts';
import type { ObjectManifest } from '../../protocol/object.ts';
import type { Platform } from '../../platform.ts';
import type { Bus } from '../../service.ts';
import { replication } from './coding.ts';
import { leafHash } from './leaf-hash.ts';
import { encodeManifest, idOfManifest } from './manifest.ts';
import { transferMs, type Neighbours } from './neighbours.ts';
import { placementOrder, type Keeper } from './placement.ts';
import type { SliceStore } from './slice-store.ts';

/** Manifests of large objects are shown to this many members beside the holders, best effort. */
const shownMax = 48;
export const copiesWanted = 3;

export interface PutSettings {
  readonly name: string;
  readonly type: string;
  readonly expires: number;
  readonly owner?: IdentityId | undefined;
}

export interface Slice {
  readonly hash: string;
  readonly bytes: Uint8Array;
}

export interface Placed {
  readonly id: ObjectId;
  readonly size: number;
  readonly copies: number;
}

export class Placer {
  constructor(
    private readonly platform: Platform,
    private readonly bus: Bus,
    private readonly store: SliceStore,
    private readonly neighbours: Neighbours,
    /** This store's name, where it has one that others can see. */
    private readonly ownStore: () => ObjectManifest['holders'][number] | null,
  ) {}

  hash(bytes: Uint8Array): Promise<string> {
    return leafHash(this.platform.digest, bytes);
  }

  /** Copies wanted with the own one, and whom to ask for the others. */
  plan(key: string, settings: PutSettings): { wanted: number; order: Keeper[] } {
    return {
      wanted: copiesWanted - 1,
      order: placementOrder(key, this.neighbours.alive(), new Set([this.bus.self.identity]), settings.owner),
    };
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

  /**
   * An object of one segment: the slice and its manifest in one message to each holder, so that a result costs two messages a copy.
   * A holder that fails is replaced by the next in order. Faults: 'storage' where nobody, this tab included, could keep it.
   */
  async placeSmall(segment: Uint8Array, settings: PutSettings): Promise<Outcome<Placed>> {
    const hash = await this.hash(segment);
    const { wanted, order } = this.plan(hash, settings);
    const own = this.ownStore();
    const named = order.splice(0, wanted);
    const manifest = this.manifestOf(
      settings,
      [{ size: segment.length, hash, slices: new Uint8Array(0) }],
      [...(own === null ? [] : [own]), ...named.map(({ store }) => store)],
    );
    const bytes = encodeManifest(manifest);
    const id = await idOfManifest(this.platform.digest, bytes);
    const kept = this.store.keep(hash, segment, { expires: settings.expires }, [id, bytes]);
    const [slice] = replication(manifest.n).encode(segment);
    const give = async (holder: Keeper | undefined): Promise<boolean> => {
      if (holder === undefined) return false;
      const answer = await this.sendSlice(holder, { hash, bytes: slice! }, settings, bytes);
      return answer.ok || give(order.shift());
    };
    const given = await Promise.all(named.map(give));
    return this.placed(await kept, id, segment.length, given.filter(Boolean).length);
  }

  /** A manifest made and given to the own store, durably to `holders`, and shown to the other members. */
  async placeManifest(
    settings: PutSettings,
    segments: ObjectManifest['segments'],
    holders: readonly Keeper[],
    ownAll: boolean,
  ): Promise<Outcome<Placed>> {
    const own = ownAll ? this.ownStore() : null;
    const manifest = this.manifestOf(settings, segments, [...(own === null ? [] : [own]), ...holders.map(({ store }) => store)]);
    const bytes = encodeManifest(manifest);
    const id = await idOfManifest(this.platform.digest, bytes);
    const [kept, ...given] = await Promise.all([
      this.store.keepManifest(id, bytes, manifest),
      ...holders.map((holder) => this.sendManifest(holder, bytes)),
    ]);
    const holding = new Set(holders.map(({ peer }) => peer));
    for (const other of this.neighbours.alive().slice(0, shownMax)) if (!holding.has(other.peer)) void this.sendManifest(other, bytes);
    return this.placed(kept, id, manifest.size, given.filter(({ ok }) => ok).length);
  }

  private placed(kept: Outcome<void>, id: ObjectId, size: number, copies: number): Outcome<Placed> {
    return kept.ok || copies > 0 ? { ok: true, value: { id, size, copies } } : kept;
  }

  private manifestOf(
    { name, type, expires }: PutSettings,
    segments: ObjectManifest['segments'],
    holders: ObjectManifest['holders'],
  ): ObjectManifest {
    const size = segments.reduce((sum, segment) => sum + segment.size, 0);
    const by = this.bus.self.identity;
    return { v: 2, size, name, type, expires, by, k: 1, n: copiesWanted, segments, holders };
  }
}
