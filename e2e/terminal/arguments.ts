// What was asked for on the command line, as data.
import { parseArgs } from 'node:util';

export const usage = `Usage:
  lull map <module> [<inputs>]   runs the module's default function over each line of JSON, from a file or standard input
  lull status <id>               how a job stands, as one line of JSON
  lull results <id>              a job's values in input order, as they come
  lull cancel <id>

Options of map:
  --range <first>..<end>   the whole numbers from first to before end, in place of lines
  --lines                  each line is a text, not JSON
  --name <name>            what people see; default: the module's file name
  --args <json>            task.args
  --reduce <module>        prints only what its default function makes of all values
  --item-seconds <n>       what one item may take
  --failures-max <n>       more failed items than this end the job
  --priority <n>
  --detach                 prints the job's id as soon as others keep it, and ends; see "lull results"

Of map and results:
  --full                   one line a result, also of failed items: { index, value | error, by, tookMs }

Of all:
  --url <site>             or an invite link of a private network; default: LULL_URL, or http://localhost:8787
  --identity <file>        whose jobs; made where it is not there; default: lull/identity in the settings folder
  --quiet                  neither progress nor the job's id on standard error

Values go to standard output, one line of JSON each, in input order. Exit code: 0 all is well; 1 items failed, or the job did;
2 something is wrong with what was given; 3 the site or the browser cannot be reached; 130 called off.
In a pipe: "npx lull map ...", or "npm run -s lull -- map ...", for npm writes two lines of its own.`;

export interface Shared {
  readonly url: string;
  /** undefined: the usual place. */
  readonly identityFile: string | undefined;
  readonly quiet: boolean;
}

export interface MapCommand extends Shared {
  readonly kind: 'map';
  readonly module: string;
  readonly input: { readonly file: string } | { readonly range: readonly [first: number, end: number] } | 'stdin';
  readonly isText: boolean;
  readonly name: string | undefined;
  readonly args: unknown;
  readonly reduce: string | undefined;
  readonly itemMs: number | undefined;
  readonly failuresMax: number | undefined;
  readonly priority: number | undefined;
  readonly detach: boolean;
  readonly full: boolean;
}

export interface JobCommand extends Shared {
  readonly kind: 'status' | 'results' | 'cancel';
  readonly id: string;
  readonly full: boolean;
}

/** The arguments make no sense; the message is one sentence. */
export class UsageError extends Error {}

const idForm = /^[0-9a-f]{64}$/;

/** @throws UsageError */
export function commandOf(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): MapCommand | JobCommand | 'help' {
  const { values, positionals } = parsed(argv);
  const [kind, ...rest] = positionals;
  if (values.help === true || kind === 'help') return 'help';
  const shared = {
    url: siteOf(values.url ?? env['LULL_URL'] ?? 'http://localhost:8787'),
    identityFile: values.identity ?? env['LULL_IDENTITY'],
    quiet: values.quiet === true,
    full: values.full === true,
  };
  switch (kind) {
    case 'map': {
      const [module, file, more] = rest;
      if (module === undefined) throw new UsageError('Which module? lull map job.mjs inputs.ndjson');
      if (more !== undefined) throw new UsageError(`One file of inputs at a time: what is "${more}"?`);
      if (file !== undefined && values.range !== undefined) throw new UsageError('Either a file of inputs or --range.');
      return {
        ...shared,
        kind,
        module,
        input: values.range !== undefined ? { range: rangeOf(values.range) } : file === undefined || file === '-' ? 'stdin' : { file },
        isText: values.lines === true,
        name: values.name,
        args: values.args === undefined ? undefined : jsonOf(values.args),
        reduce: values.reduce,
        itemMs: values['item-seconds'] === undefined ? undefined : 1_000 * wholeOf('item-seconds', values['item-seconds'], 1),
        failuresMax: values['failures-max'] === undefined ? undefined : wholeOf('failures-max', values['failures-max'], 0),
        priority: values.priority === undefined ? undefined : wholeOf('priority', values.priority, -Infinity),
        detach: values.detach === true,
      };
    }
    case 'status':
    case 'results':
    case 'cancel': {
      const [id, more] = rest;
      if (id === undefined || more !== undefined || !idForm.test(id))
        throw new UsageError(`lull ${kind} <id>: the id of one job has 64 hex digits.`);
      return { ...shared, kind, id };
    }
    case undefined:
      throw new UsageError('What is to be done? lull help lists it.');
    default:
      throw new UsageError(`There is no command "${kind}": lull help lists them.`);
  }
}

function parsed(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        range: text,
        lines: flag,
        name: text,
        args: text,
        reduce: text,
        'item-seconds': text,
        'failures-max': text,
        priority: text,
        detach: flag,
        full: flag,
        url: text,
        identity: text,
        quiet: flag,
        help: flag,
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function siteOf(text: string): string {
  try {
    const url = new URL(text);
    // An invite link says in its fragment which private network is meant.
    if (url.protocol === 'http:' || url.protocol === 'https:') return url.origin + (url.hash === '' ? '' : `/${url.hash}`);
  } catch {
    // Said below.
  }
  throw new UsageError(`"${text}" is no address of a site.`);
}

function rangeOf(text: string): [number, number] {
  const [, first, end] = /^(-?\d+)\.\.(-?\d+)$/.exec(text) ?? [];
  if (first === undefined || end === undefined) throw new UsageError(`--range is written as 0..100, not "${text}".`);
  return [Number(first), Number(end)];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`--args is JSON, as in '{"by":2}', not "${text}".`);
  }
}

function wholeOf(name: string, text: string, min: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < min || text.trim() === '')
    throw new UsageError(`--${name} is a whole number, not "${text}".`);
  return value;
}
