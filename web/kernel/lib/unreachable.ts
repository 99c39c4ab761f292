/** Ends a switch over a union: the compiler refuses a case that was forgotten, the run time says which it was. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

/** Asserts what our own code promises. Never for what comes from outside: that is handled, not asserted. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${what}`);
}
