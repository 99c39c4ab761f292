// Reading: from memory, the own store, the holders a manifest names, then whoever says it has it. Every answer is hashed; a forged
// one is reported, and who sent it is asked last from then on.
import type { IdentityId, ObjectId, PeerId, StoreId } from '../../lib/ids.ts';
import { FaultError } from '../../lib/outcome.ts';
import { blocksContract, sliceQueryHashesMax } from '../../protocol/contracts/blocks.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import type { ObjectManifest } from '../../protocol/object.ts';
import type { Platform } from '../../platform.ts';
import type { Bus } from '../../service.ts';
import { codingOf } from './coding.ts';
import { leafHash } from './leaf-hash.ts';
import { idOfManifest, manifestBytesMax, parseManifest } from './manifest.ts';
import { transferMs, type Neighbours } from './neighbours.ts';
import { isKeeper, readingOrder } from './placement.ts';
import { firstOf } from './race.ts';
import type { SliceStore } from './slice-store.ts';

/** A holder that has not answered for this long is not waited for alone. */
export const readHedgeMs = 1_500;
const askAllHedgeMs = 60;
const queryTimeoutMs = 2_500;
/** Where objects were found beside the holders their manifests name. */
const foundMax = 1_024;

export class Gather {
  readonly #segments = new Map<string, Promise<Uint8Array>>();
  readonly #manifests = new Map<ObjectId, Promise<ObjectManifest>>();
  readonly #found = new Map<ObjectId, Set<PeerId>>();

  constructor(
    private readonly platform: Platform,
    private readonly bus: Bus,
    private readonly store: SliceStore,
    private readonly neighbours: Neighbours,
  ) {}

  /** @throws FaultError 'not-found' */
  manifest(id: ObjectId): Promise<ObjectManifest> {
    const held = this.store.manifest(id);
    if (held !== undefined) return Promise.resolve(held);
    return once(this.#manifests, id, () => this.#fetchManifest(id));
  }

  /** The verified bytes of a segment; `pin` keeps a copy while there is room. @throws FaultError 'not-found' */
  async segment(id: ObjectId, index: number, pin: boolean): Promise<Uint8Array> {
    const manifest = await this.manifest(id);
    const segment = manifest.segments[index];
    if (segment === undefined) throw new FaultError('not-found', `The object has no segment ${index}.`);
    const coding = codingOf(manifest);
    if (coding === undefined)
      throw new FaultError('not-found', 'The object is coded in a way this version does not know. A reload may help.');
    const bytes = await once(this.#segments, segment.hash, async () => {
      const slice = (await this.store.get(segment.hash)) ?? (await this.#fetchSlice(id, manifest, segment.hash, segment.size));
      const whole = coding.decode(new Map([[0, slice]]), segment.size);
      if (whole === undefined) throw new FaultError('not-found', 'The manifest tells a wrong size of a segment.');
      return whole;
    });
    if (pin && !this.store.has(segment.hash)) await this.store.keep(segment.hash, bytes, { expires: manifest.expires, pinned: true });
    return bytes;
  }

  /** Identities and peers, self not among them, that keep all of an object now on durable stores. */
  async copies(id: ObjectId): Promise<Map<IdentityId, StoreId>> {
    const manifest = await this.manifest(id);
    const hashes = manifest.segments.map(({ hash }) => hash);
    const holders = new Map<IdentityId, StoreId>();
    const others = this.neighbours.alive().filter(({ identity }) => identity !== this.bus.self.identity);
    await Promise.all(
      others.filter(isKeeper).map(async ({ peer, identity }) => {
        const store = hashes.length === 0 ? await this.#hasManifest(peer, id) : await this.#holdsAll(peer, hashes);
        if (store !== null) holders.set(identity, store);
      }),
    );
    return holders;
  }

  async #holdsAll(peer: PeerId, hashes: readonly string[]): Promise<StoreId | null> {
    let store: StoreId | null = null;
    for (let at = 0; at < hashes.length; at += sliceQueryHashesMax) {
      const run = hashes.slice(at, at + sliceQueryHashesMax);
      const answer = await this.bus.ask(
        blocksContract,
        'slices',
        'query',
        { hashes: run, kept: true },
        { peer, timeoutMs: queryTimeoutMs },
      );
      if (!answer.ok || new Set(answer.value.body.held).size < run.length) return null;
      store = answer.value.body.store;
    }
    return store;
  }

  async #hasManifest(peer: PeerId, id: ObjectId): Promise<StoreId | null> {
    const [manifest, store] = await Promise.all([
      this.bus.ask(blocksContract, 'manifests', 'get', { id }, { peer, timeoutMs: queryTimeoutMs }),
      this.bus.ask(blocksContract, 'slices', 'query', { hashes: [] }, { peer, timeoutMs: queryTimeoutMs }),
    ]);
    return manifest.ok && store.ok ? store.value.body.store : null;
  }

  async #fetchManifest(id: ObjectId): Promise<ObjectManifest> {
    const order = this.#order(this.neighbours.members());
    const found = await firstOf(this.platform.clock, order, askAllHedgeMs, async ({ peer }) => {
      const answer = await this.neighbours.while(peer, () =>
        this.bus.ask(blocksContract, 'manifests', 'get', { id }, { peer, timeoutMs: transferMs(manifestBytesMax) }),
      );
      const bytes = answer.ok ? answer.value.buffers[answer.value.body.manifest] : undefined;
      if (bytes === undefined) return undefined;
      const manifest = (await idOfManifest(this.platform.digest, bytes)) === id ? parseManifest(bytes) : undefined;
      if (manifest === undefined) this.#forged(peer, `manifest ${id}`);
      return manifest === undefined ? undefined : { manifest, bytes };
    });
    if (found === undefined) throw new FaultError('not-found', 'Nobody who is here now knows this object.');
    await this.store.keepManifest(id, found.bytes, found.manifest);
    return found.manifest;
  }

  async #fetchSlice(id: ObjectId, manifest: ObjectManifest, hash: string, size: number): Promise<Uint8Array> {
    const named = new Set<StoreId>(manifest.holders);
    const found = this.#found.get(id);
    const members = this.neighbours.members();
    const likely = members.filter(({ peer, store }) => (store !== null && named.has(store)) || found?.has(peer));
    const tried = new Set<PeerId>();
    const from = (candidates: readonly Member[]) =>
      firstOf(this.platform.clock, this.#order(candidates), readHedgeMs, ({ peer }) => {
        tried.add(peer);
        return this.#read(peer, hash, size);
      });
    let bytes = await from(likely);
    if (bytes === undefined) {
      const having = await this.#whoHas(
        hash,
        this.neighbours.members().filter(({ peer }) => !tried.has(peer)),
      );
      this.#remember(id, having);
      bytes = await from(having);
    }
    if (bytes === undefined) throw new FaultError('not-found', 'Nobody who is here now holds this part of the data.');
    await this.store.remember(hash, bytes);
    return bytes;
  }

  async #read(peer: PeerId, hash: string, size: number): Promise<Uint8Array | undefined> {
    const answer = await this.neighbours.while(peer, () =>
      this.bus.ask(blocksContract, 'slices', 'get', { hash }, { peer, timeoutMs: transferMs(size) }),
    );
    if (!answer.ok) return undefined;
    const bytes = answer.value.buffers[answer.value.body.data];
    if (bytes !== undefined && bytes.length === size && (await leafHash(this.platform.digest, bytes)) === hash) return bytes;
    this.#forged(peer, `slice ${hash}`);
    return undefined;
  }

  async #whoHas(hash: string, members: readonly Member[]): Promise<Member[]> {
    const having = await Promise.all(
      members.map(async (member) => {
        const ask = () =>
          this.bus.ask(blocksContract, 'slices', 'query', { hashes: [hash] }, { peer: member.peer, timeoutMs: queryTimeoutMs });
        const answer = await this.neighbours.while(member.peer, ask);
        return answer.ok && answer.value.body.held.includes(0) ? member : undefined;
      }),
    );
    return having.filter((member) => member !== undefined);
  }

  #order(members: readonly Member[]): Member[] {
    return readingOrder(members, (peer) => this.neighbours.loadOf(peer), this.neighbours.forgers);
  }

  #forged(peer: PeerId, what: string): void {
    this.neighbours.forged(peer);
    this.platform.report('warning', 'A member answered with bytes that are not what was asked for', { peer, what });
  }

  #remember(id: ObjectId, members: readonly Member[]): void {
    if (members.length === 0) return;
    this.#found.delete(id);
    this.#found.set(id, new Set(members.map(({ peer }) => peer)));
    for (const oldest of this.#found.keys()) {
      if (this.#found.size <= foundMax) return;
      this.#found.delete(oldest);
    }
  }
}

/** The work under way for `key`, or `start`ed: those who ask meanwhile share it. */
function once<K, T>(running: Map<K, Promise<T>>, key: K, start: () => Promise<T>): Promise<T> {
  const known = running.get(key);
  if (known !== undefined) return known;
  const work = start().finally(() => running.delete(key));
  running.set(key, work);
  return work;
}
