// What a browser puts into the scope of a Worker. A test holds it against what is known (known-globals.ts): a browser that brings
// something new is looked at before it runs anybody's code.
import { expect } from '@playwright/test';
import { kept } from '../../worker/scrub.ts';
import { runInJob, unscrubbedPage, type RangePage } from './attempt.ts';
import { knownGlobals } from './known-globals.ts';

/** Runs as a job. Names in the scope and its prototypes; and of what is not ECMAScript's own and is kept, the names inside, as `Owner.name`. */
const listGlobals = `export default () => {
  const names = new Set();
  for (let o = globalThis; o && o !== Object.prototype; o = Object.getPrototypeOf(o)) for (const key of Reflect.ownKeys(o)) names.add(String(key));
  const inside = ['WebAssembly', 'TextEncoder', 'TextDecoder', 'AbortController', 'AbortSignal', 'Event', 'EventTarget', 'DOMException', 'URL', 'URLSearchParams', 'Performance', 'Crypto'];
  for (const owner of inside) {
    const value = globalThis[owner];
    if (value === undefined) continue;
    for (const key of Reflect.ownKeys(value)) if (typeof key === 'string') names.add(owner + '.' + key);
    for (const key of Reflect.ownKeys(value.prototype ?? {})) if (typeof key === 'string') names.add(owner + '#' + key);
  }
  return [...names].sort();
};`;

/** Of every scope: the methods of EventTarget, and constants that cannot be deleted and do nothing. */
const harmless = new Set('addEventListener removeEventListener dispatchEvent when constructor PERSISTENT TEMPORARY'.split(' '));

/** Nothing unknown in the scope, and after the scrub nothing that is not kept. */
export async function expectKnownGlobals(page: RangePage): Promise<void> {
  const namesIn = async (frame: string | undefined): Promise<string[]> => {
    const report = await runInJob(page, listGlobals, frame === undefined ? {} : { page: frame });
    expect(report.ended).toBe('finished');
    return (report.first as string[]).filter((name) => !name.startsWith('Symbol('));
  };
  const isNew = (name: string) => !knownGlobals.has(name);
  expect((await namesIn(unscrubbedPage)).filter(isNew), 'new in this browser: look at each before it is known').toEqual([]);
  const left = await namesIn(undefined);
  expect(left.length).toBeGreaterThan(80);
  expect(left.filter(isNew)).toEqual([]);
  const global = left.filter((name) => !/[.#]/.test(name));
  expect(
    global.filter((name) => !kept.has(name) && !harmless.has(name)),
    'left by the scrub',
  ).toEqual([]);
}
