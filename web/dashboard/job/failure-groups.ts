// Failed items put together by what went wrong.
import type { Result } from '../../sdk/types.ts';

export type Failed = Extract<Result, { error: unknown }>;

export interface FailureGroup {
  readonly key: string;
  readonly name: string;
  /** Of the first of them, as it came. */
  readonly message: string;
  readonly stack: string;
  readonly items: readonly Failed[];
}

/** What differs from item to item in a message of the same kind: numbers, and what stands in quotes. */
export function causeOf({ error }: Failed): string {
  const place = /\bat [^\n]*:(\d+):\d+/.exec(error.stack)?.[1] ?? '';
  const message = error.message
    .slice(0, 400)
    .replaceAll(/"[^"]*"|'[^']*'|`[^`]*`|“[^”]*”/g, '…')
    .replaceAll(/-?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?/gi, '#');
  return `${error.name}/${place}/${message}`;
}

/** Largest first; of equals, the one with the earliest item. */
export function failureGroups(failed: readonly Failed[]): FailureGroup[] {
  const groups = new Map<string, Failed[]>();
  for (const each of failed) {
    const key = causeOf(each);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return [...groups]
    .map(([key, items]) => ({
      key,
      name: items[0]!.error.name || 'Error',
      message: items[0]!.error.message,
      stack: items[0]!.error.stack,
      items,
    }))
    .toSorted((a, b) => b.items.length - a.items.length || a.items[0]!.index - b.items[0]!.index);
}
