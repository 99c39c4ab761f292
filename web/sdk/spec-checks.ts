// What is wrong with a job as it was asked for, in a sentence, before anything is stored anywhere.
import { itemMsMax, jobItemsMax, jobLifeMsDefault, jobLifeMsMax, jobTotalMsMax, memoryMiBMax, priorityMax } from '../kernel/limits.ts';
import { LullError } from './errors.ts';
import type { JobSpec } from './types.ts';

const nameCharsMax = 200;

type Options<Known extends string> = Readonly<Record<Known, string>>;
/** Those with a sentence are to come. */
const options: Options<keyof JobSpec | 'comparator'> = {
  name: 'built',
  code: 'built',
  runtime: 'built',
  inputs: 'built',
  open: 'built',
  args: 'built',
  reduce: 'built',
  signal: 'built',
  expiresAt: 'built',
  redundancy: 'built',
  priority: 'built',
  failuresMax: 'built',
  limits: 'built',
  comparator: 'Comparators are not built yet: they come with verification.',
};
const limits: Options<keyof NonNullable<JobSpec['limits']>> = { itemMs: 'built', totalMs: 'built', memoryMiB: 'built' };

/** Of whatever a script gives: its types may be wrong. @throws LullError 'bad-input'; 'not-built' for what is to come */
export function checkSpec(spec: JobSpec): void {
  if (!isObject(spec)) throw new LullError('bad-input', 'A job is asked for with one object: { name, code, inputs }.');
  checkNames(spec, options, 'option');
  checkKinds(spec);
  if (spec.limits !== undefined) checkNames(spec.limits, limits, 'limit');
  const { name, redundancy, runtime, priority, failuresMax } = spec;
  if (typeof name !== 'string' || name.trim() === '' || name.trim().length > nameCharsMax)
    throw new LullError('bad-input', `A job has a name of 1 to ${nameCharsMax} characters.`);
  if (redundancy !== undefined && redundancy !== 1)
    throw new LullError('not-built', 'Redundancy above 1 is not built yet: verification comes later.');
  if (runtime !== undefined && runtime !== 'js')
    throw new LullError('not-built', `The runtime "${String(runtime)}" is not built yet: only "js" is.`);
  checkWhole('A priority', priority, -priorityMax, priorityMax);
  checkWhole('failuresMax', failuresMax, 0, jobItemsMax);
  checkWhole('limits.itemMs', spec.limits?.itemMs, 1, itemMsMax);
  checkWhole('limits.totalMs', spec.limits?.totalMs, 1, jobTotalMsMax);
  checkWhole('limits.memoryMiB', spec.limits?.memoryMiB, 1, memoryMiBMax);
}

/** What a page's script may get wrong, and what it is told then. */
function checkKinds({ code, reduce, open, signal, expiresAt, limits: bounds }: { readonly [Name in keyof JobSpec]: unknown }): void {
  const wrong = (sentence: string) => new LullError('bad-input', sentence);
  if (typeof code !== 'string' && !(isObject(code) && 'object' in code))
    throw wrong('The code is a function, the text of an ES module, or what put() gave for one.');
  if (reduce !== undefined && typeof reduce !== 'string')
    throw wrong("reduce is the text of an ES module: 'export default (values, task) => ...'.");
  if (open !== undefined && typeof open !== 'boolean') throw wrong('open is true or false.');
  checkOptions({ signal, expiresAt });
  if (bounds !== undefined && !isObject(bounds)) throw wrong('limits is an object, such as { itemMs: 60_000 }.');
}

const isObject = (given: unknown): given is object => typeof given === 'object' && given !== null;

/** Of any realm: a frame has its own AbortSignal. */
const isSignal = (given: unknown): given is AbortSignal =>
  isObject(given) && 'aborted' in given && 'addEventListener' in given && typeof given.addEventListener === 'function';

/** The options of map, put, get and connect that may be wrong in the same ways; null is none. @throws LullError 'bad-input' */
export function checkOptions(given: unknown): void {
  if (given === undefined) return;
  if (!isObject(given)) throw new LullError('bad-input', 'Options are one object, such as { signal }.');
  const { signal, expiresAt } = given as { readonly signal?: unknown; readonly expiresAt?: unknown };
  if (signal !== undefined && signal !== null && !isSignal(signal))
    throw new LullError('bad-input', 'signal is an AbortSignal: the signal of an AbortController.');
  if (expiresAt !== undefined && Object.prototype.toString.call(expiresAt) !== '[object Date]')
    throw new LullError('bad-input', 'expiresAt is a Date.');
}

/** When the job expires, in ms since 1970. @throws LullError 'bad-input' */
export function checkedExpiry(spec: JobSpec, now: number): number {
  const expires = spec.expiresAt?.getTime() ?? now + jobLifeMsDefault;
  if (!(expires > now)) throw new LullError('bad-input', 'The job would have expired already.');
  if (expires > now + jobLifeMsMax) throw new LullError('bad-input', `A job lives at most ${jobLifeMsMax / 86_400_000} days.`);
  return expires;
}

/** A stretch of a job's items, as `peek` and `inputs` take it. @throws LullError 'bad-input' */
export function checkStretch(from: number, max: number): void {
  if ([from, max].every((value) => Number.isSafeInteger(value) && value >= 0)) return;
  throw new LullError('bad-input', 'A stretch of items is two whole numbers: where it begins, and how many at most.');
}

/** @throws LullError 'bad-input' for what is no list of items */
export function checkIndices(indices: readonly number[] | undefined): void {
  if (indices === undefined || (Array.isArray(indices) && indices.every((index) => Number.isSafeInteger(index) && index >= 0))) return;
  throw new LullError('bad-input', 'Which items? A list of their indices, such as [0, 7].');
}

/** @throws LullError 'bad-input' for a priority that is none */
export const checkPriority = (priority: number): void => checkWhole('A priority', priority, -priorityMax, priorityMax);

function checkNames(given: object, known: Readonly<Record<string, string>>, kind: string): void {
  for (const [name, value] of Object.entries(given)) {
    const status = Object.hasOwn(known, name) ? known[name] : undefined;
    if (value === undefined || status === 'built') continue;
    if (status !== undefined) throw new LullError('not-built', status);
    throw new LullError('bad-input', `A job has no ${kind} "${name.slice(0, 40)}".`);
  }
}

function checkWhole(what: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= min && value <= max)) return;
  const [low, high] = [min, max].map((bound) => bound.toLocaleString('en'));
  throw new LullError('bad-input', `${what} is a whole number from ${low} to ${high}, not ${String(value).slice(0, 40)}.`);
}
