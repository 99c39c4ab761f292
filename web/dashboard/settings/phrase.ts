// An identity's secret as 24 words (BIP39, English list): 32 bytes and a checksum of 8 bits. What is wrong with a phrase is said by the
// word, because whoever types it copies it from paper.
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';

export const phraseWords = 24;
/** A phrase has some 150 characters; more than this is something else, and is not looked through. */
export const phraseCharsMax = 2_000;

export type Read = { readonly ok: true; readonly seed: Uint8Array } | { readonly ok: false; readonly sentence: string };
const wrong = (sentence: string): Read => ({ ok: false, sentence });

/** @param seed 32 bytes */
export const phraseOf = (seed: Uint8Array): readonly string[] => entropyToMnemonic(seed, wordlist).split(' ');

/** Reads words as people paste them: numbered, with commas, in capitals, over several lines. */
export function readPhrase(text: string): Read {
  if (text.length > phraseCharsMax) return wrong(`That is much longer than a phrase of ${phraseWords} words.`);
  const words = text
    .normalize('NFKD')
    .toLowerCase()
    .split(/[\s,;]+/)
    .map((word) => word.replaceAll(/^\d+[.):]?|["'“”.]+/g, ''))
    .filter((word) => word !== '');
  if (words.length === 0) return wrong(`Type or paste the ${phraseWords} words.`);
  const at = words.findIndex((word) => !known.has(word));
  if (at >= 0) {
    const likely = alikeIn(words[at]!);
    return wrong(`Word ${at + 1}, “${words[at]!.slice(0, 20)}”, is not in the list.${likely === undefined ? '' : ` Is it “${likely}”?`}`);
  }
  if (words.length !== phraseWords)
    return wrong(`A phrase has ${phraseWords} words; ${words.length === 1 ? 'this is one' : `these are ${words.length}`}.`);
  try {
    return { ok: true, seed: mnemonicToEntropy(words.join(' '), wordlist) };
  } catch {
    return wrong('These are all words of the list, but not of one phrase: one of them is another, or two are in the wrong order.');
  }
}

const known = new Set(wordlist);
/** The first four letters of a word of the list are those of no other. */
const telling = 4;

/** The word that was probably meant; undefined where none is near. */
function alikeIn(word: string): string | undefined {
  const sameHead = word.length >= telling ? wordlist.find((each) => each.startsWith(word.slice(0, telling))) : undefined;
  return sameHead ?? wordlist.find((each) => oneEditApart(each, word));
}

/** One letter more, less or other. */
function oneEditApart(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  return a.slice(same + 1) === b.slice(same + 1) || a.slice(same + 1) === b.slice(same) || a.slice(same) === b.slice(same + 1);
}
