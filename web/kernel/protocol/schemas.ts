// Schema pieces shared by the messages. Every string, array and byte run from outside has a bound here or where it is used.
import * as v from 'valibot';
import {
  isHex32,
  isHex64,
  isPeerId,
  type EventId,
  type GroupId,
  type IdentityId,
  type JobId,
  type ObjectId,
  type PeerId,
  type RecordId,
  type StoreId,
} from '../lib/ids.ts';

const branded = <T extends string>(name: string, test: (text: string) => boolean) =>
  v.custom<T>((input) => typeof input === 'string' && test(input), `not a ${name}`);

export const identityIdSchema = branded<IdentityId>('identity id', isHex64);
export const peerIdSchema = branded<PeerId>('peer id', isPeerId);
export const storeIdSchema = branded<StoreId>('store id', isHex32);
export const groupIdSchema = branded<GroupId>('group id', isHex32);
export const objectIdSchema = branded<ObjectId>('object id', isHex64);
export const jobIdSchema = branded<JobId>('job id', isHex64);
export const recordIdSchema = branded<RecordId>('record id', isHex64);
export const eventIdSchema = branded<EventId>('event id', isHex64);
export const hashSchema = branded<string>('SHA-256', isHex64);
/** In whose name something was given: lib/team.ts. */
export const teamMarkSchema = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));

export const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
/** A finite number at or above 0: durations, rates, sizes as estimates. */
export const amount = v.pipe(v.number(), v.finite(), v.minValue(0));
export const text = (charsMax: number) => v.pipe(v.string(), v.maxLength(charsMax));
export const bytes = (bytesMax: number) =>
  v.custom<Uint8Array>((input) => input instanceof Uint8Array && input.length <= bytesMax, `not bytes, at most ${bytesMax}`);
export const listOf = <T extends v.GenericSchema>(item: T, itemsMax: number) => v.pipe(v.array(item), v.maxLength(itemsMax));
/** An index into the buffers listed in the message's header. */
export const bufferIndex = natural;

/** Half-open run of item indices. */
export const rangeSchema = v.pipe(
  v.strictTuple([natural, natural]),
  v.check(([first, end]) => first < end, 'an empty range'),
);
export type Range = readonly [first: number, end: number];
export const empty = v.strictObject({});
