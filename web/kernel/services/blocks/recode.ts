// Re-codings: the document that names the slices of an object under another k, made and signed by a steward; and the proof that one is
// true, asked for before anything is dropped because of it.
import { bytesOfHex, concatBytes, hexOf } from '../../lib/bytes.ts';
import type { IdentityId, ObjectId } from '../../lib/ids.ts';
import { encodeWire } from '../../lib/wire-codec.ts';
import type { Platform } from '../../platform.ts';
import type { ObjectManifest, Recoding } from '../../protocol/object.ts';
import { leafHash } from './leaf-hash.ts';
import { recodingMessage } from './manifest.ts';
import { nMaxOf } from './redundancy.ts';
import type { SignedRecoding } from './slots.ts';

export const falseRecoding = 'A re-coding names slices that the object does not have.';

/** Hash of slice `index` of a segment, out of the 32-byte hashes of them all. */
export const hashAt = (hashes: Uint8Array, index: number) => hexOf(hashes.subarray(32 * index, 32 * index + 32));

/** All slices of a segment under k, and their hashes one after the other. */
export async function slicesOf(platform: Platform, segment: Uint8Array, k: number): Promise<{ slices: Uint8Array[]; hashes: Uint8Array }> {
  if (k === 1) return { slices: [segment], hashes: new Uint8Array() };
  const slices = await platform.coder.encode(segment, k, nMaxOf(k));
  const hashes = await Promise.all(slices.map(async (slice) => bytesOfHex(await leafHash(platform.digest, slice))));
  return { slices, hashes: concatBytes(hashes) };
}

export async function signRecoding(
  platform: Platform,
  object: ObjectId,
  k: number,
  slices: readonly Uint8Array[],
  by: IdentityId,
): Promise<{ signed: SignedRecoding; recoding: Recoding }> {
  const recoding: Recoding = { v: 1, object, k, n: nMaxOf(k), slices: [...slices], by };
  const bytes = encodeWire(recoding);
  const signature = await platform.signer.sign(await recodingMessage(platform.digest, bytes));
  return { signed: { bytes, signature }, recoding };
}

/**
 * Whether a re-coding names the slices that the object's segments really have: each is read, checked against the manifest as every read
 * is, and coded again. `segmentOf` rejects where a segment cannot be read, and so does this.
 */
export async function isTrue(
  platform: Platform,
  recoding: Recoding,
  manifest: ObjectManifest,
  segmentOf: (index: number) => Promise<Uint8Array>,
): Promise<boolean> {
  if (recoding.slices.length !== manifest.segments.length) return false;
  for (const [index, claimed] of recoding.slices.entries()) {
    const { hashes } = await slicesOf(platform, await segmentOf(index), recoding.k);
    if (hexOf(hashes) !== hexOf(claimed)) return false;
  }
  return true;
}
