// A private network is a key: whoever has it belongs to the network. Its name on the wire is a hash of the key, so that a server, or a
// stranger who learns the name, cannot come to the key.
import { hexOf } from './bytes.ts';
import type { Sha256 } from './hmac.ts';
import { encodeWire } from './wire-codec.ts';

export const publicNetwork = 'public';

/** 64 hex digits; no public network is called so. */
export async function networkIdOf(sha256: Sha256, key: Uint8Array): Promise<string> {
  return hexOf(await sha256(encodeWire(['lull network v1', key])));
}
