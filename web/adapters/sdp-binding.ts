// What binds an identity to a link: the fingerprints of both DTLS certificates, as both sides agreed on them.
import { concatBytes, bytesOfHex } from '../kernel/lib/bytes.ts';

/**
 * The SHA-256 fingerprint of a session description: 32 bytes. Undefined unless it names exactly one, because with two the far side
 * could prove itself with either, and the binding would not say with which.
 */
export function fingerprintOf(sdp: string): Uint8Array | undefined {
  const named = new Set(
    [...sdp.matchAll(/^a=fingerprint:(\S+)[ \t]+(\S+)[ \t]*\r?$/gim)].map((match) => `${match[1]} ${match[2]}`.toLowerCase()),
  );
  const [only] = named;
  if (named.size !== 1 || only === undefined) return undefined;
  const [hash, digits = ''] = only.split(' ');
  const hex = digits.replaceAll(':', '');
  return hash === 'sha-256' && /^[0-9a-f]{64}$/.test(hex) ? bytesOfHex(hex) : undefined;
}

/** Both fingerprints, the smaller first: equal on both sides. Undefined where either is missing or they are the same. */
export function bindingOf(localSdp: string, remoteSdp: string): Uint8Array | undefined {
  const [local, remote] = [fingerprintOf(localSdp), fingerprintOf(remoteSdp)];
  if (local === undefined || remote === undefined) return undefined;
  const at = local.findIndex((byte, i) => byte !== remote[i]);
  if (at < 0) return undefined;
  return local[at]! < remote[at]! ? concatBytes([local, remote]) : concatBytes([remote, local]);
}
