// Who is in the group, and how each is doing (rule 15).
import * as v from 'valibot';
import { groupPeersMax } from '../../limits.ts';
import { contract, operation } from '../contract.ts';
import { offerSchema } from '../offer.ts';
import { answersForMax, contactsMax, neighboursMax } from './groups.ts';
import { amount, empty, groupIdSchema, identityIdSchema, listOf, natural, peerIdSchema, storeIdSchema, text } from '../schemas.ts';

export const memberStatuses = ['alive', 'suspect'] as const;

export const memberSchema = v.strictObject({
  peer: peerIdSchema,
  identity: identityIdSchema,
  /** null for a tab that does not speak for its profile's store. */
  store: v.nullable(storeIdSchema),
  status: v.picklist(memberStatuses),
  /** A direct link is open, and its smoothed round trip; null when it goes by one hop. */
  rttMs: v.nullable(amount),
  offer: v.nullable(offerSchema),
});
export type Member = v.InferOutput<typeof memberSchema>;

export const groupViewSchema = v.strictObject({
  group: groupIdSchema,
  /** Two words for people, derived from the id. */
  groupName: text(60),
  signaling: v.picklist(['up', 'down', 'refused', 'none']),
  signalingReason: text(200),
  /** All but those gone; self is first. */
  members: listOf(memberSchema, groupPeersMax * 2),
});
export type GroupView = v.InferOutput<typeof groupViewSchema>;

/** What one member tells of itself and of others, in probes and their answers, where the other does not know it. `incarnation` refutes a suspicion (SWIM). */
export const rumourSchema = v.strictObject({
  peer: peerIdSchema,
  identity: identityIdSchema,
  store: v.nullable(storeIdSchema),
  incarnation: natural,
  status: v.picklist(['alive', 'suspect', 'gone']),
  /** null: nothing that the receiver has not heard, or will hear from the peer itself. */
  offer: v.nullable(offerSchema),
});
export type Rumour = v.InferOutput<typeof rumourSchema>;
const wordsFields = {
  group: groupIdSchema,
  rumours: listOf(rumourSchema, 64),
  /** The incarnation of the receiver whose offer the sender has, 0 for none: it is sent again only where it has changed since. */
  seen: natural,
  /** A digest of who is a member, or a suspected one, in the sender's eyes: where it differs, one asks the other for all it knows. */
  view: natural,
};
const words = v.strictObject(wordsFields);
/** `all` asks for everybody the other knows: a newcomer's question, and whoever's view differs. */
const probe = v.strictObject({ ...wordsFields, all: v.optional(v.boolean()) });

/** What the directory said last of the groups around `group`. */
export const neighbourhoodSchema = v.strictObject({
  group: groupIdSchema,
  /** Groups whose members this one took in. */
  absorbed: listOf(groupIdSchema, answersForMax - 1),
  neighbours: listOf(v.strictObject({ group: groupIdSchema, contacts: listOf(peerIdSchema, contactsMax) }), neighboursMax),
});

export const membershipContract = contract({
  name: 'membership',
  resources: {
    /** A probe is a query answered by the kernel itself; both ways carry rumours. */
    probes: {
      query: operation('member', probe, words),
      /** Ask a third member to probe `target` for us. */
      lookup: operation('member', v.strictObject({ target: peerIdSchema }), v.strictObject({ alive: v.boolean() })),
    },
    /** A polite good-bye: gone at once, nothing to wait for. `moved`: to another group, so its links stay. */
    members: {
      query: operation('local', empty, groupViewSchema),
      delete: operation('member', v.strictObject({ moved: v.optional(v.literal(true)) }), empty),
    },
    /** This tab's offer, set by resources and the scheduler. */
    offer: { replace: operation('local', offerSchema, empty) },
  },
  publishes: { view: groupViewSchema, neighbourhood: neighbourhoodSchema },
});
