// Parses what came from outside by its schema. Nearly all that comes is right as it is: a schema is turned once into a plain test, several
// times faster than the schema library, which builds each value anew. Only what the test does not pass goes through the library, for its
// verdict and for what it says is wrong.
import * as v from 'valibot';

export type Parsed<T> = { readonly success: true; readonly output: T } | { readonly success: false; readonly message: string };

/** As `v.safeParse` decides it, with the same output. What passes as it is comes out itself, not copied: nobody else may hold it. */
export function parse<T>(schema: v.GenericSchema<unknown, T>, input: unknown): Parsed<T> {
  let test = tests.get(schema);
  if (test === undefined) tests.set(schema, (test = testOf(schema as unknown as Inside)));
  if (test(input)) return { success: true, output: input as T };
  const parsed = v.safeParse(schema, input);
  return parsed.success ? { success: true, output: parsed.output } : { success: false, message: parsed.issues[0].message };
}

/** True only where the schema's output is its input, keys in the same order. */
type Test = (input: unknown) => boolean;

/** The fields of the library's schemas and actions that are looked at here. */
interface Inside {
  readonly kind: string;
  readonly type: string;
  readonly entries?: Readonly<Record<string, Inside>>;
  readonly item?: Inside;
  readonly items?: readonly Inside[];
  readonly key?: Inside | string;
  readonly value?: Inside;
  readonly wrapped?: Inside;
  readonly default?: unknown;
  readonly fallback?: unknown;
  readonly literal?: unknown;
  readonly options?: readonly unknown[];
  readonly check?: Test;
  readonly pipe?: readonly Inside[];
  readonly requirement?: unknown;
}

const tests = new WeakMap<object, Test>();
/** Left to the library. */
const never: Test = () => false;

function testOf(schema: Inside): Test {
  if (schema.fallback !== undefined || schema.default !== undefined) return never;
  if (schema.pipe !== undefined) {
    const steps = schema.pipe.filter(({ kind }) => kind !== 'metadata').map((step, at) => (at === 0 ? testOf(step) : actionOf(step)));
    return (input) => {
      for (const step of steps) if (!step(input)) return false;
      return true;
    };
  }
  switch (schema.type) {
    case 'unknown':
      return () => true;
    case 'string':
      return (input) => typeof input === 'string';
    case 'number':
      return (input) => typeof input === 'number' && !Number.isNaN(input);
    case 'boolean':
      return (input) => typeof input === 'boolean';
    case 'literal': {
      const { literal } = schema;
      return (input) => input === literal;
    }
    case 'picklist': {
      const options = schema.options!;
      return (input) => options.includes(input);
    }
    case 'custom':
      return schema.check!;
    case 'nullable': {
      const wrapped = testOf(schema.wrapped!);
      return (input) => input === null || wrapped(input);
    }
    case 'optional': {
      const wrapped = testOf(schema.wrapped!);
      return (input) => input === undefined || wrapped(input);
    }
    case 'array':
      return arrayOf(testOf(schema.item!));
    case 'strict_tuple':
      return tupleOf(schema.items!.map(testOf));
    case 'record':
      return recordOf(testOf(schema.key as Inside), testOf(schema.value!));
    case 'strict_object':
      return objectOf(schema.entries!);
    case 'variant':
      return variantOf(schema.key as string, schema.options as readonly Inside[]);
    default:
      return never;
  }
}

function actionOf({ kind, type, requirement }: Inside): Test {
  if (kind !== 'validation') return never;
  const limit = requirement as number;
  switch (type) {
    case 'max_length':
      return (input) => (input as string).length <= limit;
    case 'min_length':
      return (input) => (input as string).length >= limit;
    case 'max_value':
      return (input) => (input as number) <= limit;
    case 'min_value':
      return (input) => (input as number) >= limit;
    case 'safe_integer':
      return Number.isSafeInteger;
    case 'finite':
      return Number.isFinite;
    case 'regex':
      return (input) => (requirement as RegExp).test(input as string);
    case 'check':
      return requirement as Test;
    default:
      return never;
  }
}

function arrayOf(item: Test): Test {
  return (input) => {
    if (!Array.isArray(input)) return false;
    for (const each of input as readonly unknown[]) if (!item(each)) return false;
    return true;
  };
}

function tupleOf(items: readonly Test[]): Test {
  return (input) => Array.isArray(input) && input.length === items.length && items.every((item, at) => item(input[at]));
}

const isPlain = (input: unknown): input is Readonly<Record<string, unknown>> =>
  typeof input === 'object' && input !== null && Object.getPrototypeOf(input) === Object.prototype;

/** Keys that the library leaves out. */
const isOdd = (key: string) => key === '__proto__' || key === 'prototype' || key === 'constructor';

function recordOf(key: Test, value: Test): Test {
  return (input) => {
    if (!isPlain(input)) return false;
    for (const name in input) if (isOdd(name) || !key(name) || !value(input[name])) return false;
    return true;
  };
}

function objectOf(entries: Readonly<Record<string, Inside>>): Test {
  const names = Object.keys(entries);
  const values = names.map((name) => testOf(entries[name]!));
  const mayLack = names.map((name) => entries[name]!.type === 'optional' && entries[name]!.default === undefined);
  return (input) => {
    if (!isPlain(input)) return false;
    let at = 0;
    for (const name in input) {
      while (names[at] !== name) if (at >= names.length || !mayLack[at++]) return false;
      if (!values[at++]!(input[name])) return false;
    }
    for (; at < names.length; at++) if (!mayLack[at]) return false;
    return true;
  };
}

function variantOf(key: string, options: readonly Inside[]): Test {
  const byTag = new Map<unknown, Test>();
  for (const option of options) {
    const tag = option.entries?.[key];
    // Of two with the same tag the library takes the first that fits.
    if (option.type !== 'strict_object' || option.pipe !== undefined || tag?.type !== 'literal' || byTag.has(tag.literal)) return never;
    byTag.set(tag.literal, testOf(option));
  }
  return (input) => isPlain(input) && byTag.get(input[key])?.(input) === true;
}
