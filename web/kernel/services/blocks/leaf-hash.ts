// The hash that names segments and slices: over leaves of 256 KiB, which several threads of the browser hash at once.
import { concatBytes, hexOf } from '../../lib/bytes.ts';
import { lengthOf, runsOf, type Pieces } from '../../lib/pieces.ts';
import { leafBytes } from '../../limits.ts';
import type { Digest } from '../../platform.ts';

/** 'lull leaves 1' in UTF-8: a root is no leaf of anything. */
const rootTag = Uint8Array.of(108, 117, 108, 108, 32, 108, 101, 97, 118, 101, 115, 32, 49);
/** A leaf that came in pieces is put together here: the digest takes a copy of it before the next is. */
const room = new Uint8Array(leafBytes);

/** SHA-256 of up to one leaf of bytes; of more, the SHA-256 of the tag and the SHA-256 of each leaf. @returns 64 hex digits */
export async function leafHash(digest: Digest, bytes: Uint8Array | Pieces): Promise<string> {
  const pieces = bytes instanceof Uint8Array ? [bytes] : bytes;
  const leaves: Promise<Uint8Array>[] = [];
  for (const leaf of runsOf(pieces, leafBytes, room)) leaves.push(digest.sha256(leaf));
  if (leaves.length === 0) return hexOf(await digest.sha256(new Uint8Array(0)));
  if (lengthOf(pieces) <= leafBytes) return hexOf(await leaves[0]!);
  return hexOf(await digest.sha256(concatBytes([rootTag, ...(await Promise.all(leaves))])));
}
