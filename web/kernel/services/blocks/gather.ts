// Reading: from memory, the own store, or any k slices from those who say they hold them, then from whoever has something when asked.
// Every slice is verified before it is used and every segment after it is put together; who sent something else is named and asked last.
import type { IdentityId, ObjectId, PeerId } from '../../lib/ids.ts';
import { FaultError } from '../../lib/outcome.ts';
import { sliceBytes } from '../../lib/erasure/slices.ts';
import { headOf, joined, lengthOf, type Pieces } from '../../lib/pieces.ts';
import { afterLifeMs } from '../../limits.ts';
import { blocksContract } from '../../protocol/contracts/blocks.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import type { ObjectManifest } from '../../protocol/object.ts';
import type { Platform } from '../../platform.ts';
import type { Bus } from '../../service.ts';
import type { Abroad } from './abroad.ts';
import { indexesOf, layoutOf, type Layout } from './coding.ts';
import { leafHash } from './leaf-hash.ts';
import { idOfManifest, manifestBytesMax, parseManifest, parseRecoding, recodingMessage } from './manifest.ts';
import { transferMs, type Neighbours } from './neighbours.ts';
import { readingOrder } from './placement.ts';
import { firstDistinct, firstOf } from './race.ts';
import { nMaxOf } from './redundancy.ts';
import type { SliceStore } from './slice-store.ts';
import type { WhoHolds } from './slots.ts';

/** A holder that has not answered for this long is not waited for alone. */
export const readHedgeMs = 1_500;
const askAllHedgeMs = 60;
const queryTimeoutMs = 2_500;
/** Re-codings asked for that nobody gave, for a while. */
const recodingRetryMs = 5_000;

interface Source {
  readonly member: Member;
  readonly index: number;
}

/** What holdings say, and what reading found out about it. */
export interface Whereabouts extends WhoHolds {
  /** A member did not have what it announced. */
  denied(peer: PeerId, object: ObjectId): void;
}

export class Gather {
  readonly #segments = new Map<string, Promise<Pieces>>();
  readonly #manifests = new Map<ObjectId, Promise<ObjectManifest>>();
  readonly #recodings = new Map<string, Promise<void>>();
  readonly #recodingAskedAt = new Map<string, number>();

  constructor(
    private readonly platform: Platform,
    private readonly bus: Bus,
    private readonly store: SliceStore,
    private readonly neighbours: Neighbours,
    private readonly holdings: Whereabouts,
    private readonly abroad: Abroad,
  ) {}

  /** @throws FaultError 'not-found' */
  manifest(id: ObjectId): Promise<ObjectManifest> {
    const held = this.store.manifest(id);
    if (held !== undefined) return Promise.resolve(held);
    return once(this.#manifests, id, () => this.#fetchManifest(id, true));
  }

  /** For another group: from this one alone, so that no question goes round. @throws FaultError 'not-found' */
  manifestHere(id: ObjectId): Promise<ObjectManifest> {
    const held = this.store.manifest(id);
    return held === undefined ? this.#fetchManifest(id, false) : Promise.resolve(held);
  }

  /** As `manifestHere`. */
  async segmentHere(id: ObjectId, index: number): Promise<Uint8Array> {
    const manifest = await this.manifestHere(id);
    const segment = manifest.segments[index];
    if (segment === undefined) throw new FaultError('not-found', `The object has no segment ${index}.`);
    return joined((await this.store.pieces(segment.hash)) ?? (await this.#gather(id, manifest, index, false)));
  }

  /** As `pieces`, in one. @throws FaultError 'not-found' */
  async segment(id: ObjectId, index: number): Promise<Uint8Array> {
    return joined(await this.pieces(id, index, false));
  }

  /** The verified bytes of a segment; `pin` keeps a copy while there is room, where anything outlives the page. @throws FaultError 'not-found' */
  async pieces(id: ObjectId, index: number, pin: boolean): Promise<Pieces> {
    const manifest = await this.manifest(id);
    const segment = manifest.segments[index];
    if (segment === undefined) throw new FaultError('not-found', `The object has no segment ${index}.`);
    const { hash } = segment;
    const pieces = (await this.store.pieces(hash)) ?? (await once(this.#segments, hash, () => this.#gather(id, manifest, index, true)));
    // In memory it would only be in the page's way.
    if (pin && this.platform.storage.durable && !this.store.has(hash))
      await this.store.keep(hash, joined(pieces), { expires: manifest.expires, pinned: true, object: id });
    return pieces;
  }

  /**
   * The slices at `wanted` of one segment under k, in that order, for somebody who lacks them: made from the whole segment where it is
   * here, else from any k slices of that coding, else from whatever restores the segment. @throws FaultError 'not-found'
   */
  async slices(id: ObjectId, k: number, index: number, wanted: readonly number[]): Promise<Uint8Array[]> {
    const manifest = await this.manifest(id);
    const { hash } = manifest.segments[index]!;
    if (k === 1) {
      const whole = await this.segment(id, index);
      return wanted.map(() => whole);
    }
    const whole = await this.store.pieces(hash);
    const layout = this.#layoutOf(id, manifest, k);
    if (whole === undefined && layout !== undefined) {
      const found = await this.#collect(id, manifest, index, layout, this.#sources(id, manifest, k));
      if (found.size === k) {
        const rows = await this.platform.coder.recover(inOne(found), k, layout.n, wanted);
        const hashes = await Promise.all(rows.map((row) => leafHash(this.platform.digest, row)));
        if (hashes.every((made, i) => made === layout.hash(index, wanted[i]!))) return rows;
        await this.#lied(id, layout);
      }
    }
    const segment = whole === undefined ? await this.segment(id, index) : joined(whole);
    const rows = await this.platform.coder.encode(segment, k, layout?.n ?? nMaxOf(k));
    return wanted.map((row) => rows[row]!);
  }

  /** A segment from whichever coding can be read; remembered for a while. */
  async #gather(id: ObjectId, manifest: ObjectManifest, index: number, abroad: boolean): Promise<Pieces> {
    const tried = new Set<number>();
    const attempt = async (k: number, sources: readonly Source[]): Promise<Pieces | undefined> => {
      const layout = this.#layoutOf(id, manifest, k);
      if (layout === undefined) return undefined;
      const found = await this.#collect(id, manifest, index, layout, sources);
      return found.size === k ? this.#restore(id, manifest, index, layout, found) : undefined;
    };
    for (let k = this.#bestCoding(id, manifest, index, tried); k !== undefined; k = this.#bestCoding(id, manifest, index, tried)) {
      tried.add(k);
      if (k !== 1 && k !== manifest.k) await this.fetchRecoding(id, k);
      const segment = await attempt(k, this.#sources(id, manifest, k));
      if (segment !== undefined) return segment;
    }
    // What is announced is late, or somebody has a copy for convenience: everybody is asked.
    for (const [k, sources] of await this.#askAll(id, manifest, index)) {
      const segment = await attempt(k, sources);
      if (segment !== undefined) return segment;
    }
    const foreign = abroad ? await this.abroad.segment(id, index, manifest.segments[index]!) : undefined;
    if (foreign === undefined)
      throw new FaultError(
        'not-found',
        'Too few of those who hold this part of the data are here now: it can be read when more of them, or whoever put it, are back.',
      );
    await this.store.remember(manifest.segments[index]!.hash, [foreign]);
    return [foreign];
  }

  /** The coding with the most holders to spare, of those that have enough; then those that have not, because slices here count too. */
  #bestCoding(id: ObjectId, manifest: ObjectManifest, segment: number, tried: ReadonlySet<number>): number | undefined {
    const ks = new Set([...this.#codings(id, manifest), ...this.holdings.of(id).map(({ k }) => k)]);
    const ranked = [...ks].flatMap((k) => {
      if (tried.has(k)) return [];
      const indexes = new Set(this.#sources(id, manifest, k).map(({ index }) => index));
      const layout = this.#layoutOf(id, manifest, k);
      if (layout !== undefined) for (const index of indexesOf(layout)) if (this.store.has(layout.hash(segment, index))) indexes.add(index);
      return indexes.size < k ? [] : [{ k, spare: indexes.size - k + (k === manifest.k ? 0.5 : 0) }];
    });
    return ranked.toSorted((a, b) => b.spare - a.spare || a.k - b.k)[0]?.k;
  }

  /** Who may have which slices under k: those who say so, and those the manifest names. */
  #sources(id: ObjectId, manifest: ObjectManifest, k: number): Source[] {
    const members = new Map(this.neighbours.members().map((member) => [member.peer, member]));
    const sources: Source[] = [];
    for (const { peer, k: held, index } of this.holdings.of(id)) {
      const member = members.get(peer);
      if (held === k && member !== undefined) sources.push({ member, index });
    }
    if (k !== manifest.k) return sources;
    for (const member of members.values()) {
      const index = member.store === null ? -1 : manifest.holders.indexOf(member.store);
      if (index >= 0 && !sources.some((source) => source.member === member)) sources.push({ member, index: k === 1 ? 0 : index });
    }
    return sources;
  }

  /** Any k slices of a segment, verified: those here, the data ones before the parity, the nearest and least busy holders first. */
  async #collect(
    id: ObjectId,
    manifest: ObjectManifest,
    segment: number,
    layout: Layout,
    sources: readonly Source[],
  ): Promise<Map<number, Pieces>> {
    const { k } = layout;
    const size = sliceBytes(manifest.segments[segment]!.size, k);
    const found = new Map<number, Pieces>();
    for (const index of indexesOf(layout)) {
      if (found.size === k) return found;
      const hash = layout.hash(segment, index);
      const pieces = this.store.has(hash) ? await this.store.pieces(hash) : undefined;
      if (pieces !== undefined) found.set(index, pieces);
    }
    if (found.size === k) return found;
    const order = this.#order([...new Set(sources.map(({ member }) => member))]);
    const rank = ({ member, index }: Source) =>
      (this.neighbours.forgers.has(member.identity) ? 4 : 0) + (member.status === 'alive' ? 0 : 2) + (index < k ? 0 : 1);
    const candidates = sources
      .filter(({ index }) => index < layout.n && !found.has(index))
      .toSorted((a, b) => rank(a) - rank(b) || order.indexOf(a.member) - order.indexOf(b.member));
    const missing = k - found.size;
    const fetch = () =>
      firstDistinct(
        this.platform.clock,
        missing,
        candidates,
        ({ index }) => index,
        readHedgeMs,
        ({ member, index }) => this.#read(id, member, layout.hash(segment, index), size),
        (running, waitedMs) =>
          this.neighbours.mayHedge(
            running.map(({ member }) => member.peer),
            waitedMs,
            readHedgeMs,
          ),
      );
    const fetched = await this.neighbours.coming(missing * size, fetch);
    for (const [index, pieces] of fetched) found.set(index, pieces);
    return found;
  }

  async #restore(
    id: ObjectId,
    manifest: ObjectManifest,
    segment: number,
    layout: Layout,
    found: ReadonlyMap<number, Pieces>,
  ): Promise<Pieces | undefined> {
    const { hash, size } = manifest.segments[segment]!;
    const { k, n } = layout;
    const data = Array.from({ length: k }, (_, index) => index);
    if (k > 1) {
      const missing = data.filter((index) => !found.has(index));
      const made = missing.length === 0 ? [] : await this.platform.coder.recover(inOne(found), k, n, missing);
      // The data slices are the segment, filled up with zeros at its end.
      const pieces = headOf(
        data.flatMap((index) => found.get(index) ?? [made[missing.indexOf(index)]!]),
        size,
      );
      if ((await leafHash(this.platform.digest, pieces)) !== hash) {
        await this.#lied(id, layout);
        return undefined;
      }
      await this.store.remember(hash, pieces);
      return pieces;
    }
    const pieces = found.get(0)!;
    await this.store.remember(hash, pieces);
    return pieces;
  }

  /** Slices that are what was listed, of a segment that is not: whoever made the list is to blame. */
  async #lied(id: ObjectId, { k, by }: Layout): Promise<void> {
    this.#forged(by, `the coding ${k} of object ${id}`);
    await this.store.dropRecoding(id, k);
  }

  /** The store may have had no room for the manifest. */
  #codings(id: ObjectId, manifest: ObjectManifest): readonly number[] {
    return [...new Set([manifest.k, 1, ...this.store.codings(id)])];
  }

  #layoutOf(id: ObjectId, manifest: ObjectManifest, k: number): Layout | undefined {
    if (k === manifest.k) return layoutOf(manifest, undefined);
    if (k === 1) return layoutOf({ ...manifest, k: 1, n: 1 }, undefined);
    const recoding = this.store.recoding(id, k);
    return recoding === undefined ? undefined : layoutOf(manifest, recoding);
  }

  async #fetchManifest(id: ObjectId, abroad: boolean): Promise<ObjectManifest> {
    const order = this.#order(this.neighbours.members());
    const near = await firstOf(this.platform.clock, order, askAllHedgeMs, async ({ peer, identity }) => {
      const answer = await this.neighbours.while(peer, () =>
        this.bus.ask(blocksContract, 'manifests', 'get', { id }, { peer, timeoutMs: transferMs(manifestBytesMax) }),
      );
      const bytes = answer.ok ? answer.value.buffers[answer.value.body.manifest] : undefined;
      if (bytes === undefined) return undefined;
      const manifest = (await idOfManifest(this.platform.digest, bytes)) === id ? parseManifest(bytes) : undefined;
      if (manifest === undefined) this.#forged(identity, `manifest ${id}`);
      return manifest === undefined ? undefined : { manifest, bytes };
    });
    const far = near === undefined && abroad ? await this.abroad.manifest(id) : undefined;
    const parsed = far === undefined ? undefined : parseManifest(far);
    const found = near ?? (far === undefined || parsed === undefined ? undefined : { manifest: parsed, bytes: far });
    if (found === undefined) throw new FaultError('not-found', 'Nobody who is here now knows this object.');
    if (found.manifest.expires + afterLifeMs <= this.platform.clock.wall())
      throw new FaultError('not-found', 'The object has expired: its slices are no longer kept.');
    await this.store.keepManifest(id, found.bytes, found.manifest);
    return found.manifest;
  }

  /** Asks those who hold slices under k for the document that lists them. */
  fetchRecoding(id: ObjectId, k: number): Promise<void> {
    const key = `${id}/${k}`;
    const now = this.platform.clock.now();
    if (this.store.recoding(id, k) !== undefined || now - (this.#recodingAskedAt.get(key) ?? -Infinity) < recodingRetryMs)
      return Promise.resolve();
    return once(this.#recodings, key, async () => {
      const holding = new Set(this.holdings.of(id).flatMap((held) => (held.k === k ? [held.peer] : [])));
      const order = this.#order(this.neighbours.members().filter(({ peer }) => holding.has(peer)));
      const found = await firstOf(this.platform.clock, order, readHedgeMs, async ({ peer, identity }) => {
        const answer = await this.neighbours.while(peer, () =>
          this.bus.ask(blocksContract, 'recodings', 'get', { object: id, k }, { peer, timeoutMs: transferMs(manifestBytesMax) }),
        );
        const bytes = answer.ok ? answer.value.buffers[answer.value.body.recoding] : undefined;
        if (!answer.ok || bytes === undefined) return undefined;
        const signed = { bytes, signature: answer.value.body.signature };
        const recoding = parseRecoding(bytes);
        const fits = recoding?.object === id && recoding.k === k;
        const { signer, digest } = this.platform;
        if (fits && (await signer.verify(recoding.by, await recodingMessage(digest, bytes), signed.signature))) return { signed, recoding };
        this.#forged(identity, `the coding ${k} of object ${id}`);
        return undefined;
      });
      if (found !== undefined) {
        await this.store.keepRecoding(found.signed, found.recoding);
        return;
      }
      this.#recodingAskedAt.set(key, now);
      for (const [other, at] of this.#recodingAskedAt) if (now - at >= recodingRetryMs) this.#recodingAskedAt.delete(other);
    });
  }

  async #read(id: ObjectId, { peer, identity }: Member, hash: string, size: number): Promise<Pieces | undefined> {
    const answer = await this.neighbours.while(peer, () =>
      this.bus.ask(blocksContract, 'slices', 'get', { hash }, { peer, timeoutMs: transferMs(size) }),
    );
    if (!answer.ok) {
      if (answer.fault.code === 'not-found') this.holdings.denied(peer, id);
      return undefined;
    }
    const { buffers } = answer.value;
    if (lengthOf(buffers) === size && (await leafHash(this.platform.digest, buffers)) === hash) return buffers;
    this.#forged(identity, `slice ${hash}`);
    return undefined;
  }

  /** Which members have the segment or slices of it under any known coding, by k. */
  async #askAll(id: ObjectId, manifest: ObjectManifest, segment: number): Promise<Map<number, Source[]>> {
    const asked = this.#codings(id, manifest).flatMap((k) => {
      const layout = this.#layoutOf(id, manifest, k);
      return layout === undefined ? [] : indexesOf(layout).map((index) => ({ k, index, hash: layout.hash(segment, index) }));
    });
    const hashes = asked.map(({ hash }) => hash);
    const sources = new Map<number, Source[]>();
    await Promise.all(
      this.neighbours.members().map(async (member) => {
        const { peer } = member;
        const answer = await this.neighbours.while(peer, () =>
          this.bus.ask(blocksContract, 'slices', 'query', { hashes }, { peer, timeoutMs: queryTimeoutMs }),
        );
        for (const at of answer.ok ? answer.value.body.held : []) {
          const held = asked[at];
          if (held !== undefined) sources.set(held.k, [...(sources.get(held.k) ?? []), { member, index: held.index }]);
        }
      }),
    );
    return sources;
  }

  #order(members: readonly Member[]): Member[] {
    return readingOrder(members, (peer) => this.neighbours.loadOf(peer), this.neighbours.forgers);
  }

  #forged(identity: IdentityId, what: string): void {
    this.neighbours.forged(identity, what, this.platform.clock.wall());
    this.platform.report('warning', 'A member answered with bytes that are not what was asked for', { identity, what });
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

const inOne = (slices: ReadonlyMap<number, Pieces>) => new Map([...slices].map(([index, pieces]) => [index, joined(pieces)]));
