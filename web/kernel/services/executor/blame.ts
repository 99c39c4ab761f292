// After a sandbox died: is its first item without a result to blame, or is the rest run again under closer watch?
import type { ItemError } from '../../lib/result-blob.ts';
import type { SandboxEvent } from '../../protocol/sandbox.ts';

/** How the rest of a run is watched. */
export interface Watch {
  /** Every result is reported before the next item begins. */
  readonly careful: boolean;
  readonly alone: boolean;
}

export type Cause = Extract<SandboxEvent, { type: 'dead' }>['cause'];

export type Verdict =
  | { readonly blamed: true; readonly watch: Watch }
  /** Not proven: run again from the same item, watched so. */
  | { readonly blamed: false; readonly watch: Watch };

/**
 * Unwatched, results that were finished and not yet sent are lost with the sandbox, so the first missing item need not be the
 * one that did it, unless it is the only one: `missing`, at least 1, are the items it had no result of. A frame that just stops answering
 * may also have died of a sibling.
 */
export function verdictOn(cause: Cause, watch: Watch, missing: number): Verdict {
  const known = watch.careful || missing === 1;
  if (cause === 'unresponsive')
    return known && watch.alone ? { blamed: true, watch } : { blamed: false, watch: { careful: true, alone: true } };
  return known ? { blamed: true, watch } : { blamed: false, watch: { ...watch, careful: true } };
}

/** What the submitter reads about an item that took its sandbox down. */
export function blameError(cause: Cause, index: number, itemMs: number, detail: string): ItemError {
  switch (cause) {
    case 'item-time':
      return { index, name: 'TimeoutError', message: `The item took longer than ${itemMs / 1000} s.`, stack: '' };
    case 'flood':
      return { index, name: 'FloodError', message: `The item was stopped: ${detail}`, stack: '' };
    case 'garbled':
      return { index, name: 'ProtocolError', message: `The item was stopped: ${detail}`, stack: '' };
    case 'unresponsive':
      return { index, name: 'SandboxDied', message: 'The item took its sandbox down; most likely it used up the memory.', stack: '' };
  }
}
