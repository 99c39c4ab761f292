// HMAC-SHA256 (RFC 2104) over a digest that is given: the kernel has no hash of its own.
import { concatBytes } from './bytes.ts';

export type Sha256 = (bytes: Uint8Array) => Promise<Uint8Array>;

const blockBytes = 64;

/** 32 bytes that only somebody with `key` can make of `message`. */
export async function hmacSha256(sha256: Sha256, key: Uint8Array, message: Uint8Array): Promise<Uint8Array> {
  const padded = new Uint8Array(blockBytes);
  padded.set(key.length > blockBytes ? await sha256(key) : key);
  const inner = await sha256(concatBytes([padded.map((byte) => byte ^ 0x36), message]));
  return sha256(concatBytes([padded.map((byte) => byte ^ 0x5c), inner]));
}
