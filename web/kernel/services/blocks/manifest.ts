// Manifests as bytes: an object's id is the SHA-256 of them, so they are kept and passed on exactly as they were made.
import * as v from 'valibot';
import { hexOf } from '../../lib/bytes.ts';
import { objectId, type ObjectId } from '../../lib/ids.ts';
import { decodeWire, encodeWire } from '../../lib/wire-codec.ts';
import type { Digest } from '../../platform.ts';
import { objectManifestSchema, type ObjectManifest } from '../../protocol/object.ts';

export const manifestBytesMax = 512 * 1024;

export const encodeManifest = (manifest: ObjectManifest) => encodeWire(manifest);

/** undefined where the bytes are no manifest, or one that contradicts itself. */
export function parseManifest(bytes: Uint8Array): ObjectManifest | undefined {
  if (bytes.length > manifestBytesMax) return undefined;
  const parsed = v.safeParse(objectManifestSchema, decodeWire(bytes));
  if (!parsed.success) return undefined;
  const { size, segments, k, n } = parsed.output;
  const sum = segments.reduce((total, segment) => total + segment.size, 0);
  return sum === size && k <= n ? parsed.output : undefined;
}

export async function idOfManifest(digest: Digest, bytes: Uint8Array): Promise<ObjectId> {
  return objectId(hexOf(await digest.sha256(bytes)));
}
