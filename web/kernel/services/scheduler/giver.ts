// Gives away what others could do sooner (gifts.ts decides what). A tail is cut off in three steps, and dying between any two loses nothing:
// the run is shortened (until it ends its function still stands for all its items), the tail is appended as a lineage of its own, and
// when the head is committed the old function ends, because nothing in it is undecided that has no function of its own.
import type { JobId, RecordId } from '../../lib/ids.ts';
import { rendezvousRank } from '../../lib/rendezvous.ts';
import { executorContract, type Running } from '../../protocol/contracts/executor.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import { queueContract } from '../../protocol/contracts/queue.ts';
import type { schedulerContract } from '../../protocol/contracts/scheduler.ts';
import type { ServiceContext } from '../../service.ts';
import { middleRttMs } from './middle-rtt.ts';
import { before, cut, endAfter, from, planGift, type HeldFunction, type RoundRange } from './gifts.ts';

const appendTimeoutMs = 15_000;
const measuredJobsMax = 256;

/** What the giver sees and changes of a function in hand. */
export interface Givable {
  readonly job: { readonly id: JobId };
  readonly claim: { readonly record: RecordId };
  readonly phase: 'running' | 'committing';
  readonly stopping: boolean;
  /** What runs; undefined until it is known. */
  readonly mine: readonly RoundRange[] | undefined;
  /** The first item that is no longer run here. */
  shortenedTo: number | undefined;
  /** From here on the items have functions of their own. */
  givenFrom: number | undefined;
  /** Settles when a gift under way is done or has failed. */
  giving: Promise<void> | undefined;
}

export interface GiverHost<T extends Givable> {
  allowed(): number;
  members(): readonly Member[];
  inHand(): Iterable<T>;
  /** Stops these, which have not begun, and leaves them to others for a while. */
  release(which: readonly T[]): void;
}

export class Giver<T extends Givable> {
  #running = new Map<RecordId, Running>();
  /** Since when each runs: the executor's own time counts from its claim. */
  readonly #runsSince = new Map<RecordId, number>();
  readonly #itemMs = new Map<JobId, number>();
  #waiting = Infinity;
  #idleSince: number | undefined;
  #lastGiftAt = -Infinity;

  constructor(
    private readonly context: ServiceContext<typeof schedulerContract>,
    private readonly host: GiverHost<T>,
  ) {}

  setRunning(running: readonly Running[]): void {
    this.#running = new Map(running.map((one) => [one.record, one]));
    const now = this.context.platform.clock.now();
    for (const { record, phase } of running) if (phase === 'running' && !this.#runsSince.has(record)) this.#runsSince.set(record, now);
    for (const record of this.#runsSince.keys()) if (!this.#running.has(record)) this.#runsSince.delete(record);
  }

  setWaiting(functions: number): void {
    this.#waiting = functions;
  }

  measured(job: JobId, itemMs: number): void {
    this.#itemMs.delete(job);
    this.#itemMs.set(job, itemMs);
    if (this.#itemMs.size > measuredJobsMax) this.#itemMs.delete(this.#itemMs.keys().next().value!);
  }

  hasBegun(record: RecordId): boolean {
    return this.#runsSince.has(record);
  }

  /** To be called now and then: gives what there is to give now. */
  look(): void {
    const now = this.context.platform.clock.now();
    const { idleHere, idleElsewhere, rank } = this.#others();
    if (this.#waiting > 0 || idleHere + idleElsewhere === 0) {
      this.#idleSince = undefined;
      return;
    }
    this.#idleSince ??= now;
    const givable = [...this.host.inHand()].filter((one) => one.phase === 'running' && !one.stopping && one.giving === undefined);
    const held = givable.flatMap((one) => this.#held(one, now) ?? []);
    const gift = planGift({
      now,
      waiting: this.#waiting,
      idleHere,
      idleElsewhere,
      idleSince: this.#idleSince,
      rank,
      lastGiftAt: this.#lastGiftAt,
      rttMs: middleRttMs(this.host.members()),
      held,
    });
    if (gift === undefined) return;
    this.#lastGiftAt = now;
    switch (gift.kind) {
      case 'whole':
        return this.host.release(givable.filter(({ claim }) => gift.records.includes(claim.record)));
      case 'tail': {
        const one = givable.find(({ claim }) => claim.record === gift.record)!;
        one.giving = this.#giveTail(one, gift.keep, gift.pieces).finally(() => (one.giving = undefined));
      }
    }
  }

  #others(): { idleHere: number; idleElsewhere: number; rank: number } {
    let idleElsewhere = 0;
    const busy = [this.context.self.peer];
    for (const { peer, status, offer } of this.host.members()) {
      if (peer === this.context.self.peer || status !== 'alive' || offer === null) continue;
      const { workersAllowed, claimed } = offer.sandbox;
      idleElsewhere += Math.max(0, workersAllowed - claimed);
      if (claimed > 0) busy.push(peer);
    }
    const inHand = [...this.host.inHand()].filter(({ phase }) => phase === 'running').length;
    const rank = rendezvousRank('gift', this.context.self.peer, busy);
    return { idleHere: Math.max(0, this.host.allowed() - inHand), idleElsewhere, rank };
  }

  #held(one: T, now: number): HeldFunction | undefined {
    const run = this.#running.get(one.claim.record);
    if (run === undefined || one.mine === undefined) return undefined;
    const { record, finished, items } = run;
    const since = this.#runsSince.get(record);
    const known = this.#itemMs.get(one.job.id) ?? 0;
    if (since === undefined) return { record, begun: false, finished: 0, items, itemMs: known };
    const itemMs = finished > 0 ? (now - since) / finished : Math.max(now - since, known);
    return { record, begun: true, finished, items, itemMs };
  }

  async #giveTail(one: T, keep: number, pieces: number): Promise<void> {
    const ranges = one.mine!.map(({ range }) => range);
    const { record } = one.claim;
    const reply = await this.context.ask(executorContract, 'runs', 'update', { record, end: endAfter(ranges, keep) });
    if (!reply.ok) return;
    const { end } = reply.value.body;
    const until = one.givenFrom ?? ranges.at(-1)![1];
    one.shortenedTo = end;
    if (end >= until) return;
    if (await this.append(one.job.id, before(from(one.mine!, end), until), pieces)) one.givenFrom = end;
  }

  /** Functions of their own for these items; false where that could not be done for all. */
  async append(job: JobId, items: readonly RoundRange[], count: number): Promise<boolean> {
    for (const [round, ranges] of cut(items, count)) {
      const reply = await this.context.ask(queueContract, 'records', 'create', { job, round, ranges }, { timeoutMs: appendTimeoutMs });
      if (reply.ok) continue;
      this.context.platform.report('warning', `A part could not be shared: ${reply.fault.message}`);
      return false;
    }
    return true;
  }
}
