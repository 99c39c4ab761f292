// The claimant's side of the queue: asks holders for the next function, renews what it owns, says what it owns (rules 3 and 4).
import type { JobId, PeerId, RecordId, StoreId } from '../../lib/ids.ts';
import type { Outcome } from '../../lib/outcome.ts';
import { rendezvousRank } from '../../lib/rendezvous.ts';
import { claimRetryMsMax, leaseMs, leaseOwnerShare, leaseRenewEveryMs } from '../../limits.ts';
import type { Cancel } from '../../platform.ts';
import { queueContract, type Claim } from '../../protocol/contracts/queue.ts';
import type { ServiceContext } from '../../service.ts';
import type { RecordBody } from '../../protocol/record.ts';
import { AskedInVain } from './asked-in-vain.ts';
import type { KeptRecord, RecordBook } from './book.ts';
import { chooseNext, Deferrals, turnAfter, turnMs, turnsMax, verdictOf } from './claim-order.ts';
import type { Group } from './group.ts';
import type { Hints } from './hint-board.ts';
import { isGone, type Grant, type Refusal } from './holder.ts';
import { majorityOf } from './holders.ts';
import { Releases } from './releases.ts';
import { forgedAmong, labelAgrees, openRecord, type OpenedRecord } from './slices.ts';

/** So long the first holder has alone. */
const firstAnswerMs = 300;
/** Records one call asks for before it answers that none could be had now. */
const triesPerCallMax = 6;
const lockTimeoutMs = 1_500;
const waitingCountMax = 1_000;
const ownClaimsMax = 1_024;
const locksPerMessage = 256;
/** A function decided by somebody else is stopped after this: until then its own commit may be what decided it. */
const decidedGraceMs = 500;

interface OwnClaim {
  readonly entry: KeptRecord;
  /** What each holder granted; only those are renewed. */
  readonly fences: Map<StoreId, number>;
  stopAt: number;
  stopTimer: Cancel;
  ended: boolean;
  /** It was done with: so a grant that comes late is, too. */
  done: boolean;
}

/** What a claimant finds out about a record, for others to act on. */
export interface Findings {
  /** Leases that could not be renewed by a majority: their work must stop. */
  lost(ids: readonly RecordId[]): void;
  /** A majority of its holders does not know the record (any more). */
  vanished(id: RecordId): void;
  /** This store's slice is none of the record's. */
  forged(id: RecordId, store: StoreId): void;
  /** The label is none of the record's; the body is. */
  lied(entry: KeptRecord, body: RecordBody): void;
}

export class Claimant {
  readonly #claims = new Map<RecordId, OwnClaim>();
  readonly #asking = new Set<RecordId>();
  /** Until when this tab leaves a record alone. */
  readonly #avoid = new Map<RecordId, number>();
  /** Who said it owns a record: advice that ends with a lease's length. */
  readonly #hinted = new Map<RecordId, { owner: PeerId; until: number }>();
  /** Records whose holders all answered, and whose slices make no body. */
  readonly #unreadable = new Set<RecordId>();
  readonly #inVain = new AskedInVain();
  /** Since when a record has been seen to be free, without a break. */
  readonly #freeSince = new Map<RecordId, number>();
  readonly #deferrals = new Deferrals();
  readonly #releases: Releases;
  #renewTimer: Cancel | undefined;

  constructor(
    private readonly context: ServiceContext<typeof queueContract>,
    private readonly book: RecordBook,
    private readonly group: Group,
    private readonly hints: Hints,
    private readonly findings: Findings,
  ) {
    this.#releases = new Releases(context, group);
  }

  start(): void {
    this.#releases.start();
    this.#renewTimer ??= this.context.platform.clock.after(leaseRenewEveryMs, () => this.#renewAll());
  }

  stop(): void {
    this.#renewTimer?.();
    this.#renewTimer = undefined;
    this.#releases.stop();
    for (const claim of this.#claims.values()) claim.stopTimer();
    this.#claims.clear();
  }

  /** Own claims, as the scheduler knows them. */
  list(): Claim[] {
    return [...this.#claims.values()].filter(({ ended }) => !ended).map((claim) => claimOf(claim));
  }

  owned(): RecordId[] {
    return [...this.#claims.keys()];
  }

  /** The owner as far as this tab was told. */
  ownerOf(id: RecordId): PeerId | null {
    if (this.#claims.has(id) || this.#asking.has(id)) return this.context.self.peer;
    const hint = this.#hinted.get(id);
    if (hint === undefined) return null;
    if (this.context.platform.clock.now() < hint.until && !this.group.isLost(hint.owner)) return hint.owner;
    this.#hinted.delete(id);
    // Nobody ends what a lost owner had but whoever takes it over: that does not wait for turns.
    this.#freeSince.set(id, -Infinity);
    return null;
  }

  /** A member says what it owns and what not: believed until a lease's length has passed. */
  hear(from: PeerId, owned: readonly RecordId[], released: readonly RecordId[]): void {
    const until = this.context.platform.clock.now() + leaseMs;
    for (const id of owned) if (this.book.get(id) !== undefined) this.#hinted.set(id, { owner: from, until });
    for (const id of released) {
      if (this.#hinted.get(id)?.owner === from) this.#hinted.delete(id);
      this.#inVain.forget(id);
    }
  }

  /** Records nobody is known to own and that this tab does not avoid, counted up to a bound. */
  waiting(jobs: Iterable<JobId>): number {
    let count = 0;
    for (const job of jobs) {
      for (const entry of this.book.ofJob(job)) {
        if (this.#isFree(entry) && ++count >= waitingCountMax) return count;
      }
    }
    return count;
  }

  /** The next function in order among `jobs`; null when none could be had now. `tried`: there was one, and others may have been asked for it. */
  async claim(jobs: readonly JobId[]): Promise<{ readonly claim: Claim | null; readonly tried: boolean }> {
    const { clock, random } = this.context.platform;
    let tried = false;
    for (let tries = 0; tries < triesPerCallMax && this.#claims.size < ownClaimsMax; tries++) {
      if (tries > 0) await new Promise<void>((resolve) => void clock.after(random.fraction() * claimRetryMsMax, resolve));
      let entry = this.#next(jobs);
      tried ||= entry !== undefined;
      for (let turns = 0; entry === 'soon' && turns <= turnsMax; turns++) {
        await new Promise<void>((resolve) => void clock.after(turnMs, resolve));
        entry = this.#next(jobs);
      }
      if (entry === 'soon') continue;
      if (entry === undefined) break;
      const claim = await this.#ask(entry);
      if (claim !== undefined) return { claim: claimOf(claim), tried };
    }
    return { claim: null, tried };
  }

  /** The next free one of those whose records lead somewhere; then of the others, each in its turn. 'soon': others go first just now. */
  #next(jobs: readonly JobId[]): KeptRecord | 'soon' | undefined {
    const now = this.context.platform.clock.now();
    const claimants = this.group.claimants();
    let soon = false;
    const turnOf = ({ id }: KeptRecord) => {
      const turn = turnAfter(now - (this.#freeSince.get(id) ?? now));
      soon ||= turn !== Infinity;
      return turn;
    };
    const among = (wanted: (entry: KeptRecord) => boolean) => {
      for (const job of jobs) {
        const entry = chooseNext(
          this.book.ofJob(job),
          (one) => wanted(one) && this.#isFree(one),
          this.context.self.peer,
          claimants,
          turnOf,
        );
        if (entry !== undefined) return entry;
      }
      return undefined;
    };
    const found = among(({ charged }) => !this.#deferrals.isDeferred(charged, now));
    if (found !== undefined) return found;
    for (const deferred of this.#deferrals.inTurn(now)) {
      const entry = among(({ charged }) => charged === deferred);
      if (entry !== undefined) return entry;
    }
    return soon ? 'soon' : undefined;
  }

  /** Nobody can read it, or no majority of its holders answers: its items must be appended anew (rule 7). */
  isLost(id: RecordId): boolean {
    return this.#unreadable.has(id) || this.#inVain.isLost(id, this.context.platform.clock.now());
  }

  /** Stores that were away are here: what could not be had for want of holders is asked for again. */
  storesBack(stores: ReadonlySet<StoreId>): void {
    if (stores.size === 0) return;
    const isHeldThere = (id: RecordId) => this.book.get(id)?.record.holders.some((store) => stores.has(store)) === true;
    this.#inVain.holdersBack(this.context.platform.clock.now(), isHeldThere);
  }

  /** 'done': the holders delete it. 'release': they unlock it. What is no claim any more is nobody's business. */
  end(id: RecordId, how: 'done' | 'release', avoidMs: number): void {
    if (avoidMs > 0) this.#avoid.set(id, this.context.platform.clock.now() + avoidMs);
    const claim = this.#claims.get(id);
    if (claim === undefined) return;
    this.#drop(claim);
    claim.done = how === 'done';
    for (const [store, fence] of claim.fences) this.#giveBack(id, store, fence, how);
    if (how === 'done') this.hints.ended(id);
    else this.hints.released(id);
  }

  /** The job has ended, or its items were decided: an own claim on it ends, at once or after its commit had its time. */
  recordEnded(id: RecordId, atOnce: boolean): void {
    this.#hinted.delete(id);
    this.#avoid.delete(id);
    this.#inVain.forget(id);
    const claim = this.#claims.get(id);
    if (claim === undefined || claim.ended) return;
    claim.ended = true;
    const stop = () => {
      if (this.#claims.get(id) === claim) this.#lose(claim);
    };
    if (atOnce) stop();
    else this.context.platform.clock.after(decidedGraceMs, stop);
  }

  /** Bounded memory: what has run out is forgotten. */
  sweep(): void {
    const now = this.context.platform.clock.now();
    for (const [id, until] of this.#avoid) if (now >= until) this.#avoid.delete(id);
    for (const [id, { until }] of this.#hinted) if (now >= until) this.#hinted.delete(id);
    for (const id of this.#unreadable) if (this.book.get(id) === undefined) this.#unreadable.delete(id);
    for (const id of this.#freeSince.keys()) if (this.book.get(id) === undefined) this.#freeSince.delete(id);
  }

  #isFree(entry: KeptRecord): boolean {
    const until = this.#avoid.get(entry.id);
    const now = this.context.platform.clock.now();
    if ((until !== undefined && now < until) || this.#inVain.waits(entry.id, now)) return false;
    const free = this.ownerOf(entry.id) === null;
    if (!free) this.#freeSince.delete(entry.id);
    else if (!this.#freeSince.has(entry.id)) this.#freeSince.set(entry.id, now);
    return free;
  }

  #lock(store: StoreId, record: RecordId): Promise<Outcome<Grant>> | undefined {
    const peer = this.group.peerOf(store);
    if (peer === undefined) return undefined;
    return this.context
      .ask(queueContract, 'locks', 'create', { record }, { peer, timeoutMs: lockTimeoutMs })
      .then((reply) => (reply.ok ? { ok: true, value: reply.value.body } : reply));
  }

  /** Others are likely to ask for it too, or to have it. */
  #isContended({ id }: KeptRecord): boolean {
    const claimants = this.group.claimants();
    return claimants.length > 1 && (this.#inVain.times(id) > 0 || rendezvousRank(id, this.context.self.peer, claimants) > 0);
  }

  /**
   * Asks one holder before the others: most who ask for the same learn there that it is gone, for one message and not one for each holder; and
   * whoever gets it there gets it from the others too, so that votes are seldom split. It is another one the next time, for one may lie; and
   * only that it is leased is believed of one alone.
   */
  async #askFirst({ id, record: { holders } }: KeptRecord) {
    const from = this.#inVain.times(id);
    const order = holders.map((_, i) => (i + from) % holders.length);
    // Of somebody doubted nothing is expected: all are asked at once.
    const index = order.find((at) => {
      const peer = this.group.peerOf(holders[at]!);
      return peer !== undefined && this.group.isAlive(peer);
    });
    if (index === undefined) return undefined;
    const reply = this.#lock(holders[index]!, id);
    let cancel: Cancel | undefined;
    const late = new Promise<undefined>((resolve) => (cancel = this.context.platform.clock.after(firstAnswerMs, () => resolve(undefined))));
    const answer = await Promise.race([reply, late]);
    cancel?.();
    const refusal = answer?.ok === true && !answer.value.granted && answer.value.why === 'leased' ? answer.value : undefined;
    return { index, reply, refusal };
  }

  /** Asks the holders, all at once unless it is contended; resolves as soon as the answers so far decide it. Late grants are kept, or given back. */
  async #ask(entry: KeptRecord): Promise<OwnClaim | undefined> {
    const { clock, digest } = this.context.platform;
    const { id, record } = entry;
    const { holders, k } = record;
    this.#asking.add(id);
    // Counted from before the asking: no holder's lease ends earlier (rule 4).
    const askedAt = clock.now();
    const first = this.#isContended(entry) ? await this.#askFirst(entry) : undefined;
    if (first?.refusal !== undefined) {
      this.#asking.delete(id);
      this.#refused(entry, { granted: 0, pending: holders.length - 1 }, [first.refusal], clock.now());
      return undefined;
    }
    const tally = { holders: holders.length, k, granted: 0, slices: 0, read: false, pending: holders.length };
    const fences = new Map<StoreId, number>();
    const slices = new Map<number, Uint8Array>();
    const refusals: Refusal[] = [];
    let opened: OpenedRecord | undefined;
    let lies = false;
    let state: 'open' | 'refused' | OwnClaim = 'open';
    const asked = holders.map((store, index) => ({ store, reply: index === first?.index ? first.reply : this.#lock(store, id) }));
    const name = (index: number) => this.findings.forged(id, holders[index]!);
    const read = async (index: number, slice: Uint8Array) => {
      slices.set(index, slice);
      if (opened !== undefined) {
        if (!lies) for (const forged of forgedAmong(new Map([[index, slice]]), opened)) name(forged);
        return;
      }
      const found = await openRecord(digest, id, record, slices, index);
      if (found === undefined || opened !== undefined) return;
      opened = found;
      lies = !labelAgrees(record, found.body);
      tally.read = !lies;
      // Under a false label, a holder's place in it says nothing about its slice.
      if (!lies) for (const forged of forgedAmong(slices, found)) name(forged);
    };
    const claim = await new Promise<OwnClaim | undefined>((resolve) => {
      const settle = () => {
        if (state !== 'open') return;
        const verdict = lies ? 'refused' : verdictOf(tally);
        if (verdict === 'open') return;
        if (verdict !== 'owned') {
          state = 'refused';
          for (const [store, fence] of fences) this.#giveBack(id, store, fence, 'release');
          resolve(undefined);
          return;
        }
        const stopAt = askedAt + leaseOwnerShare * leaseMs;
        state = { entry, fences, stopAt, stopTimer: () => undefined, ended: false, done: false };
        resolve(state);
      };
      const take = async (store: StoreId, index: number, reply: Outcome<Grant> | undefined) => {
        if (reply?.ok === true && reply.value.granted) {
          const { fence, slice } = reply.value;
          await read(index, slice);
          if (state === 'open') {
            fences.set(store, fence);
            tally.granted++;
            tally.slices++;
          } else if (typeof state === 'object' && this.#claims.get(id) === state) fences.set(store, fence);
          else this.#giveBack(id, store, fence, typeof state === 'object' && state.done ? 'done' : 'release');
        } else if (reply?.ok === true && !reply.value.granted) refusals.push(reply.value);
        tally.pending--;
        settle();
        if (state === 'refused' && tally.pending === 0 && !lies) this.#allRefused(entry, refusals);
      };
      for (const [index, { store, reply }] of asked.entries()) {
        if (reply === undefined) void take(store, index, undefined);
        else void reply.then((outcome) => take(store, index, outcome));
      }
    });
    this.#asking.delete(id);
    const now = clock.now();
    if (claim === undefined) {
      const unreadable = verdictOf(tally) === 'unreadable';
      if (lies || unreadable) this.#deferrals.failed(entry.charged, now);
      else this.#refused(entry, tally, refusals, now);
      if (lies) this.findings.lied(entry, opened!.body);
      if (unreadable && !lies) {
        this.#unreadable.add(id);
        this.#avoid.set(id, now + leaseMs);
      }
      return undefined;
    }
    this.#deferrals.succeeded(entry.charged);
    this.#inVain.forget(id);
    if (this.book.get(id) === undefined || now >= claim.stopAt) {
      // Decided while the answers were under way, or they took a lease's length.
      for (const [store, fence] of claim.fences) this.#giveBack(id, store, fence, 'release');
      return undefined;
    }
    this.#claims.set(id, claim);
    this.#watchStop(claim);
    this.hints.owned(id);
    return claim;
  }

  /** All who could be asked have answered. Whoever is no holder heard of it only when a majority had it: now most have not. */
  #allRefused({ id, record }: KeptRecord, refusals: readonly Refusal[]): void {
    const holds = record.holders.includes(this.group.selfStore());
    if (!holds && !this.#claims.has(id) && 2 * refusals.filter(isGone).length > record.holders.length)
      this.#vanish(id, this.context.platform.clock.now());
  }

  #vanish(id: RecordId, now: number): void {
    this.#avoid.set(id, now + leaseMs);
    this.findings.vanished(id);
  }

  /** `granted` and `pending`: holders that gave it, and those that had not answered when it was refused. */
  #refused(
    { id, record, charged }: KeptRecord,
    { granted, pending }: { readonly granted: number; readonly pending: number },
    refusals: readonly Refusal[],
    now: number,
  ): void {
    const holders = record.holders.length;
    const majority = majorityOf(holders);
    const gone = refusals.filter(isGone).length;
    const leased = refusals.length - gone;
    const outOfReach = granted + pending + leased < majority;
    // Neither granted nor owned by somebody: the way of records that somebody made up.
    if (outOfReach) this.#deferrals.failed(charged, now);
    // Most are refused before all have answered: those few may be too few to tell whether a majority has it.
    const noMajority = holders - gone < majority ? true : granted + leased >= majority ? false : undefined;
    this.#inVain.failed(id, outOfReach ? 'out-of-reach' : 'contended', noMajority, now, this.context.platform.random.fraction());
    if (noMajority === true && this.#inVain.hasVanished(id, now)) return this.#vanish(id, now);
    if (refusals.some(({ why }) => why === 'decided' || why === 'ended')) return void this.#avoid.set(id, now + leaseMs);
    // A split vote shows an owner at some holders only: nobody has it yet, so it is soon asked for again.
    for (const { owner, retryMs } of refusals) {
      const agreeing = refusals.filter((other) => other.owner === owner).length;
      if (owner !== null && owner !== this.context.self.peer && 2 * agreeing > holders)
        this.#hinted.set(id, { owner, until: now + Math.min(retryMs, leaseMs) });
    }
  }

  #giveBack(record: RecordId, store: StoreId, fence: number, how: 'done' | 'release'): void {
    if (how === 'release') return this.#releases.release(record, store, fence);
    const peer = this.group.peerOf(store);
    // Unanswered, a decided record is dropped by its holder.
    if (peer !== undefined) void this.context.ask(queueContract, 'records', 'delete', { record, fence }, { peer });
  }

  #watchStop(claim: OwnClaim): void {
    const { clock } = this.context.platform;
    claim.stopTimer = clock.after(Math.max(0, claim.stopAt - clock.now()), () => {
      if (this.#claims.get(claim.entry.id) !== claim) return;
      if (clock.now() >= claim.stopAt) this.#lose(claim);
      else this.#watchStop(claim);
    });
  }

  #drop(claim: OwnClaim): void {
    claim.stopTimer();
    this.#claims.delete(claim.entry.id);
  }

  #lose(claim: OwnClaim): void {
    const { id } = claim.entry;
    this.#drop(claim);
    for (const [store, fence] of claim.fences) this.#giveBack(id, store, fence, 'release');
    this.hints.released(id);
    this.findings.lost([id]);
  }

  #renewAll(): void {
    const { clock } = this.context.platform;
    this.#renewTimer = clock.after(leaseRenewEveryMs, () => this.#renewAll());
    const byStore = new Map<StoreId, OwnClaim[]>();
    for (const claim of this.#claims.values()) {
      if (claim.ended) continue;
      for (const store of claim.fences.keys()) byStore.set(store, [...(byStore.get(store) ?? []), claim]);
    }
    const askedAt = clock.now();
    const renewed = new Map<OwnClaim, number>();
    for (const [store, claims] of byStore) {
      const peer = this.group.peerOf(store);
      if (peer === undefined) continue;
      for (let i = 0; i < claims.length; i += locksPerMessage)
        void this.#renew(peer, store, claims.slice(i, i + locksPerMessage), askedAt, renewed);
    }
  }

  async #renew(peer: PeerId, store: StoreId, claims: readonly OwnClaim[], askedAt: number, renewed: Map<OwnClaim, number>): Promise<void> {
    const asked = claims.map((claim) => ({ claim, fence: claim.fences.get(store)! }));
    const locks = asked.map(({ claim, fence }) => ({ record: claim.entry.id, fence }));
    const reply = await this.context.ask(queueContract, 'locks', 'update', { locks }, { peer, timeoutMs: leaseRenewEveryMs });
    if (!reply.ok) return;
    const held = new Set(reply.value.body.renewed);
    for (const { claim, fence } of asked) {
      if (this.#claims.get(claim.entry.id) !== claim || claim.ended) continue;
      const { holders } = claim.entry.record;
      if (held.has(claim.entry.id)) {
        renewed.set(claim, (renewed.get(claim) ?? 0) + 1);
        const pending = holders.length - renewed.get(claim)!;
        if (verdictOf({ holders: holders.length, k: 0, granted: renewed.get(claim)!, slices: 0, read: true, pending }) === 'owned') {
          claim.stopAt = Math.max(claim.stopAt, askedAt + leaseOwnerShare * leaseMs);
        }
      } else if (claim.fences.get(store) === fence) {
        claim.fences.delete(store);
        // Granted to somebody else, or forgotten: below a majority it is no longer ours, and waiting would not change that.
        if (verdictOf({ holders: holders.length, k: 0, granted: claim.fences.size, slices: 0, read: true, pending: 0 }) === 'refused')
          this.#lose(claim);
      }
    }
  }
}

const claimOf = ({ entry, fences, stopAt }: OwnClaim): Claim => ({
  record: entry.id,
  job: entry.record.job,
  range: [...entry.record.range],
  round: entry.record.round,
  lineage: entry.record.lineage,
  fence: Math.max(...fences.values()),
  stopAt,
});
