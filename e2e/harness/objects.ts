// Objects as a person's own code on the page puts and gets them.
import type { Page } from 'playwright';
import type { ObjectRef } from '../../web/sdk/types.ts';

export const put = (page: Page, text: string): Promise<ObjectRef> => page.evaluate((given) => globalThis.lull.put(given), text);

/** Its text, or 'not here'. */
export const get = (page: Page, ref: ObjectRef): Promise<string> =>
  page.evaluate(
    (from) =>
      globalThis.lull.get(from).then(
        (blob) => blob.text(),
        () => 'not here',
      ),
    ref,
  );

/** Bytes that no coding gets right by chance, made alike in the tab and here. */
export function noise(bytes: number): Buffer {
  const words = new Uint32Array(bytes / 4);
  for (let i = 0, x = 1; i < words.length; i++) words[i] = x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
  return Buffer.from(words.buffer);
}

export const putNoise = (page: Page, bytes: number): Promise<ObjectRef> =>
  page.evaluate((size) => {
    const words = new Uint32Array(size / 4);
    for (let i = 0, x = 1; i < words.length; i++) words[i] = x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return globalThis.lull.put(new Blob([words]), { name: 'noise.bin' });
  }, bytes);

/** SHA-256 of the object as this tab gets it, by the tab's own WebCrypto. */
export const digestOf = (page: Page, object: string) =>
  page.evaluate(async (id) => {
    const bytes = await (await globalThis.lull.get(id)).arrayBuffer();
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return { size: bytes.byteLength, sha256: Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('') };
  }, object);
