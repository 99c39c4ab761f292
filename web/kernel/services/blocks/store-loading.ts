// What a database holds of this service, read when the page begins. What is not of the form it should have is not there.
import * as v from 'valibot';
import { isHex64, objectId, type ObjectId } from '../../lib/ids.ts';
import { success, type Outcome } from '../../lib/outcome.ts';
import type { Storage } from '../../platform.ts';
import { signedRecodingSchema, type ObjectManifest } from '../../protocol/object.ts';
import { parseManifest, parseRecoding } from './manifest.ts';
import { metaKey, metaSchema, strayKeys, type SliceMeta } from './slice-values.ts';
import type { SignedRecoding } from './slots.ts';

export interface Loaded {
  readonly slices: ReadonlyMap<string, SliceMeta>;
  readonly manifests: readonly { readonly id: ObjectId; readonly bytes: Uint8Array; readonly manifest: ObjectManifest }[];
  readonly recodings: readonly { readonly id: ObjectId; readonly k: number; readonly signed: SignedRecoding }[];
  /** Keys of runs whose slice was never whole: to be deleted. */
  readonly stray: readonly string[];
}

/** Where a re-coding lies; its manifest lies under the id alone. */
export const recodingKey = (id: ObjectId, k: number) => `${id}/${k}`;

/** Faults: 'storage'. */
export async function loadStore(storage: Storage): Promise<Outcome<Loaded>> {
  // The runs first: a write of the page before, which ends between these reads, must not pass for one that never ended.
  const [keys, metas, documents] = await Promise.all([
    storage.keys('slices', ''),
    storage.entries('meta', metaKey('')),
    storage.entries('objects', ''),
  ]);
  if (!metas.ok) return metas;
  if (!documents.ok) return documents;
  if (!keys.ok) return keys;
  const slices = new Map<string, SliceMeta>();
  for (const [key, value] of metas.value) {
    const meta = v.safeParse(metaSchema, value);
    const hash = key.slice(metaKey('').length);
    if (meta.success && isHex64(hash)) slices.set(hash, meta.output);
  }
  const manifests: Loaded['manifests'][number][] = [];
  const recodings: Loaded['recodings'][number][] = [];
  for (const [key, value] of documents.value) {
    const [hex = '', k] = key.split('/');
    if (!isHex64(hex)) continue;
    const id = objectId(hex);
    if (k === undefined) {
      const manifest = value instanceof Uint8Array ? parseManifest(value) : undefined;
      if (manifest !== undefined) manifests.push({ id, bytes: value as Uint8Array, manifest });
      continue;
    }
    const signed = v.safeParse(signedRecodingSchema, value);
    const recoding = signed.success ? parseRecoding(signed.output.bytes) : undefined;
    if (signed.success && recoding?.object === id && recoding.k === Number(k)) recodings.push({ id, k: recoding.k, signed: signed.output });
  }
  return success({ slices, manifests, recodings, stray: strayKeys(keys.value, slices) });
}

/**
 * Why what is here is no more, where that is so: the person, or the browser, has cleared it, or it is closed for good. `any` is a slice
 * that should be there; where there is none, nothing can be gone.
 */
export async function goneBecause(storage: Storage, any: string | undefined): Promise<string | undefined> {
  if (!storage.durable || any === undefined) return undefined;
  const meta = await storage.get('meta', metaKey(any));
  if (!meta.ok) return meta.fault.closed === true ? meta.fault.message : undefined;
  const kept = meta.value === undefined ? await storage.keys('meta', '') : undefined;
  const cleared = kept?.ok === true && kept.value.length === 0;
  return cleared ? 'The browser has cleared what Lull kept here. Reload the page to keep data again.' : undefined;
}
