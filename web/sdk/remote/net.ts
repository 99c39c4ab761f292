// What `connect` gives to a page of another origin: the public API, and what there is to a connection.
import type { Lull } from '../types.ts';

export interface ConnectOptions {
  /** Another identity than the embedding site's own: a secret from `exportIdentity`. It is not kept; give it each time. */
  readonly identity?: string;
  /** Calls the attempt off; a connection that is there already stays. */
  readonly signal?: AbortSignal;
  /** How long the site may take to answer. Default: 20 000. */
  readonly timeoutMs?: number;
}

/**
 * A connection to the network of a site, from a page of any origin. `donate` rejects with code 'refused': a page that embeds Lull may
 * submit and read jobs of its own identity, and nothing else.
 */
export interface Net extends Lull {
  /** The site's origin. */
  readonly site: string;
  /** The identity, and the jobs with it, are found again after a reload; false where the browser keeps nothing for embedded pages. */
  readonly kept: boolean;
  /** The secret of this identity, 64 hex digits: whoever has it has its jobs. */
  exportIdentity(): Promise<string>;
  /** Ends the connection; jobs that were handed over go on. What is still waited for rejects with code 'aborted'. */
  close(): void;
}
