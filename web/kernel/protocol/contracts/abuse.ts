// What the site's operator has denied, and what this person reports to them.
import * as v from 'valibot';
import { contract, operation } from '../contract.ts';
import { denyEntriesMax } from '../../limits.ts';
import { denyEntrySchema, reportReasonSchema, reportWordsMax, signedDenyListSchema } from '../deny-list.ts';
import { amount, empty, identityIdSchema, jobIdSchema, listOf, natural, peerIdSchema, positive, text } from '../schemas.ts';

/** A list that was not taken. */
export const refusedListSchema = v.strictObject({
  /** Whoever gave it; null: the server. */
  by: v.nullable(peerIdSchema),
  why: text(200),
  /** By wall clock here. */
  at: amount,
});
export type RefusedList = v.InferOutput<typeof refusedListSchema>;
export const refusedListsMax = 8;

export const deniedSchema = v.strictObject({
  /** Whose signature a list must bear; null where the site has no operator: then nothing is denied, and reports go nowhere. */
  operator: v.nullable(identityIdSchema),
  /** Of the list that counts here; 0: none. */
  version: natural,
  /** By the operator's clock, ms since 1970. */
  signedAt: amount,
  entries: listOf(denyEntrySchema, denyEntriesMax),
  /** The latest last. */
  refused: listOf(refusedListSchema, refusedListsMax),
  /** Reports that could not be handed in yet. */
  reportsWaiting: natural,
});
export type DeniedState = v.InferOutput<typeof deniedSchema>;

export const abuseContract = contract({
  name: 'abuse',
  resources: {
    list: {
      /** The signed list, where the one here is newer than `version`. */
      query: operation('member', v.strictObject({ version: natural }), v.strictObject({ list: v.nullable(signedDenyListSchema) })),
      /** The asker has one of this version: whoever has an older one asks for it. */
      update: operation('member', v.strictObject({ version: positive }), empty),
    },
    reports: {
      /**
       * Never runs the job here again (`submitter`: nor anything of theirs), and reports it to the operator: now, or as soon as the server
       * can be reached. `sent` is false while it waits; `why` says why. Faults: 'not-found' where the job is not known here, 'refused' where the site takes no reports.
       */
      create: operation(
        'local',
        v.strictObject({ job: jobIdSchema, reason: reportReasonSchema, words: text(reportWordsMax), submitter: v.boolean() }),
        v.strictObject({ sent: v.boolean(), why: text(300) }),
      ),
    },
  },
  publishes: { denied: deniedSchema },
});
