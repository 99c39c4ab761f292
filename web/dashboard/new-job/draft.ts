// What the New job form holds, and what is wrong with it in words. Code is looked at, never run: that is the sandbox's business.
import type { Inputs, JobSpec } from '../../sdk/types.ts';
import { itemMsMax, jobLifeMsDefault, jobLifeMsMax, jobTotalMsMax, memoryMiBMax, priorityMax } from '../../kernel/limits.ts';
import { referenceIn } from '../data/reference.ts';
import { generatorProblem } from './generator.ts';

export const inputKinds = ['lines', 'json', 'range', 'generator', 'file', 'object'] as const;
export type InputKind = (typeof inputKinds)[number];
export type TextKind = Exclude<InputKind, 'file'>;
/** What one item of a file or an object is. */
export type Split = 'lines' | 'chunks';

export interface Draft {
  readonly name: string;
  readonly code: string;
  readonly kind: InputKind;
  /** Of each kind its own text, so that changing the kind loses nothing. 'file' has none. */
  readonly text: Readonly<Record<TextKind, string>>;
  readonly file: File | null;
  readonly split: Split;
  /** As written: bytes of a chunk, in KiB. */
  readonly chunkKiB: string;
  readonly args: string;
  readonly reduce: string;
  /** More input may come later: then there need be none yet. */
  readonly open: boolean;
  /** As written: minutes of processors that the whole job may take; '' for as many as it needs. */
  readonly totalMinutes: string;
  /** As written: minutes that one item may take; '' for the usual one. */
  readonly itemMinutes: string;
  /** As written: what a memory of WebAssembly may grow to; '' for what every donor allows. */
  readonly memoryMiB: string;
  /** As written, among one's own jobs; '' for 0. */
  readonly priority: string;
  /** As written: days from its submission; '' for as many as usual. */
  readonly keepDays: string;
}

/** What the job runs over. */
export type InputDraft = Pick<Draft, 'kind' | 'text' | 'file' | 'split' | 'chunkKiB'>;

export const emptyInput: InputDraft = {
  kind: 'lines',
  text: { lines: '', json: '', range: '', generator: '', object: '' },
  file: null,
  split: 'lines',
  chunkKiB: '64',
};

export const emptyDraft: Draft = {
  ...emptyInput,
  name: '',
  code: 'export default function run(item, task) {\n  return item;\n}\n',
  args: '',
  reduce: '',
  open: false,
  totalMinutes: '',
  itemMinutes: '',
  memoryMiB: '',
  priority: '',
  keepDays: '',
};

export const dayMs = 86_400_000;
export const fileBytesMax = 1024 * 1024 * 1024;
const itemsMax = 10_000_000;
const chunkKiBMax = 1024;

export type Field = 'Name' | 'Code' | 'Input' | 'Arguments' | 'Reduce' | OptionField;
export type OptionField = 'Time limit' | 'Time for one item' | 'Memory' | 'Priority' | 'Kept for';
export interface Problem {
  readonly field: Field;
  readonly sentence: string;
}

/** The inputs as the SDK takes them, but for a file, which has to be stored first, an object, which has to be looked up, and a generator, which has to be run. */
export type ReadyInputs =
  | Extract<Inputs, { range: unknown } | { items: unknown }>
  | { readonly file: File; readonly chunkBytes: number | null }
  | { readonly object: string; readonly chunkBytes: number | null }
  | { readonly generator: string };
export type Checked =
  | {
      readonly ok: true;
      readonly inputs: ReadyInputs;
      readonly args: unknown;
      readonly options: Pick<JobSpec, 'limits' | 'priority'>;
      /** From the submission on; null for as long as usual. */
      readonly keepMs: number | null;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function checkDraft(draft: Draft): Checked {
  const problems: Problem[] = [];
  const wrong = (field: Field, sentence: string | null) => {
    if (sentence !== null) problems.push({ field, sentence });
  };
  wrong(
    'Name',
    draft.name.trim() === ''
      ? 'Give the job a name: it is how you and the donors recognise it.'
      : draft.name.trim().length > 200
        ? 'A name has at most 200 characters.'
        : null,
  );
  wrong('Code', codeProblem(draft.code, '(item, task) => result'));
  const inputs: ReadyInputs | Wrong = draft.open && isBlank(draft) ? { items: [] } : checkInput(draft);
  if ('sentence' in inputs) wrong('Input', inputs.sentence);
  const args = jsonOf(draft.args);
  if ('sentence' in args) wrong('Arguments', `The arguments are not valid JSON: ${args.sentence}`);
  if (draft.reduce.trim() !== '') wrong('Reduce', codeProblem(draft.reduce, '(values) => value'));
  const totalMs = msOf(draft.totalMinutes, jobTotalMsMax);
  if (totalMs === undefined)
    wrong('Time limit', 'A time limit is a number of minutes above 0, such as 90, or nothing where the job may take what it needs.');
  const itemMs = msOf(draft.itemMinutes, itemMsMax);
  if (itemMs === undefined)
    wrong(
      'Time for one item',
      'The time for one item is a number of minutes above 0, such as 10, and a day at most; or nothing for a minute.',
    );
  const memoryMiB = wholeOf(draft.memoryMiB, 1, memoryMiBMax);
  if (memoryMiB === undefined)
    wrong('Memory', `Memory is a whole number of MiB, from 1 to ${memoryMiBMax}, or nothing for what every donor allows.`);
  const priority = wholeOf(draft.priority, -priorityMax, priorityMax);
  if (priority === undefined) wrong('Priority', `A priority is a whole number from -${priorityMax} to ${priorityMax}, or nothing for 0.`);
  const keepDays = wholeOf(draft.keepDays, 1, jobLifeMsMax / dayMs);
  if (keepDays === undefined)
    wrong(
      'Kept for',
      `A job is kept for a whole number of days, from 1 to ${jobLifeMsMax / dayMs}, or nothing for ${jobLifeMsDefault / dayMs}.`,
    );
  if (problems.length > 0 || keepDays === undefined || 'sentence' in inputs || 'sentence' in args) return { ok: false, problems };
  const limits = { ...(itemMs && { itemMs }), ...(totalMs && { totalMs }), ...(memoryMiB && { memoryMiB }) };
  return { ok: true, inputs, args: args.value, options: { limits, ...(priority && { priority }) }, keepMs: keepDays && keepDays * dayMs };
}

/** null where nothing is written; undefined where it is no time from a millisecond to `msMax`. */
export function msOf(minutes: string, msMax: number): number | null | undefined {
  if (minutes.trim() === '') return null;
  const ms = Math.round(Number(minutes) * 60_000);
  return ms >= 1 && ms <= msMax ? ms : undefined;
}

/** As `msOf` reads it again. */
export const minutesOf = (ms: number): string => String(Number((ms / 60_000).toPrecision(12)));

/** null where nothing is written; undefined where it is no such number. */
function wholeOf(text: string, min: number, max: number): number | null | undefined {
  if (text.trim() === '') return null;
  const number = Number(text);
  return Number.isInteger(number) && number >= min && number <= max ? number : undefined;
}

export function codeProblem(code: string, shape: string): string | null {
  if (code.trim() === '') return `There is no code. It is an ES module: export default ${shape}`;
  if (code.length > 4 * 1024 * 1024) return 'Code may have at most 4 MiB: put what is larger into the input.';
  const bare = code.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  if (!/\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/.test(bare))
    return `The code exports no default function. Write: export default ${shape}`;
  if (/^\s*import\b(?!\s*[.(])/m.test(bare) && /\bfrom\s*['"]|^\s*import\s*['"]/m.test(bare))
    return 'The code imports other modules, and the sandbox has no network to fetch them from. Paste what it needs into the code.';
  return null;
}

export function jsonOf(text: string): { value: unknown } | { sentence: string } {
  if (text.trim() === '') return { value: null };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { sentence: error instanceof Error ? error.message : 'it cannot be read.' };
  }
}

const isBlank = ({ kind, text, file }: InputDraft) => (kind === 'file' ? file === null : text[kind].trim() === '');

/** A sentence where there is no input, or none that can be. */
export interface Wrong {
  readonly sentence: string;
}

export function checkInput(draft: InputDraft): ReadyInputs | Wrong {
  const { kind, text, file } = draft;
  switch (kind) {
    case 'lines': {
      const lines = linesOf(text.lines);
      return lines.length === 0 ? { sentence: 'There is no input yet: write or paste at least one line.' } : { items: lines };
    }
    case 'json': {
      if (text.json.trim() === '') return { sentence: 'There is no input yet: paste a JSON list, such as [1, 2, 3].' };
      const json = jsonOf(text.json);
      if ('sentence' in json) return { sentence: `The input is not valid JSON: ${json.sentence}` };
      if (!Array.isArray(json.value))
        return { sentence: 'The input is valid JSON but no list: each item of a list becomes one call of your code.' };
      return json.value.length === 0 ? { sentence: 'The list is empty: there is nothing to run.' } : { items: json.value };
    }
    case 'range': {
      const range = rangeOf(text.range);
      if (range === null) return { sentence: 'A range is two whole numbers, such as 0..1000: it runs 0 up to 999.' };
      if (range[1] <= range[0]) return { sentence: 'The range is empty: its second number has to be the larger one.' };
      if (range[1] - range[0] > itemsMax) return { sentence: 'A job may have at most 10 million items.' };
      return { range };
    }
    case 'generator': {
      const sentence = generatorProblem(text.generator);
      return sentence === null ? { generator: text.generator } : { sentence };
    }
    case 'file':
      if (file === null) return { sentence: 'Choose a file, or drop one here.' };
      if (file.size === 0) return { sentence: `${file.name} is empty: there is nothing to run.` };
      if (file.size > fileBytesMax) return { sentence: `${file.name} is too large: a file may have at most 1 GiB.` };
      return withChunks(draft, { file });
    case 'object': {
      const object = referenceIn(text.object);
      if (object === null) return { sentence: 'Paste the link or the 64 digits of one object: the Data page has both for each object.' };
      return withChunks(draft, { object });
    }
  }
}

function withChunks<T extends object>({ split, chunkKiB }: InputDraft, from: T): (T & { chunkBytes: number | null }) | Wrong {
  if (split === 'lines') return { ...from, chunkBytes: null };
  const size = Number(chunkKiB);
  if (!Number.isInteger(size) || size < 1 || size > chunkKiBMax)
    return { sentence: `A piece has a whole number of kB, from 1 to ${chunkKiBMax}.` };
  return { ...from, chunkBytes: size * 1024 };
}

/** Lines without their ends; an end of the last line begins no further one. */
export function linesOf(text: string): string[] {
  if (text.trim() === '') return [];
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** '0..1000', '0-1000', '0 to 1000' or '1000' as [first, end). */
export function rangeOf(text: string): readonly [number, number] | null {
  const match = /^\s*(?:(-?\d+)\s*(?:\.\.|–|-|to)\s*)?(-?\d+)\s*$/.exec(text.replaceAll(/(?<=\d)[_\u202f](?=\d)/g, ''));
  if (match === null) return null;
  const range = [Number(match[1] ?? 0), Number(match[2])] as const;
  return range.every(Number.isSafeInteger) ? range : null;
}

/** What is known of the input at a glance: '1 000 items'. null while there is none, or it has to be read first. */
export function itemCount(draft: InputDraft): number | null {
  const inputs = checkInput(draft);
  if ('file' in inputs && inputs.chunkBytes !== null) return Math.ceil(inputs.file.size / inputs.chunkBytes);
  if ('range' in inputs) return inputs.range[1] - inputs.range[0];
  return 'items' in inputs ? inputs.items.length : null;
}

/** Why `head`, the first bytes of a file, cannot be lines of text; null where it may be. */
export function textProblem(head: Uint8Array, name: string): string | null {
  const message = `${name} does not look like text in UTF-8, so it has no lines to run over. If it is text, save it as UTF-8, as editors and spreadsheets can, and choose it again; if not, run over pieces of it.`;
  if (head.includes(0)) return message;
  // The last character may be cut in two: the decoder waits for the rest of it.
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return null;
  } catch {
    return message;
  }
}
