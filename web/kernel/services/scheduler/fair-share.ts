// Whose job this tab serves next: weighted fair queueing of worker time, after Goyal, Vin and Cheng, "Start-time Fair Queueing" (SIGCOMM
// 1996), in two levels. Those whom this donor follows (itself among them) have a share each; all others share one. Within it every
// submitter has the same, whatever the number of its jobs. A submitter's own jobs go by priority, then by age.
import type { IdentityId, JobId } from '../../lib/ids.ts';

export interface Wanting {
  readonly id: JobId;
  readonly submitter: IdentityId;
  readonly priority: number;
  /** By the submitter's clock: orders only its own jobs. */
  readonly createdAt: number;
}

/** Parts of the worker time, of those that want some. */
export interface Shares {
  readonly eachFollowed: number;
  readonly allOthers: number;
}
const equalShares: Shares = { eachFollowed: 1, allOthers: 1 };

/** What a function is taken to cost before one of its submitter has ended here. */
const functionMsGuess = 100;
const submittersMax = 1_024;
const others = 'others';

/** Something that has a share among its siblings. Virtual time is worker time by weight, in milliseconds. */
interface Queue {
  /** Served so far, with what its functions in hand are expected to take: whoever has least comes first. */
  virtualMs: number;
  /** The order of equals: who was served longest ago. */
  lastTurn: number;
  /** Wanted something when last looked at: who did not begins where the others are, and has saved nothing up. */
  wanting: boolean;
}

interface Level {
  /** Where the one served last began. */
  virtualMs: number;
  readonly queues: Map<string, Queue>;
}

interface Account {
  inHand: number;
  functionMs: number;
}

/** A function taken: what it was expected to cost, until it is known. */
export interface Debit {
  readonly submitter: IdentityId;
  readonly expectedMs: number;
}

export class FairShare {
  readonly #top: Level = { virtualMs: 0, queues: new Map() };
  readonly #strangers: Level = { virtualMs: 0, queues: new Map() };
  readonly #accounts = new Map<IdentityId, Account>();
  #turn = 0;

  constructor(
    /** May change its mind; whoever it is asked about then begins where the others are. */
    private readonly follows: (submitter: IdentityId) => boolean,
    private readonly shares: Shares = equalShares,
  ) {}

  /** Jobs in order of preference: whoever's turn it is first, all of its jobs; then whoever comes next if those have nothing to claim. */
  order(jobs: readonly Wanting[]): Wanting[] {
    const bySubmitter = new Map<IdentityId, Wanting[]>();
    for (const job of jobs) {
      const own = bySubmitter.get(job.submitter);
      if (own === undefined) bySubmitter.set(job.submitter, [job]);
      else own.push(job);
    }
    const strangers = [...bySubmitter.keys()].filter((submitter) => !this.follows(submitter));
    const followed = [...bySubmitter.keys()].filter((submitter) => this.follows(submitter));
    arrive(this.#top, [...followed, ...(strangers.length > 0 ? [others] : [])]);
    arrive(this.#strangers, strangers);
    return inTurn(this.#top)
      .flatMap((name) => (name === others ? inTurn(this.#strangers) : [name]))
      .flatMap((submitter) =>
        bySubmitter
          .get(submitter as IdentityId)!
          .toSorted((a, b) => b.priority - a.priority || a.createdAt - b.createdAt || compare(a.id, b.id)),
      );
  }

  /**
   * A function of `submitter` was taken, out of an order in which those `passedOver` came first and had nothing to claim: they wait
   * for work, not for us, and save nothing up meanwhile.
   */
  took(submitter: IdentityId, passedOver: Iterable<IdentityId> = []): Debit {
    const account = this.#account(submitter);
    account.inHand++;
    const expectedMs = account.functionMs;
    const turn = ++this.#turn;
    for (const { level, queue } of this.#path(submitter)) {
      level.virtualMs = Math.max(level.virtualMs, queue.virtualMs);
      queue.lastTurn = turn;
    }
    const served = new Set(this.#path(submitter).map(({ queue }) => queue));
    for (const other of passedOver) {
      for (const { level, queue } of this.#path(other)) {
        if (!served.has(queue)) queue.virtualMs = Math.max(queue.virtualMs, level.virtualMs);
      }
    }
    this.#charge(submitter, expectedMs);
    this.#forgetSome();
    return { submitter, expectedMs };
  }

  /** It has ended: what counts is how long it had a worker. */
  ended({ submitter, expectedMs }: Debit, workerMs: number): void {
    const account = this.#account(submitter);
    account.inHand = Math.max(0, account.inHand - 1);
    if (workerMs > 0) account.functionMs = workerMs;
    this.#charge(submitter, workerMs - expectedMs);
  }

  #charge(submitter: IdentityId, ms: number): void {
    const [top, inner] = this.#path(submitter);
    top!.queue.virtualMs += ms / (inner === undefined ? this.shares.eachFollowed : this.shares.allOthers);
    if (inner !== undefined) inner.queue.virtualMs += ms;
  }

  /** Its queue at the top, and below it where it is one of many. */
  #path(submitter: IdentityId): readonly { readonly level: Level; readonly queue: Queue }[] {
    if (this.follows(submitter)) return [{ level: this.#top, queue: queueOf(this.#top, submitter) }];
    return [
      { level: this.#top, queue: queueOf(this.#top, others) },
      { level: this.#strangers, queue: queueOf(this.#strangers, submitter) },
    ];
  }

  #account(submitter: IdentityId): Account {
    let account = this.#accounts.get(submitter);
    if (account === undefined) this.#accounts.set(submitter, (account = { inHand: 0, functionMs: functionMsGuess }));
    return account;
  }

  /** Who wants nothing and is owed nothing is forgotten first; nobody with a function in hand. */
  #forgetSome(): void {
    for (const [submitter, { inHand }] of this.#accounts) {
      if (this.#accounts.size <= submittersMax) return;
      const level = this.follows(submitter) ? this.#top : this.#strangers;
      if (inHand > 0 || level.queues.get(submitter)?.wanting === true) continue;
      this.#accounts.delete(submitter);
      level.queues.delete(submitter);
    }
  }
}

function queueOf(level: Level, name: string): Queue {
  let queue = level.queues.get(name);
  if (queue === undefined) level.queues.set(name, (queue = { virtualMs: level.virtualMs, lastTurn: 0, wanting: false }));
  return queue;
}

function arrive(level: Level, names: readonly string[]): void {
  const wanted = new Set(names);
  for (const [name, queue] of level.queues) {
    if (wanted.has(name)) continue;
    queue.wanting = false;
    // It would begin here anyway.
    if (queue.virtualMs <= level.virtualMs) level.queues.delete(name);
  }
  for (const name of names) {
    const queue = queueOf(level, name);
    if (!queue.wanting) queue.virtualMs = Math.max(queue.virtualMs, level.virtualMs);
    queue.wanting = true;
  }
}

const inTurn = (level: Level) =>
  [...level.queues]
    .filter(([, { wanting }]) => wanting)
    .toSorted(([a, x], [b, y]) => x.virtualMs - y.virtualMs || x.lastTurn - y.lastTurn || compare(a, b))
    .map(([name]) => name);

const compare = <T extends string>(a: T, b: T) => (a < b ? -1 : a > b ? 1 : 0);
