// A digest and a signer that settle in the same order every run. The digest is real SHA-256; the signature is a keyed
// hash that anybody who knows the identity can check, and that only code holding the signer makes.
import { hash as hashOf } from 'node:crypto';
import { concatBytes, equalBytes, hexOf } from '../lib/bytes.ts';
import { identityId, type IdentityId } from '../lib/ids.ts';
import type { Digest, Signer } from '../platform.ts';

/** Node's own is synchronous, and several times faster than one in JavaScript. */
const hash = (bytes: Uint8Array) => new Uint8Array(hashOf('sha256', bytes, 'buffer'));
const text = new TextEncoder();

export const testDigest: Digest = { sha256: (bytes) => Promise.resolve(hash(bytes)) };

function keyedHash(identity: IdentityId, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const half = hash(concatBytes([text.encode(`test signer ${identity}`), bytes]));
  return concatBytes([half, half]);
}

export function testSigner(seed: string): Signer {
  const identity = identityId(hexOf(hash(text.encode(`identity of ${seed}`))));
  return {
    identity,
    sign: (bytes) => Promise.resolve(keyedHash(identity, bytes)),
    verify: (by, bytes, signature) => Promise.resolve(equalBytes(keyedHash(by, bytes), signature)),
  };
}
