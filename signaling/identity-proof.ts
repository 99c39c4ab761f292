// Ed25519 by node:crypto, from the raw 32-byte keys that ids carry.
import { createPublicKey, verify } from 'node:crypto';
import { bytesOfHex } from '../web/kernel/lib/bytes.ts';
import type { IdentityId } from '../web/kernel/lib/ids.ts';

/** True where `identity` made `signatureHex` over `bytes`. Never throws: a key that is no point on the curve proves nothing. */
export function provenBy(identity: IdentityId, bytes: Uint8Array, signatureHex: string): boolean {
  try {
    const x = Buffer.from(identity, 'hex').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return verify(null, bytes, key, bytesOfHex(signatureHex));
  } catch {
    return false;
  }
}
