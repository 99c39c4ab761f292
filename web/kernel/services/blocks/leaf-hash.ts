// The hash that names segments and slices: over leaves of 256 KiB, which several threads of the browser hash at once.
import { concatBytes, hexOf } from '../../lib/bytes.ts';
import { leafBytes } from '../../limits.ts';
import type { Digest } from '../../platform.ts';

/** 'lull leaves 1' in UTF-8: a root is no leaf of anything. */
const rootTag = Uint8Array.of(108, 117, 108, 108, 32, 108, 101, 97, 118, 101, 115, 32, 49);

/** SHA-256 of up to one leaf of bytes; of more, the SHA-256 of the tag and the SHA-256 of each leaf. @returns 64 hex digits */
export async function leafHash(digest: Digest, bytes: Uint8Array): Promise<string> {
  if (bytes.length <= leafBytes) return hexOf(await digest.sha256(bytes));
  const leaves = Array.from({ length: Math.ceil(bytes.length / leafBytes) }, (_, i) =>
    digest.sha256(bytes.subarray(i * leafBytes, (i + 1) * leafBytes)),
  );
  return hexOf(await digest.sha256(concatBytes([rootTag, ...(await Promise.all(leaves))])));
}
