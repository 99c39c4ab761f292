// The donor's loop: claims functions ahead of need, runs them, commits what they gave, gives back the rest.
//
//   claim --> look up what is undecided --> run (the executor fetches while it waits for a slot) --> commit --> done / release
//
// Claiming goes on while others run and commit; whatever ends early commits its finished items first.
import type { JobId, RecordId } from '../../lib/ids.ts';
import { itemAttemptsMax } from '../../limits.ts';
import type { Cancel } from '../../platform.ts';
import { executorContract, type Running } from '../../protocol/contracts/executor.ts';
import { ledgerContract, type JobSummary, type LongItem } from '../../protocol/contracts/ledger.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import { queueContract, type Claim } from '../../protocol/contracts/queue.ts';
import type { ResourceState } from '../../protocol/contracts/resources.ts';
import type { schedulerContract } from '../../protocol/contracts/scheduler.ts';
import type { ExclusionCode } from '../../protocol/exclusions.ts';
import type { ReasonCode } from '../../protocol/reasons.ts';
import type { Range } from '../../protocol/schemas.ts';
import type { ServiceContext } from '../../service.ts';
import type { Words } from './allocate.ts';
import { excluded, sameChoice } from './choice.ts';
import { ClaimPace } from './claim-pace.ts';
import { Committer } from './committer.ts';
import { exclusionOf } from './exclusion.ts';
import { FairShare, type Debit, type Wanting } from './fair-share.ts';
import { FirstPart } from './first-part.ts';
import { before, itemsOf } from './gifts.ts';
import { GivenCounter } from './given.ts';
import { tooLongHere, withoutItems } from './long-items.ts';
import { Giver, type Givable } from './giver.ts';
import { HandIn } from './hand-in.ts';
import { isOpen, wantsWork } from './open-jobs.ts';
import { Receipts } from './receipts.ts';
import { Resting } from './resting.ts';
import type { Undecided } from './steward.ts';
import { waitingFor } from './waiting-for.ts';

const claimsAskedMax = 4;
/** Functions that are being committed while others run; more, and no further ones are claimed. */
const commitsMax = (workers: number) => 2 * workers + 4;
const piecesMax = 1_024;
const pollMs = 500;
/** A function runs as long as its items may; a week is longer than any sandbox lives. */
const runTimeoutMs = 7 * 24 * 3_600_000;
const claimTimeoutMs = 30_000;
const elsewhereAvoidMs = 3_000;
/** What was given to others is theirs for so long. */
const givenAvoidMs = 2_000;
/** What nobody else took for this long although it failed here is tried here again. */
const elsewhereMsMax = 10_000;
/** What was interrupted again and again, and nobody else took for this long, is tried here all the same. */
const longItemsMsMax = 60_000;
/** An item that was stopped sooner says nothing about how long items are. */
const longItemMsMin = 5_000;
const troubleAvoidMs = 1_000;
const unloadableAvoidMs = 10 * 60_000;
const loadAgainMs = 8_000;
const skippedMax = 1_024;

interface InHand extends Givable {
  readonly claim: Claim;
  readonly job: JobSummary;
  readonly debit: Debit;
  phase: 'running' | 'committing';
  /** Set when the claim was lost or the job stopped: what is finished may still be committed unless the job has ended. */
  stopping: boolean;
  /** Not begun, and left to others. */
  given: boolean;
  mine: readonly Undecided[] | undefined;
  workerMs: number;
}

export class Worker {
  readonly given = new GivenCounter();
  readonly receipts: Receipts;
  readonly #committer: Committer;
  readonly #inHand = new Map<RecordId, InHand>();
  readonly #share: FairShare;
  readonly #giver: Giver<InHand>;
  readonly #resting: Resting;
  readonly #pace: ClaimPace;
  readonly #firstPart: FirstPart;
  readonly #skippedSince = new Map<RecordId, number>();
  /** How often this tab said that it cannot load a job's code, and when last. */
  readonly #unloadable = new Map<JobId, { readonly times: number; readonly at: number }>();
  #jobs = new Map<JobId, JobSummary>();
  #members: readonly Member[] = [];
  #resources: ResourceState | undefined;
  #asking = 0;
  #poll: Cancel | undefined;
  #running = false;
  #waiting = 0;

  constructor(
    private readonly context: ServiceContext<typeof schedulerContract>,
    private readonly changed: () => void,
    private readonly words: Pick<Words, 'allocated'>,
  ) {
    this.#committer = new Committer(context);
    const { clock, storage, report } = context.platform;
    this.#resting = new Resting(clock);
    this.#pace = new ClaimPace(clock, () => this.#pump());
    this.#firstPart = new FirstPart(clock, context);
    this.receipts = new Receipts(clock, storage, (message) => report('warning', message));
    this.#share = new FairShare(
      (submitter) => submitter === context.self.identity || this.#resources?.limits.follow.includes(submitter) === true,
    );
    this.#giver = new Giver(context, {
      allowed: () => this.#allowed(),
      members: () => this.#members,
      inHand: () => this.#inHand.values(),
      release: (which) => {
        for (const one of which) one.given = true;
        this.#stopRuns((one) => which.includes(one));
      },
    });
  }

  start(): void {
    this.#running = true;
    void this.receipts.recall();
    this.#schedulePoll();
  }

  stop(): void {
    this.#running = false;
    this.receipts.stop();
    this.#poll?.();
    this.#poll = undefined;
    this.#pace.stop();
    for (const one of this.#inHand.values()) {
      one.stopping = true;
      // What has not begun has nothing to commit: others may have it before this tab is gone.
      if (one.phase === 'running' && !this.#giver.hasBegun(one.claim.record)) this.#end(one.claim, 'release', 0);
    }
    if (this.#inHand.size > 0) void this.context.ask(executorContract, 'runs', 'delete', { records: null });
  }

  setTeam(mark: string | null): void {
    this.#committer.team = mark;
  }

  setRunning(running: readonly Running[]): void {
    this.#giver.setRunning(running);
  }

  setMembers(members: readonly Member[]): void {
    this.#members = members;
  }

  setResources(state: ResourceState): void {
    const before = this.#allowed();
    const chosen = sameChoice(this.#resources?.limits, state.limits);
    this.#resources = state;
    if (!chosen) this.#stopRuns(({ job }) => this.#excluded(job) !== '');
    // The executor stops its workers by itself; what only waits for a slot comes back by this.
    const after = this.#allowed();
    if (after === 0 && before > 0) this.#stopRuns(() => true);
    else if (after < before) this.#giveBackAhead(2 * after);
    this.changed();
    this.#pump();
  }

  setJobs(jobs: ReadonlyMap<JobId, JobSummary>): void {
    // What waits of a new job may have been heard of before the job was.
    if ([...jobs.keys()].some((id) => !this.#jobs.has(id))) this.#pace.heard(1);
    this.#jobs = new Map(jobs);
    this.#stopRuns(({ claim }) => {
      const job = this.#jobs.get(claim.job);
      return job === undefined || !isOpen(job);
    });
    this.#resting.forgetAllBut(this.#jobs);
    for (const id of this.#unloadable.keys()) if (!this.#jobs.has(id)) this.#unloadable.delete(id);
    this.#pump();
  }

  /** So many functions may be claimable. */
  nudge(waiting: number): void {
    this.#giver.setWaiting(waiting);
    this.#pace.heard(waiting);
    this.#pump();
  }

  /** The queue could not renew these: somebody else may own them by now. */
  claimsLost(records: readonly RecordId[]): void {
    const lost = new Set(records);
    this.#stopRuns(({ claim }) => lost.has(claim.record));
  }

  counts(): { claimed: number; running: number } {
    const runningNow = [...this.#inHand.values()].filter(({ phase }) => phase === 'running').length;
    return { claimed: this.#inHand.size, running: Math.min(runningNow, this.#allowed()) };
  }

  /** Why nothing runs here, in a sentence for people; '' while something does. */
  waitingFor(): string {
    return waitingFor({
      mayRun: this.#allowed() > 0,
      reason: this.#resources?.reason.sentence,
      inHand: this.#inHand.size,
      jobs: [...this.#jobs.values()],
      isExcluded: (job) => this.#excluded(job) !== '',
      restOf: (id) => this.#resting.of(id)?.why,
      claimable: this.#waiting,
    });
  }

  /** Why nothing of this job runs here, for its submitter. */
  exclusionOf(id: JobId): ExclusionCode | ReasonCode {
    const job = this.#jobs.get(id);
    return exclusionOf({
      self: this.context.self.identity,
      job,
      wanted: job !== undefined && wantsWork(job),
      resources: this.#resources,
      leftAlone: this.#resting.of(id)?.code,
      others: this.#inHand.size,
      claimable: this.#waiting,
    });
  }

  /** Its person chose not to run such a job, or allows less memory than it asks for. */
  declines = (id: JobId): boolean => this.#jobs.has(id) && this.#excluded(this.#jobs.get(id)!) !== '';

  readonly #excluded = (job: JobSummary) => excluded(job, this.#resources?.limits, this.context.self.identity);

  #finishing(): boolean {
    return this.#resources?.finishing === true;
  }

  #allowed(): number {
    return this.#running ? (this.#resources?.workersAllowed ?? 0) : 0;
  }

  /** Keeps `count` functions in hand; of those that have not begun the latest go first. */
  #giveBackAhead(count: number): void {
    const running = [...this.#inHand.values()].filter(({ phase, stopping }) => phase === 'running' && !stopping);
    const ahead = running.filter(({ claim }) => !this.#giver.hasBegun(claim.record));
    const surplus = new Set(ahead.slice(Math.max(0, ahead.length - Math.max(0, running.length - count))));
    this.#stopRuns((one) => surplus.has(one));
  }

  #stopRuns(which: (one: InHand) => boolean): void {
    const records: RecordId[] = [];
    for (const one of this.#inHand.values()) {
      if (one.phase !== 'running' || one.stopping || !which(one)) continue;
      one.stopping = true;
      records.push(one.claim.record);
    }
    for (let i = 0; i < records.length; i += 256)
      void this.context.ask(executorContract, 'runs', 'delete', { records: records.slice(i, i + 256) });
  }

  #schedulePoll(): void {
    this.#poll = this.context.platform.clock.after(pollMs, () => {
      this.#schedulePoll();
      this.#pump();
      this.#giver.look();
    });
  }

  /** Asks for as many functions as there is room for: those that run and as many ahead. */
  #pump(): void {
    const workers = this.#allowed();
    // Who finishes begins nothing new.
    if (workers === 0 || this.#finishing()) return;
    const phases = [...this.#inHand.values()].map(({ phase }) => phase);
    const running = phases.filter((phase) => phase === 'running').length;
    if (!this.#pace.ready()) return;
    if (phases.length - running > commitsMax(workers)) return;
    for (let room = 2 * workers - running - this.#asking; room > 0 && this.#asking < claimsAskedMax; room--) {
      const preference = this.#preference();
      // Who wants nothing does not ask in turns: a job that comes, or the poll where one has rested, begins anew.
      if (preference.length === 0) {
        this.#waiting = 0;
        return;
      }
      this.#asking++;
      void this.#claim(preference).finally(() => {
        this.#asking--;
        this.#pump();
      });
    }
  }

  async #claim(preference: readonly Wanting[]): Promise<void> {
    const jobs = preference.map(({ id }) => id);
    const reply = await this.context.ask(queueContract, 'claims', 'create', { jobs }, { timeoutMs: claimTimeoutMs });
    const claim = reply.ok ? reply.value.body.claim : null;
    this.#waiting = reply.ok ? reply.value.body.waiting : 0;
    if (claim === null) {
      this.#pace.vain(reply.ok ? reply.value.body : undefined);
      this.changed();
      return;
    }
    this.#pace.claimed();
    const job = this.#jobs.get(claim.job);
    if (
      job === undefined ||
      !isOpen(job) ||
      this.#excluded(job) !== '' ||
      this.#allowed() === 0 ||
      this.#finishing() ||
      this.#inHand.has(claim.record)
    )
      return this.#end(claim, 'release', 0);
    const { submitter } = job.manifest;
    const passedOver = new Set(preference.slice(0, jobs.indexOf(claim.job)).map((wanting) => wanting.submitter));
    passedOver.delete(submitter);
    const one: InHand = {
      claim,
      job,
      debit: this.#share.took(submitter, passedOver),
      phase: 'running',
      stopping: false,
      given: false,
      mine: undefined,
      workerMs: 0,
      shortenedTo: undefined,
      givenFrom: undefined,
      giving: undefined,
    };
    this.#inHand.set(claim.record, one);
    this.changed();
    void this.#work(one).finally(() => {
      this.#inHand.delete(claim.record);
      this.#share.ended(one.debit, one.workerMs);
      this.changed();
      this.#pump();
    });
  }

  #preference(): Wanting[] {
    const wanting = [...this.#jobs.values()]
      .filter((job) => wantsWork(job) && this.#excluded(job) === '' && this.#resting.of(job.id) === undefined)
      // A job that is not to use this tab is not claimed ahead of need.
      .filter(({ id }) => this.#inHand.size === 0 || this.words.allocated(id) !== false)
      .map(({ id, manifest, priority }) => ({ id, submitter: manifest.submitter, priority, createdAt: manifest.createdAt }));
    return this.#share.order(wanting);
  }

  /** One claimed function, to its end. */
  async #work(one: InHand): Promise<void> {
    const { claim, job } = one;
    const found = await this.#undecided(claim);
    if (found === undefined) return this.#end(claim, 'release', troubleAvoidMs);
    const { pieces } = found;
    if (pieces.length === 0) return this.#end(claim, 'done', 0);
    const mine = this.#mine(claim.record, found);
    if (mine.length === 0) return this.#end(claim, 'release', elsewhereAvoidMs);
    if (one.stopping || this.#allowed() === 0) return this.#end(claim, 'release', one.given ? givenAvoidMs : 0);
    one.mine = mine;
    const ranges = mine.map(({ range }): [number, number] => [range[0], range[1]]);
    const kept = () => (one.shortenedTo === undefined ? mine : before(mine, one.shortenedTo));
    const handIn = this.#handIn(one, kept);
    const endEarly = this.#firstPart.follow(claim.record, (blobs, buffers) => handIn.take(blobs, buffers));
    const reply = await this.context.ask(
      executorContract,
      'runs',
      'submit',
      { job: job.id, record: claim.record, ranges },
      { timeoutMs: runTimeoutMs },
    );
    one.phase = 'committing';
    this.#pump();
    await endEarly();
    if (!reply.ok) {
      this.#resting.leave(job.id, 'broken', `This tab could not run a part: ${reply.fault.message}`);
      return this.#end(claim, 'release', troubleAvoidMs);
    }
    const { ended, message, workerMs, interrupted, blobs } = reply.value.body;
    one.workerMs = workerMs;
    await handIn.take(blobs, reply.value.buffers);
    const committed = handIn.blobs > 0;
    const failures = handIn.failed > 0;
    if (workerMs > 0) this.receipts.add(job, { ended, cpuMs: workerMs, items: handIn.items, failed: handIn.failed, bytes: handIn.bytes });
    if (interrupted !== null && interrupted.ranMs >= longItemMsMin && this.#allowed() === 0 && !this.#hasEnded(job.id)) {
      const round = mine.find(({ range }) => interrupted.item >= range[0] && interrupted.item < range[1])?.round ?? 0;
      await this.#committer.announce(job.id, { kind: 'interrupted', ...interrupted, round });
    }
    if (ended === 'unloadable') await this.#cannotLoad(job.id, message);
    else if (ended === 'no-data') this.#resting.leave(job.id, 'no-data', message === '' ? 'Waiting for input data from others.' : message);
    else if (ended === 'died') this.#resting.leave(job.id, 'broken', message === '' ? 'The last part broke its sandbox.' : message);
    else if (committed) this.#resting.end(job.id);
    // Until its tail has functions of its own this one stands for it.
    await one.giving;
    const wanted = one.givenFrom === undefined ? pieces : before(pieces, one.givenFrom);
    const complete = ended === 'finished' && handIn.isComplete && !failures && itemsOf(kept()) === itemsOf(wanted);
    // Stopped unasked and with nothing to show for it, it would only be taken again at once.
    const free = ended === 'stopped' && (committed || one.stopping || this.#allowed() === 0);
    await this.#finish(one, complete, failures, free);
  }

  /** Of a function in hand; `kept` are its items that are still this tab's. */
  #handIn({ claim, job }: InHand, kept: () => readonly Undecided[]): HandIn {
    const handIn: HandIn = new HandIn({
      isOver: () => this.#hasEnded(job.id),
      commit: (part) => this.#committer.commit(job.id, job.manifest, claim.record, part, kept()),
      committed: ({ range, tookMs }) => {
        const items = range[1] - range[0];
        if (handIn.blobs === 1) this.given.part();
        this.#firstPart.over();
        this.given.add(this.context.platform.clock.now(), items, tookMs);
        this.#giver.measured(job.id, tookMs / items);
      },
    });
    return handIn;
  }

  /** 'done' only where every item of the record is decided: what failed or was not run stays for others. */
  async #finish(one: InHand, complete: boolean, failures: boolean, freeAtOnce: boolean): Promise<void> {
    const { claim, givenFrom } = one;
    const undecided = complete ? [] : (await this.#undecided(claim))?.pieces;
    const left = undecided === undefined || givenFrom === undefined ? undecided : before(undecided, givenFrom);
    if (left?.length === 0) return this.#end(claim, 'done', 0);
    // The tail has functions of its own: what is left of the head gets one too, so that nobody claims both in this one.
    if (left !== undefined && givenFrom !== undefined && (await this.#giver.append(claim.job, left, 1))) return this.#end(claim, 'done', 0);
    if (one.given) return this.#end(claim, 'release', givenAvoidMs);
    if (freeAtOnce) return this.#end(claim, 'release', 0);
    const elsewhere = failures && left?.some((piece) => this.#othersMayTry(piece)) === true;
    return this.#end(claim, 'release', elsewhere ? elsewhereAvoidMs : failures ? 0 : troubleAvoidMs);
  }

  async #undecided({ job, range }: Claim): Promise<{ readonly pieces: Undecided[]; readonly long: readonly LongItem[] } | undefined> {
    const reply = await this.context.ask(ledgerContract, 'decisions', 'lookup', { job, from: range[0], end: range[1], max: piecesMax });
    if (!reply.ok) return undefined;
    // Clipped: a ledger may answer with the whole undecided run that touches the range.
    const { undecided, long } = reply.value.body;
    const pieces = undecided.flatMap((piece) => {
      const [first, end]: Range = [Math.max(piece.range[0], range[0]), Math.min(piece.range[1], range[1])];
      return first < end ? [{ ...piece, range: [first, end] as Range }] : [];
    });
    return { pieces, long };
  }

  /** Others stay idle for longer than this machine does: they get the first try at what was interrupted again and again. */
  #mine(record: RecordId, { pieces, long }: { readonly pieces: readonly Undecided[]; readonly long: readonly LongItem[] }): Undecided[] {
    const { peer } = this.context.self;
    const stretchSeconds = this.#members.find((member) => member.peer === peer)?.offer?.sandbox.stretchSeconds;
    const tooLong = tooLongHere(long, stretchSeconds);
    const here = tooLong.length > 0 && this.#leftAlone(record) < longItemsMsMax ? withoutItems(pieces, tooLong) : pieces;
    return here.filter((piece) => !this.#betterElsewhere(record, piece)).slice(0, piecesMax);
  }

  /** For how long this function has been passed over here. */
  #leftAlone(record: RecordId): number {
    const now = this.context.platform.clock.now();
    const since = this.#skippedSince.get(record) ?? now;
    this.#skippedSince.set(record, since);
    if (this.#skippedSince.size > skippedMax) this.#skippedSince.delete(this.#skippedSince.keys().next().value!);
    return now - since;
  }

  /** What threw here is tried elsewhere, while there is somebody who has not tried it and does so in time. */
  #betterElsewhere(record: RecordId, piece: Undecided): boolean {
    if (!piece.failedBy.includes(this.context.self.identity) || !this.#othersMayTry(piece)) return false;
    return this.#leftAlone(record) < elsewhereMsMax;
  }

  #othersMayTry({ failedBy }: Pick<Undecided, 'failedBy'>): boolean {
    return this.#members.some(
      ({ identity, status, offer }) =>
        identity !== this.context.self.identity &&
        status === 'alive' &&
        (offer?.sandbox.workersAllowed ?? 0) > 0 &&
        !failedBy.includes(identity),
    );
  }

  /** Said once here, for others are to say it too before the job fails; again where they get nothing done either; at once by a lone donor. */
  async #cannotLoad(job: JobId, message: string): Promise<void> {
    const now = this.context.platform.clock.now();
    const others = this.#othersMayTry({ failedBy: [] });
    const said = this.#unloadable.get(job) ?? { times: 0, at: -Infinity };
    const why = 'The code of the waiting job cannot be loaded here.';
    // Functions claimed ahead end in the same way at the same time: that is one finding.
    if (others && now - said.at < loadAgainMs) return;
    const times = said.times + 1;
    const last = times >= itemAttemptsMax || (said.times > 0 && (await this.#someDecided(job)));
    this.#resting.leaveFor(job, last ? unloadableAvoidMs : others ? loadAgainMs : troubleAvoidMs, times, 'unloadable', why);
    if (times > itemAttemptsMax || (last && times < itemAttemptsMax)) return;
    this.#unloadable.set(job, { times, at: now });
    await this.#committer.announce(job, { kind: 'unloadable', message: message.slice(0, 2_000) });
  }

  async #someDecided(job: JobId): Promise<boolean> {
    const reply = await this.context.ask(ledgerContract, 'decisions', 'query', { job, from: 0, max: 1 });
    return reply.ok && reply.value.body.spans.length > 0;
  }

  #hasEnded(id: JobId): boolean {
    const state = this.#jobs.get(id)?.state;
    return state === 'cancelled' || state === 'failed' || state === 'done';
  }

  #end(claim: Claim, how: 'done' | 'release', avoidMs: number): void {
    if (how === 'done') this.#skippedSince.delete(claim.record);
    void this.context.ask(queueContract, 'claims', 'delete', { record: claim.record, how, avoidMs });
  }
}
