// Manifests and re-codings as bytes: an object's id is the SHA-256 of its manifest's, so they are kept and passed on exactly as they were made.
import { hexOf } from '../../lib/bytes.ts';
import { objectId, type ObjectId } from '../../lib/ids.ts';
import { parse } from '../../lib/parse.ts';
import { decodeWire, encodeWire } from '../../lib/wire-codec.ts';
import type { Digest } from '../../platform.ts';
import { objectManifestSchema, recodingSchema, type ObjectManifest, type Recoding } from '../../protocol/object.ts';

/** 4 096 segments with the hashes of 16 slices each are 2.4 MiB. */
export const manifestBytesMax = 3 * 1024 * 1024;

export const encodeManifest = (manifest: ObjectManifest) => encodeWire(manifest);

/** undefined where the bytes are no manifest, or one that contradicts itself. */
export function parseManifest(bytes: Uint8Array): ObjectManifest | undefined {
  if (bytes.length > manifestBytesMax) return undefined;
  const parsed = parse(objectManifestSchema, decodeWire(bytes));
  if (!parsed.success) return undefined;
  const { size, segments, k, n, holders } = parsed.output;
  const sum = segments.reduce((total, segment) => total + segment.size, 0);
  const listed = hashesLengthOf(k, n);
  const fits = sum === size && k <= n && holders.length <= n && segments.every(({ slices }) => slices.length === listed);
  return fits ? parsed.output : undefined;
}

/** undefined where the bytes are no re-coding, or one that contradicts itself. */
export function parseRecoding(bytes: Uint8Array): Recoding | undefined {
  if (bytes.length > manifestBytesMax) return undefined;
  const parsed = parse(recodingSchema, decodeWire(bytes));
  if (!parsed.success) return undefined;
  const { k, n, slices } = parsed.output;
  const listed = hashesLengthOf(k, n);
  return k <= n && slices.every(({ length }) => length === listed) ? parsed.output : undefined;
}

/** Bytes of the slice hashes of one segment. */
const hashesLengthOf = (k: number, n: number) => (k === 1 ? 0 : 32 * n);

export async function idOfManifest(digest: Digest, bytes: Uint8Array): Promise<ObjectId> {
  return objectId(hexOf(await digest.sha256(bytes)));
}

/** What the author of a re-coding signs. */
export async function recodingMessage(digest: Digest, bytes: Uint8Array): Promise<Uint8Array> {
  return encodeWire(['lull recoding 1', await digest.sha256(bytes)]);
}
