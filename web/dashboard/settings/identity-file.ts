// An identity as a file: JSON that a person can read, with the same 24 words that can be typed from paper.
import { nameOf } from '../../kernel/lib/names.ts';
import { phraseOf, readPhrase, type Read } from './phrase.ts';

export const identityFileBytesMax = 16 * 1024;
const kind = 'lull identity';

export interface IdentityFile {
  readonly seed: Uint8Array;
  /** Whose it says it is, 64 hex digits: checked by whoever can make the key. */
  readonly identity: string;
}

export function identityFileOf(seed: Uint8Array, identity: string): { readonly name: string; readonly text: string } {
  const file = {
    file: kind,
    version: 1,
    name: nameOf(identity),
    identity,
    note: 'This is the secret itself: whoever has it is you on Lull. Bring it in on the Settings page of another browser.',
    phrase: phraseOf(seed).join(' '),
  };
  return { name: `lull-${nameOf(identity).replaceAll(/[^a-z]+/g, '-')}.json`, text: `${JSON.stringify(file, null, 2)}\n` };
}

export function readIdentityFile(text: string): (Read & { readonly ok: false }) | ({ readonly ok: true } & IdentityFile) {
  const wrong = (sentence: string) => ({ ok: false as const, sentence });
  if (text.length > identityFileBytesMax) return wrong('This file is too large to be a saved identity.');
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return wrong('This is no file that Lull saved an identity in.');
  }
  if (typeof file !== 'object' || file === null || !('file' in file) || file.file !== kind)
    return wrong('This is no file that Lull saved an identity in.');
  if (!('version' in file) || file.version !== 1) return wrong('A newer version of Lull saved this file: load this page again.');
  const { phrase, identity } = file as { phrase?: unknown; identity?: unknown };
  if (typeof phrase !== 'string' || typeof identity !== 'string') return wrong('Part of this file is missing.');
  const read = readPhrase(phrase);
  return read.ok ? { ...read, identity } : wrong(`The phrase in this file is damaged. ${read.sentence}`);
}
