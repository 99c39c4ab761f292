// One job as this tab holds it: its events, the clock and digest over them, and the fold.
import { bytesOfHex, hexOf } from '../../lib/bytes.ts';
import type { EventId, IdentityId, JobId, ObjectId, PeerId } from '../../lib/ids.ts';
import { IntervalClock } from '../../lib/interval-clock.ts';
import {
  actorsPerIdentityMax,
  actorsPerJobMax,
  appendsPerJobMax,
  eventsAheadMax,
  eventsPerIdentityMax,
  eventsPerJobMax,
  settingsPerJobMax,
} from '../../limits.ts';
import type { LedgerEvent, SignedEvent, VectorClock } from '../../protocol/event.ts';
import type { JobManifest, SignedJob } from '../../protocol/job-manifest.ts';
import { JobFold, type Added } from './fold.ts';
import { Rate } from './rate.ts';
import type { OpenedEvent, OpenedJob } from './signed.ts';

interface Held {
  readonly signed: SignedEvent;
  readonly actor: PeerId;
  readonly n: number;
  readonly identity: IdentityId;
  readonly setting: boolean;
}

export interface ExchangeEntry {
  job: JobId;
  clock: VectorClock;
  digest: string;
}

/** What an event takes in memory beside its bytes: as the fold, the clock and the index have it (measured by size.test.ts). */
const eventOverheadBytes = 1_700;
const resultsNamedMax = 100_000;

export class JobLog {
  readonly id: JobId;
  readonly manifest: JobManifest;
  readonly signed: SignedJob;
  readonly fold: JobFold;
  readonly rate = new Rate();
  clock = new IntervalClock();
  /** By wall clock here; null while the job has not ended. */
  endedAt: number | null = null;
  /** Why the operator of the site has denied it, as a sentence; undefined where they have not. Then it has ended here, whatever its events say. */
  denial: string | undefined;
  /** Changes so far: what a neighbour has not heard yet is what changed since the version it heard. */
  version = 0;
  readonly #changedAt = new Map<PeerId, number>();
  /** Version at which the clock began anew. */
  #begunAt = 0;
  readonly #held = new Map<EventId, Held>();
  readonly #dots = new Map<PeerId, Map<number, EventId[]>>();
  readonly #digest = new Uint8Array(32);
  /** Of the events held, those of each identity. */
  #of = new Map<IdentityId, { events: number; bytes: number; readonly actors: Set<PeerId> }>();
  #settings = 0;
  #bytes = 0;
  #entombed = false;

  constructor({ id, manifest, signed }: OpenedJob) {
    this.id = id;
    this.manifest = manifest;
    this.signed = signed;
    this.fold = new JobFold(manifest);
  }

  has(id: EventId): boolean {
    return this.#held.has(id);
  }

  get ended(): boolean {
    return this.denial !== undefined || this.fold.ended;
  }

  /** Events held. */
  get size(): number {
    return this.#held.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get digest(): string {
    return hexOf(this.#digest);
  }

  /** The digest's bytes: XOR of the ids of all events held. */
  get digestBytes(): Uint8Array {
    return this.#digest;
  }

  /** Why an event that is right in itself cannot be held here now; undefined where it can. Settings pass where others must wait. */
  refusal(event: LedgerEvent): string | undefined {
    const { body, actor, n } = event;
    if (this.denial !== undefined) return this.denial;
    if (body.kind === 'setting') {
      if (body.append !== undefined && this.fold.parts.length > appendsPerJobMax)
        return `A job takes input at most ${appendsPerJobMax} times; append more of it at once.`;
      return this.#settings < settingsPerJobMax || body.cancelled === true
        ? undefined
        : `A job takes at most ${settingsPerJobMax} settings.`;
    }
    if (this.fold.settings.cancelled) return 'The job was cancelled.';
    if (this.#held.size >= eventsPerJobMax) return `A job keeps at most ${eventsPerJobMax} events.`;
    const own = this.#of.get(event.identity);
    if (event.identity !== this.manifest.submitter && own !== undefined) {
      if (own.events >= eventsPerIdentityMax) return `A job keeps at most ${eventsPerIdentityMax} events of one identity.`;
      if (own.actors.size >= actorsPerIdentityMax && !own.actors.has(actor))
        return `A job keeps events of at most ${actorsPerIdentityMax} tabs of one identity.`;
    }
    const prefix = this.clock.prefix(actor);
    if (prefix === 0 && this.clock.actorCount >= actorsPerJobMax && !this.#dots.has(actor))
      return `A job keeps events of at most ${actorsPerJobMax} tabs.`;
    if (n > prefix + eventsAheadMax) return 'Earlier events of that tab are missing here; they must come first.';
    return undefined;
  }

  /** undefined where it was held already. */
  add({ id, event, signed }: OpenedEvent): Added | undefined {
    if (this.#held.has(id)) return undefined;
    const { actor, n, identity, body } = event;
    const setting = body.kind === 'setting';
    this.#held.set(id, { signed, actor, n, identity, setting });
    this.#charge(identity, actor, signed);
    this.clock.add(actor, n);
    this.#changedAt.set(actor, ++this.version);
    let numbers = this.#dots.get(actor);
    if (numbers === undefined) this.#dots.set(actor, (numbers = new Map()));
    const ids = numbers.get(n);
    if (ids === undefined) numbers.set(n, [id]);
    else ids.push(id);
    xorInto(this.#digest, id);
    this.#settings += Number(setting);
    this.#bytes += signed.bytes.length + eventOverheadBytes;
    return this.fold.add(id, event) ?? { decided: [], reopened: [] };
  }

  /** What there is of it besides events: code, input, and the results that count, as many as one look gives. */
  objects(): ObjectId[] {
    const { code, reduce } = this.manifest;
    const inputs = this.fold.parts.flatMap(({ input }) => (input.kind === 'range' ? [] : [input.object]));
    const results = this.fold.decidedSpans(0, resultsNamedMax).map(({ result }) => result);
    return [...new Set([code, ...(reduce === null ? [] : [reduce]), ...inputs, ...results])];
  }

  /** Bytes of the events of each identity. */
  *bytesOf(): Generator<readonly [IdentityId, number]> {
    for (const [identity, { bytes }] of this.#of) yield [identity, bytes];
  }

  #charge(identity: IdentityId, actor: PeerId, signed: SignedEvent): void {
    let of = this.#of.get(identity);
    if (of === undefined) this.#of.set(identity, (of = { events: 0, bytes: 0, actors: new Set() }));
    of.events++;
    of.bytes += signed.bytes.length + eventOverheadBytes;
    of.actors.add(actor);
  }

  /**
   * A cancelled job keeps its manifest and its settings only (rule 12): the rest is neither held nor told any more, so that tabs that
   * heard of the cancel at different times still agree. The fold stays as it is, for whoever looks at what was done. Answers
   * with what was let go.
   */
  entomb(): readonly EventId[] {
    if (!this.fold.settings.cancelled || this.#entombed) return [];
    this.#entombed = true;
    this.#begunAt = ++this.version;
    this.#changedAt.clear();
    const gone: EventId[] = [];
    this.clock = new IntervalClock();
    this.#dots.clear();
    const kept = [...this.#held].filter(([id, held]) => held.setting || void gone.push(id));
    this.#held.clear();
    this.#digest.fill(0);
    this.#bytes = 0;
    this.#of = new Map();
    for (const [id, held] of kept) {
      this.#held.set(id, held);
      this.#charge(held.identity, held.actor, held.signed);
      this.clock.add(held.actor, held.n);
      const numbers = this.#dots.get(held.actor) ?? new Map<number, EventId[]>();
      this.#dots.set(held.actor, numbers);
      numbers.set(held.n, [...(numbers.get(held.n) ?? []), id]);
      xorInto(this.#digest, id);
      this.#bytes += held.signed.bytes.length + eventOverheadBytes;
    }
    return gone;
  }

  /** The clock's entries that changed after `version`; `whole` where all of them are named, and what is not named is not held. */
  changesSince(version: number): { whole: boolean; clock: VectorClock } {
    if (version < this.#begunAt || version === 0) return { whole: true, clock: this.clock.toRecord() as VectorClock };
    const changed = [...this.#changedAt].flatMap(([actor, at]) => (at > version ? [actor] : []));
    return { whole: false, clock: this.clock.toRecord(changed) as VectorClock };
  }

  exchangeEntry(): ExchangeEntry {
    return { job: this.id, clock: this.clock.toRecord() as VectorClock, digest: this.digest };
  }

  /** Bytes the entry takes in a message, roughly. */
  get entryBytes(): number {
    return 160 + 80 * this.clock.actorCount;
  }

  /** Events at numbers that `theirs` does not hold, lowest first within each actor; all of a fork. */
  *missingFrom(theirs: IntervalClock): Generator<SignedEvent> {
    for (const { actor, span } of this.clock.missingFrom(theirs)) yield* this.eventsOf(actor as PeerId, span[0], span[1]);
  }

  /** Events of `actor` with numbers in [first, end). */
  *eventsOf(actor: PeerId, first: number, end: number): Generator<SignedEvent> {
    const numbers = this.#dots.get(actor);
    if (numbers === undefined) return;
    for (let n = first; n < end; n++) for (const id of numbers.get(n) ?? []) yield this.#held.get(id)!.signed;
  }

  /** XOR of the ids of each actor's events. */
  actorDigests(): Map<PeerId, string> {
    const digests = new Map<PeerId, string>();
    for (const [actor, numbers] of this.#dots) {
      const digest = new Uint8Array(32);
      for (const ids of numbers.values()) for (const id of ids) xorInto(digest, id);
      digests.set(actor, hexOf(digest));
    }
    return digests;
  }

  /** XOR of the ids at each number of `actor` in [first, first + count), 32 bytes each. */
  digestsOf(actor: PeerId, first: number, count: number): Uint8Array {
    const digests = new Uint8Array(32 * count);
    const numbers = this.#dots.get(actor);
    for (let i = 0; i < count; i++) for (const id of numbers?.get(first + i) ?? []) xorInto(digests.subarray(32 * i, 32 * i + 32), id);
    return digests;
  }
}

export function xorInto(digest: Uint8Array, id: string): void {
  const bytes = bytesOfHex(id);
  for (let i = 0; i < 32; i++) digest[i]! ^= bytes[i]!;
}
