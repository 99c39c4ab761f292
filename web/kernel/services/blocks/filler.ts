// Gives the slices that an object lacks to those who are to hold them: segment by segment, recovered from whatever is readable. What a
// member already has of its slot is not sent again, so that work which somebody left half done goes on where it stopped.
import type { IdentityId, ObjectId, PeerId } from '../../lib/ids.ts';
import { equalBytes } from '../../lib/bytes.ts';
import { FaultError, success, type Outcome } from '../../lib/outcome.ts';
import { buffersPerMessageMax } from '../../limits.ts';
import type { Platform } from '../../platform.ts';
import { blocksContract, manifestInlineBytesMax, sliceQueryHashesMax } from '../../protocol/contracts/blocks.ts';
import type { ObjectManifest } from '../../protocol/object.ts';
import type { Bus } from '../../service.ts';
import type { Gather } from './gather.ts';
import { leafHash } from './leaf-hash.ts';
import { transferMs, type Neighbours } from './neighbours.ts';
import type { Keeper } from './placement.ts';
import type { Placer } from './placer.ts';
import { falseRecoding, hashAt, signRecoding, slicesOf } from './recode.ts';
import type { Gift, Job } from './repair-plan.ts';
import type { SliceStore } from './slice-store.ts';
import type { SignedRecoding } from './slots.ts';
import type { Throttle } from './throttle.ts';

const segmentsInFlightMax = 2;
const queryTimeoutMs = 2_500;
/** Of small slices and their manifests in one message. */
const runBytesMax = 1024 * 1024;

export interface Filled {
  /** Acknowledged as durable, all of it. */
  readonly given: readonly Gift[];
  readonly refused: readonly Gift[];
  /** The document that names these slices was made here, out of the segments. */
  readonly documented: boolean;
}

export interface SmallJob {
  readonly id: ObjectId;
  readonly gifts: readonly Gift[];
}

interface Parcel {
  readonly id: ObjectId;
  readonly gift: Gift;
  readonly hash: string;
  readonly bytes: Uint8Array;
  readonly expires: number;
  readonly owner: IdentityId;
  readonly manifest: Uint8Array;
}

interface Receiver extends Gift {
  /** Segments whose slice it has. */
  readonly has: Set<number>;
  failed: boolean;
}

interface Task {
  readonly id: ObjectId;
  readonly k: number;
  readonly manifest: ObjectManifest;
  readonly manifestBytes: Uint8Array;
  readonly receivers: readonly Receiver[];
  /** Per segment, the hashes of its slices; empty runs for k = 1; undefined until this task has made them. */
  readonly hashes: (Uint8Array | undefined)[];
  readonly document: SignedRecoding | undefined;
  readonly live: () => boolean;
  readonly passed: (bytes: number) => void;
}

export class Filler {
  constructor(
    private readonly platform: Platform,
    private readonly bus: Bus,
    private readonly store: SliceStore,
    private readonly neighbours: Neighbours,
    private readonly gather: Gather,
    private readonly placer: Placer,
    private readonly throttle: Throttle,
    /** A re-coding was found to be false: it is dropped, and its author named. */
    private readonly lies: (id: ObjectId, k: number) => Promise<void>,
  ) {}

  /**
   * @param live false when the work is to be left as it is
   * @param passed is told of bytes sent
   * @throws FaultError where a segment cannot be read now
   */
  async fill(id: ObjectId, job: Job, live: () => boolean, passed: (bytes: number) => void): Promise<Filled> {
    const manifest = this.store.manifest(id);
    const manifestBytes = this.store.manifestBytes(id);
    if (manifest === undefined || manifestBytes === undefined) return { given: [], refused: [], documented: false };
    const receivers = job.gifts.map((gift): Receiver => ({ ...gift, has: new Set(), failed: false }));
    if (job.k !== manifest.k && job.k > 1) await this.gather.fetchRecoding(id, job.k);
    const recoding = job.k === manifest.k || job.k === 1 ? undefined : this.store.recoding(id, job.k);
    const known = job.k === 1 || job.k === manifest.k || recoding !== undefined;
    const hashes = manifest.segments.map(({ slices }, i) =>
      job.k === 1 ? new Uint8Array() : known ? (recoding?.slices[i] ?? slices) : undefined,
    );
    const document = this.store.signedRecoding(id, job.k);
    const task: Task = { id, k: job.k, manifest, manifestBytes, receivers, hashes, document, live, passed };
    if (known && manifest.segments.length > 1) await Promise.all(receivers.map((receiver) => this.#ask(task, receiver)));
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < manifest.segments.length && live() && receivers.some(({ failed }) => !failed)) await this.#segment(task, next++);
    };
    await Promise.all(Array.from({ length: segmentsInFlightMax }, lane));
    if (!live()) return { given: [], refused: [], documented: false };
    const documented = await this.#finish(task);
    const gift = ({ to, index }: Receiver): Gift => ({ to, index });
    return {
      given: receivers.filter(({ failed }) => !failed).map(gift),
      refused: receivers.filter(({ failed }) => failed).map(gift),
      documented,
    };
  }

  /**
   * Small objects, many in one message to each who is to have some.
   * @returns what came of each; objects that cannot be read now are left out
   */
  async fillSmall(jobs: readonly SmallJob[], live: () => boolean, passed: (bytes: number) => void): Promise<Map<ObjectId, Filled>> {
    const given = new Map<ObjectId, { given: Gift[]; refused: Gift[]; documented: false }>();
    const parcels = new Map<PeerId, { to: Keeper; slices: Parcel[] }>();
    for (const { id, gifts } of jobs) {
      const manifest = this.store.manifest(id);
      const manifestBytes = this.store.manifestBytes(id);
      const segment = manifest?.segments[0];
      const bytes = segment === undefined ? undefined : await this.gather.segment(id, 0).catch(() => undefined);
      if (manifest === undefined || manifestBytes === undefined || segment === undefined || bytes === undefined) continue;
      given.set(id, { given: [], refused: [], documented: false });
      for (const gift of gifts) {
        const parcel = parcels.get(gift.to.peer) ?? { to: gift.to, slices: [] };
        parcels.set(gift.to.peer, parcel);
        parcel.slices.push({ id, gift, hash: segment.hash, bytes, expires: manifest.expires, owner: manifest.by, manifest: manifestBytes });
      }
    }
    const send = async (to: Keeper, run: readonly Parcel[]): Promise<void> => {
      const size = run.reduce((sum, { bytes }) => sum + bytes.length, 0);
      await this.throttle.pass(size);
      if (!live()) return;
      const kept = await this.#sendRun(to, run);
      run.forEach(({ id, gift, bytes }, i) => {
        if (kept.has(i)) passed(bytes.length);
        given.get(id)![kept.has(i) ? 'given' : 'refused'].push(gift);
      });
    };
    await Promise.all([...parcels.values()].flatMap(({ to, slices }) => runsOf(slices).map((run) => send(to, run))));
    return given;
  }

  /** @returns the places of those that are durable there */
  async #sendRun(to: Keeper, run: readonly Parcel[]): Promise<ReadonlySet<number>> {
    if (to.peer === this.bus.self.peer) {
      const kept = run.map(({ id, hash, bytes, expires, manifest }) => this.store.keep(hash, bytes, { expires }, [id, manifest]));
      return new Set((await Promise.all(kept)).flatMap(({ ok }, i) => (ok ? [i] : [])));
    }
    const slices = run.map(({ hash, bytes, expires, owner, manifest }, data) => ({
      hash,
      expires,
      size: bytes.length,
      data,
      owner,
      manifest,
    }));
    const buffers = run.map(({ bytes }) => bytes);
    const timeoutMs = transferMs(buffers.reduce((sum, { length }) => sum + length, 0));
    const answer = await this.neighbours.while(to.peer, () =>
      this.bus.ask(blocksContract, 'slices', 'create', { slices }, { peer: to.peer, buffers, timeoutMs }),
    );
    return new Set(answer.ok ? answer.value.body.kept : []);
  }

  /** What of its slot a member has already. */
  async #ask({ manifest, k, hashes }: Task, receiver: Receiver): Promise<void> {
    const wanted = manifest.segments.map(({ hash }, i) => (k === 1 ? hash : hashAt(hashes[i]!, receiver.index)));
    const { peer } = receiver.to;
    if (peer === this.bus.self.peer) {
      wanted.forEach((hash, i) => this.store.keeps(hash) && receiver.has.add(i));
      return;
    }
    for (let at = 0; at < wanted.length; at += sliceQueryHashesMax) {
      const run = wanted.slice(at, at + sliceQueryHashesMax);
      const answer = await this.bus.ask(
        blocksContract,
        'slices',
        'query',
        { hashes: run, kept: true },
        { peer, timeoutMs: queryTimeoutMs },
      );
      if (answer.ok) for (const i of answer.value.body.held) receiver.has.add(at + i);
    }
  }

  async #segment(task: Task, segment: number): Promise<void> {
    const { id, k, manifest, receivers, hashes, live } = task;
    const lacking = receivers.filter(({ failed, has }) => !failed && !has.has(segment));
    const made = hashes[segment];
    if (lacking.length === 0 && made !== undefined) return;
    const { size, hash } = manifest.segments[segment]!;
    // What has to be fetched takes as much of the link as what is sent.
    const fetched = this.store.wholeHere(id) ? 0 : size;
    await this.throttle.pass(fetched + lacking.length * Math.ceil(size / k));
    if (!live()) return;
    const indexes = [...new Set(lacking.map(({ index }) => index))];
    let sliceOf: (index: number) => { hash: string; bytes: Uint8Array };
    if (made === undefined) {
      const whole = await slicesOf(this.platform, await this.gather.segment(id, segment), k);
      hashes[segment] = whole.hashes;
      sliceOf = (index) => ({ hash: hashAt(whole.hashes, index), bytes: whole.slices[index]! });
    } else {
      const rows = await this.gather.slices(id, k, segment, indexes);
      const slices = new Map(indexes.map((index, i) => [index, { hash: k === 1 ? hash : hashAt(made, index), bytes: rows[i]! }]));
      for (const slice of slices.values()) await this.#check(task, slice);
      sliceOf = (index) => slices.get(index)!;
    }
    await Promise.all(
      lacking.map(async (receiver) => {
        const slice = sliceOf(receiver.index);
        const taken = await this.#send(task, receiver.to, slice);
        if (taken.ok) task.passed(slice.bytes.length);
        else receiver.failed = true;
      }),
    );
  }

  /** Slices made from what was read, and read as the manifest says, are not those that the document names: it is false. */
  async #check({ id, k, manifest }: Task, { hash, bytes }: { hash: string; bytes: Uint8Array }): Promise<void> {
    if (k === 1 || (await leafHash(this.platform.digest, bytes)) === hash) return;
    if (k !== manifest.k) await this.lies(id, k);
    throw new FaultError('conflict', falseRecoding);
  }

  #send(task: Task, to: Keeper, slice: { hash: string; bytes: Uint8Array }): Promise<Outcome<unknown>> {
    const { expires, by } = task.manifest;
    if (to.peer === this.bus.self.peer) return this.store.keep(slice.hash, slice.bytes, { expires, orphan: true });
    return this.placer.sendSlice(to, slice, { expires, owner: by }, isInline(task) ? task.manifestBytes : undefined);
  }

  /** The manifest, and the document of another coding, last: until then the slices are nobody's, and go by themselves when nobody comes back to them. */
  async #finish(task: Task): Promise<boolean> {
    const { id, k, manifest, manifestBytes, receivers } = task;
    const left = receivers.filter(({ failed }) => !failed);
    if (left.length === 0) return false;
    let document = task.document;
    let documented = false;
    // Whole copies need no document: their hashes are the manifest's.
    if (k !== manifest.k && k > 1 && document === undefined) {
      const hashes = task.hashes.map((run) => run ?? new Uint8Array());
      const made = await signRecoding(this.platform, id, k, hashes, this.bus.self.identity);
      document = made.signed;
      await this.store.keepRecoding(made.signed, made.recoding);
      // Somebody else's may have come meanwhile.
      const kept = this.store.signedRecoding(id, k);
      documented = kept !== undefined && equalBytes(kept.bytes, document.bytes);
    }
    await Promise.all(
      left.map(async (receiver) => {
        const { to } = receiver;
        let taken: Outcome<unknown> = success(undefined);
        if (to.peer === this.bus.self.peer) taken = await this.store.keepManifest(id, manifestBytes, manifest);
        else {
          if (!isInline(task)) taken = await this.placer.sendManifest(to, manifestBytes);
          if (taken.ok && document !== undefined) taken = await this.placer.sendRecoding(to, document);
        }
        if (!taken.ok) receiver.failed = true;
      }),
    );
    return documented;
  }
}

/** In messages of at most so many slices and bytes. */
function runsOf(parcels: readonly Parcel[]): Parcel[][] {
  const runs: Parcel[][] = [];
  let size = 0;
  for (const parcel of parcels) {
    const last = runs.at(-1);
    size += parcel.bytes.length + parcel.manifest.length;
    if (last !== undefined && last.length < buffersPerMessageMax && size <= runBytesMax) last.push(parcel);
    else {
      runs.push([parcel]);
      size = parcel.bytes.length + parcel.manifest.length;
    }
  }
  return runs;
}

/** A small object's manifest comes with its only slice. */
const isInline = ({ k, manifest, manifestBytes }: Task) =>
  k === manifest.k && manifest.segments.length === 1 && manifestBytes.length <= manifestInlineBytesMax;
