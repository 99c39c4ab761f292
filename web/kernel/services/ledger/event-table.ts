// The events of one job as rows of bytes, each with its signature: as objects they took many times the memory.
//
// The row of a computed event holds all of it; its signed bytes are made again when they are asked for. Other events, and what was encoded
// otherwise than here, are kept as they came. Rows stay what they are: nothing is taken out or changed.
import { concatBytes, equalBytes, hexInto, hexOf } from '../../lib/bytes.ts';
import type { EventId, JobId, ObjectId, PeerId, RecordId } from '../../lib/ids.ts';
import { encodeWire } from '../../lib/wire-codec.ts';
import type { LedgerEvent, SignedEvent } from '../../protocol/event.ts';
import { authorBytes, computedEvent, rareOf, type Author, type ComputedBody, type Packed, type Rare } from './packed-events.ts';
import { RowIndex } from './row-index.ts';
import { readEvent } from './signed.ts';

// A row: its id, three hashes and the signature; then numbers.
const recordAt = 32;
const resultAt = 64;
const resultHashAt = 96;
const signatureAt = 128;
const wroteAt = 192;
const roundAt = 200;
const tookAt = 208;
const numberAt = 216;
const firstAt = 224;
const endAt = 228;
const rareAt = 232;
const actorAt = 236;
const flagsAt = 238;
const rowBytes = 240;

const hasRecord = 1;
const settingFlag = 2;
const computedFlag = 4;

const rowsMin = 4;
/** Room for a quarter more whenever there is none: at most a fifth is empty. */
const growth = 1.25;
const itemMax = 0xffff_ffff;

/** An event in a piece, with its author and what few have, at most; what wraps a whole one. */
const packedBytesMax = 300;
const wrapBytes = 100;

/** Events for one message: what can be is packed. */
export interface Piece {
  readonly events: SignedEvent[];
  readonly packed?: Uint8Array | undefined;
}

interface Whole {
  readonly signed: SignedEvent | undefined;
  /** Where there is nothing signed. */
  readonly event: LedgerEvent | undefined;
}

export class EventTable {
  #bytes = new Uint8Array(rowsMin * rowBytes);
  #view = new DataView(this.#bytes.buffer);
  #size = 0;
  #job: JobId | undefined;
  readonly #authors: Author[] = [];
  readonly #authorAt = new Map<PeerId, number>();
  readonly #rare: Rare[] = [];
  readonly #rareAt = new Map<string, number>();
  readonly #whole = new Map<number, Whole>();
  readonly #byId = new RowIndex((row) => idHash(this.#view, row * rowBytes));
  readonly #byDot = new RowIndex((row) => dotHash(this.#authorNumber(row), this.nAt(row)));
  /** By the first row of a dot that was forked, its others. */
  readonly #forks = new Map<number, number[]>();
  /** The id that is looked for. */
  readonly #wanted = new Uint8Array(32);
  readonly #wantedView = new DataView(this.#wanted.buffer);

  /** Rows are numbered from 0 up to this. */
  get size(): number {
    return this.#size;
  }

  /** Puts an event that is not here yet, of the one job of this table, and answers with its row. Without `signed` it cannot be given to others. */
  add(id: EventId, event: LedgerEvent, signed?: SignedEvent): number {
    this.#job ??= event.job;
    const row = this.#size++;
    if (this.#size * rowBytes > this.#bytes.length) this.#grow();
    const at = row * rowBytes;
    hexInto(id, this.#bytes, at);
    this.#view.setFloat64(at + numberAt, event.n, true);
    this.#view.setUint16(at + actorAt, this.#numberOf(event), true);
    const { body } = event;
    const flags = (body.kind === 'setting' ? settingFlag : 0) | (body.kind === 'computed' ? computedFlag : 0);
    this.#view.setUint16(at + flagsAt, flags, true);
    if (body.kind !== 'computed' || !this.#fill(row, event, body, signed))
      this.#whole.set(row, { signed, event: signed === undefined ? event : undefined });
    this.#byId.add(row);
    const first = this.#firstAt(this.#authorNumber(row), event.n);
    if (first === undefined) this.#byDot.add(row);
    else {
      const others = this.#forks.get(first);
      if (others === undefined) this.#forks.set(first, [row]);
      else others.push(row);
    }
    return row;
  }

  rowOf(id: EventId): number | undefined {
    hexInto(id, this.#wanted, 0);
    return this.#byId.find(idHash(this.#wantedView, 0), (row) => {
      const at = row * rowBytes;
      for (let i = 0; i < 32; i++) if (this.#bytes[at + i] !== this.#wanted[i]) return false;
      return true;
    });
  }

  /** The rows of that dot: several where its author forked. */
  rowsAt(actor: PeerId, n: number): number[] {
    const author = this.#authorAt.get(actor);
    const first = author === undefined ? undefined : this.#firstAt(author, n);
    return first === undefined ? [] : [first, ...(this.#forks.get(first) ?? [])];
  }

  idAt(row: number): EventId {
    return this.#hexAt(row * rowBytes) as EventId;
  }

  /** A view of memory that may move: read it at once. */
  idBytesAt(row: number): Uint8Array {
    return this.#bytes.subarray(row * rowBytes, row * rowBytes + 32);
  }

  nAt(row: number): number {
    return this.#view.getFloat64(row * rowBytes + numberAt, true);
  }

  authorAt(row: number): Author {
    return this.#authors[this.#authorNumber(row)]!;
  }

  isSetting(row: number): boolean {
    return (this.#flags(row) & settingFlag) !== 0;
  }

  isComputed(row: number): boolean {
    return (this.#flags(row) & computedFlag) !== 0;
  }

  /** Bytes it has beside its row. */
  wholeBytesAt(row: number): number {
    return this.#whole.get(row)?.signed?.bytes.length ?? 0;
  }

  eventAt(row: number): LedgerEvent {
    const whole = this.#whole.get(row);
    if (whole !== undefined) return whole.event ?? readEvent(whole.signed!)!;
    const at = row * rowBytes;
    const view = this.#view;
    return computedEvent(
      { job: this.#job!, ...this.authorAt(row), n: this.nAt(row), at: view.getFloat64(at + wroteAt, true) },
      this.#rare[view.getUint32(at + rareAt, true)]!,
      {
        range: [view.getUint32(at + firstAt, true), view.getUint32(at + endAt, true)],
        round: view.getFloat64(at + roundAt, true),
        record: this.#hasRecord(row) ? (this.#hexAt(at + recordAt) as RecordId) : null,
        result: this.#hexAt(at + resultAt) as ObjectId,
        resultHash: this.#hexAt(at + resultHashAt),
        tookMs: view.getFloat64(at + tookAt, true),
      },
    );
  }

  /** As its author signed it: of what was put so. */
  signedAt(row: number): SignedEvent {
    const whole = this.#whole.get(row)?.signed;
    if (whole !== undefined) return whole;
    const at = row * rowBytes + signatureAt;
    return { bytes: encodeWire(this.eventAt(row)), signature: this.#bytes.slice(at, at + 64) };
  }

  /** Bytes in a message, at most. */
  sentBytesAt(row: number): number {
    if (this.#whole.has(row)) return this.wholeBytesAt(row) + wrapBytes;
    return packedBytesMax + 12 * this.#rare[this.#view.getUint32(row * rowBytes + rareAt, true)]!.failed.length;
  }

  /** These for one message: of what was put as signed. */
  piece(rows: readonly number[]): Piece {
    const packed = rows.filter((row) => !this.#whole.has(row));
    const events = rows.flatMap((row) => this.#whole.get(row)?.signed ?? []);
    return packed.length === 0 ? { events } : { events, packed: this.pack(packed) };
  }

  /** These in one piece (packed-events.ts): of what was put as signed. */
  pack(rows: readonly number[]): Uint8Array<ArrayBuffer> {
    const authors = new Numbered<number>();
    const rare = new Numbered<number>();
    const numbers: number[] = [];
    const hashes: Uint8Array[] = [];
    const signatures: Uint8Array[] = [];
    const view = this.#view;
    const plain = rows.filter((row) => !this.#whole.has(row));
    const wrote = (row: number) => view.getFloat64(row * rowBytes + wroteAt, true);
    const earliest = plain.reduce((least, row) => Math.min(least, wrote(row)), plain.length === 0 ? 0 : Number.POSITIVE_INFINITY);
    // A fraction may not come back from a difference.
    const since = plain.every((row) => earliest + (wrote(row) - earliest) === wrote(row)) ? earliest : 0;
    for (const row of plain) {
      const at = row * rowBytes;
      const first = view.getUint32(at + firstAt, true);
      const withRecord = this.#hasRecord(row);
      numbers.push(
        authors.of(this.#authorNumber(row)),
        this.nAt(row),
        wrote(row) - since,
        first,
        view.getUint32(at + endAt, true) - first,
        view.getFloat64(at + roundAt, true),
        view.getFloat64(at + tookAt, true),
        2 * rare.of(view.getUint32(at + rareAt, true)) + Number(withRecord),
      );
      hashes.push(this.#bytes.subarray(at + (withRecord ? recordAt : resultAt), at + signatureAt));
      signatures.push(this.#bytes.subarray(at + signatureAt, at + signatureAt + 64));
    }
    const packed: Packed = {
      v: 1,
      authors: this.#authorsOf(authors.all),
      since,
      rare: rare.all.map((each) => this.#rare[each]!),
      numbers,
      hashes: concatBytes(hashes),
      signatures: concatBytes(signatures),
      whole: rows.flatMap((row) => this.#whole.get(row)?.signed ?? []),
    };
    return encodeWire(packed);
  }

  #firstAt(author: number, n: number): number | undefined {
    return this.#byDot.find(dotHash(author, n), (row) => this.nAt(row) === n && this.#authorNumber(row) === author);
  }

  /** Writes a computed event into its row. False where a row cannot say all of it. */
  #fill(row: number, event: LedgerEvent, body: ComputedBody, signed: SignedEvent | undefined): boolean {
    const { range, round, record, result, resultHash, tookMs } = body;
    if (range[1] > itemMax || (signed !== undefined && signed.signature.length !== 64)) return false;
    const at = row * rowBytes;
    const view = this.#view;
    if (record !== null) hexInto(record, this.#bytes, at + recordAt);
    hexInto(result, this.#bytes, at + resultAt);
    hexInto(resultHash, this.#bytes, at + resultHashAt);
    if (signed !== undefined) this.#bytes.set(signed.signature, at + signatureAt);
    view.setFloat64(at + wroteAt, event.at, true);
    view.setFloat64(at + roundAt, round, true);
    view.setFloat64(at + tookAt, tookMs, true);
    view.setUint32(at + firstAt, range[0], true);
    view.setUint32(at + endAt, range[1], true);
    view.setUint32(at + rareAt, this.#numberOfRare(rareOf(body)), true);
    view.setUint16(at + flagsAt, this.#flags(row) | (record === null ? 0 : hasRecord), true);
    return signed === undefined || equalBytes(encodeWire(this.eventAt(row)), signed.bytes);
  }

  #grow(): void {
    const before = this.#bytes;
    this.#bytes = new Uint8Array(rowBytes * Math.ceil((before.length / rowBytes) * growth));
    this.#bytes.set(before);
    this.#view = new DataView(this.#bytes.buffer);
  }

  #numberOf({ actor, identity }: Author): number {
    let number = this.#authorAt.get(actor);
    if (number === undefined) this.#authorAt.set(actor, (number = this.#authors.push({ actor, identity }) - 1));
    return number;
  }

  #numberOfRare(rare: Rare): number {
    const key = JSON.stringify(rare);
    let number = this.#rareAt.get(key);
    if (number === undefined) this.#rareAt.set(key, (number = this.#rare.push(rare) - 1));
    return number;
  }

  #authorsOf(numbers: readonly number[]): Uint8Array {
    const bytes = new Uint8Array(authorBytes * numbers.length);
    for (const [i, number] of numbers.entries()) {
      const { identity, actor } = this.#authors[number]!;
      hexInto(identity, bytes, authorBytes * i);
      hexInto(actor.slice(33), bytes, authorBytes * i + 32);
    }
    return bytes;
  }

  #authorNumber(row: number): number {
    return this.#view.getUint16(row * rowBytes + actorAt, true);
  }

  #flags(row: number): number {
    return this.#view.getUint16(row * rowBytes + flagsAt, true);
  }

  #hasRecord(row: number): boolean {
    return (this.#flags(row) & hasRecord) !== 0;
  }

  #hexAt(at: number): string {
    return hexOf(this.#bytes, at, at + 32);
  }
}

/** Gives what it meets numbers from 0. */
class Numbered<T> {
  readonly #numbers = new Map<T, number>();

  of(value: T): number {
    let number = this.#numbers.get(value);
    if (number === undefined) this.#numbers.set(value, (number = this.#numbers.size));
    return number;
  }

  get all(): readonly T[] {
    return [...this.#numbers.keys()];
  }
}

const idHash = (view: DataView, at: number) => mixed(view.getUint32(at, true) ^ view.getUint32(at + 28, true));

const dotHash = (author: number, n: number) => mixed(Math.imul(author + 1, 0x9e37_79b1) ^ n);

/** The end of MurmurHash3: all bits have a say in the low ones. */
function mixed(bits: number): number {
  const once = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2_ae35);
  return (twice ^ (twice >>> 16)) >>> 0;
}
