// Brings this tab and another member to the same set of jobs and events, whatever messages were lost before (rule 9).
import type { PeerId } from '../../lib/ids.ts';
import { IntervalClock } from '../../lib/interval-clock.ts';
import type { Outcome } from '../../lib/outcome.ts';
import { clockExchangeEveryMs } from '../../limits.ts';
import type { Cancel, Platform } from '../../platform.ts';
import { forkNumbersMax, ledgerContract } from '../../protocol/contracts/ledger.ts';
import type { Bus } from '../../service.ts';
import type { Book } from './book.ts';
import type { Piece } from './event-table.ts';
import { batchesFor, batchesOf, stretchOf, windowOf, type ClocksReply, type Stretch } from './exchange.ts';
import type { HashTree } from './hash-tree.ts';
import type { JobLog } from './job-log.ts';
import type { Members } from './members.ts';
import { readEvent } from './signed.ts';

/** Questions of one exchange with a new member, and of one now and then; what is left over comes with the next one. */
const questionsMax = 512;
const questionsNowAndThenMax = 48;
/** Every so often the hash trees are compared where the sums of everything are equal, too: those can be made so. */
const closelyEvery = 8;
/** Fewer jobs are compared by themselves and not by their hashes. */
const jobsAtOnce = 16;
/** Where more of a node's children differ, a new member compares them as they are. */
const nodesAtOnce = 8;
/** Somebody may make ids that begin with the same digits, with much work for each. */
const prefixDigitsMax = 8;
const forkedActorsMax = 16;

/** One exchange with one member. */
interface Visit {
  readonly peer: PeerId;
  readonly wholly: boolean;
  /** That may still be asked. */
  questions: number;
}

export class AntiEntropy {
  #cancel: Cancel | undefined;
  #count = 0;
  #running = false;
  readonly #waiting = new Set<PeerId>();

  constructor(
    private readonly platform: Platform,
    private readonly bus: Bus,
    private readonly book: Book,
    private readonly tree: HashTree,
    private readonly members: Members,
    /** Sends events of one job to one member, with the job where it is not known there. Never rejects. */
    private readonly send: (peer: PeerId, log: JobLog, events: Piece) => Promise<Outcome<void>>,
  ) {}

  start(): void {
    if (this.#cancel === undefined) this.#schedule();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waiting.clear();
  }

  /** Exchanges everything with a member that is new here, as soon as those before are through. */
  meet(peer: PeerId): void {
    if (this.#cancel === undefined) return;
    this.#waiting.add(peer);
    void this.#run();
  }

  /** A member asked and holds the same: it need not be asked. */
  agrees(peer: PeerId): void {
    this.#waiting.delete(peer);
  }

  #schedule(): void {
    // Spread out, so that a group that started together does not speak at once for ever.
    const ms = clockExchangeEveryMs * (0.75 + this.platform.random.fraction() / 2);
    this.#cancel = this.platform.clock.after(ms, () => {
      this.#schedule();
      void this.book.tidy();
      const alive = this.members.others.filter((member) => member.status === 'alive');
      const member = alive[Math.floor(this.platform.random.fraction() * alive.length)];
      if (member !== undefined && !this.#running) void this.#run(member.peer);
    });
  }

  /** One exchange at a time: a tab that joins a group of many must not ask all of them for the same at once. */
  async #run(periodic?: PeerId): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      if (periodic !== undefined) {
        const closely = ++this.#count % closelyEvery === 0;
        if (closely || !(await this.#isSame(periodic))) await this.#exchange(periodic, closely ? 'closely' : 'quickly');
      }
      for (const peer of this.#waiting) {
        this.#waiting.delete(peer);
        if (this.members.has(peer) && !(await this.#isSame(peer))) await this.#exchange(peer, 'wholly');
      }
    } catch (error) {
      this.platform.report('bug', 'ledger: an exchange threw', error);
    } finally {
      this.#running = false;
    }
  }

  async #isSame(peer: PeerId): Promise<boolean> {
    const question = { jobsKnown: this.book.known, window: null, clocks: [], over: [] };
    const reply = await this.bus.ask(ledgerContract, 'clocks', 'query', question, { peer });
    return reply.ok && reply.value.body.same;
  }

  /** 'wholly': all that differs, with a new member. 'closely': the trees are compared whatever the sums say. */
  async #exchange(peer: PeerId, how: 'quickly' | 'closely' | 'wholly'): Promise<void> {
    const visit: Visit = { peer, wholly: how === 'wholly', questions: how === 'wholly' ? questionsMax : questionsNowAndThenMax };
    await this.#descend(visit, '', how === 'closely');
  }

  /** False where the exchange is over: another time there may be more. Few jobs are compared by themselves, unless `closely`. */
  async #descend(visit: Visit, prefix: string, closely = false): Promise<boolean> {
    const few = this.book.under(prefix).length <= jobsAtOnce || prefix.length >= prefixDigitsMax;
    if (few && !closely) return this.#exchangeStretch(visit, stretchOf(prefix));
    if (!this.#mayAsk(visit)) return false;
    const children = await this.tree.children(prefix);
    const reply = await this.bus.ask(ledgerContract, 'clocks', 'lookup', { prefix, children }, { peer: visit.peer });
    if (!reply.ok) return false;
    const unlike = reply.value.body.unlike.map((digit) => prefix + digit);
    const asTheyAre = visit.wholly && unlike.length > nodesAtOnce;
    // Any of them first: what cannot be brought together must not be in the way of what can.
    const first = Math.floor(this.platform.random.fraction() * unlike.length);
    for (const child of [...unlike.slice(first), ...unlike.slice(0, first)]) {
      const goesOn = asTheyAre ? await this.#exchangeStretch(visit, stretchOf(child)) : await this.#descend(visit, child);
      if (!goesOn) return false;
    }
    return true;
  }

  async #exchangeStretch(visit: Visit, { after, until }: Stretch): Promise<boolean> {
    const { peer } = visit;
    while (this.#mayAsk(visit)) {
      const window = windowOf(this.book, { after, until });
      const { clocks, over } = window;
      const question = { jobsKnown: this.book.known, window: { after, until: window.until }, clocks, over };
      const reply = await this.bus.ask(ledgerContract, 'clocks', 'query', question, { peer });
      if (!reply.ok) return false;
      const answer = reply.value.body;
      void this.book.dropEarly(answer.over);
      const { fresh, failed } = await this.#take(peer, answer);
      if (failed || !(await this.#give(peer, answer))) return false;
      if (answer.more && fresh > 0) continue;
      after = window.until;
      if (after === until) return true;
    }
    return false;
  }

  #mayAsk(visit: Visit): boolean {
    return this.#cancel !== undefined && visit.questions-- > 0;
  }

  /** Keeps what came. `fresh` counts what was new here. */
  async #take(peer: PeerId, answer: ClocksReply): Promise<{ fresh: number; failed: boolean }> {
    let fresh = 0;
    for (const signed of answer.jobs) {
      const before = this.book.size;
      const kept = await this.book.keepJob(signed);
      if (!kept.ok && kept.fault.code === 'storage') return { fresh, failed: true };
      fresh += this.book.size - before;
    }
    for (const { job, ...piece } of answer.events) {
      const log = this.book.get(job);
      if (log === undefined) continue;
      const kept = await this.book.keepPiece(log, piece, peer);
      if (!kept.ok) return { fresh, failed: true };
      fresh += kept.value.fresh;
    }
    return { fresh, failed: false };
  }

  /** Sends what the other misses by its own clocks. False where it did not answer. */
  async #give(peer: PeerId, answer: ClocksReply): Promise<boolean> {
    for (const { job, clock, digest } of answer.clocks) {
      const log = this.book.get(job);
      if (log === undefined) continue;
      const theirs = IntervalClock.from(clock);
      const batches = theirs.size === 0 && log.size === 0 ? [{ events: [] }] : batchesFor(log, theirs);
      for (const batch of batches) {
        const sent = await this.send(peer, log, batch);
        if (!sent.ok) {
          if (sent.fault.code === 'unreachable' || sent.fault.code === 'too-late') return false;
          break;
        }
      }
      if (digest !== log.digest && log.clock.relation(theirs) === 'equal') await this.findForks(peer, log);
    }
    return true;
  }

  /** Both hold the same dots, and not the same events: somebody signed two with one number. */
  async findForks(peer: PeerId, log: JobLog): Promise<void> {
    const actors = Object.fromEntries(log.actorDigests()) as Record<PeerId, string>;
    const asked = await this.bus.ask(ledgerContract, 'forks', 'query', { job: log.id, actors }, { peer });
    if (!asked.ok) return;
    for (const actor of asked.value.body.actors.slice(0, forkedActorsMax)) {
      this.platform.report('warning', `${actor} signed two events with one number; both are kept.`, log.id);
      const highest = log.clock.highest(actor);
      for (let from = 1; from <= highest; from += forkNumbersMax) {
        const count = Math.min(forkNumbersMax, highest - from + 1);
        const digests = log.digestsOf(actor, from, count);
        const found = await this.bus.ask(ledgerContract, 'forks', 'lookup', { job: log.id, actor, from, digests }, { peer });
        if (!found.ok) return;
        if (found.value.body.events.length === 0) continue;
        const numbers = new Set(found.value.body.events.map((signed) => readEvent(signed)?.n ?? 0));
        const ours = [...numbers].flatMap((n) => [...log.eventsOf(actor, n, n + 1)]);
        const kept = await this.book.keepEvents(log, found.value.body.events);
        if (!kept.ok) return;
        for (const events of batchesOf(ours)) if (!(await this.send(peer, log, { events })).ok) return;
      }
    }
  }
}
