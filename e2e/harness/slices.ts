// What the stores of open tabs really hold, read from their IndexedDB and not from what the kernel says of itself.
import type { Page } from 'playwright';
import { decodeWire } from '../../web/kernel/lib/wire-codec.ts';
import type { ObjectManifest, Recoding } from '../../web/kernel/protocol/object.ts';

export interface StoreContents {
  /** Hashes of the slices held whole: their meta entry is written with the last of their bytes. */
  readonly slices: ReadonlySet<string>;
  /** Encoded manifests by object id. */
  readonly manifests: ReadonlyMap<string, Uint8Array>;
}

export async function contentsOf(page: Page): Promise<StoreContents> {
  const { slices, manifests } = await page.evaluate(async () => {
    const request = <T>(asked: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        asked.addEventListener('success', () => resolve(asked.result));
        asked.addEventListener('error', () => reject(asked.error ?? new Error('IndexedDB refused')));
      });
    const database = await request(indexedDB.open('lull'));
    try {
      const transaction = database.transaction(['meta', 'slices', 'objects']);
      const meta = (await request(transaction.objectStore('meta').getAllKeys(IDBKeyRange.bound('slice/', 'slice/\uFFFF')))) as string[];
      const stored = new Set(((await request(transaction.objectStore('slices').getAllKeys())) as string[]).map((key) => key.slice(0, 64)));
      const objects = transaction.objectStore('objects');
      const ids = (await request(objects.getAllKeys())) as string[];
      const values = (await request(objects.getAll())) as unknown[];
      return {
        slices: meta.map((key) => key.slice('slice/'.length)).filter((hash) => stored.has(hash)),
        manifests: ids.flatMap((id, i) => (values[i] instanceof Uint8Array ? [[id, Array.from(values[i])] as const] : [])),
      };
    } finally {
      database.close();
    }
  });
  return { slices: new Set(slices), manifests: new Map(manifests.map(([id, bytes]) => [id, Uint8Array.from(bytes)])) };
}

export const manifestIn = ({ manifests }: StoreContents, object: string): ObjectManifest | undefined => {
  const bytes = manifests.get(object);
  return bytes === undefined ? undefined : (decodeWire(bytes) as ObjectManifest);
};

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Slice hashes of each segment, by slice index. Where k = 1 every slice is the segment. */
export function sliceHashesOf({ k, n, segments }: ObjectManifest): string[][] {
  return segments.map(({ hash, slices }) => hashesOf(k, n, hash, slices));
}

/** The same for a re-coding of that object. */
export function recodedHashesOf(manifest: ObjectManifest, recoding: Recoding): string[][] {
  return manifest.segments.map(({ hash }, i) => hashesOf(recoding.k, recoding.n, hash, recoding.slices[i]!));
}

const hashesOf = (k: number, n: number, hash: string, slices: Uint8Array): string[] =>
  Array.from({ length: n }, (_, index) => (k === 1 ? hash : hex(slices.subarray(32 * index, 32 * (index + 1)))));

/** For each segment, how many of `stores` hold a slice of it that no other of them is counted for. */
export function heldPerSegment(hashes: readonly (readonly string[])[], stores: readonly StoreContents[]): number[] {
  return hashes.map((slices) => {
    const same = new Set(slices).size === 1;
    const holding = stores.map(({ slices: held }) => slices.flatMap((hash, index) => (held.has(hash) ? [index] : [])));
    if (same) return holding.filter((indexes) => indexes.length > 0).length;
    // Every store counts for one slice, every slice for one store.
    const takenBy = new Map<number, number>();
    const place = (store: number, tried: Set<number>): boolean =>
      holding[store]!.some((index) => {
        if (tried.has(index)) return false;
        tried.add(index);
        const other = takenBy.get(index);
        if (other !== undefined && !place(other, tried)) return false;
        takenBy.set(index, store);
        return true;
      });
    return holding.filter((_, store) => place(store, new Set())).length;
  });
}
