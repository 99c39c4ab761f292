// Events of one job in one piece, as they are kept in a snapshot and sent where there are several: what they share is said once, hashes are
// bytes, and each keeps the signature of its author. So a piece needs nobody's word: who reads it makes the signed bytes of each
// event again, and checks them as if it had come alone.
import * as v from 'valibot';
import { hexOf } from '../../lib/bytes.ts';
import type { IdentityId, JobId, ObjectId, PeerId, RecordId } from '../../lib/ids.ts';
import { parse } from '../../lib/parse.ts';
import { decodeWire, encodeWire } from '../../lib/wire-codec.ts';
import { eventsPerSnapshotMax } from '../../limits.ts';
import { failedRangesMax, signedEventSchema, type EventBody, type LedgerEvent, type SignedEvent } from '../../protocol/event.ts';
import { amount, bytes, eventIdSchema, listOf, rangeSchema, text } from '../../protocol/schemas.ts';

export type ComputedBody = Extract<EventBody, { kind: 'computed' }>;
export type Computed = LedgerEvent & { readonly body: ComputedBody };

/** What most computed events do not have, or share with many. */
const rareSchema = v.strictObject({
  part: v.optional(eventIdSchema),
  failed: listOf(rangeSchema, failedRangesMax),
  /** Fields that came later than these. */
  more: v.record(text(40), text(200)),
});
export type Rare = v.InferOutput<typeof rareSchema>;

const inColumns: ReadonlySet<string> = new Set<keyof ComputedBody>([
  'kind',
  'part',
  'range',
  'failed',
  'round',
  'record',
  'result',
  'resultHash',
  'tookMs',
]);

/** Of each computed event, in this order: author, n, when less `since`, first item, items, round, took, 2 * rare + (has a record). */
export const numbersPerEvent = 8;
export const authorBytes = 40;

const packedSchema = v.strictObject({
  v: v.literal(1),
  /** Identity and the last 8 bytes of the actor, one after the other. */
  authors: bytes(authorBytes * eventsPerSnapshotMax),
  since: amount,
  rare: listOf(rareSchema, eventsPerSnapshotMax),
  numbers: listOf(amount, numbersPerEvent * eventsPerSnapshotMax),
  /** Of each: record, where it has one, result, result hash; 32 bytes each. */
  hashes: bytes(96 * eventsPerSnapshotMax),
  /** 64 bytes each. */
  signatures: bytes(64 * eventsPerSnapshotMax),
  /** Events of other kinds, and those that were encoded otherwise than here. */
  whole: listOf(signedEventSchema, eventsPerSnapshotMax),
});
export type Packed = v.InferOutput<typeof packedSchema>;

export interface Author {
  readonly actor: PeerId;
  readonly identity: IdentityId;
}

/** The rest has a column of its own in a row. */
export function rareOf(body: ComputedBody): Rare {
  const { part, failed } = body;
  const more: Rare['more'] = {};
  for (const [field, value] of Object.entries(body)) if (!inColumns.has(field) && typeof value === 'string') more[field] = value;
  return { ...(part !== undefined && { part }), failed, more };
}

/** A computed event with its fields in the order in which they are signed. */
export function computedEvent(
  { job, actor, identity, n, at }: Author & { readonly job: JobId; readonly n: number; readonly at: number },
  { part, failed, more }: Rare,
  { range, round, record, result, resultHash, tookMs }: Omit<ComputedBody, 'kind' | 'part' | 'failed'>,
): Computed {
  return {
    v: 1,
    job,
    actor,
    n,
    identity,
    at,
    body: { kind: 'computed', ...(part !== undefined && { part }), range, failed, round, record, result, resultHash, tookMs, ...more },
  };
}

export interface Unpacked {
  readonly signed: SignedEvent;
  /** What the bytes say, where they had to be made; nothing about it was checked. */
  readonly event?: LedgerEvent;
}

/** The events of a piece, as their authors signed them; nothing about them was checked. undefined where the bytes are no such piece. */
export function openPacked(job: JobId, piece: Uint8Array): Unpacked[] | undefined {
  const parsed = parse(packedSchema, decodeWire(piece));
  if (!parsed.success) return undefined;
  const { authors, since, rare, numbers, hashes, signatures, whole } = parsed.output;
  const count = numbers.length / numbersPerEvent;
  if (signatures.length !== 64 * count || count + whole.length > eventsPerSnapshotMax) return undefined;
  const events: Unpacked[] = whole.map((signed) => ({ signed }));
  let hashAt = 0;
  const nextHash = () => hexOf(hashes, hashAt, (hashAt += 32));
  for (let i = 0; i < count; i++) {
    const [author, n, wrote, first, items, round, tookMs, kind] = numbers.slice(numbersPerEvent * i, numbersPerEvent * (i + 1)) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const unusual = rare[Math.floor(kind / 2)];
    const withRecord = kind % 2 === 1;
    if (unusual === undefined || !(authorBytes * (author + 1) <= authors.length) || hashAt + (withRecord ? 96 : 64) > hashes.length)
      return undefined;
    const event = computedEvent({ job, ...authorOf(authors, author), n, at: since + wrote }, unusual, {
      range: [first, first + items],
      round,
      record: withRecord ? (nextHash() as RecordId) : null,
      result: nextHash() as ObjectId,
      resultHash: nextHash(),
      tookMs,
    });
    events.push({ event, signed: { bytes: encodeWire(event), signature: signatures.slice(64 * i, 64 * i + 64) } });
  }
  return hashAt === hashes.length ? events : undefined;
}

function authorOf(authors: Uint8Array, author: number): Author {
  const at = authorBytes * author;
  const identity = hexOf(authors, at, at + 32) as IdentityId;
  return { identity, actor: `${identity.slice(0, 32)}-${hexOf(authors, at + 32, at + authorBytes)}` as PeerId };
}
