// The holder's side of the queue: keeps the records it is named in, and their locks, durably before it answers.
import { hexOf } from '../../lib/bytes.ts';
import { isHex64, isPeerId, recordId, type JobId, type PeerId, type RecordId } from '../../lib/ids.ts';
import { FaultError, success, unwrap, type Outcome } from '../../lib/outcome.ts';
import { unreachable } from '../../lib/unreachable.ts';
import { decodeWire } from '../../lib/wire-codec.ts';
import { leaseMs, recordItemsMax } from '../../limits.ts';
import type { Platform, WriteOp } from '../../platform.ts';
import { recordSchema, type FunctionRecord } from '../../protocol/record.ts';
import * as v from 'valibot';
import type { KeptRecord, RecordBook } from './book.ts';
import type { Group } from './group.ts';
import { decide, freeLock, restoredLock, type LockState } from './locks.ts';

/** Leases one identity may have at one holder: a hoarder is stopped here. */
export const leasesPerIdentityMax = 512;

/** What is not deleted by then is found ended after the next start. */
const leavingMax = 10_000;

export type Grant =
  | { readonly granted: true; readonly fence: number; readonly leaseMs: number; readonly slice: Uint8Array }
  | {
      readonly granted: false;
      readonly why: 'leased' | 'decided' | 'unknown' | 'ended';
      readonly retryMs: number;
      readonly owner: PeerId | null;
    };
const refusal = (why: 'decided' | 'unknown', retryMs = 0): Grant => ({ granted: false, why, retryMs, owner: null });

/** What arrived as a record, or undefined where it is none or breaks a bound. `itemsOf` knows the length of known jobs. */
export function parseRecord(bytes: Uint8Array, itemsOf: (job: JobId) => number | undefined): FunctionRecord | undefined {
  const parsed = v.safeParse(recordSchema, decodeWire(bytes));
  if (!parsed.success) return undefined;
  const record = parsed.output;
  const [first, end] = record.range;
  const items = itemsOf(record.job);
  if (end - first > recordItemsMax || (items !== undefined && end > items)) return undefined;
  if (new Set(record.holders).size !== record.holders.length || record.k > record.holders.length) return undefined;
  return record;
}

export class Holder {
  readonly #locks = new Map<RecordId, LockState>();
  readonly #leases = new Map<string, number>();
  /** Ended, and still in the store. */
  readonly #leaving = new Set<RecordId>();
  readonly #speaks: boolean;

  constructor(
    private readonly platform: Platform,
    private readonly book: RecordBook,
    private readonly group: Group,
    private readonly itemsOf: (job: JobId) => number | undefined,
  ) {
    this.#speaks = platform.profileRole !== 'second';
  }

  /** What the store kept over a restart. What cannot be read is left behind: the stewards append it anew. */
  async load(): Promise<void> {
    if (!this.#speaks) return;
    const { storage, clock } = this.platform;
    const kept = await storage.entries('records', '');
    const locks = await storage.entries('locks', '');
    if (!kept.ok || !locks.ok) return;
    for (const [key, bytes] of kept.value) {
      const record = bytes instanceof Uint8Array ? parseRecord(bytes, () => undefined) : undefined;
      if (record !== undefined && isHex64(key) && this.book.hasRoom(record.job, 'store'))
        this.book.add({ id: recordId(key), record, bytes: bytes as Uint8Array, charged: 'store' });
    }
    for (const [key, value] of locks.value) {
      const lock = v.safeParse(storedLock, value);
      if (isHex64(key) && lock.success) this.#set(recordId(key), restoredLock(lock.output.fence, lock.output.owner, clock.now()));
    }
  }

  holds(entry: KeptRecord): boolean {
    return entry.record.holders.includes(this.group.selfStore());
  }

  /** Who has a live lease, as this holder knows. */
  ownerOf(id: RecordId): PeerId | null {
    const lock = this.#locks.get(id);
    return lock === undefined || lock.owner === null || this.platform.clock.now() >= lock.until || this.group.isLost(lock.owner)
      ? null
      : lock.owner;
  }

  /**
   * Keeps what fits the bounds; what this store is named in is durable when this resolves. Answers with what is new.
   * @throws FaultError 'malformed', 'overloaded', 'storage'
   */
  async insert(records: readonly Uint8Array[], charged: string, local: boolean): Promise<{ kept: number; added: KeptRecord[] }> {
    const store = this.group.selfStore();
    const added: KeptRecord[] = [];
    const ops: WriteOp[] = [];
    let kept = 0;
    for (const bytes of records) {
      const record = parseRecord(bytes, this.itemsOf);
      if (record === undefined) throw new FaultError('malformed', 'That is not a function record of a job here.');
      const id = recordId(hexOf(await this.platform.digest.sha256(bytes)));
      if (this.book.hasEnded(id)) continue;
      kept++;
      if (this.book.get(id) !== undefined) continue;
      if (!this.book.hasRoom(record.job, charged)) throw new FaultError('overloaded', 'Too many functions are queued already.');
      const named = record.holders.includes(store);
      if (named && !local && !(this.platform.storage.durable && this.#speaks))
        throw new FaultError('storage', 'This tab keeps nothing past its page.');
      added.push({ id, record, bytes, charged });
      if (named) ops.push({ table: 'records', key: id, value: bytes });
      if (named) this.#leaving.delete(id);
    }
    if (ops.length > 0) unwrap(await this.#write(ops));
    for (const entry of added) this.book.add(entry);
    return { kept, added };
  }

  /** Lock-read-delete, first half (rule 3). @throws FaultError 'storage', 'overloaded' */
  async lock(id: RecordId, by: PeerId): Promise<Grant> {
    const entry = this.book.get(id);
    if (entry === undefined || !this.holds(entry)) return refusal(this.book.hasEnded(id) ? 'decided' : 'unknown');
    const before = this.#locks.get(id) ?? freeLock;
    const [after, answer] = decide(
      before,
      { kind: 'lock', by, ownerLost: before.owner !== null && this.group.isLost(before.owner) },
      this.platform.clock.now(),
    );
    if (answer.kind === 'leased') return { granted: false, why: 'leased', retryMs: answer.retryMs, owner: answer.owner };
    if (answer.kind !== 'granted') throw new Error(`a lock was answered with ${answer.kind}`);
    if (before.owner !== by && (this.#leases.get(identityPart(by)) ?? 0) >= leasesPerIdentityMax)
      throw new FaultError('overloaded', 'That identity has too many leases here.');
    // Taken in memory first, so that whoever asks meanwhile finds it taken; nobody learns the number before it is durable.
    this.#set(id, after);
    const written = await this.#write([{ table: 'locks', key: id, value: { fence: after.fence, owner: after.owner } }]);
    if (!written.ok) {
      if (this.#locks.get(id) === after) this.#set(id, { fence: after.fence, owner: null, until: 0 });
      unwrap(written);
    }
    if (this.book.get(id) === undefined) return refusal('decided');
    return { granted: true, fence: answer.fence, leaseMs, slice: entry.bytes };
  }

  /** Which of these the asker still owns; their leases start afresh. Durations are not written: a restart grants them in full anyway. */
  renew(locks: readonly { record: RecordId; fence: number }[], by: PeerId): RecordId[] {
    return locks.flatMap(({ record, fence }) => {
      const before = this.#locks.get(record);
      if (before === undefined || this.book.get(record) === undefined) return [];
      const [after, answer] = decide(before, { kind: 'renew', by, fence }, this.platform.clock.now());
      if (answer.kind !== 'renewed') return [];
      this.#set(record, after);
      return [record];
    });
  }

  /** Answers with what is free now. A superseded number releases nothing. */
  async release(locks: readonly { record: RecordId; fence: number }[], by: PeerId): Promise<RecordId[]> {
    const released: RecordId[] = [];
    const ops: WriteOp[] = [];
    for (const { record, fence } of locks) {
      const before = this.#locks.get(record);
      if (before === undefined) continue;
      const [after, answer] = decide(before, { kind: 'release', by, fence }, this.platform.clock.now());
      if (answer.kind !== 'released') continue;
      this.#set(record, after);
      released.push(record);
      ops.push({ table: 'locks', key: record, value: { fence: after.fence, owner: null } });
    }
    // A release that is not written only costs a lease after a restart.
    if (ops.length > 0) await this.#write(ops);
    return released;
  }

  /** The owner is done (rule 5c); true where the record may go. @throws FaultError 'conflict' when the number is superseded */
  mayEnd(id: RecordId, by: PeerId, fence: number): boolean {
    const entry = this.book.get(id);
    if (entry === undefined || !this.holds(entry)) return false;
    const [, answer] = decide(this.#locks.get(id) ?? freeLock, { kind: 'end', by, fence }, this.platform.clock.now());
    switch (answer.kind) {
      case 'ended':
        return true;
      case 'superseded':
        throw new FaultError('conflict', 'Somebody else was granted this function since.');
      case 'granted':
      case 'leased':
      case 'renewed':
      case 'released':
        throw new Error(`an end was answered with ${answer.kind}`);
      default:
        return unreachable(answer);
    }
  }

  /** Record and lock leave memory and store. A store that refuses now is asked again by the next call, so that nothing ended stays in it. */
  async forget(ids: readonly RecordId[], ended: boolean): Promise<void> {
    for (const id of ids) {
      const entry = this.book.remove(id, ended);
      if (entry !== undefined && this.holds(entry)) this.#leaving.add(id);
      if (this.#locks.has(id)) {
        this.#set(id, undefined);
        this.#leaving.add(id);
      }
    }
    const leaving = [...this.#leaving].filter((id) => this.book.get(id) === undefined);
    this.#leaving.clear();
    if (leaving.length === 0) return;
    const written = await this.#write(
      leaving.flatMap((key): WriteOp[] => [
        { table: 'records', key, delete: true },
        { table: 'locks', key, delete: true },
      ]),
    );
    if (!written.ok) for (const id of leaving.slice(0, leavingMax)) this.#leaving.add(id);
  }

  /** A second tab of the profile leaves the store to the one that speaks for it; what it holds ends with its page. */
  #write(ops: readonly WriteOp[]): Promise<Outcome<void>> {
    return this.#speaks ? this.platform.storage.write(ops) : Promise.resolve(success(undefined));
  }

  #set(id: RecordId, lock: LockState | undefined): void {
    const count = (owner: PeerId | null | undefined, by: number) => {
      if (owner === null || owner === undefined) return;
      const key = identityPart(owner);
      const left = (this.#leases.get(key) ?? 0) + by;
      if (left > 0) this.#leases.set(key, left);
      else this.#leases.delete(key);
    };
    count(this.#locks.get(id)?.owner, -1);
    count(lock?.owner, 1);
    if (lock === undefined) this.#locks.delete(id);
    else this.#locks.set(id, lock);
  }
}

/** A peer id begins with what certifies its identity. */
const identityPart = (peer: PeerId) => peer.slice(0, 32);

const storedLock = v.object({
  fence: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  owner: v.nullable(v.custom<PeerId>((value) => typeof value === 'string' && isPeerId(value))),
});
