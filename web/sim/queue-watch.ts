// Looks on at every queue: what claimants ask and are answered, what holders grant and keep. At the end each record's history at each holder
// must be explained by the lock model; on the way ownership, quorums and durability are checked.
import type { PeerId, RecordId, StoreId } from '../kernel/lib/ids.ts';
import { decodeWire } from '../kernel/lib/wire-codec.ts';
import { leaseMs } from '../kernel/limits.ts';
import type { Clock, Storage, WriteOp } from '../kernel/platform.ts';
import type { Claim } from '../kernel/protocol/contracts/queue.ts';
import type { RecordLabel } from '../kernel/protocol/record.ts';
import { checkLinearizable, type Operation } from './linearize.ts';
import { lockModel, type LockOp } from './lock-model.ts';
import type { Violations } from './watch.ts';

/** One tab's queue as the watch sees it. */
export interface WatchedQueue {
  readonly peer: PeerId;
  readonly store: StoreId;
  readonly clock: Clock;
  readonly alive: () => boolean;
  /** Its own claims now. */
  readonly claims: () => readonly Claim[];
}

interface LastGrant {
  readonly by: PeerId;
  readonly fence: number;
  atMs: number;
  released: boolean;
  /** Granted by this process: another counts its leases afresh. */
  readonly process: WatchedQueue;
}

/** One request in a history, completed when its answer comes. */
export interface Asked extends Operation<LockOp> {
  op: LockOp;
  returned: number;
}

export class QueueWatch {
  #instant = 0;
  readonly #histories = new Map<string, Asked[]>();
  readonly #records = new Map<RecordId, RecordLabel>();
  readonly #lastGrants = new Map<string, LastGrant>();
  /** Records of which a holder gave a lease away early, because it suspected the owner (rule 4). */
  readonly #early = new Set<RecordId>();
  readonly #queues = new Set<WatchedQueue>();
  readonly #isKept = new Map<StoreId, Set<RecordId>>();
  /** `store record` of what a holder has let go of, and whose store may not have forgotten it yet. */
  readonly #letGo = new Set<string>();
  grants = 0;
  claims = 0;

  constructor(
    private readonly violations: Violations,
    private readonly storages: ReadonlyMap<StoreId, Storage>,
  ) {}

  add(queue: WatchedQueue): void {
    this.#queues.add(queue);
  }

  ownedBy(peer: PeerId): number {
    for (const queue of this.#queues) if (queue.peer === peer) return queue.claims().length;
    return 0;
  }

  /** A claimant's request to `store`, made now: its place in the history, unanswered so far and perhaps for ever. */
  asked(store: StoreId, record: RecordId, op: LockOp): Asked {
    const key = `${store} ${record}`;
    let history = this.#histories.get(key);
    if (history === undefined) this.#histories.set(key, (history = []));
    const asked: Asked = { op, call: this.#instant++, returned: Infinity };
    history.push(asked);
    return asked;
  }

  /** What came of it: `op` with its answer. */
  answered(asked: Asked, op: LockOp): void {
    asked.op = op;
    asked.returned = this.#instant++;
  }

  /** A refusal promises nothing and changes nothing. */
  refused(store: StoreId, record: RecordId, asked: Asked): void {
    const history = this.#histories.get(`${store} ${record}`)!;
    history.splice(history.indexOf(asked), 1);
  }

  /** A holder answers with a grant that it decided at `since`, when it believed these peers alive, or had never heard of them. */
  granted(holder: WatchedQueue, record: RecordId, by: PeerId, fence: number, since: number, believed: (peer: PeerId) => boolean): void {
    this.grants++;
    const key = `${holder.store} ${record}`;
    const last = this.#lastGrants.get(key);
    if (last !== undefined && last.process === holder && last.by !== by && !last.released) {
      const leftMs = leaseMs - (since - last.atMs);
      if (leftMs > 0.001) {
        this.#early.add(record);
        if (believed(last.by))
          this.violations.add(
            'S4',
            `${short(record)}: granted to ${short(by)} with ${leftMs.toFixed(0)} ms left of the lease of ${short(last.by)}, who is not suspected`,
          );
      }
    }
    this.#lastGrants.set(key, { by, fence, atMs: since, released: false, process: holder });
    void this.storages
      .get(holder.store)
      ?.get('locks', record)
      .then((kept) => {
        const state = kept.ok ? (kept.value as { fence: number } | undefined) : undefined;
        const gone = state === undefined && !this.#isKept.get(holder.store)?.has(record);
        if (!gone && (state === undefined || state.fence < fence))
          this.violations.add('S4', `${short(record)}: number ${fence} was answered before it was durable`);
      });
  }

  /** A grant that could not be written leaves the lock free. */
  forgotGrant(holder: WatchedQueue, record: RecordId): void {
    const last = this.#lastGrants.get(`${holder.store} ${record}`);
    if (last !== undefined) last.released = true;
  }

  renewed(holder: WatchedQueue, record: RecordId, fence: number, sinceMs: number): void {
    const last = this.#lastGrants.get(`${holder.store} ${record}`);
    if (last?.fence === fence) last.atMs = Math.max(last.atMs, sinceMs);
  }

  released(holder: WatchedQueue, record: RecordId, by: PeerId, fence: number): void {
    const last = this.#lastGrants.get(`${holder.store} ${record}`);
    if (last !== undefined && last.by === by && last.fence === fence) last.released = true;
  }

  /** What is kept now, with those of its holders that keep it. */
  recordsKept(): { id: RecordId; holders: readonly StoreId[] }[] {
    return [...this.#records].map(([id, { holders }]) => ({
      id,
      holders: holders.filter((store) => this.#isKept.get(store)?.has(id) === true),
    }));
  }

  /** A least majority of the holders of one record that a majority keeps now, the `which`-th of them; none where there is no such record. */
  majorityOfSome(which: number): readonly StoreId[] {
    const kept = [...this.#records].filter(
      ([id, { holders }]) => 2 * holders.filter((store) => this.#isKept.get(store)?.has(id)).length > holders.length,
    );
    if (kept.length === 0) return [];
    const [id, { holders }] = kept[which % kept.length]!;
    return holders.filter((store) => this.#isKept.get(store)?.has(id)).slice(0, (holders.length >> 1) + 1);
  }

  /** `by` takes itself for the owner now: nobody else does, and a majority has granted it. */
  claimed(by: WatchedQueue, claim: Claim): void {
    this.claims++;
    const { record } = claim;
    for (const other of this.#queues) {
      if (other === by || !other.alive()) continue;
      const theirs = other.claims().find((one) => one.record === record);
      if (theirs !== undefined && theirs.stopAt > other.clock.now() && !this.#early.has(record))
        this.violations.add('S4', `${short(record)}: owned by ${short(other.peer)} and by ${short(by.peer)} at once`);
    }
    const known = this.#records.get(record);
    if (known === undefined) return;
    const granted = known.holders.filter((store) =>
      this.#histories.get(`${store} ${record}`)?.some(({ op }) => op.kind === 'lock' && op.by === by.peer && op.fence !== null),
    ).length;
    if (2 * granted <= known.holders.length)
      this.violations.add('S5', `${short(record)}: ${short(by.peer)} owns it with ${granted} of ${known.holders.length} holders`);
  }

  /** Ops that reached a store. */
  written(store: StoreId, ops: readonly WriteOp[]): void {
    let kept = this.#isKept.get(store);
    if (kept === undefined) this.#isKept.set(store, (kept = new Set()));
    for (const op of ops) {
      if (op.table !== 'records') continue;
      if ('delete' in op) kept.delete(op.key as RecordId);
      else {
        kept.add(op.key as RecordId);
        this.#letGo.delete(`${store} ${op.key}`);
        this.#records.set(op.key as RecordId, decodeWire(op.value as Uint8Array) as RecordLabel);
      }
    }
    for (const record of deletedRecords(ops)) this.#dropped(store, record, true);
  }

  /** A holder forgets, and from this instant on answers as one that has; that its store has forgotten is seen in `written`. */
  forgetting(store: StoreId, ops: readonly WriteOp[]): void {
    for (const record of deletedRecords(ops)) {
      this.#letGo.add(`${store} ${record}`);
      this.#dropped(store, record, false);
    }
  }

  /** Who has the record at this holder now, as far as this life of it has granted it; undefined where nobody has, or it is gone. */
  ownerAt(holder: WatchedQueue, record: RecordId): { readonly by: PeerId; readonly fence: number } | undefined {
    const key = `${holder.store} ${record}`;
    const last = this.#lastGrants.get(key);
    const keeps = this.#isKept.get(holder.store)?.has(record) === true && !this.#letGo.has(key);
    return keeps && last?.process === holder && !last.released ? { by: last.by, fence: last.fence } : undefined;
  }

  /** A holder has ended a record for `by`. The history cannot tell it: that a holder lets go of a record for reasons of its own explains any end. */
  endedBy(
    holder: WatchedQueue,
    record: RecordId,
    by: PeerId,
    fence: number,
    owner: { readonly by: PeerId; readonly fence: number } | undefined,
  ): void {
    if (owner === undefined || (owner.by === by && owner.fence === fence)) return;
    this.violations.add(
      'S3',
      `${short(record)}: ended at ${short(holder.store)} by ${short(by)} with ${fence}, while ${short(owner.by)} had it with ${owner.fence}`,
    );
  }

  #dropped(store: StoreId, record: RecordId, lockGone: boolean): void {
    const op: LockOp = { kind: 'dropped', lockGone };
    this.answered(this.asked(store, record, op), op);
  }

  /** An append was acknowledged: a majority of the holders has it durably, or has already seen it end. */
  appended(lineage: string, acknowledged: number, ranges: readonly (readonly [number, number])[]): void {
    const records = [...this.#records].filter(([, record]) => record.lineage === lineage);
    for (const [first, end] of ranges) {
      const found = records.find(([, { range }]) => range[0] === first && range[1] === end);
      if (found === undefined) {
        this.violations.add('S4', `an append of [${first}, ${end}) was acknowledged by ${acknowledged} and is in no store`);
        continue;
      }
      const [id, { holders }] = found;
      const ever = holders.filter((store) => this.#isKept.get(store)?.has(id) === true || this.#ended(store, id)).length;
      if (2 * ever <= holders.length)
        this.violations.add('S4', `${short(id)}: acknowledged by ${acknowledged}, kept by ${ever} of ${holders.length} holders`);
    }
  }

  #ended(store: StoreId, record: RecordId): boolean {
    return this.#histories.get(`${store} ${record}`)?.some(({ op }) => op.kind === 'dropped' || op.kind === 'end') === true;
  }

  /** Every history explained; any two quorums of a record meet. */
  finish(): void {
    for (const [id, { holders, k }] of this.#records) {
      if (new Set(holders).size !== holders.length || k > holders.length)
        this.violations.add('S5', `${short(id)}: its holders are not distinct, or fewer than its slices`);
    }
    for (const [key, history] of this.#histories) {
      const verdict = checkLinearizable(lockModel, history);
      if (verdict.kind !== 'violated') continue;
      const [store = '', record = ''] = key.split(' ');
      const show = (ops: readonly LockOp[]) =>
        ops
          .slice(-3)
          .map((op) => JSON.stringify(op))
          .join(' ');
      const superseded = verdict.stuck.some(({ kind }) => kind === 'end' || kind === 'renewed');
      this.violations.add(
        superseded ? 'S3' : 'S4',
        `${short(record)} at ${short(store)} is not linearizable: after ${show(verdict.explained)} stuck before ${show(verdict.stuck.slice(0, 3))}`,
      );
    }
  }
}

const deletedRecords = (ops: readonly WriteOp[]) =>
  new Set(ops.flatMap((op) => ((op.table === 'records' || op.table === 'locks') && 'delete' in op ? [op.key as RecordId] : [])));

export const short = (id: string) => id.slice(0, 6) + (id.includes('-') ? id.slice(-3) : '');
