// The holder's side of the queue: keeps its slices of the records it is named in, and their locks, durably before it answers.
import { isHex64, isPeerId, recordId, type JobId, type PeerId, type RecordId } from '../../lib/ids.ts';
import { FaultError, success, unwrap, type Outcome } from '../../lib/outcome.ts';
import { unreachable } from '../../lib/unreachable.ts';
import { decodeWire, encodeWire } from '../../lib/wire-codec.ts';
import { functionsPerSubmitterMax, leaseMs, recordItemsMax, suspectAfterMs } from '../../limits.ts';
import type { Platform, WriteOp } from '../../platform.ts';
import { heldRecordSchema, type Labels, type RecordLabel } from '../../protocol/record.ts';
import * as v from 'valibot';
import type { KeptRecord, RecordBook } from './book.ts';
import type { Group } from './group.ts';
import { majorityOf } from './holders.ts';
import { decide, freeLock, restoredLock, type LockState } from './locks.ts';
import { labelAgrees, openRecord } from './slices.ts';

/** Leases one identity may have at one holder: a hoarder is stopped here. */
export const leasesPerIdentityMax = 512;

/** In the store: the peer id of the page that spoke for it last. */
const speakerKey = 'queue/speaker';

/** Whose budget what the own store brought back counts against. */
const restored = 'store';

/** What is not deleted by then is found ended after the next start. */
const leavingMax = 10_000;

export const tooManyOfOne = `One submitter has at most ${functionsPerSubmitterMax} functions queued here; more are taken when some of them are done.`;

export interface Refusal {
  readonly granted: false;
  readonly why: 'leased' | 'decided' | 'unknown' | 'ended';
  readonly retryMs: number;
  readonly owner: PeerId | null;
}
export type Grant = { readonly granted: true; readonly fence: number; readonly leaseMs: number; readonly slice: Uint8Array } | Refusal;
/** Its holder does not have it, or not any more. */
export const isGone = ({ why }: Refusal): boolean => why !== 'leased';
const refusal = (why: 'decided' | 'unknown', retryMs = 0): Refusal => ({ granted: false, why, retryMs, owner: null });

/** Why a label cannot be taken, in a sentence; undefined for a sound one. `itemsOf` knows the length of known jobs. */
export function flawOf(
  { job, range: [first, end], k, holders }: RecordLabel,
  itemsOf: (job: JobId) => number | undefined,
): string | undefined {
  const items = itemsOf(job);
  if (items !== undefined && end > items) return 'The job has no such items.';
  if (end - first > recordItemsMax) return `A function has at most ${recordItemsMax} items.`;
  if (new Set(holders).size !== holders.length) return 'A holder is named twice.';
  if (k > majorityOf(holders.length)) return 'A majority of the holders could not read it.';
  return undefined;
}

export interface Inserted {
  /** What is known now of what was sent, whoever told it first. */
  readonly kept: number;
  readonly refused: number;
  /** Of the first that was refused; '' where none was. */
  readonly why: string;
  readonly added: readonly KeptRecord[];
}

export class Holder {
  readonly #locks = new Map<RecordId, LockState>();
  readonly #leases = new Map<string, number>();
  /** Being written: whoever asks for one of these waits for that. Who was told sooner would else hear that it is unknown here, and keep away for a second. */
  readonly #arriving = new Map<RecordId, Promise<Inserted>>();
  /** Ended, and still in the store. */
  readonly #leaving = new Set<RecordId>();
  /** Locks as the store had them: whose they are this tab may never have met. */
  readonly #restored = new Set<RecordId>();
  #loadedAt = Infinity;
  readonly #speaks: boolean;

  constructor(
    private readonly platform: Platform,
    private readonly book: RecordBook,
    private readonly group: Group,
    private readonly itemsOf: (job: JobId) => number | undefined,
    /** How many more functions of all jobs of this job's submitter may be kept here. */
    private readonly roomOf: (job: JobId) => number,
  ) {
    this.#speaks = platform.profileRole !== 'second';
  }

  /** What the store kept over a restart. What cannot be read is left behind: the stewards append it anew. */
  async load(): Promise<void> {
    if (!this.#speaks) return;
    const { storage, clock } = this.platform;
    const kept = await storage.entries('records', '');
    const locks = await storage.entries('locks', '');
    const spoke = await storage.get('meta', speakerKey);
    if (!kept.ok || !locks.ok) return;
    for (const [key, bytes] of kept.value) {
      if (!isHex64(key)) continue;
      const id = recordId(key);
      const held = v.safeParse(heldRecordSchema, bytes instanceof Uint8Array ? decodeWire(bytes) : undefined);
      if (!held.success || flawOf(held.output, () => undefined) !== undefined) {
        this.#leaving.add(id);
        continue;
      }
      const { slice, v: _version, ...record } = held.output;
      if (this.book.hasRoom(record.job, restored)) this.book.add({ id, record, slice, charged: restored });
    }
    const ops: WriteOp[] = [{ table: 'meta', key: speakerKey, value: this.group.self }];
    for (const [key, value] of locks.value) {
      const lock = v.safeParse(storedLock, value);
      if (!isHex64(key) || !lock.success) continue;
      // One page speaks for a store at a time: whoever did before has ended, and waits for nothing that it had.
      const owner = spoke.ok && spoke.value === lock.output.owner ? null : lock.output.owner;
      if (owner !== lock.output.owner) ops.push({ table: 'locks', key, value: { fence: lock.output.fence, owner } });
      this.#set(recordId(key), restoredLock(lock.output.fence, owner, clock.now()));
      this.#restored.add(recordId(key));
    }
    // Before it leases anything to itself.
    await storage.write(ops);
    this.#loadedAt = clock.now();
  }

  /** Named in it, with a slice to give. */
  holds({ record, slice }: KeptRecord): boolean {
    return slice !== null && record.holders.includes(this.group.selfStore());
  }

  /** What this tab's store brought back from an earlier page, as far as it is still here. */
  restored(): KeptRecord[] {
    return this.book.jobs().flatMap((job) => this.book.ofJob(job).filter(({ charged }) => charged === restored));
  }

  /** Who has a live lease, as this holder knows. */
  ownerOf(id: RecordId): PeerId | null {
    const lock = this.#locks.get(id);
    return lock === undefined || lock.owner === null || this.platform.clock.now() >= lock.until || this.#isLost(id, lock.owner)
      ? null
      : lock.owner;
  }

  /**
   * Membership suspects it, or saw it go. Whom only the store remembers this tab would have met within the time that makes a silent member
   * suspected: or a holder that was loaded anew would keep for a whole lease what was had by somebody who went meanwhile.
   */
  #isLost(id: RecordId, owner: PeerId): boolean {
    const late = this.#restored.has(id) && this.platform.clock.now() - this.#loadedAt >= suspectAfterMs;
    return this.group.isLost(owner) || (late && !this.group.isAlive(owner));
  }

  /**
   * Takes those functions that fit the bounds; slices for this store are durable when this resolves.
   * @throws FaultError 'storage' where the store refuses what it is named in
   */
  async insert(labels: Labels, charged: string, local: boolean): Promise<Inserted> {
    const taking = this.#take(labels, charged, local);
    for (const { record } of labels.functions) this.#arriving.set(record, taking);
    try {
      return await taking;
    } finally {
      for (const { record } of labels.functions) if (this.#arriving.get(record) === taking) this.#arriving.delete(record);
    }
  }

  async #take({ functions, ...head }: Labels, charged: string, local: boolean): Promise<Inserted> {
    const index = head.holders.indexOf(this.group.selfStore());
    const keeps = local || (this.platform.storage.durable && this.#speaks);
    const fresh: KeptRecord[] = [];
    const ops: WriteOp[] = [];
    let kept = 0;
    let why = '';
    let refused = 0;
    const room = this.roomOf(head.job);
    const refuse = (reason: string) => {
      refused++;
      if (why === '') why = reason;
    };
    for (const { record: id, range, slice: sent } of functions) {
      if (this.book.hasEnded(id)) continue;
      const record: RecordLabel = { ...head, range };
      const slice = index >= 0 ? sent : null;
      const known = this.book.get(id);
      if (known !== undefined && (slice === null || known.slice !== null)) {
        kept++;
        continue;
      }
      const flaw =
        flawOf(record, this.itemsOf) ??
        (known === undefined && !this.book.hasRoom(head.job, charged, fresh.length)
          ? 'Too many functions are queued already.'
          : undefined) ??
        (known === undefined && fresh.length >= room ? tooManyOfOne : undefined) ??
        (slice !== null && !keeps ? 'This tab keeps nothing past its page.' : undefined) ??
        (slice !== null && !(await this.#fits(id, record, slice, index)) ? 'The slice is not of that function.' : undefined);
      if (flaw !== undefined) {
        refuse(flaw);
        continue;
      }
      fresh.push({ id, record, slice, charged });
      if (slice === null) continue;
      ops.push({ table: 'records', key: id, value: encodeWire({ v: 2, ...record, slice }) });
      this.#leaving.delete(id);
    }
    if (ops.length > 0) unwrap(await this.#write(ops));
    const added: KeptRecord[] = [];
    for (const entry of fresh) {
      // Ended while it was written: it goes with the next sweep.
      if (this.book.hasEnded(entry.id)) {
        if (entry.slice !== null) this.#leaving.add(entry.id);
        continue;
      }
      const known = this.book.get(entry.id);
      // Hearsay that gives way leaves the store as well: what stays in the book is not deleted.
      for (const { id, slice } of this.book.overlapping(entry.record)) if (slice !== null) this.#leaving.add(id);
      if (known !== undefined) this.book.update({ ...entry, charged: known.charged });
      else if (!this.book.add(entry)) {
        refuse('That append has another function for some of its items.');
        if (entry.slice !== null) this.#leaving.add(entry.id);
        continue;
      }
      kept++;
      added.push(entry);
    }
    return { kept, refused, why, added };
  }

  /** The body says otherwise than the label that was here: the true one takes its place. Answers with it, where it can be taken. */
  async correct(id: RecordId, record: RecordLabel): Promise<KeptRecord | undefined> {
    const before = this.book.remove(id, false);
    if (before === undefined) return undefined;
    const store = this.group.selfStore();
    const index = record.holders.indexOf(store);
    const slice = index >= 0 && before.record.holders.indexOf(store) === index ? before.slice : null;
    const entry = { id, record, slice, charged: before.charged };
    if (flawOf(record, this.itemsOf) !== undefined || !this.book.add(entry)) {
      if (before.slice !== null) this.#leaving.add(id);
      await this.forget([id], true);
      return undefined;
    }
    if (slice !== null) await this.#write([{ table: 'records', key: id, value: encodeWire({ v: 2, ...record, slice }) }]);
    else if (before.slice !== null) await this.#write([{ table: 'records', key: id, delete: true }]);
    return entry;
  }

  /** A copy can be compared with its id; of a coded slice only its claimants can tell, who have others. */
  async #fits(id: RecordId, record: RecordLabel, slice: Uint8Array, index: number): Promise<boolean> {
    if (record.k > 1) return true;
    const opened = await openRecord(this.platform.digest, id, record, new Map([[index, slice]]), index);
    return opened !== undefined && labelAgrees(record, opened.body);
  }

  /** Lock-read-delete, first half (rule 3). @throws FaultError 'storage', 'overloaded' */
  async lock(id: RecordId, by: PeerId): Promise<Grant> {
    // What became of it is told to whoever sent it.
    if ((this.book.get(id)?.slice ?? null) === null) await this.#arriving.get(id)?.catch(() => undefined);
    const entry = this.book.get(id);
    if (entry === undefined || entry.slice === null || !this.holds(entry)) return refusal(this.book.hasEnded(id) ? 'decided' : 'unknown');
    const before = this.#locks.get(id) ?? freeLock;
    const [after, answer] = decide(
      before,
      { kind: 'lock', by, ownerLost: before.owner !== null && this.#isLost(id, before.owner) },
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
    return { granted: true, fence: answer.fence, leaseMs, slice: entry.slice };
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
    this.#restored.delete(id);
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
