// The neighbouring groups of this tab's group: who they are, which members keep links to them (bridges), and what they said last.
//
//   bridges query       a bridge and a member of the other group: what each says of its own group
//   neighbours insert   a bridge to its own members: what it heard
import * as v from 'valibot';
import { groupPeersMax } from '../../limits.ts';
import { contract, operation } from '../contract.ts';
import { donorStates } from '../offer.ts';
import { amount, empty, groupIdSchema, identityIdSchema, listOf, natural, peerIdSchema, storeIdSchema, text } from '../schemas.ts';

/** Neighbours that a group has, those it takes in while signaling is away among them. */
export const neighboursMax = 6;
/** Of a group the members that are named for dialling. */
export const contactsMax = 4;
/** Groups a group answers for: itself and those it absorbed. */
export const answersForMax = 16;
/** A group may be above its bound for a while, until it is split. */
export const groupMembersMax = 2 * groupPeersMax;

/** Someone of another group. Until a bridge spoke with it this is hearsay; whoever dials it has it proven. */
export const outsiderSchema = v.strictObject({ peer: peerIdSchema, identity: identityIdSchema, store: v.nullable(storeIdSchema) });
export type Outsider = v.InferOutput<typeof outsiderSchema>;

const detailsVersion = text(16);

/** What changes seldom of a group; it travels only to whom does not have it. */
export const groupDetailsSchema = v.strictObject({
  answersFor: v.pipe(listOf(groupIdSchema, answersForMax), v.minLength(1)),
  members: listOf(outsiderSchema, groupMembersMax),
  /** Its neighbours, with some of their members: candidates where one's own are gone. */
  neighbours: listOf(v.strictObject({ group: groupIdSchema, contacts: listOf(peerIdSchema, contactsMax) }), neighboursMax),
});
export type GroupDetails = v.InferOutput<typeof groupDetailsSchema>;

/** In the place of a version: the listener takes another bridge's word of that group. */
export const detailsOfAnother = '';

/** Of a group, since the details of version `of`. */
export const detailsChangeSchema = v.strictObject({
  of: detailsVersion,
  gone: listOf(peerIdSchema, groupMembersMax),
  /** Or has another store. */
  came: listOf(outsiderSchema, groupMembersMax),
  /** null: as they were. */
  answersFor: v.nullable(groupDetailsSchema.entries.answersFor),
  neighbours: v.nullable(groupDetailsSchema.entries.neighbours),
});
export type DetailsChange = v.InferOutput<typeof detailsChangeSchema>;

export const loadSchema = v.strictObject({
  /** Workers that are allowed to run and have nothing to run. */
  spareWorkers: natural,
  /** Functions that wait for a worker. */
  waitingFunctions: natural,
});
export type GroupLoad = v.InferOutput<typeof loadSchema>;

/** What people see of a member of another group: the state of the donor, or that it does not answer, or has said nothing yet. */
export const memberStates = [...donorStates, 'suspect', 'unknown'] as const;
export type MemberState = (typeof memberStates)[number];
/** One digit, an index into `memberStates`, for each of `details.members`, in their order. */
const statesText = v.pipe(text(groupMembersMax), v.regex(/^[0-7]*$/));

/** One side of a bridge about its own group. */
export const bridgeWordsSchema = v.strictObject({
  group: groupIdSchema,
  load: loadSchema,
  states: statesText,
  /** Of `details`, whether they are here or not. */
  version: detailsVersion,
  /** null where the listener has said that it has this version. */
  details: v.nullable(groupDetailsSchema),
  /** The version of the listener's details that the speaker has. */
  have: v.nullable(detailsVersion),
});
export type BridgeWords = v.InferOutput<typeof bridgeWordsSchema>;

/** What a bridge tells its own members of one neighbour. */
export const neighbourNewsSchema = v.strictObject({
  group: groupIdSchema,
  /** Whom of the neighbour the speaker has a proven link to and hears. Nobody: it cannot reach the neighbour now. */
  there: listOf(peerIdSchema, groupMembersMax),
  heardMsAgo: amount,
  load: loadSchema,
  states: statesText,
  /** Of the details that the speaker has. */
  version: detailsVersion,
  /** null where the listener has said that it has this version, or one that `change` is of. */
  details: v.nullable(groupDetailsSchema),
  change: v.nullable(detailsChangeSchema),
});
export type NeighbourNews = v.InferOutput<typeof neighbourNewsSchema>;

export const bridgeSchema = v.strictObject({
  /** A member of this group. */
  here: peerIdSchema,
  /** Whom it is linked to there. */
  there: peerIdSchema,
  /** Since when this tab knows of it, by its own wall clock. */
  since: amount,
});
export type BridgeLink = v.InferOutput<typeof bridgeSchema>;

export const neighbourSchema = v.strictObject({
  group: groupIdSchema,
  name: text(60),
  answersFor: listOf(groupIdSchema, answersForMax),
  /** As it said last. Empty until it was heard. */
  members: listOf(outsiderSchema, groupMembersMax),
  /** One for each of `members`, or none. */
  states: listOf(v.picklist(memberStates), groupMembersMax),
  /** Live ones only. This tab is a bridge where `here` is itself. */
  bridges: listOf(bridgeSchema, 64),
  /** A bridge hears it. */
  up: v.boolean(),
  /** null: never yet. */
  heardMsAgo: v.nullable(amount),
  ...loadSchema.entries,
});
export type Neighbour = v.InferOutput<typeof neighbourSchema>;

export const groupsViewSchema = v.strictObject({
  group: groupIdSchema,
  /** This group first. A job whose home is among these is at home here. */
  answersFor: v.pipe(listOf(groupIdSchema, answersForMax), v.minLength(1)),
  /** Of this group, as this tab counts it. */
  load: loadSchema,
  /** By group id. */
  neighbours: listOf(neighbourSchema, neighboursMax),
});
export type GroupsView = v.InferOutput<typeof groupsViewSchema>;

export const groupsContract = contract({
  name: 'groups',
  resources: {
    bridges: {
      /** To a member of another group, by a bridge. Faults: 'conflict' when the asked is of the same group, 'overloaded' where it has neighbours enough. */
      query: operation('member', bridgeWordsSchema, bridgeWordsSchema),
    },
    neighbours: {
      /** To the members of one's own group, by a bridge, when something changed and now and then. Fault: 'conflict' from another group. */
      insert: operation(
        'member',
        v.strictObject({
          group: groupIdSchema,
          answersFor: v.pipe(listOf(groupIdSchema, answersForMax), v.minLength(1)),
          neighbours: listOf(neighbourNewsSchema, neighboursMax),
        }),
        /** Of those told of, the version that the listener has of their details, or `detailsOfAnother`. */
        v.strictObject({ have: listOf(v.strictObject({ group: groupIdSchema, version: detailsVersion }), neighboursMax) }),
      ),
      query: operation('local', empty, groupsViewSchema),
    },
  },
  publishes: {
    /** On every change of who is there, at most every 250 ms; load and times at least every 2 s. */
    view: groupsViewSchema,
  },
});
