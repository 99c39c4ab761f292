import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOfHex, hexOf } from '../../kernel/lib/bytes.ts';
import { identityFileBytesMax, identityFileOf, readIdentityFile } from './identity-file.ts';
import { phraseOf, phraseWords, readPhrase } from './phrase.ts';

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const sentenceOf = (text: string) => {
  const read = readPhrase(text);
  return read.ok ? 'read' : read.sentence;
};

/** The vectors of BIP39 for 256 bits. */
const vectors = [
  ['00'.repeat(32), `${'abandon '.repeat(23)}art`],
  ['7f'.repeat(32), `${'legal winner thank year wave sausage worth useful '.repeat(2)}legal winner thank year wave sausage worth title`],
  ['ff'.repeat(32), `${'zoo '.repeat(23)}vote`],
  [
    '68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c',
    'hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis maple dilemma loan word shrug inflict delay length',
  ],
] as const;

describe('a phrase', () => {
  test.each(vectors)('of the secret %s is that of the standard', (seed, phrase) => {
    expect(phraseOf(bytesOfHex(seed)).join(' ')).toBe(phrase);
    expect(readPhrase(phrase)).toEqual({ ok: true, seed: bytesOfHex(seed) });
  });

  test('is read as people paste it: numbered, in capitals, with commas, over lines', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.constantFrom(' ', '\n', ', ', '\t', ' ;\r\n'),
        fc.boolean(),
        fc.boolean(),
        (seed, between, numbered, capitals) => {
          const words = phraseOf(seed).map((word, i) => (numbered ? `${i + 1}. ` : '') + (capitals ? word.toUpperCase() : word));
          expect(readPhrase(`  ${words.join(between)}\n`)).toEqual({ ok: true, seed });
        },
      ),
    );
  });

  test.each([
    ['', 'Type or paste the 24 words.'],
    ['zoo', 'A phrase has 24 words; this is one.'],
    ['zoo zoo', 'A phrase has 24 words; these are 2.'],
    [`${'zoo '.repeat(6)}zooo`, 'Word 7, “zooo”, is not in the list. Is it “zoo”?'],
    ['abandonned', 'Word 1, “abandonned”, is not in the list. Is it “abandon”?'],
    ['zoo bttle', 'Word 2, “bttle”, is not in the list. Is it “battle”?'],
    ['zoo qqqqqq', 'Word 2, “qqqqqq”, is not in the list.'],
    ['zoo <b>', 'Word 2, “<b>”, is not in the list.'],
    ['x'.repeat(3_000), 'That is much longer than a phrase of 24 words.'],
  ])('%j: %s', (text, sentence) => {
    expect(sentenceOf(text)).toBe(sentence);
  });

  test('with two words in the wrong order is refused: 255 of 256 are', () => {
    const swapped = Array.from({ length: 200 }, (_, n) => {
      const words = [...phraseOf(Uint8Array.from({ length: 32 }, (_byte, i) => (i * 37 + n * 101) & 255))];
      [words[3], words[9]] = [words[9]!, words[3]!];
      return sentenceOf(words.join(' '));
    });
    const refused = swapped.filter((sentence) => sentence.includes('one of them is another, or two are in the wrong order'));
    expect(refused.length).toBeGreaterThan(190);
    expect(phraseWords).toBe(24);
  });
});

describe('a file', () => {
  test('holds the secret, whose it is, and a name that any system takes', () => {
    fc.assert(
      fc.property(seeds, seeds, (seed, key) => {
        const identity = hexOf(key);
        const { name, text } = identityFileOf(seed, identity);
        expect(name).toMatch(/^lull-[a-z]+-[a-z]+\.json$/);
        expect(readIdentityFile(text)).toEqual({ ok: true, seed, identity });
      }),
    );
  });

  const good = identityFileOf(new Uint8Array(32), 'ab'.repeat(32)).text;
  test.each([
    ['a picture', '\u0089PNG', 'This is no file that Lull saved an identity in.'],
    ['other JSON', '{"results":[]}', 'This is no file that Lull saved an identity in.'],
    ['null', 'null', 'This is no file that Lull saved an identity in.'],
    ['a later one', good.replace('"version": 1', '"version": 2'), 'A newer version of Lull saved this file: load this page again.'],
    ['half of one', good.replace('"identity"', '"identiti"'), 'Part of this file is missing.'],
    [
      'a damaged one',
      good.replace('abandon', 'abandoned'),
      'The phrase in this file is damaged. Word 1, “abandoned”, is not in the list. Is it “abandon”?',
    ],
    ['a large one', ' '.repeat(identityFileBytesMax + 1), 'This file is too large to be a saved identity.'],
  ])('that is %s is refused in words', (_, text, sentence) => {
    expect(readIdentityFile(text)).toEqual({ ok: false, sentence });
  });
});
