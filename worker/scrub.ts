// Takes away from the Worker's global scope all that a computation does not need. A second line of defence and a promise of
// tidiness, not the boundary: that is the opaque origin and its content security policy.

/** ECMAScript's own names, and what needs no one outside. Everything else goes, also what browsers add later. */
export const kept: ReadonlySet<PropertyKey> = new Set(
  (
    'Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp Error ' +
    'AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError SuppressedError DisposableStack AsyncDisposableStack ' +
    'globalThis JSON Math Intl Temporal ArrayBuffer SharedArrayBuffer Atomics DataView Uint8Array Int8Array Uint16Array Int16Array Uint32Array ' +
    'Int32Array Float16Array Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array BigInt Map Set WeakMap WeakSet WeakRef ' +
    'FinalizationRegistry Proxy Reflect Iterator decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN ' +
    'WebAssembly TextEncoder TextDecoder structuredClone atob btoa queueMicrotask setTimeout clearTimeout setInterval clearInterval ' +
    'AbortController AbortSignal Event EventTarget DOMException URL URLSearchParams performance console self crypto'
  ).split(' '),
);

/** Parts of kept things that reach outside, or keep memory where nobody counts it. */
const keptOf: Readonly<Record<string, readonly string[]>> = {
  Performance: ['now', 'timeOrigin', 'toJSON'],
  Crypto: ['getRandomValues', 'randomUUID'],
};

/** Names that could be neither deleted nor emptied: none, in the browsers we know. */
export function scrub(scope: object): string[] {
  const stubborn: string[] = [];
  const outside = scope as Record<string, unknown>;
  for (const [name, parts] of Object.entries(keptOf)) {
    const prototype = (outside[name] as { prototype?: object } | undefined)?.prototype;
    if (prototype !== undefined) removeAllBut(prototype, new Set(parts), stubborn);
  }
  for (const [owner, name] of [
    [outside['URL'], 'createObjectURL'],
    [outside['URL'], 'revokeObjectURL'],
    [outside['WebAssembly'], 'compileStreaming'],
    [outside['WebAssembly'], 'instantiateStreaming'],
  ] as const) {
    if (owner !== undefined && owner !== null) remove(owner, name, stubborn);
  }
  // The scope, DedicatedWorkerGlobalScope.prototype, WorkerGlobalScope.prototype; EventTarget.prototype is left as it is.
  for (
    let object: object | null = scope;
    object !== null && object !== EventTarget.prototype;
    object = Object.getPrototypeOf(object) as object | null
  ) {
    if (object === Object.prototype) break;
    removeAllBut(object, kept, stubborn);
  }
  return stubborn;
}

function removeAllBut(object: object, names: ReadonlySet<PropertyKey>, stubborn: string[]): void {
  for (const key of Reflect.ownKeys(object)) {
    if (typeof key === 'string' && !names.has(key)) remove(object, key, stubborn);
  }
}

function remove(object: object, key: string, stubborn: string[]): void {
  if (Reflect.deleteProperty(object, key)) return;
  // Constants such as TEMPORARY cannot be deleted, and do nothing.
  const left = Reflect.getOwnPropertyDescriptor(object, key);
  if (left !== undefined && 'value' in left && Object(left.value) !== left.value) return;
  if (!Reflect.defineProperty(object, key, { value: undefined, writable: false })) stubborn.push(key);
}
