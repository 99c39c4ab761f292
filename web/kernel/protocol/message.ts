// What services say to each other, local or remote.
import type { Outcome } from '../lib/outcome.ts';
import type { Uri } from './uri.ts';

/** The DSSP verbs. */
export const verbs = [
  'get',
  'query',
  'lookup',
  'create',
  'insert',
  'update',
  'upsert',
  'replace',
  'delete',
  'drop',
  'submit',
  'subscribe',
  'unsubscribe',
] as const;
export type Verb = (typeof verbs)[number];

/** A buffer listed in the header; the body points at it by `index`. On the wire `bytes` travels on the data plane. */
export interface BufferRef {
  readonly index: number;
  readonly length: number;
  readonly bytes: Uint8Array;
}

export interface Header {
  /** Unique per sender. */
  readonly id: number;
  readonly to: Uri;
  readonly from: Uri;
  readonly verb: Verb;
  /** 'local' or the binding that carried it. */
  readonly binding: string;
  readonly buffers: readonly BufferRef[];
  /** Milliseconds the sender will still wait, at sending. Durations, never instants, cross links. */
  readonly deadline: number;
  /** Carried unchanged through everything a message causes: 16 hex digits. */
  readonly trace: string;
}

export interface Message {
  readonly header: Header;
  readonly body: unknown;
}

export interface Answer<T = unknown> {
  readonly body: T;
  readonly buffers: readonly Uint8Array[];
}

export type Reply = Outcome<Answer>;
