// A sample or an old job as a draft of the form.
import { itemMsDefault, jobLifeMsDefault } from '../../kernel/limits.ts';
import type { JobInput, JobManifest } from '../../kernel/protocol/job-manifest.ts';
import type { Sample } from '../../samples/sample.ts';
import type { Job } from '../../sdk/types.ts';
import { dayMs, emptyDraft, emptyInput, minutesOf, type Draft, type InputDraft } from './draft.ts';

async function shipped(path: string): Promise<Blob> {
  const answer = await fetch(path).catch(() => null);
  if (answer === null || !answer.ok)
    throw new Error('The data of this sample could not be fetched: the server is not reachable just now. Choose a file of your own.');
  return answer.blob();
}

/** @throws Error with a sentence where its data cannot be had */
export async function draftOfSample({ name, code, reduce, args, argsFile, input }: Sample): Promise<Draft> {
  const whole = argsFile === undefined ? args : { ...(args as object), [argsFile.key]: await (await shipped(argsFile.path)).text() };
  const draft = { ...emptyDraft, name, code, reduce: reduce ?? '', args: whole === null ? '' : JSON.stringify(whole) };
  switch (input.kind) {
    case 'range':
      return { ...draft, kind: 'range', text: { ...draft.text, range: `${input.range[0]}..${input.range[1]}` } };
    case 'lines':
      return { ...draft, kind: 'lines', text: { ...draft.text, lines: input.text } };
    case 'file': {
      const file = new File([await shipped(input.path)], input.fileName, { type: 'text/plain' });
      const chunks = input.chunkBytes === undefined ? {} : { split: 'chunks' as const, chunkKiB: String(input.chunkBytes / 1024) };
      return { ...draft, kind: 'file', file, ...chunks };
    }
  }
}

/** Items of a list that are fetched back for editing; each is asked for by itself. */
export const clonedItemsMax = 2_000;

/** What this tab's ledger knows of a job. */
export interface KnownJob {
  readonly manifest: Pick<JobManifest, 'input' | 'totalMs' | 'itemMs' | 'memoryMiB' | 'createdAt' | 'expires'>;
  readonly priority: number;
}

/**
 * An old job to change and submit again. `sentence` says what could not be brought over; '' where all was.
 * @throws what `job.source()` throws
 */
export async function draftOfJob(job: Job, known: KnownJob | undefined): Promise<{ draft: Draft; sentence: string }> {
  const { code, reduce } = await job.source();
  const { args } = job;
  const manifest = known?.manifest;
  const draft = {
    ...emptyDraft,
    name: job.name,
    code,
    reduce: reduce ?? '',
    args: args === undefined || args === null ? '' : (JSON.stringify(args) ?? ''),
    open: job.open,
    totalMinutes: manifest?.totalMs === undefined ? '' : minutesOf(manifest.totalMs),
    itemMinutes: manifest === undefined || manifest.itemMs === itemMsDefault ? '' : minutesOf(manifest.itemMs),
    memoryMiB: manifest?.memoryMiB === undefined ? '' : String(manifest.memoryMiB),
    priority: known === undefined || known.priority === 0 ? '' : String(known.priority),
    keepDays: manifest === undefined ? '' : daysOf(manifest.expires - manifest.createdAt),
  };
  const cloned = manifest === undefined ? null : await inputOf(job, manifest.input);
  return cloned === null
    ? { draft, sentence: 'Its code and arguments are here; its input is not, because it is too much to write out. Choose it again.' }
    : { draft: { ...draft, ...cloned }, sentence: '' };
}

/** '' for the usual ones; at least one, however soon it was to expire. */
function daysOf(keptMs: number): string {
  const days = Math.max(1, Math.round(keptMs / dayMs));
  return days * dayMs === jobLifeMsDefault ? '' : String(days);
}

async function inputOf(job: Job, input: JobInput): Promise<InputDraft | null> {
  switch (input.kind) {
    case 'range':
      return { ...emptyInput, kind: 'range', text: { ...emptyInput.text, range: `${input.offset}..${input.offset + input.items}` } };
    case 'lines':
    case 'chunks': {
      const from = { ...emptyInput, kind: 'object' as const, text: { ...emptyInput.text, object: input.object } };
      return input.kind === 'lines' ? from : { ...from, split: 'chunks', chunkKiB: String(input.bytes / 1024) };
    }
    case 'items': {
      if (input.items > clonedItemsMax) return null;
      const values = await job.inputs(0, input.items);
      if (values.every((value) => typeof value === 'string' && !/[\r\n]/.test(value)))
        return { ...emptyInput, kind: 'lines', text: { ...emptyInput.text, lines: values.join('\n') } };
      const json = JSON.stringify(values);
      // What JSON has no word for would come back as something else.
      return json === undefined || values.some((value) => !isPlain(value))
        ? null
        : { ...emptyInput, kind: 'json', text: { ...emptyInput.text, json } };
    }
  }
}

function isPlain(value: unknown, depth = 0): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth > 20) return false;
  if (Array.isArray(value)) return value.every((each) => isPlain(each, depth + 1));
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every((each) => isPlain(each, depth + 1));
}
