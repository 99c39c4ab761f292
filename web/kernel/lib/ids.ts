// Branded ids. Each has one maker, which checks the form; everything past it trusts the type.
import { hexOf } from './bytes.ts';

export declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Ed25519 public key as 64 hex digits. */
export type IdentityId = Brand<string, 'IdentityId'>;
/**
 * One page load of a peer, and its address on the network: the first 32 hex digits of the identity's public
 * key, a dash, 16 random hex digits. The prefix certifies the actor: only the identity can sign for it.
 */
export type PeerId = Brand<string, 'PeerId'>;
/** One browser profile's database: 32 random hex digits, made with the database. */
export type StoreId = Brand<string, 'StoreId'>;
/** SHA-256 of an object's manifest, 64 hex digits. */
export type ObjectId = Brand<string, 'ObjectId'>;
/** SHA-256 of a job's manifest, 64 hex digits. */
export type JobId = Brand<string, 'JobId'>;
/** SHA-256 of a function record, 64 hex digits. */
export type RecordId = Brand<string, 'RecordId'>;
/** SHA-256 of an event's signed bytes, 64 hex digits. */
export type EventId = Brand<string, 'EventId'>;
/** 32 hex digits; the directory names groups. A tab without a network is a group of its own. */
export type GroupId = Brand<string, 'GroupId'>;

const hex = (digits: number) => new RegExp(`^[0-9a-f]{${digits}}$`);
const hex64 = hex(64);
const hex32 = hex(32);
const peerForm = /^[0-9a-f]{32}-[0-9a-f]{16}$/;

function maker<T extends string>(name: string, form: RegExp): (text: string) => T {
  return (text) => {
    if (!form.test(text)) throw new TypeError(`not a ${name}: ${text.slice(0, 80)}`);
    return text as T;
  };
}

export const identityId = maker<IdentityId>('identity id', hex64);
export const peerId = maker<PeerId>('peer id', peerForm);
export const storeId = maker<StoreId>('store id', hex32);
export const objectId = maker<ObjectId>('object id', hex64);
export const jobId = maker<JobId>('job id', hex64);
export const recordId = maker<RecordId>('record id', hex64);
export const eventId = maker<EventId>('event id', hex64);
export const groupId = maker<GroupId>('group id', hex32);

export const isHex64 = (text: string) => hex64.test(text);
export const isHex32 = (text: string) => hex32.test(text);
export const isPeerId = (text: string) => peerForm.test(text);

/** A fresh peer id of `identity`; `random` is 8 bytes. */
export function makePeerId(identity: IdentityId, random: Uint8Array): PeerId {
  return peerId(`${identity.slice(0, 32)}-${hexOf(random)}`);
}

/** True where `peer` carries the prefix that only `identity` can sign for. */
export function peerBelongsTo(peer: PeerId, identity: IdentityId): boolean {
  return peer.slice(0, 32) === identity.slice(0, 32);
}
