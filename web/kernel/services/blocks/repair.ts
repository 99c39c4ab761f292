// Repair: looks at an object when what is known of it changes, and where slices are lacking and it is this tab's turn, gives them to
// members who have none; what is nearest to being lost first. What is held for nothing is dropped, each store its own.
import type { IdentityId, ObjectId, PeerId, StoreId } from '../../lib/ids.ts';
import { recodeUpAfterMs, repairBurstBytes, repairBytesPerSecond, stewardDelayMs } from '../../limits.ts';
import type { Cancel, Platform } from '../../platform.ts';
import type { Bus } from '../../service.ts';
import { isSmall } from './coding.ts';
import { Filler, type Filled } from './filler.ts';
import type { Gather } from './gather.ts';
import type { Holdings } from './holdings.ts';
import type { Change } from './holdings-book.ts';
import type { Neighbours } from './neighbours.ts';
import { consents, isKeeper } from './placement.ts';
import type { Placer } from './placer.ts';
import { RecodeClock } from './recode-clock.ts';
import { Releases } from './releases.ts';
import { planFor, type Facts, type Job, type Plan, type Stance } from './repair-plan.ts';
import type { SliceStore } from './slice-store.ts';
import type { Holding } from './slots.ts';
import { Throttle } from './throttle.ts';

/** Views and announcements are let settle: a tab that opens or goes brings several. */
export const settleMs = 500;
/** What has just been put is still being announced. */
export const freshMs = 3_000;
/** Who has just put something gives it to whoever comes meanwhile without waiting for more to come: nobody else may have it. */
const handOutMs = 50;
/** What did not work out is tried again after this; a member that refused is asked again after it. */
export const retryEveryMs = 15_000;
/** A group that grows brings back what seems to be lacking; so long after the last one came it is not waited for any more. */
export const calmMs = 20_000;
const calmMsMax = 60_000;
const objectsPerTurn = 256;
const smallPerTurn = 256;
const factsMax = 65_536;

export interface RepairStatus {
  /** Objects that lack slices which this tab is to make. */
  readonly waiting: number;
  readonly running: number;
  /** Of slices sent since the page was loaded. */
  readonly doneBytes: number;
  readonly bytesPerSecond: number;
}

interface Known extends Facts {
  readonly size: number;
  readonly expires: number;
  readonly holders: readonly StoreId[];
}

export class Repair {
  readonly #recodes = new RecodeClock(recodeUpAfterMs, calmMs);
  readonly #throttle: Throttle;
  readonly #filler: Filler;
  readonly #releases: Releases;
  readonly #facts = new Map<ObjectId, Known>();
  /** When to look at an object. */
  readonly #due = new Map<ObjectId, number>();
  /** Until when an object is so new that others who hold it may not have said so yet, whatever brings it up before. */
  readonly #fresh = new Map<ObjectId, number>();
  /** Objects to be worked on, by what they can spare, each in the order of finding. */
  readonly #queues = new Map<number, Set<ObjectId>>();
  readonly #queuedAt = new Map<ObjectId, number>();
  /** Since when an object lacks what it lacks, without progress. */
  readonly #lacking = new Map<ObjectId, { since: number; held: number; lacking: number }>();
  /** Put by this tab a moment ago, with fewer holders than wanted: who put it need not find that out. */
  readonly #short = new Set<ObjectId>();
  /** Put by this tab, until when that is a moment ago: it knows who has it, and need not be told. */
  readonly #justPut = new Map<ObjectId, number>();
  /** In the store since before this page: their other holders may be on their way back. */
  readonly #returning = new Set<ObjectId>();
  readonly #refusing = new Map<PeerId, number>();
  readonly #suspects = new Set<PeerId>();
  /** Looked at while somebody was doubted, who could not be given anything then. */
  readonly #doubtful = new Set<ObjectId>();
  #stance: Stance | undefined;
  #known = '';
  #startedAt = 0;
  #life = 0;
  #running = false;
  #looking = false;
  #working = false;
  #doneBytes = 0;
  /** The one in work. */
  #work: ObjectId | undefined;
  #cancelLook: Cancel | undefined;
  #lookAt = Infinity;
  #cancelAll: Cancel | undefined;
  #allAt = Infinity;

  constructor(
    private readonly platform: Platform,
    private readonly bus: Bus,
    private readonly store: SliceStore,
    private readonly neighbours: Neighbours,
    private readonly holdings: Holdings,
    gather: Gather,
    placer: Placer,
    private readonly ownStore: () => StoreId | null,
    private readonly changed: () => void,
    /** Somebody's signature stands under what is not true. */
    lied: (identity: IdentityId, what: string) => void,
  ) {
    this.#throttle = new Throttle(platform.clock, repairBytesPerSecond, repairBurstBytes);
    this.#releases = new Releases(platform, store, gather, this.#throttle, lied, (facts) => {
      this.#stance = undefined;
      return this.#planOf(facts).release;
    });
    this.#filler = new Filler(platform, bus, store, neighbours, gather, placer, this.#throttle, (id, k) => this.#releases.lies(id, k));
    holdings.onChange((change) => this.#heldElsewhere(change));
  }

  /** Once the store is loaded. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#life++;
    this.#startedAt = this.platform.clock.now();
    this.#known = '';
    this.#returning.clear();
    for (const id of this.store.objects()) this.#returning.add(id);
    this.viewed();
  }

  stop(): void {
    this.#running = false;
    this.#life++;
    this.#throttle.stop();
    this.#cancelLook?.();
    this.#cancelAll?.();
    this.#cancelLook = this.#cancelAll = undefined;
    this.#lookAt = this.#allAt = Infinity;
    this.#due.clear();
    this.#fresh.clear();
    this.#justPut.clear();
    this.#suspects.clear();
    this.#doubtful.clear();
    this.#queues.clear();
    this.#queuedAt.clear();
    this.#lacking.clear();
    this.#releases.stop();
  }

  /** This tab put an object. Where fewer hold it than should it sees to that, and soon. */
  put(id: ObjectId, short: boolean): void {
    if (!this.#running) return;
    const now = this.platform.clock.now();
    for (const [before, until] of this.#justPut) {
      if (until > now) break;
      this.#justPut.delete(before);
    }
    this.#justPut.delete(id);
    this.#justPut.set(id, now + freshMs);
    if (!short) return;
    this.#short.add(id);
    this.#lookIn(id, settleMs);
  }

  status(): RepairStatus {
    return {
      waiting: this.#queuedAt.size,
      running: this.#work === undefined ? 0 : 1,
      doneBytes: this.#doneBytes,
      bytesPerSecond: this.#throttle.rate(),
    };
  }

  /** Whether this tab is about to give, or gives, slices of it. */
  repairing(id: ObjectId): boolean {
    return this.#queuedAt.has(id) || this.#work === id;
  }

  /** After each view, once the holdings have seen it. */
  viewed(): void {
    if (!this.#running) return;
    const { clock } = this.platform;
    const members = this.#members();
    const keepers = new Set(members.filter(consents).map(({ identity }) => identity));
    this.#recodes.update(keepers.size, clock.now());
    let back = false;
    for (const { peer, status } of members) {
      if (status === 'alive') back = this.#suspects.delete(peer) || back;
      else if (!this.#suspects.has(peer)) {
        this.#suspects.add(peer);
        // Where little is left nobody waits until they are gone.
        for (const id of this.holdings.objectsOf(peer)) if (this.#holds(id)) this.#lookIn(id, settleMs);
      }
    }
    for (const peer of this.#suspects) if (!members.some((member) => member.peer === peer)) this.#suspects.delete(peer);
    if (back) {
      for (const id of this.#doubtful) this.#lookIn(id, settleMs);
      this.#doubtful.clear();
    }
    const known = members
      .filter(isKeeper)
      .map((member) => `${member.store}${consents(member) ? '+' : '-'}`)
      .toSorted()
      .join(' ');
    if (known !== this.#known) {
      this.#known = known;
      this.#allIn(settleMs);
      for (const [id, until] of this.#justPut) if (until > clock.now() && this.#holds(id)) this.#lookIn(id, handOutMs);
    }
    this.#allLater();
  }

  /** Everything is looked at again when time alone changes what is to be done. */
  #allLater(): void {
    const now = this.platform.clock.now();
    const calmAt = this.#recodes.calmAt();
    const at = Math.min(calmAt > now ? calmAt : Infinity, this.#recodes.changesAt(now));
    if (at < Infinity) this.#allIn(at - now + 1);
  }

  #members() {
    const own = this.neighbours.own();
    return own === undefined ? [...this.neighbours.members()] : [own, ...this.neighbours.members()];
  }

  #heldElsewhere({ gained, lost }: Change): void {
    if (!this.#running) return;
    for (const id of lost) {
      this.#returning.delete(id);
      if (this.#holds(id)) this.#lookIn(id, settleMs);
    }
    const freshUntil = this.platform.clock.now() + freshMs;
    for (const id of gained) {
      if (!this.#holds(id)) continue;
      if (!this.#fresh.has(id)) this.#fresh.set(id, freshUntil);
      this.#lookIn(id, freshMs);
    }
  }

  /** Whether this tab has a part in looking after an object. */
  #holds(id: ObjectId): boolean {
    return this.holdings.ownSlots(id).length > 0 || this.store.wholeHere(id);
  }

  #lookIn(id: ObjectId, ms: number): void {
    const at = this.platform.clock.now() + ms;
    if ((this.#due.get(id) ?? Infinity) <= at) return;
    this.#due.set(id, at);
    this.#schedule(at);
  }

  #allIn(ms: number): void {
    const at = this.platform.clock.now() + ms;
    if (at >= this.#allAt) return;
    this.#cancelAll?.();
    this.#allAt = at;
    this.#cancelAll = this.platform.clock.after(ms, () => {
      this.#allAt = Infinity;
      this.#allLater();
      for (const id of this.store.objects()) if (this.#holds(id)) this.#lookIn(id, 0);
    });
  }

  #schedule(at: number): void {
    if (!this.#running || at >= this.#lookAt) return;
    this.#cancelLook?.();
    this.#lookAt = at;
    this.#cancelLook = this.platform.clock.after(Math.max(0, at - this.platform.clock.now()), () => void this.#look());
  }

  /** Looks at everything that is due, a few hundred objects at a time. */
  async #look(): Promise<void> {
    this.#lookAt = Infinity;
    if (this.#looking) return;
    this.#looking = true;
    const life = this.#life;
    this.#stance = undefined;
    let looked = 0;
    for (const [id, at] of this.#due) {
      if (at > this.platform.clock.now()) continue;
      this.#due.delete(id);
      this.#consider(id);
      if (++looked % objectsPerTurn > 0) continue;
      await this.#pause();
      this.#stance = undefined;
      if (life !== this.#life) break;
    }
    this.#looking = false;
    let next = Infinity;
    for (const at of this.#due.values()) next = Math.min(next, at);
    this.#schedule(next);
    if (life !== this.#life) return;
    void this.#workThrough();
    this.changed();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.platform.clock.after(0, resolve));
  }

  #stanceNow(): Stance {
    const now = this.platform.clock.now();
    for (const [peer, until] of this.#refusing) if (until <= now) this.#refusing.delete(peer);
    return {
      members: this.#members(),
      ownStore: this.ownStore(),
      upK: this.#recodes.upK(now),
      mayGoDown: now >= this.#recodes.calmAt(),
      refusing: new Set(this.#refusing.keys()),
    };
  }

  #planOf(facts: Facts): Plan {
    this.#stance ??= this.#stanceNow();
    return planFor(facts, this.holdings.of(facts.id), this.#stance);
  }

  #consider(id: ObjectId): void {
    const now = this.platform.clock.now();
    const facts = this.#factsOf(id);
    if (facts === undefined || !this.#holds(id)) return this.#forget(id);
    const freshUntil = this.#fresh.get(id) ?? 0;
    if (freshUntil > now && !this.#short.has(id) && (this.#justPut.get(id) ?? 0) <= now) return this.#lookIn(id, freshUntil - now);
    this.#fresh.delete(id);
    if (this.#awaitsOthers(facts, now)) return;
    if (this.#suspects.size > 0) this.#doubtful.add(id);
    const plan = this.#planOf(facts);
    const lookAgainMs = this.#releases.consider(facts, plan.release);
    if (lookAgainMs !== undefined) this.#lookIn(id, lookAgainMs);
    if (plan.job === undefined || !this.#readable(id)) {
      this.#dequeue(id);
      this.#lacking.delete(id);
      this.#short.delete(id);
      if (plan.lacking > 0 && this.#refusing.size > 0) this.#lookIn(id, retryEveryMs);
      return;
    }
    const at = this.#turn(facts, plan);
    if (at > now) {
      this.#dequeue(id);
      this.#lookIn(id, at - now);
    } else this.#enqueue(id, plan.spare);
  }

  /** After the page was loaded in a group that comes back, what is lacking may only be late. */
  #awaitsOthers({ id, holders }: Known, now: number): boolean {
    if (!this.#returning.has(id)) return false;
    const until = Math.min(this.#recodes.calmAt(), this.#startedAt + calmMsMax);
    const here = new Set(this.#members().map(({ store }) => store));
    if (now < until && holders.some((store) => !here.has(store))) {
      this.#lookIn(id, until - now);
      return true;
    }
    this.#returning.delete(id);
    return false;
  }

  /** When it is this tab's turn: the i-th steward's comes after i times the delay in which nobody was seen to do anything. */
  #turn({ id, size }: Known, { rank, held, lacking, job }: Plan): number {
    const now = this.platform.clock.now();
    let waiting = this.#lacking.get(id);
    if (waiting === undefined || held > waiting.held || lacking < waiting.lacking)
      this.#lacking.set(id, (waiting = { since: now, held, lacking }));
    if (rank === 0 || this.#short.has(id)) return now;
    // A slot is announced when it is complete: of a large one nothing is seen before.
    const bytes = job === undefined ? 0 : (size / job.k) * job.gifts.length;
    return waiting.since + rank * (stewardDelayMs + ((2 * bytes) / repairBytesPerSecond) * 1_000);
  }

  #readable(id: ObjectId): boolean {
    return enoughOf(this.holdings.of(id)) || this.store.wholeHere(id);
  }

  #enqueue(id: ObjectId, spare: number): void {
    if (this.#queuedAt.get(id) === spare) return;
    this.#dequeue(id);
    this.#queuedAt.set(id, spare);
    const queue = this.#queues.get(spare);
    if (queue === undefined) this.#queues.set(spare, new Set([id]));
    else queue.add(id);
  }

  #dequeue(id: ObjectId): void {
    const spare = this.#queuedAt.get(id);
    if (spare === undefined) return;
    this.#queuedAt.delete(id);
    const queue = this.#queues.get(spare);
    queue?.delete(id);
    if (queue?.size === 0) this.#queues.delete(spare);
  }

  #forget(id: ObjectId): void {
    this.#dequeue(id);
    this.#lacking.delete(id);
    this.#releases.forget(id);
    this.#returning.delete(id);
    this.#short.delete(id);
    this.#justPut.delete(id);
    this.#fresh.delete(id);
    this.#doubtful.delete(id);
    this.#facts.delete(id);
  }

  async #workThrough(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    const life = this.#life;
    while (life === this.#life && this.#queues.size > 0) {
      const queue = this.#queues.get(Math.min(...this.#queues.keys()))!;
      const [first] = queue;
      const turn = this.#isSmall(first!) ? [...queue].slice(0, smallPerTurn).filter((id) => this.#isSmall(id)) : [first!];
      for (const id of turn) this.#dequeue(id);
      this.#stance = undefined;
      if (this.#isSmall(first!)) await this.#giveSmall(turn, life);
      else await this.#give(first!, life);
      this.changed();
    }
    this.#working = false;
    if (life !== this.#life && this.#running) void this.#workThrough();
  }

  #isSmall(id: ObjectId): boolean {
    return this.#factsOf(id)?.small === true && (this.#factsOf(id)?.size ?? 0) > 0;
  }

  /** What an object still lacks when its turn has come: others may have acted meanwhile. */
  #stillLacks(id: ObjectId): { facts: Known; job: Job } | undefined {
    const facts = this.#factsOf(id);
    if (facts === undefined) return undefined;
    const plan = this.#planOf(facts);
    if (plan.job !== undefined && this.#turn(facts, plan) <= this.platform.clock.now()) return { facts, job: plan.job };
    this.#consider(id);
    return undefined;
  }

  async #give(id: ObjectId, life: number): Promise<void> {
    const found = this.#stillLacks(id);
    if (found === undefined) return;
    const { job } = found;
    this.#work = id;
    const passed = (bytes: number) => {
      this.#doneBytes += bytes;
      this.changed();
    };
    try {
      const filled = await this.#filler.fill(id, job, () => life === this.#life, passed);
      if (life !== this.#life) return;
      if (filled.documented) this.#releases.knownTrue(id, job.k);
      this.#gave(id, job.k, filled);
    } catch (error) {
      this.platform.report('info', 'An object could not be repaired now', String(error));
      if (life === this.#life) this.#lookIn(id, retryEveryMs);
    } finally {
      this.#work = undefined;
    }
  }

  async #giveSmall(ids: readonly ObjectId[], life: number): Promise<void> {
    const jobs = ids.flatMap((id) => {
      const found = this.#stillLacks(id);
      return found === undefined ? [] : [{ id, gifts: found.job.gifts }];
    });
    const passed = (bytes: number) => void (this.#doneBytes += bytes);
    const filled = await this.#filler.fillSmall(jobs, () => life === this.#life, passed);
    if (life !== this.#life) return;
    for (const { id } of jobs) {
      const result = filled.get(id);
      if (result === undefined) this.#lookIn(id, retryEveryMs);
      else this.#gave(id, 1, result);
    }
  }

  #gave(id: ObjectId, k: number, { given, refused }: Filled): void {
    for (const { to, index } of given) if (to.peer !== this.bus.self.peer) this.holdings.assume(to.peer, { object: id, k, index });
    for (const { to } of refused) this.#refusing.set(to.peer, this.platform.clock.now() + retryEveryMs);
    this.#lacking.delete(id);
    if (refused.length === 0) this.#short.delete(id);
    // Others take what some refused; what is given is seen when it is announced.
    this.#lookIn(id, refused.length > 0 ? 0 : freshMs);
  }

  #factsOf(id: ObjectId): Known | undefined {
    const known = this.#facts.get(id);
    if (known !== undefined) return known.expires > this.platform.clock.wall() ? known : undefined;
    const manifest = this.store.manifest(id);
    if (manifest === undefined || manifest.expires <= this.platform.clock.wall()) return undefined;
    const { k, by, size, expires, holders } = manifest;
    const facts: Known = { id, small: k === 1 && isSmall(manifest), k, by, size, expires, holders };
    if (this.#facts.size >= factsMax) this.#facts.clear();
    this.#facts.set(id, facts);
    return facts;
  }
}

/** Any k slices of one coding, from whomever. */
function enoughOf(holdings: readonly Holding[]): boolean {
  const indexes = new Map<number, Set<number>>();
  for (const { k, index } of holdings) indexes.set(k, (indexes.get(k) ?? new Set()).add(index));
  return [...indexes].some(([k, { size }]) => size >= k);
}
