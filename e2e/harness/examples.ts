// The examples of a text in Markdown, as something to run: fenced code, and what it is said to print.
import { readFileSync } from 'node:fs';

export interface Example {
  /** Where it begins in the file. */
  readonly line: number;
  readonly language: string;
  /** What follows the language: `js site`, `js file=square.mjs`. */
  readonly info: string;
  readonly code: string;
  /** The fenced block of plain text right behind a command. */
  readonly output: string | undefined;
}

export function examplesOf(path: URL): Example[] {
  const text = readFileSync(path, 'utf8');
  const blocks = [...text.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm)].map((block) => {
    const [whole, language, info, code] = block as unknown as [string, string, string, string];
    return { language, info, code, from: block.index, to: block.index + whole.length };
  });
  return blocks.flatMap(({ language, info, code, from, to }, at) => {
    if (language === 'text') return [];
    const next = blocks[at + 1];
    const follows = next?.language === 'text' && text.slice(to, next.from).trim() === '';
    return { line: text.slice(0, from).split('\n').length, language, info, code, output: follows ? next.code : undefined };
  });
}

/** What an example's comments say that it prints, in order: `console.log(2); // → 2`. */
export const printed = (code: string): string[] => [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line!.trimEnd());
