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

/** Ids that have passed and most likely come again; then all are forgotten, so that strangers' cannot pile up. */
const passedMax = 32_768;

/** Whether a text has this form. A pattern takes 0.3 us over 64 digits, and each message names several ids, mostly those of the one before. */
function form(pattern: RegExp): (text: string) => boolean {
  const passed = new Set<string>();
  return (text) => {
    if (passed.has(text)) return true;
    if (!pattern.test(text)) return false;
    if (passed.size >= passedMax) passed.clear();
    passed.add(text);
    return true;
  };
}

const hex = (digits: number) => form(new RegExp(`^[0-9a-f]{${digits}}$`));
export const isHex64 = hex(64);
export const isHex32 = hex(32);
export const isPeerId = form(/^[0-9a-f]{32}-[0-9a-f]{16}$/);

function maker<T extends string>(name: string, fits: (text: string) => boolean): (text: string) => T {
  return (text) => {
    if (!fits(text)) throw new TypeError(`not a ${name}: ${text.slice(0, 80)}`);
    return text as T;
  };
}

export const identityId = maker<IdentityId>('identity id', isHex64);
export const peerId = maker<PeerId>('peer id', isPeerId);
export const storeId = maker<StoreId>('store id', isHex32);
export const objectId = maker<ObjectId>('object id', isHex64);
export const jobId = maker<JobId>('job id', isHex64);
export const recordId = maker<RecordId>('record id', isHex64);
export const eventId = maker<EventId>('event id', isHex64);
export const groupId = maker<GroupId>('group id', isHex32);

/** A fresh peer id of `identity`; `random` is 8 bytes. */
export function makePeerId(identity: IdentityId, random: Uint8Array): PeerId {
  return peerId(`${identity.slice(0, 32)}-${hexOf(random)}`);
}

/** True where `peer` carries the prefix that only `identity` can sign for. */
export function peerBelongsTo(peer: PeerId, identity: IdentityId): boolean {
  return peer.slice(0, 32) === identity.slice(0, 32);
}
