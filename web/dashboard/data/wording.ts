// Sentences of the Data page about this tab's store: room, what outlives it, repair.
import { bytes, duration, plural } from '../view/format.ts';

/** What the browser has said about keeping this site's data. */
export type Durability =
  /** It has no way to be asked. */
  | 'unknown'
  | 'not-asked'
  | 'refused'
  /** It is cleared only by the person. */
  | 'kept';

/** What this tab's storage is: its own, the one another tab of the browser speaks for, or none that lasts. */
export type StoreKind = 'own' | 'second' | 'none';

export function durabilityWords(durability: Durability, store: StoreKind): string {
  if (store === 'second') return 'Another tab of this browser keeps the data; this one can put and get.';
  if (store === 'none') return 'This window keeps nothing: what is here is gone when it is closed. Use a normal window to keep data.';
  switch (durability) {
    case 'kept':
      return 'Kept until you remove it.';
    case 'refused':
      return 'The browser may clear this when space runs short: it was asked not to, and said no.';
    case 'not-asked':
    case 'unknown':
      return 'The browser may clear this when space runs short.';
  }
}

/**
 * What helps where the store has a problem: more room on the machine, a higher limit, or neither (what it is then says itself).
 * @param limitBytes what the person allows; the browser may allow less
 */
export function remedyOf(
  { usedBytes, allowedBytes }: { usedBytes: number; allowedBytes: number },
  limitBytes: number,
): 'disk' | 'limit' | 'none' {
  const full = usedBytes >= allowedBytes * fullShare;
  if (!full) return 'none';
  return allowedBytes < limitBytes * fullShare ? 'disk' : 'limit';
}

const fullShare = 0.9;

export interface Repair {
  readonly waiting: number;
  readonly running: number;
  readonly doneBytes: number;
  readonly bytesPerSecond: number;
}

export interface RepairWords {
  readonly active: boolean;
  readonly text: string;
  readonly detail: string;
}

export function repairWords({ waiting, running, doneBytes, bytesPerSecond }: Repair): RepairWords {
  const done = doneBytes > 0 ? `${bytes(doneBytes)} repaired by this tab so far.` : '';
  if (running > 0) {
    return {
      active: true,
      text: `${plural(running, 'object')} being repaired, ${bytes(bytesPerSecond)}/s`,
      detail: waiting > 0 ? `${plural(waiting, 'more waits', 'more wait')} for its turn.`.replace('wait for its', 'wait for their') : done,
    };
  }
  if (waiting > 0) return { active: true, text: `${plural(waiting, 'object waits', 'objects wait')} for repair`, detail: done };
  return { active: false, text: 'Nothing needs repair', detail: done || 'Lost slices are made anew by themselves.' };
}

/** Why a file is not taken, or null where it may be tried. */
export function sizeProblem(name: string, size: number, allowedBytes: number | null, objectBytesMax: number): string | null {
  if (size > objectBytesMax) return `${name} has ${bytes(size)}, and an object may have at most ${bytes(objectBytesMax)}.`;
  if (allowedBytes !== null && size > allowedBytes)
    return `${name} has ${bytes(size)}, more than the ${bytes(allowedBytes)} this browser is allowed to use: allow more on the Donate page, or put a smaller file.`;
  return null;
}

/** What was forged, with ids as short as people compare them; and when, in whole minutes. */
export function forgedWords(what: string, agoMs: number): string {
  const when = agoMs < 60_000 ? 'just now' : `${duration(Math.floor(agoMs / 60_000) * 60_000)} ago`;
  return `${what.replaceAll(/[0-9a-f]{64}/g, (id) => `${id.slice(0, 8)}…`)}, ${when}`;
}

export interface OwnerSum {
  readonly by: string;
  readonly objects: number;
  readonly heldHereBytes: number;
  /** Those of which a slice is missing or away. */
  readonly short: number;
}

/** What is kept for each person, most bytes first. */
export function sumByOwner(
  objects: readonly { readonly by: string; readonly heldHereBytes: number; readonly online: number; readonly n: number }[],
): readonly OwnerSum[] {
  const sums = new Map<string, { objects: number; heldHereBytes: number; short: number }>();
  for (const { by, heldHereBytes, online, n } of objects) {
    const sum = sums.get(by) ?? { objects: 0, heldHereBytes: 0, short: 0 };
    sum.objects++;
    sum.heldHereBytes += heldHereBytes;
    if (online < n) sum.short++;
    sums.set(by, sum);
  }
  return [...sums].map(([by, sum]) => ({ by, ...sum })).toSorted((a, b) => b.heldHereBytes - a.heldHereBytes || (a.by < b.by ? -1 : 1));
}

const kinds: readonly (readonly [RegExp, string])[] = [
  [/^image\//, 'image'],
  [/^video\//, 'video'],
  [/^audio\//, 'sound'],
  [/^text\/csv/, 'table'],
  [/javascript/, 'code'],
  [/json$/, 'JSON'],
  [/pdf$/, 'PDF'],
  [/zip|compressed|x-tar/, 'archive'],
  [/^text\//, 'text'],
];

/** A media type as a word. */
export const kindWord = (type: string): string => kinds.find(([pattern]) => pattern.test(type))?.[1] ?? 'file';
