// What a tab and the signaling server's group directory say to each other, in JSON text frames on one WebSocket:
//
//   server: challenge ->          <- join :client
//   server: welcome ->            (then joined, left, moved, neighbours, beat as they happen)
//   server: refused ->            (and the socket closes)
import * as v from 'valibot';
import { encodeWire } from '../lib/wire-codec.ts';
import type { IdentityId, PeerId, StoreId } from '../lib/ids.ts';
import { groupPeersMax } from '../limits.ts';
import { answersForMax, contactsMax, neighboursMax } from './contracts/groups.ts';
import { groupIdSchema, identityIdSchema, listOf, peerIdSchema, storeIdSchema, text } from './schemas.ts';

export const directoryVersion = 1;
/** A client has one thing to say, and it is short. */
export const directoryJoinBytesMax = 4 * 1024;
/** The longest frame of the server: a welcome into a full group. */
export const directoryFrameCharsMax = 64 * 1024;
/** The server says something at least this often; who hears nothing for three of these has lost it. */
export const directoryBeatEveryMs = 10_000;
export const networkNameCharsMax = 128;

const hexOfBytes = (count: number, name: string) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${2 * count}}$`), `not a ${name}`));
const siteVersionSchema = text(64);

export const directoryEntrySchema = v.strictObject({ peer: peerIdSchema, store: v.nullable(storeIdSchema) });

export const directoryJoinSchema = v.strictObject({
  type: v.literal('join'),
  v: v.literal(directoryVersion),
  network: v.pipe(text(networkNameCharsMax), v.nonEmpty()),
  peer: peerIdSchema,
  identity: identityIdSchema,
  store: v.nullable(storeIdSchema),
  /** The group the peer is or was in: the directory returns it there, making the group again where it forgot it. */
  lastGroup: v.nullable(groupIdSchema),
  /** Ed25519 by `identity` over `joinProofBytes`, in hex. */
  signature: hexOfBytes(64, 'signature'),
});
export type DirectoryJoinMessage = v.InferOutput<typeof directoryJoinSchema>;

/** A group above its bound, before it is split. */
export const directoryMembersMax = 2 * groupPeersMax;

const neighbourhoodFields = {
  /** Groups whose members this one took in: it answers for them. */
  absorbed: listOf(groupIdSchema, answersForMax - 1),
  /** Neighbouring groups, and whom to dial of each, in bridge order (lib/group-rings.ts). */
  neighbours: listOf(v.strictObject({ group: groupIdSchema, contacts: listOf(peerIdSchema, contactsMax) }), neighboursMax),
};

/** Why the server refuses; 'overloaded', 'taken' and 'too-late' may pass by themselves. */
export const directoryRefusals = ['version', 'malformed', 'forged', 'taken', 'overloaded', 'too-late'] as const;
export type DirectoryRefusal = (typeof directoryRefusals)[number];

export const directoryFrameSchema = v.variant('type', [
  /** `nonce` is 32 random bytes in hex, fresh for each socket. */
  v.strictObject({ type: v.literal('challenge'), nonce: hexOfBytes(32, 'nonce'), siteVersion: siteVersionSchema }),
  /** `members` are those online now, without the one welcomed. */
  v.strictObject({
    type: v.literal('welcome'),
    group: groupIdSchema,
    members: listOf(directoryEntrySchema, directoryMembersMax),
    siteVersion: siteVersionSchema,
    ...neighbourhoodFields,
  }),
  /** Another group from now on, which was merged with the old one or is a half of it; `members` without the one told. */
  v.strictObject({
    type: v.literal('moved'),
    group: groupIdSchema,
    members: listOf(directoryEntrySchema, directoryMembersMax),
    ...neighbourhoodFields,
  }),
  /** Instead of what was said of them before. */
  v.strictObject({ type: v.literal('neighbours'), ...neighbourhoodFields }),
  v.strictObject({ type: v.literal('joined'), peer: peerIdSchema, store: v.nullable(storeIdSchema) }),
  v.strictObject({ type: v.literal('left'), peer: peerIdSchema }),
  v.strictObject({ type: v.literal('beat') }),
  v.strictObject({ type: v.literal('refused'), code: v.picklist(directoryRefusals), message: text(300) }),
]);
export type DirectoryFrame = v.InferOutput<typeof directoryFrameSchema>;

/** What the joining identity signs. The nonce keeps it from being said twice, the tag from being taken for something else. */
export function joinProofBytes(nonce: string, join: { network: string; peer: PeerId; store: StoreId | null }): Uint8Array<ArrayBuffer> {
  return encodeWire(['lull directory join v1', nonce, join.network, join.peer, join.store]);
}

/** What an identity signs so that the PeerServer lets it, and nobody else, be called at `peer`. */
export function introductionProofBytes(peer: PeerId): Uint8Array<ArrayBuffer> {
  return encodeWire(['lull introduction v1', peer]);
}

const introductionTokenForm = /^([0-9a-f]{64})\.([0-9a-f]{128})$/;

/** PeerJS's `token`: who signs, and the signature over `introductionProofBytes` in hex. */
export const introductionToken = (identity: IdentityId, signatureHex: string) => `${identity}.${signatureHex}`;

/** The two halves of a token; undefined where it is some other token (PeerJS makes up its own unless told). */
export function parseIntroductionToken(token: string): { identity: IdentityId; signatureHex: string } | undefined {
  const match = introductionTokenForm.exec(token);
  return match === null ? undefined : { identity: match[1] as IdentityId, signatureHex: match[2]! };
}
