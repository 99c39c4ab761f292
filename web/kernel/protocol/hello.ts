// The first message each side of a new link sends on its control channel, at once and without waiting for the other's: who it is,
// what it speaks, and the proof. Always MessagePack: the binding is what this message negotiates.
import * as v from 'valibot';
import { encodeWire } from '../lib/wire-codec.ts';
import type { PeerId } from '../lib/ids.ts';
import { bytes, identityIdSchema, listOf, peerIdSchema, positive, storeIdSchema, text } from './schemas.ts';

/** What stays readable in every version, so that two versions that do not understand each other can at least say so. */
export const helloVersionsSchema = v.object({ v: positive, vMin: positive });

export const helloSchema = v.strictObject({
  /** The newest and the oldest wire version spoken. */
  v: positive,
  vMin: positive,
  network: text(128),
  peer: peerIdSchema,
  identity: identityIdSchema,
  /** null for a tab that does not speak for its profile's store. */
  store: v.nullable(storeIdSchema),
  /** Wire bindings in order of preference. */
  bindings: v.pipe(listOf(text(32), 8), v.minLength(1)),
});
export type Hello = v.InferOutput<typeof helloSchema>;

/**
 * `proof` signs `proofBytes`: bound to this link, so it is worth nothing on any other. `mac` is there in a private network: the
 * HMAC-SHA256 of `macBytes` by the network's key.
 */
export const signedHelloSchema = v.strictObject({
  t: v.literal('hello'),
  hello: bytes(2_048),
  proof: bytes(64),
  mac: v.optional(bytes(32)),
});

export const byeCodes = [
  'version', // no wire version in common
  'network', // another network
  'identity', // the proof does not fit
  'refused', // the security manager said no
  'duplicate', // another link to the same peer is kept
  'malformed', // what came cannot be read
  'overloaded', // too many links, or a flood on this one
  'too-late', // the handshake took too long
  'leaving', // the tab closes, or needs this link no more
] as const;

/** The last message on a link: why it ends, in one sentence for a person. Readable in every version. */
export const byeSchema = v.strictObject({ t: v.literal('bye'), code: v.picklist(byeCodes), sentence: text(300) });
export type Bye = v.InferOutput<typeof byeSchema>;
export type ByeCode = Bye['code'];

/** What a hello's proof signs. The role keeps a hello from being sent back to whoever made it. */
export function proofBytes(binding: Uint8Array, role: 'dialler' | 'dialled', from: PeerId, to: PeerId, hello: Uint8Array): Uint8Array {
  return encodeWire(['lull link v1', binding, role, from, to, hello]);
}

/** What a hello's MAC covers: the same, under a tag of its own. */
export function macBytes(binding: Uint8Array, role: 'dialler' | 'dialled', from: PeerId, to: PeerId, hello: Uint8Array): Uint8Array {
  return encodeWire(['lull network link v1', binding, role, from, to, hello]);
}
