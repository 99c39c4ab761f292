// What the editor knows of the code's surroundings: what the sandbox has, and what it does not have.

/** Names that a page has and the sandbox has not, with what to do instead. */
export const missingGlobals: Readonly<Record<string, string>> = {
  fetch: 'There is no network in the sandbox: put what the code needs into the input or the arguments.',
  XMLHttpRequest: 'There is no network in the sandbox: put what the code needs into the input or the arguments.',
  WebSocket: 'There is no network in the sandbox: put what the code needs into the input or the arguments.',
  importScripts: 'The sandbox has no network to import from: paste what the code needs.',
  require: 'The sandbox has no modules to require: paste what the code needs.',
  document: 'There is no page in the sandbox: code runs in a Worker.',
  window: 'There is no page in the sandbox: code runs in a Worker.',
  localStorage: 'Nothing is kept between items: answer with what should last.',
  indexedDB: 'Nothing is kept between items: answer with what should last.',
  process: 'This is a browser, not Node: there is no `process`.',
  Worker: 'Code in the sandbox starts no Workers: other items run beside it anyway.',
};

export interface Remark {
  readonly from: number;
  readonly to: number;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
}

/** Randomness and time that differ from run to run: two donors then never agree on a result. */
const unlikeTwice: Readonly<Record<string, string>> = {
  'Math.random': 'Use task.random(): it gives the same when the item is run again, so that results can be checked.',
  'Date.now': 'Use task.now(): it gives the same when the item is run again, so that results can be checked.',
};

/** A name in the code, and what stands before it. */
export interface NameSeen {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** 'task' in `task.log`; null where nothing is asked of anything. */
  readonly of: string | null;
}

/** Remarks on the names that code uses; `declared` are those that it makes itself. */
export function remarksOn(names: readonly NameSeen[], declared: ReadonlySet<string>): Remark[] {
  const remarks: Remark[] = [];
  for (const { name, from, to, of } of names) {
    const twice = of === null ? undefined : unlikeTwice[`${of}.${name}`];
    if (twice !== undefined) remarks.push({ from, to, severity: 'info', message: twice });
    else if (of === null && !declared.has(name) && Object.hasOwn(missingGlobals, name))
      remarks.push({ from, to, severity: 'warning', message: missingGlobals[name]! });
  }
  return remarks;
}

/** What the sandbox has of what a Worker has: the editor completes from these. */
const sandboxGlobals = (
  'Array ArrayBuffer BigInt BigInt64Array Boolean DataView Date Error Float32Array Float64Array Infinity Int16Array Int32Array Int8Array ' +
  'Intl JSON Map Math NaN Number Object Promise RangeError RegExp Set String Symbol TextDecoder TextEncoder TypeError URL URLSearchParams ' +
  'Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakSet WebAssembly console decodeURIComponent encodeURIComponent ' +
  'isFinite isNaN parseFloat parseInt structuredClone undefined'
).split(' ');

/** Looked at for names only, never called. */
export const sandboxScope = (): Record<string, unknown> =>
  Object.fromEntries(sandboxGlobals.map((name) => [name, (globalThis as Record<string, unknown>)[name]]));
