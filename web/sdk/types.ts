// The public API, `globalThis.lull` (DESIGN section 4). What is not built yet is absent.
import type { IdentityId, JobId, ObjectId, PeerId } from '../kernel/lib/ids.ts';
import type { MemberState } from '../kernel/protocol/contracts/groups.ts';
import type { Member } from '../kernel/protocol/contracts/membership.ts';
import type { Limits, ResourceState } from '../kernel/protocol/contracts/resources.ts';
import type { Running } from '../kernel/protocol/contracts/executor.ts';

export type { Limits } from '../kernel/protocol/contracts/resources.ts';

/** Names an object of the network. */
export interface ObjectRef {
  readonly object: ObjectId;
  readonly size: number;
  readonly name: string;
  readonly type: string;
}

export type JobState = 'uploading' | 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled';

export interface Progress {
  /** Those there are so far, where the job is open. */
  readonly items: number;
  readonly committed: number;
  /** Items in parts that a member holds a claim on now. */
  readonly running: number;
  readonly failed: number;
  readonly ratePerSecond: number;
  /** null while nothing is known. */
  readonly etaSeconds: number | null;
}

export interface ItemFailure {
  readonly message: string;
  readonly name: string;
  readonly stack: string;
  readonly input: unknown;
}

interface Outcome {
  readonly index: number;
  readonly by: readonly string[];
  readonly tookMs: number;
  /** What `task.log` and `console` wrote while it ran, a line each; absent where they wrote nothing. */
  readonly logs?: readonly string[];
}
export type Result =
  | (Outcome & { readonly value: unknown })
  /** An item that failed for good. */
  | (Outcome & { readonly error: ItemFailure });

/** A run of items for people to look at: [first, end) of the job's items, all in the same state. */
export interface Span {
  readonly range: readonly [first: number, end: number];
  readonly state: 'committed' | 'failed' | 'claimed' | 'waiting';
  /** The identity that computed it, or whose member holds the claim; '' where nobody is known. */
  readonly by: string;
}

export interface Contributor {
  readonly identity: IdentityId;
  /** Two words derived from the identity. */
  readonly name: string;
  readonly items: number;
  readonly parts: number;
  readonly tookMs: number;
}

/** Who ran what, and what is claimed now. */
export interface Overview {
  /** Ascending, without overlap; what lies in no span is waiting. */
  readonly spans: readonly Span[];
  /** Most items first. */
  readonly contributors: readonly Contributor[];
}

/** What one member of the group does of a job. */
export interface MemberStanding {
  readonly peer: PeerId;
  readonly identity: IdentityId;
  readonly name: string;
  readonly self: boolean;
  /** False where it did not answer in time: then nothing else is known. */
  readonly answered: boolean;
  /** Whether the job may use it, as its steward said; null where no steward said anything. */
  readonly allocated: boolean | null;
  /** Parts it has claimed, those that run among them. */
  readonly claimed: number;
  readonly runs: readonly { readonly range: readonly [first: number, end: number]; readonly items: number; readonly finished: number }[];
  /** Why it does nothing of the job, one sentence for a person; '' where it does something. */
  readonly why: string;
}

/** So many members, for one reason: `{ members: 3, words: 'in use by their owner' }`. */
export interface Constraint {
  readonly members: number;
  readonly words: string;
}

/** How a job stands in the page's own group: what the kernel of every member says of it, joined to the ledger. */
export interface Standing {
  readonly members: readonly MemberStanding[];
  /** Which constraint keeps how many members from it, the most first. */
  readonly constraints: readonly Constraint[];
  /** The same as a sentence; '' where nobody is kept from it. */
  readonly sentence: string;
  /** Parts in the group's queue that nobody has claimed, and those that somebody has. */
  readonly waiting: number;
  readonly claimed: number;
  /** Undecided items that are lent to another group, or by one. */
  readonly lentItems: number;
}

export type Inputs =
  | { readonly range: readonly [first: number, end: number] }
  | { readonly items: readonly unknown[] }
  /** One item a line of a UTF-8 text. */
  | { readonly lines: ObjectRef }
  | { readonly chunks: ObjectRef; readonly bytes: number };

export interface JobSpec {
  readonly name: string;
  /** An ES module: `export default (item, task) => result`, async or not. */
  readonly code: string | ObjectRef;
  readonly runtime?: 'js';
  readonly inputs: Inputs;
  /** More input may be appended, until the job is closed. Then `inputs` may be empty: `{ items: [] }`. */
  readonly open?: boolean;
  readonly args?: unknown;
  /** An ES module: `export default (values, task) => value`, given the values in input order and the job's args; run where results are collected. */
  readonly reduce?: string;
  readonly signal?: AbortSignal;
  readonly expiresAt?: Date;
  /** Only 1 until verification is built. */
  readonly redundancy?: 1;
  readonly priority?: number;
  /** Items that may fail before the job does. Default: all of them. */
  readonly failuresMax?: number;
  /**
   * `itemMs`: what one item may take. `totalMs`: what all items together may take of processors; then the job ends as failed, with its results so far.
   * `memoryMiB`: what a memory of WebAssembly may grow to; donors who allow less do not run the job.
   */
  readonly limits?: { readonly itemMs?: number; readonly totalMs?: number; readonly memoryMiB?: number };
}

export interface Job extends AsyncIterable<Result> {
  readonly id: JobId | string;
  readonly name: string;
  readonly state: JobState;
  /** Why it failed, or what it waits for; one sentence for a person, may be empty. */
  readonly reason: string;
  /** Takes more input: it ends only when it is closed and all its items are decided. */
  readonly open: boolean;
  readonly progress: Progress;
  /** Resolves when this tab may be closed. Rejects when the job could not be handed over. */
  readonly ready: Promise<void>;
  /** True once `ready` has resolved and another member keeps the job too. */
  readonly closable: boolean;
  /** Never rejects. */
  readonly done: Promise<JobState>;
  /**
   * Results in input order, from the first on. Where the job failed before it gave any (its code cannot be loaded), the loop throws with code
   * 'job-ended' and the reason; `asCompleted` does, too.
   */
  [Symbol.asyncIterator](): AsyncIterator<Result>;
  /** All results in input order, when the job has ended: an open one is waited for until it is closed. */
  results(): Promise<Result[]>;
  /** All values in input order; an AggregateError lists failed items. */
  values(): Promise<unknown[]>;
  asCompleted(): AsyncIterable<Result>;
  /** Results [from, from + max) that are decided so far, in input order. */
  peek(from: number, max: number): Promise<Result[]>;
  /** At most `overviewSpansMax` spans (10 000): neighbours of one state are joined first where there are more. */
  overview(): Promise<Overview>;
  /** Who works on it, who does not and why: asked of every member of the group, which takes up to two seconds where one is silent. */
  standing(): Promise<Standing>;
  /**
   * Folds the values in input order as they come, so that they need not be in memory all at once: `step(before, value, index)`, beginning
   * with `initial`. Rejects with an ItemError at the first item that failed, and with code 'job-ended' where the job ended early.
   */
  reduce<A>(step: (before: A, value: unknown, index: number) => A, initial: A): Promise<A>;
  /** The modules the job runs, as they were given; `reduce` is null where it has no such step. */
  source(): Promise<{ readonly code: string; readonly reduce: string | null }>;
  /** Values of the inputs of items [from, from + max), in order; `undefined` where an input cannot be had now. */
  inputs(from: number, max: number): Promise<unknown[]>;
  /** The arguments given with the job: `task.args`. */
  readonly args: unknown;
  /** Who submitted it; only that identity may pause, resume or cancel it. */
  readonly submitter: IdentityId;
  readonly hasReduce: boolean;
  /** By the submitter's clock, ms since 1970. */
  readonly createdAt: number;
  /** The reduce step over all values; rejects with a typed error where the job has none. */
  reduced(options?: ReduceOptions): Promise<unknown>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  cancel(): Promise<void>;
  setPriority(priority: number): Promise<void>;
  /**
   * More input for an open job, behind what it has. Resolves when that is acknowledged; the input keeps its place and its indices from
   * then on, unless another tab of the same identity appended at the same moment: then it may come behind that one's. Rejects with
   * code 'job-ended' and "The job is closed." where it is.
   */
  append(inputs: Inputs | readonly unknown[]): Promise<void>;
  /** The job takes no more input. */
  close(): Promise<void>;
  /** Tries all failed items again, or runs those listed anew, also where they have a result. */
  retry(indices?: readonly number[]): Promise<void>;
  subscribe(listener: () => void): () => void;
}

/** What the code gets as its second argument. `now` and `random` are seeded by job and index: run again, an item sees the same. */
export interface Task {
  /** Which item this is, from 0. */
  readonly index: number;
  /** The job’s arguments. */
  readonly args: unknown;
  /** Aborted when the item’s time is up. */
  readonly signal: AbortSignal;
  /** How far the item is, 0 to 1. */
  progress(fraction: number): void;
  /** A line that travels with the result; you read it on the job’s page. */
  log(...parts: unknown[]): void;
  /** Milliseconds, one more with each call: the same whenever the item is run. */
  now(): number;
  /** Uniform in [0, 1), seeded by job and item: run again, the same. */
  random(): number;
}

export interface PeerInfo extends Member {
  /** Two words derived from the identity. */
  readonly name: string;
  readonly self: boolean;
}

/** A group of tabs that work as one computer. */
export interface GroupInfo {
  readonly group: string;
  /** For people, derived from the id. */
  readonly name: string;
  /** This page's own. */
  readonly self: boolean;
  /** A bridge hears it; the own one always is. */
  readonly reachable: boolean;
  /** Of a neighbour: as it said last. */
  readonly members: readonly { readonly peer: PeerId; readonly identity: IdentityId; readonly name: string; readonly state: MemberState }[];
  /** Links between the own group and this one: who holds them, here and there. */
  readonly bridges: readonly { readonly here: PeerId; readonly there: PeerId }[];
  readonly spareWorkers: number;
  readonly waitingFunctions: number;
}

export interface Metrics {
  readonly resources: ResourceState;
  readonly running: readonly Running[];
  readonly given: { readonly parts: number; readonly items: number; readonly cpuMs: number; readonly itemsPerSecond: number };
  /**
   * What keeps how many members of the group, this one included, from working for anybody, the most first: it is what jobs wait for. What
   * else keeps one job waiting, its memory or a donor's choice, `job.standing()` asks the members.
   */
  readonly constraints: readonly Constraint[];
  /** The same as a sentence; '' where nobody is kept from it. */
  readonly sentence: string;
}

export interface ReduceOptions {
  /** Results read of all there are; once all are read the step itself runs. */
  readonly onProgress?: (items: number, of: number) => void;
}

export interface PutOptions {
  readonly name?: string;
  readonly type?: string;
  readonly expiresAt?: Date;
  readonly signal?: AbortSignal;
  readonly onProgress?: (doneBytes: number, allBytes: number) => void;
}
export interface GetOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (doneBytes: number, allBytes: number) => void;
}

export interface Lull {
  /** Joined a group, or alone. */
  readonly ready: Promise<void>;
  readonly self: {
    readonly peer: PeerId;
    readonly identity: IdentityId;
    readonly name: string;
    readonly group: string;
    readonly uri: string;
  };
  /** `finish`, with `on` false: stop as soon as the parts that run now have ended; somebody's input still stops them at once. */
  donate(on: boolean, limits?: Partial<Limits>, options?: { readonly finish?: boolean }): Promise<void>;
  /**
   * `fn` is sent as text: it sees its arguments and nothing around it. A module's text, or an object that holds one, will do as well.
   * Returns at once, in state 'uploading'.
   */
  map<Item>(
    fn: ((item: Item, task: Task) => unknown) | string | ObjectRef,
    inputs: readonly Item[] | Inputs,
    options?: Partial<Omit<JobSpec, 'code' | 'inputs'>>,
  ): Job;
  /** Resolves when the tab may be closed. */
  submit(spec: JobSpec): Promise<Job>;
  jobs(): Job[];
  job(id: string): Job | undefined;
  /** Asks the network where this tab does not know the job. */
  find(id: string): Promise<Job>;
  put(data: Uint8Array | Blob | string, options?: PutOptions): Promise<ObjectRef>;
  get(ref: ObjectRef | string, options?: GetOptions): Promise<Blob>;
  peers(): PeerInfo[];
  /** The own group first, then its neighbours. */
  groups(): GroupInfo[];
  metrics(): Metrics;
}
