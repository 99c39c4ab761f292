// The steward's turn (rule 8): looks at each open job, and where functions are missing and it is this tab's turn, appends them.
import type { GroupId, JobId, PeerId, RecordId } from '../../lib/ids.ts';
import { FaultError, success, unwrap, type Outcome } from '../../lib/outcome.ts';
import { rendezvousRank } from '../../lib/rendezvous.ts';
import { exportLeaseMs, homelessAfterMs, stewardDelayMs } from '../../limits.ts';
import type { Cancel } from '../../platform.ts';
import type { GroupsView } from '../../protocol/contracts/groups.ts';
import { ledgerContract, type JobSummary } from '../../protocol/contracts/ledger.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import { queueContract, type RecordView } from '../../protocol/contracts/queue.ts';
import type { schedulerContract } from '../../protocol/contracts/scheduler.ts';
import type { InputPart } from '../../protocol/job-manifest.ts';
import type { Range } from '../../protocol/schemas.ts';
import type { ServiceContext } from '../../service.ts';
import { Allocator, type Words } from './allocate.ts';
import { isAtHome, LoanWatch, lentTo, type Loan } from './loans.ts';
import { middleRttMs } from './middle-rtt.ts';
import { isOpen } from './open-jobs.ts';
import { measuredMax, type Measured } from './sizing.ts';
import { patienceWith, planAppends, type Append, type Undecided } from './steward.ts';

const lookEveryMs = 1_000;
/** After items were decided the first steward looks again this soon: short functions are used up quickly. */
const lookSoonMs = 15;
const appendTimeoutMs = 30_000;
const lookupMax = 10_000;
/** A tab that has just come, or moved here from another group, knows no records yet: it lets those act who do. */
const warmUpMs = 2_000;
/** So long others do not count on somebody whom they have never met before: it leaves them time to act, and then it knows what there is. */
const newcomerMs = warmUpMs / 2;
const metMax = 4_096;
/**
 * Whoever submits a job appends its first functions in the same breath. Who hears of the job meanwhile and sees none of them yet leaves it to them for so long:
 * else, where one message is late, everything is queued and run twice.
 */
const submitterFirstMs = stewardDelayMs;
/** Who is further down takes no measurements: it will hardly act. */
const measuringRanks = 3;
const measuredRangesMax = 4;
const lookBackItems = 4_096;

interface Care {
  readonly knownAt: number;
  readonly recent: Measured[];
  /** Since when each record has been here, with workers about. */
  readonly since: Map<RecordId, number>;
  readonly loans: LoanWatch;
  /** Since when its home has not been heard of; undefined while it is. */
  homelessSince: number | undefined;
  lookedAt: number;
  /** Since when functions have been missing; undefined while none are. */
  needSince: number | undefined;
  busy: boolean;
}

export class Stewardship {
  readonly #cares = new Map<JobId, Care>();
  #jobs = new Map<JobId, JobSummary>();
  #members: readonly Member[] = [];
  /** When each peer was first seen. */
  readonly #metAt = new Map<PeerId, number>();
  #groups: GroupsView | undefined;
  #lone: GroupId | undefined;
  #ownWorkers = 0;
  #startedAt = Infinity;
  /** Since when it is known what jobs there are: a ledger may take long to be read. */
  #knowsSince = Infinity;
  #group: GroupId | undefined;
  /** To this group. */
  #cameAt = -Infinity;
  #tick: Cancel | undefined;
  readonly #soon = new Map<JobId, Cancel>();

  readonly #allocator: Allocator;

  constructor(
    private readonly context: ServiceContext<typeof schedulerContract>,
    words: Words,
    declines: (job: JobId) => boolean,
  ) {
    this.#allocator = new Allocator(context, words, declines);
  }

  start(): void {
    this.#startedAt = this.context.platform.clock.now();
    this.#schedule();
  }

  stop(): void {
    this.#startedAt = Infinity;
    this.#knowsSince = Infinity;
    this.#tick?.();
    this.#tick = undefined;
    for (const cancel of this.#soon.values()) cancel();
    this.#soon.clear();
  }

  setMembers(members: readonly Member[]): void {
    this.#members = members;
    const now = this.context.platform.clock.now();
    for (const { peer } of members) if (!this.#metAt.has(peer)) this.#metAt.set(peer, now);
    const here = new Set(members.map(({ peer }) => peer));
    for (const oldest of this.#metAt.keys()) {
      if (this.#metAt.size <= metMax) break;
      if (!here.has(oldest)) this.#metAt.delete(oldest);
    }
    const group = this.context.self.group();
    if (group !== this.#group) this.#cameAt = now;
    this.#group = group;
    this.#allocator.setMembers(members);
  }

  setGroups(view: GroupsView): void {
    // Until the directory places it a tab is a group of its own, which nobody else will ever answer for.
    if (this.#groups === undefined && this.#members.length <= 1) this.#lone = view.group;
    this.#groups = view;
  }

  setWorkers(allowed: number): void {
    this.#ownWorkers = allowed;
  }

  setJobs(jobs: ReadonlyMap<JobId, JobSummary>): void {
    this.#jobs = new Map(jobs);
    this.#knowsSince = Math.min(this.#knowsSince, this.context.platform.clock.now());
    for (const id of this.#cares.keys()) {
      if (this.#isOpen(id)) continue;
      this.#cares.delete(id);
      this.#allocator.leave(id);
    }
    this.#schedule();
  }

  /** Items were decided: measures what they took, and looks whether functions run short. */
  async decided(job: JobId, ranges: readonly Range[]): Promise<void> {
    if (!this.#isOpen(job)) return;
    const rank = this.#rank(job);
    if (rank >= measuringRanks) return;
    for (const [first] of ranges.slice(-measuredRangesMax)) await this.#measure(job, first, 8);
    if (rank === 0) this.#lookSoon(job);
  }

  /** The submitter hands its job over: whoever's turn it is, the first functions are appended now. Answers how many wait. */
  async submit(job: JobId): Promise<number> {
    if (!this.#jobs.has(job)) {
      const known = unwrap(await this.context.ask(ledgerContract, 'jobs', 'query', {})).body.jobs.find(({ id }) => id === job);
      if (known === undefined) throw new FaultError('not-found', 'That job is not known here.');
      this.#jobs.set(job, known);
      this.#schedule();
    }
    const care = this.#careFor(job);
    care.busy = true;
    try {
      const { plan, queued } = unwrap(await this.#plan(job, care));
      await this.#append(job, plan);
      return queued + countOf(plan);
    } finally {
      care.busy = false;
    }
  }

  #isOpen(id: JobId): boolean {
    const job = this.#jobs.get(id);
    return job !== undefined && isOpen(job);
  }

  #careFor(id: JobId): Care {
    let care = this.#cares.get(id);
    if (care === undefined)
      this.#cares.set(
        id,
        (care = {
          knownAt: this.context.platform.clock.now(),
          recent: [],
          since: new Map(),
          loans: new LoanWatch(),
          homelessSince: undefined,
          lookedAt: -Infinity,
          needSince: undefined,
          busy: false,
        }),
      );
    return care;
  }

  /** Just started, come to this group, or heard what jobs there are. */
  get #isNew(): boolean {
    return this.context.platform.clock.now() - Math.max(this.#startedAt, this.#cameAt, this.#knowsSince) < warmUpMs;
  }

  /** Place of this tab among the live members that are not just coming: 0 acts first. To one that is new itself all are. */
  #rank(job: JobId): number {
    const { peer: self } = this.context.self;
    const now = this.context.platform.clock.now();
    const counts = ({ peer, status }: Member) =>
      status === 'alive' && (peer === self || this.#isNew || now - this.#metAt.get(peer)! >= newcomerMs);
    return rendezvousRank(
      `steward ${job}`,
      self,
      this.#members.filter(counts).map(({ peer }) => peer),
    );
  }

  /** Only while there is a job to look after. */
  #schedule(): void {
    if (this.#startedAt === Infinity || ![...this.#jobs.keys()].some((id) => this.#isOpen(id))) return;
    this.#tick ??= this.context.platform.clock.after(lookEveryMs / 4, () => {
      this.#tick = undefined;
      this.#schedule();
      const now = this.context.platform.clock.now();
      for (const id of this.#jobs.keys()) {
        if (this.#isOpen(id) && now - this.#careFor(id).lookedAt >= lookEveryMs) void this.#look(id);
      }
    });
  }

  #lookSoon(job: JobId): void {
    if (this.#soon.has(job) || this.#startedAt === Infinity) return;
    this.#soon.set(
      job,
      this.context.platform.clock.after(lookSoonMs, () => {
        this.#soon.delete(job);
        void this.#look(job);
      }),
    );
  }

  async #look(job: JobId): Promise<void> {
    const { clock } = this.context.platform;
    const care = this.#careFor(job);
    if (care.busy || !this.#isOpen(job) || this.#isNew) return;
    care.busy = true;
    care.lookedAt = clock.now();
    try {
      await this.#rehome(job, care);
      const planned = await this.#plan(job, care);
      if (!planned.ok) return;
      const { plan, queued } = planned.value;
      if (this.#rank(job) === 0) this.#allocator.decide(job, queued + countOf(plan));
      else this.#allocator.leave(job);
      if (plan.length === 0) {
        care.needSince = undefined;
        return;
      }
      if (queued === 0 && this.#isBeingSubmitted(job, care)) return;
      care.needSince ??= clock.now();
      // Each later steward gives those before it time to act: that functions are there is the evidence that one did.
      if (clock.now() - care.needSince < this.#rank(job) * stewardDelayMs) return;
      care.needSince = undefined;
      await this.#append(job, plan);
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      this.context.platform.report('warning', `No parts could be queued: ${error.message}`);
    } finally {
      care.busy = false;
    }
  }

  #isBeingSubmitted(job: JobId, care: Care): boolean {
    const { committed, manifest } = this.#jobs.get(job)!;
    if (committed > 0 || this.context.platform.clock.now() - care.knownAt >= submitterFirstMs) return false;
    return this.#members.some(({ identity, status }) => identity === manifest.submitter && status === 'alive');
  }

  async #plan(job: JobId, care: Care) {
    const known = this.#jobs.get(job)!;
    const decisions = await this.context.ask(ledgerContract, 'decisions', 'lookup', { job, from: 0, max: lookupMax });
    if (!decisions.ok) return decisions;
    const records = await this.context.ask(queueContract, 'records', 'query', { job });
    if (!records.ok) return records;
    const loans = await this.context.ask(ledgerContract, 'loans', 'query', { job });
    if (!loans.ok) return loans;
    const atHome = isAtHome(known.home, this.#groups);
    const undecided = atHome
      ? decisions.value.body.undecided
      : lentTo(this.#groups!.answersFor, decisions.value.body.undecided, loans.value.body.loans);
    if (care.recent.length === 0 && known.committed > 0 && undecided.length > 0) {
      await this.#measure(job, Math.max(0, undecided[0]!.range[0] - lookBackItems), 256);
    }
    const parts = await this.#parts(known, undecided);
    if (!parts.ok) return parts;
    const live = this.#promising(records.value.body.records, care, known.manifest.itemMs);
    const plan = planAppends({
      parts: parts.value,
      undecided,
      queued: [...live.map(({ range }) => range), ...(atHome ? this.#away(known, care, loans.value.body.loans) : [])],
      waiting: live.filter(({ state }) => state === 'waiting').length,
      workers: this.#workers(),
      rttMs: middleRttMs(this.#members),
      recent: care.recent,
    });
    return { ok: true as const, value: { plan, queued: live.length } };
  }

  /** What other groups have of the job: as good as queued. */
  #away({ manifest }: JobSummary, care: Care, loans: readonly Loan[]): Range[] {
    const own = this.#groups?.answersFor ?? [];
    const counting = care.loans.counting(
      loans.filter(({ to }) => !own.includes(to)),
      this.context.platform.clock.now(),
      (peer) => peer === this.context.self.peer || this.#members.some((member) => member.peer === peer),
      (group) => this.#isHeard(group),
      (items) => patienceWith(items, manifest.itemMs, care.recent),
    );
    return counting.flatMap(({ open }) => open);
  }

  #isHeard(group: GroupId): boolean {
    return (
      this.#groups?.neighbours.some(
        ({ answersFor, heardMsAgo }) => answersFor.includes(group) && (heardMsAgo ?? Infinity) <= exportLeaseMs,
      ) === true
    );
  }

  /** The submitter's own tab gives its job a new home, here, when nobody hears of the old one any more: its group was dissolved, or is away. */
  async #rehome(job: JobId, care: Care): Promise<void> {
    const known = this.#jobs.get(job);
    if (known === undefined || this.#groups === undefined || known.manifest.submitter !== this.context.self.identity) return;
    const now = this.context.platform.clock.now();
    if (isAtHome(known.home, this.#groups) || this.#isHeard(known.home)) {
      care.homelessSince = undefined;
      return;
    }
    care.homelessSince ??= now;
    const wasAlone = known.home === this.#lone && this.#groups.group !== this.#lone;
    if (now - care.homelessSince < homelessAfterMs && !wasAlone) return;
    care.homelessSince = undefined;
    const body = { kind: 'setting' as const, version: 1, home: this.context.self.group() };
    unwrap(await this.context.ask(ledgerContract, 'events', 'create', { job, body }, { timeoutMs: appendTimeoutMs }));
  }

  /** The parts of the input that hold the undecided items. */
  async #parts({ id, manifest }: JobSummary, undecided: readonly Undecided[]): Promise<Outcome<readonly InputPart[]>> {
    if (manifest.open !== true || undecided.length === 0) return success([{ part: null, first: 0, input: manifest.input }]);
    const [from, end] = [undecided[0]!.range[0], undecided.at(-1)!.range[1]];
    const reply = await this.context.ask(ledgerContract, 'parts', 'query', { job: id, from, end });
    return reply.ok ? success(reply.value.body.parts) : reply;
  }

  /** Records that are not lost, and have not lain for longer than functions do. */
  #promising(records: readonly RecordView[], care: Care, itemMs: number): RecordView[] {
    const now = this.context.platform.clock.now();
    const before = new Map(care.since);
    care.since.clear();
    if (this.#workers() > 0) for (const { record } of records) care.since.set(record, before.get(record) ?? now);
    return records.filter(({ record, range, state }) => {
      const lain = now - (care.since.get(record) ?? now);
      return state !== 'lost' && lain <= patienceWith(range[1] - range[0], itemMs, care.recent);
    });
  }

  async #append(job: JobId, plan: readonly Append[]): Promise<void> {
    for (const { round, ranges } of plan) {
      unwrap(
        await this.context.ask(
          queueContract,
          'records',
          'create',
          { job, round, ranges: ranges.map(([first, end]): [number, number] => [first, end]) },
          { timeoutMs: appendTimeoutMs },
        ),
      );
    }
  }

  #workers(): number {
    const others = this.#members.filter(({ peer, status }) => peer !== this.context.self.peer && status === 'alive');
    return others.reduce((sum, { offer }) => sum + (offer?.sandbox.workersAllowed ?? 0), this.#ownWorkers);
  }

  /** Adds what the decided spans from `from` on took. An event's spans count as one function. */
  async #measure(job: JobId, from: number, max: number): Promise<void> {
    const reply = await this.context.ask(ledgerContract, 'decisions', 'query', { job, from, max });
    if (!reply.ok) return;
    const byEvent = new Map<string, { items: number; tookMs: number }>();
    const first = reply.value.body.spans[0]?.event;
    for (const { event, range, tookMs } of reply.value.body.spans) {
      // A few spans asked for: only the event that begins there is news.
      if (max <= measuredMax && event !== first) continue;
      byEvent.set(event, { items: (byEvent.get(event)?.items ?? 0) + range[1] - range[0], tookMs });
    }
    const { recent } = this.#careFor(job);
    recent.push(...[...byEvent.values()].slice(-measuredMax));
    recent.splice(0, recent.length - measuredMax);
  }
}

const countOf = (plan: readonly Append[]) => plan.reduce((sum, { ranges }) => sum + ranges.length, 0);
