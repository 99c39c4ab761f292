// A job before it is submitted, as a file to keep or a link to send: everything but a file's own bytes.
import * as v from 'valibot';
import { emptyDraft, inputKinds, type Draft } from './draft.ts';

const text = (max: number) => v.pipe(v.string(), v.maxLength(max));
const draftSchema = v.strictObject({
  lull: v.literal('job'),
  v: v.literal(1),
  name: text(400),
  code: text(4_000_000),
  reduce: v.optional(text(4_000_000), ''),
  args: v.optional(text(1_000_000), ''),
  open: v.optional(v.boolean(), false),
  totalMinutes: v.optional(text(20), ''),
  itemMinutes: v.optional(text(20), ''),
  memoryMiB: v.optional(text(20), ''),
  priority: v.optional(text(20), ''),
  keepDays: v.optional(text(20), ''),
  input: v.strictObject({
    kind: v.picklist(inputKinds),
    text: v.optional(text(16_000_000), ''),
    split: v.optional(v.picklist(['lines', 'chunks']), 'lines'),
    chunkKiB: v.optional(text(12), '64'),
  }),
});

/** Longer links are cut by some of what carries them. */
export const linkCharactersMax = 30_000;

/** JSON that a person can read and change. */
export function draftToText(draft: Draft): string {
  const {
    name,
    code,
    reduce,
    args,
    open,
    totalMinutes,
    itemMinutes,
    memoryMiB,
    priority,
    keepDays,
    kind,
    text: texts,
    split,
    chunkKiB,
  } = draft;
  const input = { kind, ...(kind !== 'file' && { text: texts[kind] }), ...((kind === 'file' || kind === 'object') && { split, chunkKiB }) };
  const said = {
    lull: 'job',
    v: 1,
    name,
    code,
    ...(reduce !== '' && { reduce }),
    ...(args !== '' && { args }),
    ...(open && { open }),
    ...(totalMinutes !== '' && { totalMinutes }),
    ...(itemMinutes !== '' && { itemMinutes }),
    ...(memoryMiB !== '' && { memoryMiB }),
    ...(priority !== '' && { priority }),
    ...(keepDays !== '' && { keepDays }),
    input,
  };
  return `${JSON.stringify(said, null, 2)}\n`;
}

/** @throws Error with a sentence: it may come from anywhere */
export function draftFromText(text: string): Draft {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    throw new Error('That is no job: it is not JSON.');
  }
  const parsed = v.safeParse(draftSchema, said);
  if (!parsed.success) throw new Error('That is JSON, but no job of Lull.');
  const { lull: _, v: __, input, ...rest } = parsed.output;
  const { kind, split, chunkKiB } = input;
  const texts = kind === 'file' ? emptyDraft.text : { ...emptyDraft.text, [kind]: input.text };
  return { ...emptyDraft, ...rest, kind, split, chunkKiB, text: texts };
}

/** What follows `#job=`: compressed, in letters that an address may have. */
export async function draftToFragment(draft: Draft): Promise<string> {
  const bytes = await through(new CompressionStream('deflate-raw'), new TextEncoder().encode(draftToText(draft)));
  let binary = '';
  for (let at = 0; at < bytes.length; at += 8_192) binary += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** A few bytes may unfold to very many: a link is refused past this. */
const unfoldedBytesMax = 24_000_000;

/** @throws Error with a sentence */
export async function draftFromFragment(fragment: string): Promise<Draft> {
  let unfolded: Uint8Array;
  try {
    const binary = atob(fragment.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
    unfolded = await through(new DecompressionStream('deflate-raw'), bytes);
  } catch {
    throw new Error('The job in this link cannot be read: part of the address may have been lost when it was copied.');
  }
  return draftFromText(new TextDecoder().decode(unfolded));
}

async function through(stream: CompressionStream | DecompressionStream, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > unfoldedBytesMax) throw new Error('too large');
    parts.push(value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
