// The world's faults are values: a call to a service answers with an Outcome and never rejects.

export type FaultCode =
  | 'unknown-uri' // nothing is bound to that URI
  | 'refused' // the security manager or the service said no
  | 'malformed' // the message does not fit the contract
  | 'too-large' // a bound on size was passed
  | 'too-late' // the deadline passed first
  | 'overloaded' // a bounded queue is full
  | 'unreachable' // no link, direct or by one hop
  | 'not-found'
  | 'conflict' // somebody else owns it, or a superseded fencing number
  | 'storage' // full, refused, aborted
  | 'not-built' // a name whose feature is not built yet
  | 'internal'; // a bug of ours: reported, never thrown across a service

export interface Fault {
  readonly code: FaultCode;
  /** One sentence for a person. */
  readonly message: string;
  /** Of the port Storage: there is no room, so making some helps. Stays in this tab. */
  readonly full?: true;
  /** Of the port Storage: it is closed for good, and what it had is out of reach. Stays in this tab. */
  readonly closed?: true;
}

export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

export const success = <T>(value: T): Outcome<T> => ({ ok: true, value });
export const failure = (code: FaultCode, message: string): { ok: false; fault: Fault } => ({
  ok: false,
  fault: { code, message },
});

/** Thrown inside a handler to answer with a fault; the dispatcher turns it into one. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
  constructor(
    readonly code: FaultCode,
    message: string,
  ) {
    super(message);
  }
}

/** The value, or a FaultError with the fault's code. */
export function unwrap<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new FaultError(outcome.fault.code, outcome.fault.message);
}
