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
import { EventTable, type Piece } from './event-table.ts';
import { JobFold, type Added } from './fold.ts';
import { Rate } from './rate.ts';
import type { OpenedEvent, OpenedJob } from './signed.ts';

export interface ExchangeEntry {
  job: JobId;
  clock: VectorClock;
  digest: string;
}

/** What an event takes in memory: as its row, the fold and the index have it (measured by size.test.ts). */
const eventMemoryBytes = 450;
/** The same beside its own bytes, where a row does not hold all of it. */
const wholeMemoryBytes = 1_700;
const resultsNamedMax = 100_000;

export class JobLog {
  readonly id: JobId;
  readonly idBytes: Uint8Array;
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
  readonly #table = new EventTable();
  /** Keys of the snapshots on disk. */
  readonly snapshots: string[] = [];
  /** Rows that no snapshot on disk has. Settings stay by themselves: they outlive a cancel. */
  #loose: number[] = [];
  readonly #digest = new Uint8Array(32);
  /** Of the events held, those of each identity. */
  #of = new Map<IdentityId, { events: number; bytes: number; readonly actors: Set<PeerId> }>();
  #settings = 0;
  #size = 0;
  #bytes = 0;
  #entombed = false;

  constructor({ id, manifest, signed }: OpenedJob) {
    this.id = id;
    this.idBytes = bytesOfHex(id);
    this.manifest = manifest;
    this.signed = signed;
    this.fold = new JobFold(manifest, this.#table);
  }

  has(id: EventId): boolean {
    const row = this.#table.rowOf(id);
    return row !== undefined && this.#isHeld(row);
  }

  get ended(): boolean {
    return this.denial !== undefined || this.fold.ended;
  }

  /** Events held. */
  get size(): number {
    return this.#size;
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
    if (this.#size >= eventsPerJobMax) return `A job keeps at most ${eventsPerJobMax} events.`;
    const own = this.#of.get(event.identity);
    if (event.identity !== this.manifest.submitter && own !== undefined) {
      if (own.events >= eventsPerIdentityMax) return `A job keeps at most ${eventsPerIdentityMax} events of one identity.`;
      if (own.actors.size >= actorsPerIdentityMax && !own.actors.has(actor))
        return `A job keeps events of at most ${actorsPerIdentityMax} tabs of one identity.`;
    }
    const prefix = this.clock.prefix(actor);
    if (prefix === 0 && this.clock.actorCount >= actorsPerJobMax && !this.clock.hasAny(actor))
      return `A job keeps events of at most ${actorsPerJobMax} tabs.`;
    if (n > prefix + eventsAheadMax) return 'Earlier events of that tab are missing here; they must come first.';
    return undefined;
  }

  /** Takes an event; `loose` where it is on disk by itself and in no snapshot. undefined where it was held already. */
  add({ id, event, signed }: OpenedEvent, loose = true): Added | undefined {
    if (this.#table.rowOf(id) !== undefined) return undefined;
    const added = this.fold.add(id, event, signed);
    const row = this.#table.size - 1;
    const setting = event.body.kind === 'setting';
    this.#hold(row);
    this.#changedAt.set(event.actor, ++this.version);
    this.#settings += Number(setting);
    if (loose && !setting) this.#loose.push(row);
    return added;
  }

  /** How many events no snapshot on disk has, of those that may be in one. */
  get loose(): number {
    return this.#loose.length;
  }

  /** The longest held among these, at most `max`, and their ids, in one piece for the disk. */
  snapshot(max: number): { readonly ids: readonly EventId[]; readonly piece: Uint8Array<ArrayBuffer> } {
    const rows = this.#loose.slice(0, max);
    return { ids: rows.map((row) => this.#table.idAt(row)), piece: this.#table.pack(rows) };
  }

  /** That many of these are in a snapshot on disk now. */
  packed(count: number): void {
    this.#loose = this.#loose.slice(count);
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

  /** Counts an event among those held. */
  #hold(row: number): void {
    const { actor, identity } = this.#table.authorAt(row);
    const whole = this.#table.wholeBytesAt(row);
    const bytes = eventMemoryBytes + (whole === 0 ? 0 : whole + wholeMemoryBytes);
    let of = this.#of.get(identity);
    if (of === undefined) this.#of.set(identity, (of = { events: 0, bytes: 0, actors: new Set() }));
    of.events++;
    of.bytes += bytes;
    of.actors.add(actor);
    this.clock.add(actor, this.#table.nAt(row));
    xorInto(this.#digest, this.#table.idBytesAt(row));
    this.#size++;
    this.#bytes += bytes;
  }

  #isHeld(row: number): boolean {
    return !this.#entombed || this.#table.isSetting(row);
  }

  /**
   * A cancelled job keeps its manifest and its settings only (rule 12): the rest is neither held nor told any more, so that tabs that
   * heard of the cancel at different times still agree. The fold stays as it is, for whoever looks at what was done. Answers
   * with the events that were let go.
   */
  entomb(): readonly EventId[] {
    if (!this.fold.settings.cancelled || this.#entombed) return [];
    this.#entombed = true;
    this.#begunAt = ++this.version;
    this.#changedAt.clear();
    this.clock = new IntervalClock();
    this.#loose = [];
    this.#digest.fill(0);
    this.#size = this.#bytes = 0;
    this.#of = new Map();
    const gone: EventId[] = [];
    for (let row = 0; row < this.#table.size; row++) {
      if (this.#isHeld(row)) this.#hold(row);
      else gone.push(this.#table.idAt(row));
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

  /** Rows of the events at numbers that `theirs` does not hold, lowest first within each actor; all of a fork. */
  *missingFrom(theirs: IntervalClock): Generator<number> {
    for (const { actor, span } of this.clock.missingFrom(theirs))
      for (let n = span[0]; n < span[1]; n++) yield* this.#rowsAt(actor as PeerId, n);
  }

  /** Rows of those that are held. */
  rowsOf(ids: Iterable<EventId>): number[] {
    return [...ids].flatMap((id) => this.#table.rowOf(id) ?? []).filter((row) => this.#isHeld(row));
  }

  /** Bytes of the event in a message, at most. */
  sentBytesAt(row: number): number {
    return this.#table.sentBytesAt(row);
  }

  /** These events for one message: packed what can be. */
  piece(rows: readonly number[]): Piece {
    return this.#table.piece(rows);
  }

  /** Events of `actor` with numbers in [first, end). */
  *eventsOf(actor: PeerId, first: number, end: number): Generator<SignedEvent> {
    for (let n = first; n < end; n++) for (const row of this.#rowsAt(actor, n)) yield this.#table.signedAt(row);
  }

  /** XOR of the ids of each actor's events. */
  actorDigests(): Map<PeerId, string> {
    const digests = new Map<PeerId, Uint8Array>();
    for (let row = 0; row < this.#table.size; row++) {
      if (!this.#isHeld(row)) continue;
      const { actor } = this.#table.authorAt(row);
      let digest = digests.get(actor);
      if (digest === undefined) digests.set(actor, (digest = new Uint8Array(32)));
      xorInto(digest, this.#table.idBytesAt(row));
    }
    return new Map([...digests].map(([actor, digest]) => [actor, hexOf(digest)]));
  }

  /** XOR of the ids at each number of `actor` in [first, first + count), 32 bytes each. */
  digestsOf(actor: PeerId, first: number, count: number): Uint8Array {
    const digests = new Uint8Array(32 * count);
    for (let i = 0; i < count; i++)
      for (const row of this.#rowsAt(actor, first + i)) xorInto(digests.subarray(32 * i, 32 * i + 32), this.#table.idBytesAt(row));
    return digests;
  }

  #rowsAt(actor: PeerId, n: number): number[] {
    return this.#table.rowsAt(actor, n).filter((row) => this.#isHeld(row));
  }
}

export function xorInto(digest: Uint8Array, id: Uint8Array): void {
  for (let i = 0; i < 32; i++) digest[i]! ^= id[i]!;
}
