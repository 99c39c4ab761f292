// What a contract suite needs of whoever runs it: vitest here, a page of a real browser in e2e/adapters.spec.ts.

export interface SuiteApi {
  /** Registers a test; it fails when `run` rejects. */
  readonly test: (name: string, run: () => Promise<void>) => void;
}

/** Waits until `condition` holds: by advancing a virtual clock, or by polling. Rejects after `withinMs`. */
export type Until = (condition: () => boolean, withinMs: number, what: string) => Promise<void>;

/** @throws Error unless both are deeply equal: bytes by content, objects by their own keys, the order of keys aside. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  if (!same(actual, expected)) throw new Error(`${what}: expected ${show(expected)}, got ${show(actual)}`);
}

export function holds(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
  }
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && same(a[key as keyof typeof a], b[key as keyof typeof b]));
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) => (part instanceof Uint8Array ? `${part.length} bytes` : part)) ?? String(value);
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}

/** Polls in real time. */
export const pollUntil: Until = async (condition, withinMs, what) => {
  const end = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what} did not come true within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
