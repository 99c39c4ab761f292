// What an embedding page may ask, word by word: it is a stranger, and what does not fit here never reaches the public API.
import * as v from 'valibot';
import { jobItemsMax } from '../kernel/limits.ts';
import { listOf, natural, objectIdSchema, positive, text } from '../kernel/protocol/schemas.ts';
import type { JobSpec } from '../sdk/types.ts';
import { jobMethods, netMethods, resultsPerPullMax, valuesPerMessageMax } from '../sdk/remote/port-protocol.ts';

const codeCharsMax = 4 * 1024 * 1024;
const peekedMax = 2_000;

const id = positive;
const jobKey = v.union([positive, v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))]);

const frameSchema = v.variant('t', [
  v.strictObject({
    t: v.literal('call'),
    id,
    method: v.picklist([...jobMethods, ...netMethods]),
    job: v.nullable(jobKey),
    args: listOf(v.unknown(), 3),
  }),
  v.strictObject({ t: v.literal('abort'), id }),
  v.strictObject({ t: v.literal('open'), id, job: jobKey, order: v.picklist(['input', 'completed']) }),
  v.strictObject({ t: v.literal('pull'), id, max: v.pipe(positive, v.maxValue(resultsPerPullMax)) }),
  v.strictObject({ t: v.literal('shut'), id }),
  v.strictObject({ t: v.literal('watch'), job: jobKey, on: v.boolean() }),
  v.strictObject({ t: v.literal('ping'), n: natural }),
]);
export type Frame = v.InferOutput<typeof frameSchema>;

/** undefined where it is none. */
export function parseFrame(data: unknown): Frame | undefined {
  const parsed = v.safeParse(frameSchema, data);
  return parsed.success ? parsed.output : undefined;
}

const objectRefSchema = v.strictObject({
  object: objectIdSchema,
  size: natural,
  name: text(200),
  type: text(100),
  /** Whoever put it was told so; it is not asked for again. */
  copies: v.optional(natural),
});

/** As the public API takes them; but a list was sent before, in runs, and is named here by its number. */
const inputsSchema = v.union(
  [
    v.strictObject({ list: positive }),
    v.strictObject({ range: v.strictTuple([v.number(), v.number()]) }),
    v.strictObject({ lines: objectRefSchema }),
    v.strictObject({ chunks: objectRefSchema, bytes: v.number() }),
  ],
  'Inputs are a list, { items }, { range: [first, end] }, { lines } or { chunks, bytes }.',
);
export type WireInputs = v.InferOutput<typeof inputsSchema>;

const codeSchema = v.union([text(codeCharsMax), objectRefSchema], 'The code is the text of an ES module, or an object that holds one.');

const limitEntries = { itemMs: v.optional(positive), totalMs: v.optional(positive), memoryMiB: v.optional(positive) } satisfies Record<
  keyof NonNullable<JobSpec['limits']>,
  v.GenericSchema
>;

/** All that a job may say, but for the signal: that stays in the page. */
const specEntries = {
  name: v.string(),
  code: codeSchema,
  runtime: v.optional(v.any()),
  inputs: inputsSchema,
  open: v.optional(v.boolean()),
  args: v.optional(v.any()),
  reduce: v.optional(text(codeCharsMax)),
  expiresAt: v.optional(v.date()),
  redundancy: v.optional(v.any()),
  priority: v.optional(v.pipe(v.number(), v.safeInteger())),
  failuresMax: v.optional(natural),
  limits: v.optional(v.strictObject(limitEntries)),
} satisfies Record<Exclude<keyof JobSpec, 'signal'>, v.GenericSchema>;
const specSchema = v.strictObject(specEntries);

const nothing = v.strictTuple([]);
const window = v.strictTuple([natural, v.pipe(natural, v.maxValue(peekedMax, `At most ${peekedMax} at once.`))]);
const putOptions = v.strictObject({ name: v.optional(text(200)), type: v.optional(text(100)), expiresAt: v.optional(v.date()) });

/** The arguments of each method. What is not here cannot be called: giving, limits and the person's own things among it. */
export const argsSchemas = {
  pause: nothing,
  resume: nothing,
  cancel: nothing,
  setPriority: v.strictTuple([v.pipe(v.number(), v.safeInteger())]),
  append: v.strictTuple([inputsSchema]),
  close: nothing,
  retry: v.union([nothing, v.strictTuple([listOf(natural, jobItemsMax)])]),
  peek: window,
  overview: nothing,
  standing: nothing,
  inputs: window,
  source: nothing,
  start: v.strictTuple([positive, specSchema]),
  /** Of list number n: more values, and whether they are the last. */
  values: v.strictTuple([positive, listOf(v.any(), valuesPerMessageMax), v.boolean()]),
  find: v.strictTuple([v.string()]),
  put: v.strictTuple([v.union([v.instance(Blob), v.instance(Uint8Array), v.string()], 'Bytes, a Blob or a text can be put.'), putOptions]),
  get: v.strictTuple([v.union([text(100), objectRefSchema], 'An object is named by its id, or by what put() gave.')]),
  exportIdentity: nothing,
} as const;
export type ArgsOf<Method extends keyof typeof argsSchemas> = v.InferOutput<(typeof argsSchemas)[Method]>;

/** The arguments, or a sentence about what is wrong with them. */
export function parseArgs<Method extends keyof typeof argsSchemas>(
  method: Method,
  args: readonly unknown[],
): { readonly ok: true; readonly args: ArgsOf<Method> } | { readonly ok: false; readonly message: string } {
  const parsed = v.safeParse(argsSchemas[method] as v.GenericSchema, args);
  if (parsed.success) return { ok: true, args: parsed.output as ArgsOf<Method> };
  const { message, path } = parsed.issues[0];
  const where =
    path
      ?.slice(1)
      .map(({ key }) => String(key))
      .join('.') ?? '';
  return { ok: false, message: `${method}${where === '' ? '' : ` (${where})`}: ${message}`.slice(0, 300) };
}
