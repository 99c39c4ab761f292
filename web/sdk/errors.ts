// What the public API throws: the message is one sentence for a person, the code is for programs.
import { unwrap, type FaultCode, type Outcome } from '../kernel/lib/outcome.ts';
import type { ItemFailure } from './types.ts';

export type LullErrorCode = FaultCode | 'bad-input' | 'aborted' | 'job-ended';

export class LullError extends Error {
  override readonly name = 'LullError';
  constructor(
    readonly code: LullErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** One item that failed for good: its message names the item, its stack is the one of where it ran, its cause is the failure as it came. */
export class ItemError extends Error {
  override readonly name = 'ItemError';
  constructor(
    readonly index: number,
    failure: ItemFailure,
  ) {
    super(`Item ${index}: ${failure.message}`, { cause: failure });
    this.stack = failure.stack;
  }
}

/** The value of an outcome, or a LullError with the fault's code; `doing` says what was being done. */
export function valueOf<T>(outcome: Outcome<T>, doing: string): T {
  if (outcome.ok) return unwrap(outcome);
  throw new LullError(outcome.fault.code, `${doing}: ${outcome.fault.message}`);
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new LullError('aborted', 'It was called off.');
}
