// The ledger between groups (rules 9 and 13): where this tab is a bridge it keeps the jobs that concern a neighbour in step with it, and
// passes what it hears on to its own group.
//
// A job concerns a neighbour that is at home for it, one that was lent some of it, one it was asked for at, and one that speaks of it.
import type { GroupId, JobId, PeerId } from '../../lib/ids.ts';
import { IntervalClock, type ClockRelation } from '../../lib/interval-clock.ts';
import { speakingBridge } from '../../lib/speaking-bridge.ts';
import type { Outcome } from '../../lib/outcome.ts';
import { ackWaitMs, bridgeTellEveryMs } from '../../limits.ts';
import type { Cancel, Platform } from '../../platform.ts';
import type { GroupsView, Neighbour } from '../../protocol/contracts/groups.ts';
import { ledgerContract, relationsMax, type ClockRelationOfJob } from '../../protocol/contracts/ledger.ts';
import type { RequestOf, ReplyOf } from '../../protocol/contract.ts';
import type { ServiceContext } from '../../service.ts';
import type { Book } from './book.ts';
import { BridgeSession } from './bridge-session.ts';
import type { Piece } from './event-table.ts';
import { batchesFor } from './exchange.ts';
import type { JobLog } from './job-log.ts';
import { relationWords } from './relation-words.ts';

type Shares = typeof ledgerContract;

/** Messages one turn may take to one neighbour; the rest comes with the next. */
const messagesPerTurnMax = 64;
/** Who speaks to us is answered for so long, even where we would have chosen another pair of bridges. */
const spokenToMs = 15_000;
const sessionsMax = 64;
const historyMax = 16;
const relationsEveryMs = 250;
/** A turn that failed is tried again; a bridge that is gone is dropped from the view meanwhile. */
const againMs = 2_000;

interface Side {
  readonly session: BridgeSession;
  group: GroupId;
  spokeAt: number;
  /** Jobs that may have changed since the last turn. */
  readonly dirty: Set<JobId>;
  busy: boolean;
  nextAt: number;
}

interface Past {
  relation: ClockRelation;
  since: number;
  mergedEvents: number;
  lastMergeAt: number | null;
  ours: number;
  theirs: number;
  changedAt: number;
  readonly history: { relation: ClockRelation; since: number }[];
}

export class Bridges {
  readonly #sides = new Map<PeerId, Side>();
  readonly #askedFor = new Map<JobId, GroupId>();
  /** By group and job. */
  readonly #past = new Map<string, Past>();
  #view: GroupsView | undefined;
  #cancelTurn: Cancel | undefined;
  #cancelPublish: Cancel | undefined;
  #running = false;

  constructor(
    private readonly platform: Platform,
    private readonly context: ServiceContext<Shares>,
    private readonly book: Book,
    private readonly send: (peer: PeerId, log: JobLog, events: Piece) => Promise<Outcome<void>>,
    private readonly findForks: (peer: PeerId, log: JobLog) => Promise<void>,
  ) {}

  start(): void {
    this.#running = true;
    this.#soon();
  }

  stop(): void {
    this.#running = false;
    this.#cancelTurn?.();
    this.#cancelPublish?.();
    this.#cancelTurn = this.#cancelPublish = undefined;
    this.#sides.clear();
  }

  see(view: GroupsView): void {
    const before = this.#view;
    this.#view = view;
    const changed = (neighbour: Neighbour) => {
      const known = before?.neighbours.find(({ group }) => group === neighbour.group);
      return known?.answersFor.join() !== neighbour.answersFor.join() || view.answersFor.join() !== before?.answersFor.join();
    };
    for (const neighbour of view.neighbours) {
      const there = this.#partner(neighbour);
      const known = there === undefined ? undefined : this.#sides.get(there);
      if (there === undefined || (known !== undefined && !changed(neighbour))) continue;
      const side = this.#side(there, neighbour.group);
      side.group = neighbour.group;
      for (const log of this.book.logs()) this.#consider(side, neighbour, log);
    }
    this.#soon();
  }

  /** Something of the job changed. */
  changed(log: JobLog): void {
    for (const side of this.#sides.values()) {
      const neighbour = this.#neighbour(side.group);
      if (neighbour !== undefined) this.#consider(side, neighbour, log);
      if (side.session.has(log.id)) side.dirty.add(log.id);
    }
    this.#soon();
  }

  dropped(job: JobId): void {
    this.#askedFor.delete(job);
    for (const side of this.#sides.values()) side.session.forget(job);
    for (const key of this.#past.keys()) if (key.endsWith(job)) this.#past.delete(key);
  }

  /** The job was asked for at that neighbour: what comes of it there is wanted here. */
  askedFor(log: JobLog, group: GroupId): void {
    this.#askedFor.set(log.id, group);
    this.changed(log);
  }

  /** A bridge of another group told its clocks. */
  hear(from: PeerId, { group, jobs }: RequestOf<Shares, 'shares', 'update'>): ReplyOf<Shares, 'shares', 'update'> {
    if (this.#sides.size >= sessionsMax && !this.#sides.has(from)) this.#dropIdle();
    const side = this.#side(from, group);
    side.group = group;
    side.spokeAt = this.platform.clock.now();
    const answer: ReplyOf<Shares, 'shares', 'update'> = { unknown: [], stale: [] };
    for (const share of jobs) {
      const log = this.book.get(share.job);
      if (log === undefined) {
        answer.unknown.push(share.job);
        continue;
      }
      if (!side.session.heard(share)) answer.stale.push(share.job);
      side.dirty.add(share.job);
      this.#note(side, log);
      if (side.session.forked(log)) void this.findForks(from, log);
    }
    this.#soon();
    return answer;
  }

  /** Events came over a bridge; `fresh` of them were new. */
  merged(from: PeerId, log: JobLog, fresh: number): void {
    const side = this.#sides.get(from);
    if (side === undefined || fresh === 0) return;
    const past = this.#pastOf(side.group, log);
    // They had what was not here; whether the other way round too, their own words tell.
    if (side.session.relation(log) !== undefined)
      this.#stands(past, past.relation === 'equal' || past.relation === 'behind' ? 'behind' : 'concurrent');
    past.mergedEvents += fresh;
    past.lastMergeAt = this.platform.clock.wall();
    past.changedAt = this.platform.clock.now();
    this.#publishSoon();
  }

  relations(): ClockRelationOfJob[] {
    const nowMs = this.platform.clock.wall();
    return [...this.#past]
      .toSorted(([, a], [, b]) => b.changedAt - a.changedAt)
      .slice(0, relationsMax)
      .map(([key, { relation, ours, theirs, mergedEvents, lastMergeAt, history }]) => {
        const [group, job] = key.split('/') as [GroupId, JobId];
        const facts = { group, job, relation, ours, theirs, mergedEvents, lastMergeAt };
        const words = relationWords(facts, this.#neighbour(group)?.name ?? 'The other group', nowMs);
        return { ...facts, history: history.slice(), words };
      });
  }

  /** Of all pairs of bridges to a neighbour both sides choose the same one, so that the same is not said twice. */
  #partner({ bridges }: Neighbour): PeerId | undefined {
    const pair = speakingBridge(bridges);
    return pair?.here === this.context.self.peer ? pair.there : undefined;
  }

  #neighbour(group: GroupId): Neighbour | undefined {
    return this.#view?.neighbours.find((neighbour) => neighbour.group === group);
  }

  #side(peer: PeerId, group: GroupId): Side {
    let side = this.#sides.get(peer);
    if (side === undefined) {
      side = { session: new BridgeSession(peer), group, spokeAt: -Infinity, dirty: new Set(), busy: false, nextAt: 0 };
      this.#sides.set(peer, side);
    }
    return side;
  }

  #dropIdle(): void {
    const idle = [...this.#sides.values()].toSorted((a, b) => a.spokeAt - b.spokeAt)[0];
    if (idle !== undefined) this.#sides.delete(idle.session.peer);
  }

  #consider(side: Side, neighbour: Neighbour, log: JobLog): void {
    if (side.session.has(log.id)) return;
    const home = log.fold.settings.home;
    const atHome = this.#view?.answersFor.includes(home) === true;
    const concerns =
      neighbour.answersFor.includes(home) ||
      (atHome && neighbour.answersFor.some((group) => log.fold.lentTo(group))) ||
      this.#askedFor.get(log.id) === neighbour.group;
    if (!concerns) return;
    side.session.share(log.id);
    side.dirty.add(log.id);
  }

  /** Whether this side is ours to keep in step: the chosen pair of bridges, or one that has just spoken to us. */
  #isActive(side: Side): boolean {
    if (this.platform.clock.now() - side.spokeAt < spokenToMs) return true;
    const neighbour = this.#neighbour(side.group);
    return neighbour !== undefined && this.#partner(neighbour) === side.session.peer;
  }

  #soon(): void {
    if (!this.#running || this.#cancelTurn !== undefined) return;
    const now = this.platform.clock.now();
    const due = [...this.#sides.values()].filter((side) => side.dirty.size > 0 && !side.busy).map(({ nextAt }) => nextAt);
    if (due.length === 0) return;
    this.#cancelTurn = this.platform.clock.after(Math.max(0, Math.min(...due) - now), () => {
      this.#cancelTurn = undefined;
      for (const side of this.#sides.values()) {
        if (side.dirty.size === 0 || side.busy || side.nextAt > this.platform.clock.now()) continue;
        if (this.#isActive(side)) void this.#turn(side);
        else this.#sides.delete(side.session.peer);
      }
      this.#soon();
    });
  }

  async #turn(side: Side): Promise<void> {
    const { clock } = this.platform;
    side.busy = true;
    const looked = [...side.dirty];
    side.dirty.clear();
    let all = false;
    try {
      all = (await this.#tell(side)) && (await this.#give(side, looked));
    } catch (error) {
      this.platform.report('bug', 'ledger: an exchange over a bridge threw', error);
    } finally {
      side.busy = false;
      if (!all) for (const job of looked) side.dirty.add(job);
      side.nextAt = clock.now() + (all ? bridgeTellEveryMs : againMs);
      this.#soon();
    }
  }

  /** False where they did not answer, or there is more to tell than fits a turn. */
  async #tell(side: Side): Promise<boolean> {
    const { session } = side;
    const group = this.context.self.group();
    for (let messages = 0; messages < messagesPerTurnMax; messages++) {
      const telling = session.telling((job) => this.book.get(job));
      if (telling === undefined) return true;
      const reply = await this.context.ask(
        ledgerContract,
        'shares',
        'update',
        { group, jobs: telling.shares },
        { peer: session.peer, timeoutMs: ackWaitMs },
      );
      if (!reply.ok || !this.#running) return false;
      const { stale, unknown } = reply.value.body;
      session.answered(telling, stale, unknown);
      for (const job of unknown) {
        if (await this.#introduce(side, job)) side.dirty.add(job);
        else session.forget(job);
      }
    }
    return false;
  }

  /** They should have the job, and do not know it. False where they do not want it. */
  async #introduce({ session }: Side, job: JobId): Promise<boolean> {
    const log = this.book.get(job);
    if (log === undefined) return false;
    const told = await this.context.ask(ledgerContract, 'jobs', 'insert', log.signed, { peer: session.peer, timeoutMs: ackWaitMs });
    return told.ok;
  }

  /** Gives what they miss. False where they did not answer, or not all of it fits a turn. */
  async #give(side: Side, jobs: readonly JobId[]): Promise<boolean> {
    const { session } = side;
    let messages = 0;
    for (const job of new Set([...jobs, ...side.dirty])) {
      const log = this.book.get(job);
      const has = log === undefined ? undefined : session.toGive(log);
      if (log === undefined || has === undefined) continue;
      const { version } = log;
      const clock = IntervalClock.from(log.clock.toRecord());
      let took = true;
      for (const batch of batchesFor(log, has)) {
        if (messages++ >= messagesPerTurnMax) return false;
        const sent = await this.send(session.peer, log, batch);
        if (!this.#running) return false;
        if (sent.ok) continue;
        if (sent.fault.code === 'unreachable' || sent.fault.code === 'too-late') return false;
        took = false;
        break;
      }
      session.given(job, version, clock, took);
      this.#note(side, log);
    }
    return true;
  }

  #note(side: Side, log: JobLog): void {
    const now = side.session.relation(log);
    if (now === undefined) return;
    const past = this.#pastOf(side.group, log);
    past.ours = log.clock.size;
    past.theirs = now.theirs;
    past.changedAt = this.platform.clock.now();
    this.#stands(past, now.relation);
    this.#publishSoon();
  }

  #stands(past: Past, relation: ClockRelation): void {
    if (past.relation === relation) return;
    past.history.push({ relation: past.relation, since: past.since });
    past.history.splice(0, past.history.length - historyMax);
    past.relation = relation;
    past.since = this.platform.clock.wall();
  }

  #pastOf(group: GroupId, log: JobLog): Past {
    const key = `${group}/${log.id}`;
    let past = this.#past.get(key);
    if (past === undefined) {
      const since = this.platform.clock.wall();
      past = {
        relation: 'ahead',
        since,
        mergedEvents: 0,
        lastMergeAt: null,
        ours: log.clock.size,
        theirs: 0,
        changedAt: this.platform.clock.now(),
        history: [],
      };
      this.#past.set(key, past);
      for (const oldest of this.#past.keys()) {
        if (this.#past.size <= 2 * relationsMax) break;
        this.#past.delete(oldest);
      }
    }
    return past;
  }

  #publishSoon(): void {
    if (!this.#running) return;
    this.#cancelPublish ??= this.platform.clock.after(relationsEveryMs, () => {
      this.#cancelPublish = undefined;
      this.context.publish('relations', { relations: this.relations() });
    });
  }
}
