/// <reference types="node" />
// The examples of docs/SDK.md for the site's own page of them: the same text that the tests run.
import { readFileSync } from 'node:fs';
import type { SdkExample } from 'virtual:sdk-examples';

export const sdkExamples = (): SdkExample[] => examplesIn(readFileSync(new URL('../../../docs/SDK.md', import.meta.url), 'utf8'));

/** Those before the first heading are a whole page; the second under a heading is called so; what only the tests or a compiler want (`js file=...`, `ts`) is left out. */
export function examplesIn(text: string): SdkExample[] {
  const found: SdkExample[] = [];
  let title = 'A whole page';
  let nth = 0;
  for (const [, heading, language, code] of text.matchAll(/^## (.*)$|^```(html|js|sh)\n([\s\S]*?)^```$/gm)) {
    if (heading !== undefined) [title, nth] = [heading, 0];
    else found.push({ title: ++nth === 1 ? title : `${title} (${nth})`, language: language as SdkExample['language'], code: code! });
  }
  return found;
}
