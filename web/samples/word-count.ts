// Counts words and two-word phrases of a text, one item a line. A phrase does not cross a line end.
import type { Sample } from './sample.ts';

/** One item of the reduced result: a word (or phrase) and how often it occurs. */
export type Count = readonly [text: string, times: number];

/** What the reduce step answers with; lists are sorted by count, most first, then by the text's code units. */
export interface WordCounts {
  readonly lines: number;
  readonly totalWords: number;
  readonly distinctWords: number;
  readonly distinctPhrases: number;
  /** Complete. */
  readonly words: readonly Count[];
  /** The first 1 000. */
  readonly phrases: readonly Count[];
}

const code = `// One item is one line of the text.
const word = /[\\p{L}\\p{N}]+(?:['’-][\\p{L}\\p{N}]+)*/gu;

export default function countLine(line) {
  const found = line.toLowerCase().match(word) ?? [];
  const words = new Map();
  const phrases = new Map();
  found.forEach((text, i) => {
    words.set(text, (words.get(text) ?? 0) + 1);
    if (i === 0) return;
    const phrase = found[i - 1] + ' ' + text;
    phrases.set(phrase, (phrases.get(phrase) ?? 0) + 1);
  });
  return { words: [...words], phrases: [...phrases] };
}
`;

const reduce = `// Given the results of all lines, in order.
const sum = (lists) => {
  const all = new Map();
  for (const list of lists) for (const [text, times] of list) all.set(text, (all.get(text) ?? 0) + times);
  return [...all].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
};

export default function mergeCounts(lines) {
  const words = sum(lines.map((line) => line.words));
  const phrases = sum(lines.map((line) => line.phrases));
  return {
    lines: lines.length,
    totalWords: words.reduce((total, [, times]) => total + times, 0),
    distinctWords: words.length,
    distinctPhrases: phrases.length,
    words,
    phrases: phrases.slice(0, 1000),
  };
}
`;

export const wordCount: Sample = {
  id: 'word-count',
  name: 'Word count',
  about: 'Words and two-word phrases of a 1 MB text',
  picture: 'The commonest words and phrases as bars',
  source: 'Genesis to 1 Samuel, King James translation of 1611',
  code,
  reduce,
  args: null,
  input: { kind: 'file', path: '/samples/genesis-to-samuel.txt', fileName: 'genesis-to-samuel.txt' },
};
