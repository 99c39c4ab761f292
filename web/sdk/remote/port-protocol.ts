// What a page of another origin (connect.ts) and the site's /embed page in it (web/embed/) say to each other.
//
//   page                                   /embed, in a hidden frame
//    |  <-- window message: 'up'                |   may be read by anybody
//    |  --- window message: 'open', a port -->  |   tells by its origin who embeds
//    |  <== 'up' or 'refused'                   |   everything from here on through the port
//    |  === 'call', 'open', 'pull', ... ==>     |
//    |  <== 'answer', 'fault', 'results', 'state', ...
//
// Structured clone carries the values. The page is a stranger to the site: web/embed/requests.ts checks every word of it.
import type { LullErrorCode } from '../errors.ts';
import type { GroupInfo, Lull, Metrics, PeerInfo, Progress, Result, JobState } from '../types.ts';

export const portVersion = 1;

/** Calls that wait for their answers, and results being read, at once; who wants more waits its turn in the page. */
export const callsAtOnceMax = 256;
export const streamsAtOnceMax = 64;
/** Values of one message: more of them go in several. */
export const valuesPerMessageMax = 5_000;
export const resultsPerPullMax = 512;
export const pingEveryMs = 10_000;
/** Of these without an answer the far side counts as gone. */
export const pingsMissedMax = 3;

export type WindowMessage =
  | { readonly lull: 'up'; readonly version: number }
  /**
   * `identity`: a secret of 64 hex digits, null for the embedding site's own identity. `network`: the key of a private network, as many
   * digits, null for the public one.
   */
  | { readonly lull: 'open'; readonly version: number; readonly identity: string | null; readonly network: string | null };

/** A job this connection started, by the number the page gave it; any other by its id. */
export type JobKey = number | string;

/** In place of `{ items }`: those sent before, in runs, under this number. */
export interface SentList {
  readonly list: number;
}

export const jobMethods = [
  'pause',
  'resume',
  'cancel',
  'setPriority',
  'append',
  'close',
  'retry',
  'peek',
  'overview',
  'standing',
  'inputs',
  'source',
] as const;
export type JobMethod = (typeof jobMethods)[number];
export const netMethods = ['start', 'values', 'find', 'put', 'get', 'exportIdentity'] as const;
export type NetMethod = (typeof netMethods)[number];

export type ToHost =
  /** `job` is null for the methods of the network. */
  | {
      readonly t: 'call';
      readonly id: number;
      readonly method: JobMethod | NetMethod;
      readonly job: JobKey | null;
      readonly args: readonly unknown[];
    }
  | { readonly t: 'abort'; readonly id: number }
  | { readonly t: 'open'; readonly id: number; readonly job: JobKey; readonly order: 'input' | 'completed' }
  /** The next results of an open reading: at most `max`, at least one unless it is over. */
  | { readonly t: 'pull'; readonly id: number; readonly max: number }
  | { readonly t: 'shut'; readonly id: number }
  /** Somebody looks at this job: also tell how many of its items run. */
  | { readonly t: 'watch'; readonly job: JobKey; readonly on: boolean }
  | { readonly t: 'ping'; readonly n: number };

export interface WireFault {
  readonly code: LullErrorCode;
  readonly message: string;
}

export interface JobSnapshot {
  /** The number of a job that this connection started. */
  readonly key: number | null;
  /** '' until it is known. */
  readonly id: string;
  readonly name: string;
  readonly state: JobState;
  readonly reason: string;
  readonly open: boolean;
  readonly progress: Progress;
  readonly closable: boolean;
  readonly hasReduce: boolean;
  readonly createdAt: number;
  readonly submitter: string;
  /** Only where it is told of for the first time. */
  readonly args?: unknown;
}

/** What has changed since the last one. */
export interface State {
  readonly self?: Lull['self'];
  readonly peers?: readonly PeerInfo[];
  readonly groups?: readonly GroupInfo[];
  readonly metrics?: Metrics;
  readonly jobs?: readonly JobSnapshot[];
  /** Ids of all there are, in order. */
  readonly ids?: readonly string[];
}

export type ToPage =
  /** `kept`: the identity outlives this visit. */
  | { readonly t: 'up'; readonly kept: boolean; readonly state: State }
  | { readonly t: 'refused'; readonly fault: WireFault }
  | { readonly t: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly t: 'fault'; readonly id: number; readonly fault: WireFault }
  | { readonly t: 'results'; readonly id: number; readonly results: readonly Result[]; readonly over: boolean }
  | { readonly t: 'progress'; readonly id: number; readonly done: number; readonly all: number }
  | { readonly t: 'state'; readonly state: State }
  | { readonly t: 'pong'; readonly n: number };
