// The ports: all that may differ between two runs of the kernel arrives through here. Each port has a contract suite
// (web/kernel/testing/*-contract.ts) that every implementation passes: memory, real, simulated.
import type { Outcome } from './lib/outcome.ts';
import type { GroupId, IdentityId, PeerId, StoreId } from './lib/ids.ts';
import type { MachineSignals } from './protocol/contracts/resources.ts';
import type { SignedDenyList, SignedReport } from './protocol/deny-list.ts';
import type { ProbeReading, SandboxEvent, SandboxJob, SandboxSpan } from './protocol/sandbox.ts';

export type Cancel = () => void;

/** Time. Callbacks never run before `after` has returned; order of equal times is the order of the calls. */
export interface Clock {
  /** Milliseconds on a monotonic clock of unknown origin. */
  now(): number;
  /** Milliseconds since 1970 by the person's clock: for display and `expires` only, never for safety. */
  wall(): number;
  /** Runs `run` once, `ms` or more from now. Cancelling twice, or after it ran, does nothing. */
  after(ms: number, run: () => void): Cancel;
}

/** Randomness. `bytes` is fit for ids and keys. */
export interface Random {
  bytes(length: number): Uint8Array<ArrayBuffer>;
  /** Uniform in [0, 1): for pauses and choices, not for secrets. */
  fraction(): number;
}

/** SHA-256. The bytes may be written over as soon as `sha256` has returned its promise. */
export interface Digest {
  sha256(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Erasure coding (lib/erasure). Never rejects for bad data it was given by a peer: sizes are checked by the caller; too few slices is our
 * bug. Rejects with a FaultError when the coding itself cannot run here, or not in time.
 */
export interface Coder {
  /**
   * The n slices of a segment, each `sliceBytes(segment.length, k)` long: 0..k-1 are the segment cut and filled up with zeros, the rest
   * parity. The segment is not changed; slices may be views of it, and of buffers they share. Slice i depends on the segment, k and i
   * alone while n <= 16, and again beyond.
   */
  encode(segment: Uint8Array, k: number, n: number): Promise<Uint8Array[]>;
  /** From exactly k slices by index, the slices at `wanted` indexes (data or parity), in that order. What was given is not changed, and may be given back. */
  recover(slices: ReadonlyMap<number, Uint8Array>, k: number, n: number, wanted: readonly number[]): Promise<Uint8Array[]>;
}

/** The identity's key. `sign` uses a working key that cannot be read out. Signatures are 64 bytes (Ed25519). */
export interface Signer {
  readonly identity: IdentityId;
  sign(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
  verify(identity: IdentityId, bytes: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/**
 * One plane of a link. Messages arrive whole, once and in order, until the link closes; then never again. `send` after
 * the close is dropped. A message above `messageBytesMax` is our own bug and throws. What was sent may be written over as soon as
 * `send` has returned; what arrives is its listener's, for good.
 */
export interface Channel {
  readonly messageBytesMax: number;
  send(message: Uint8Array): void;
  /** Bytes accepted by `send` and not yet handed to the network. */
  bufferedBytes(): number;
  /** Calls `run` once when `bufferedBytes` has fallen to `low` or less (at once, asynchronously, if it is; and when the link closes). */
  whenBelow(low: number, run: () => void): void;
  /** One listener; what arrives before it is set is kept. */
  onMessage(listen: (message: Uint8Array) => void): void;
}

/** A connection of two peers with two planes. Nothing about the far side is proven by the transport but `binding`. */
export interface Link {
  /** The address dialled, or claimed by the dialler: proven later by the handshake. */
  readonly remote: PeerId;
  /** True on the side that dialled. */
  readonly dialled: boolean;
  /** Bytes equal on both sides and unlike those of any other link (the two DTLS fingerprints, sorted). */
  readonly binding: Uint8Array;
  readonly control: Channel;
  readonly data: Channel;
  close(): void;
  /** Runs once, asynchronously, on both sides: also when the far side vanished and the transport noticed, also when it is already closed. */
  onClose(run: () => void): void;
}

/** Opens links. `start` and `stop` may be called twice. */
export interface Transport {
  start(self: PeerId, onLink: (link: Link) => void): Promise<Outcome<void>>;
  /** An open link, or a fault within `connectTimeoutMs`. */
  dial(peer: PeerId): Promise<Outcome<Link>>;
  /** Whether `dial` can introduce this tab to somebody new now; links that stand need nobody. */
  introduces(): boolean;
  /**
   * As `dial`, where others carry the offer to the far side's `answer` and bring what it says: what they do to either costs the link, and
   * no more, for the handshake proves whose it is.
   */
  dialThrough(peer: PeerId, carry: (offer: string) => Promise<Outcome<string>>): Promise<Outcome<Link>>;
  /** To an offer that others carried here, of at most `offerCharsMax`: the answer. The link comes to `onLink` once it is open. */
  answer(peer: PeerId, offer: string): Promise<Outcome<string>>;
  stop(): void;
}

export interface DirectoryEntry {
  readonly peer: PeerId;
  readonly store: StoreId | null;
}

export interface DirectoryJoin {
  readonly network: string;
  readonly peer: PeerId;
  readonly identity: IdentityId;
  readonly store: StoreId | null;
  /** The group this store was in last: the directory returns it there. */
  readonly lastGroup: GroupId | null;
  /** Signs the directory's challenge, so that nobody joins under another's id. */
  prove(challenge: Uint8Array): Promise<Uint8Array>;
}

/** What surrounds a group. */
export interface Neighbourhood {
  /** Groups whose members this one took in. */
  readonly absorbed: readonly GroupId[];
  /** Other groups of the network, and whom to dial of each: few, mutual, and such that all groups hang together. */
  readonly neighbours: readonly { readonly group: GroupId; readonly contacts: readonly PeerId[] }[];
}

export interface DirectoryListener {
  /** After every (re)connection: which group, and who of it is online now (without self). */
  welcome(group: GroupId, members: readonly DirectoryEntry[], siteVersion: string, around: Neighbourhood): void;
  /** The group was merged into another, or split: this tab is in `group` from now on. */
  moved(group: GroupId, members: readonly DirectoryEntry[], around: Neighbourhood): void;
  /** Instead of what was told of them before. */
  around(around: Neighbourhood): void;
  joined(entry: DirectoryEntry): void;
  /** The directory saw that peer's socket close: suspect and probe, do not believe. */
  left(peer: PeerId): void;
  state(state: 'up' | 'down' | 'refused', reason: string): void;
}

/** The signaling server's group directory. Reconnects by itself with back-off; its absence stops nothing. */
export interface Directory {
  start(join: DirectoryJoin, listener: DirectoryListener): void;
  stop(): void;
}

export const tables = [
  'meta',
  'objects', // object manifests by object id
  'slices', // SHA-256 of the bytes -> bytes
  'jobs', // signed job manifests by job id
  'events', // `${jobId}/${eventId}` -> event bytes
  'records', // function records by record id
  'locks', // record id -> lock state
] as const;
export type Table = (typeof tables)[number];

export type WriteOp =
  | { readonly table: Table; readonly key: string; readonly value: unknown }
  | { readonly table: Table; readonly key: string; readonly value?: undefined; readonly delete: true };

/**
 * A durable map of (table, key) to structured-cloneable values. `write` is atomic and durable before it resolves; faults:
 * 'storage' when full (then the fault says so), refused, aborted or closed. Reads see every write that resolved before them.
 */
export interface Storage {
  readonly store: StoreId;
  /** False where nothing outlives the page (memory, private mode): then the peer offers no storage. */
  readonly durable: boolean;
  get(table: Table, key: string): Promise<Outcome<unknown>>;
  /** Entries whose key starts with `prefix`, by key order. */
  entries(table: Table, prefix: string): Promise<Outcome<readonly (readonly [string, unknown])[]>>;
  /** Keys only, by key order. */
  keys(table: Table, prefix: string): Promise<Outcome<readonly string[]>>;
  write(ops: readonly WriteOp[]): Promise<Outcome<void>>;
  /** Bytes used and allowed by the host, both estimates. */
  estimate(): Promise<{ usedBytes: number; quotaBytes: number }>;
  close(): void;
}

/** A place where foreign code runs: one frame, one Worker, one job. It can be killed at any time, at once. */
export interface SandboxInstance {
  /** Runs the items of `span` in order; one span at a time. Events come through `onEvent` given at opening. */
  run(span: SandboxSpan): void;
  /** Returns when nothing of it runs any more. No event follows. May be called twice. */
  kill(): void;
}

export interface Sandbox {
  /**
   * Loads `job`'s code; `onEvent` says 'ready' or 'failed' first. Faults: 'overloaded', 'internal'. `onProbe` hears the probes of spans that
   * ask for them: foreign code shares their thread, so they are worth no more than it is honest.
   */
  open(
    job: SandboxJob,
    onEvent: (event: SandboxEvent) => void,
    onProbe?: (reading: ProbeReading) => void,
  ): Promise<Outcome<SandboxInstance>>;
  /** Keeps one empty frame warm, or drops it. */
  warm(on: boolean): void;
}

export interface MachineListener {
  /** Any input in any tab of this profile. Called at once, not batched. */
  input(): void;
  visible(visible: boolean): void;
  /** `signals()` answers something else now. */
  signals(): void;
  /** A frame of this page took so long, although it had work to show. */
  slow(ms: number): void;
}

/** What the machine tells about itself. What is optional here a browser may not have: then it tells nothing. */
export interface Machine {
  readonly cores: number;
  /** null where the browser does not tell. */
  readonly memoryMiB: number | null;
  /** One listener at a time. */
  watch(listener: MachineListener): Cancel;
  visible(): boolean;
  /** Each field is null while it is not known. */
  signals?(): MachineSignals;
  /** Minutes by which the machine's own time is ahead of UTC. */
  utcOffsetMinutes?(): number;
  /** Computes for `ms` on a thread that is no worker, to see what one more would get. Settles within seconds; undefined when it could not. */
  scout?(ms: number): Promise<ProbeReading | undefined>;
}

/** Whoever runs the site, as far as a tab has to do with them. What it answers with is not checked yet. */
export interface OperatorDesk {
  /** Signs the deny list. */
  readonly key: IdentityId;
  /** The list that the site hands out now; null where it has none. Faults: 'unreachable', 'malformed'. */
  fetchList(): Promise<Outcome<SignedDenyList | null>>;
  /** Hands a report in. Faults: 'unreachable' and 'overloaded', where it may be tried again later; 'refused', where it may not. */
  sendReport(report: SignedReport): Promise<Outcome<void>>;
}

export interface Platform {
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
  readonly coder: Coder;
  readonly signer: Signer;
  readonly storage: Storage;
  readonly transport: Transport;
  readonly directory: Directory;
  readonly sandbox: Sandbox;
  readonly machine: Machine;
  /** Absent: the site has none, so nothing is denied and reports go nowhere. */
  readonly operator?: OperatorDesk;
  /** 'second': another tab of this profile speaks for its store, so this one keeps nothing and does not donate. Absent: 'speaker'. */
  readonly profileRole?: 'speaker' | 'second';
  /** Where bugs of ours and the world's surprises are written; never thrown. */
  report(level: 'info' | 'warning' | 'bug', message: string, detail?: unknown): void;
}
