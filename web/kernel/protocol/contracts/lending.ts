// Work between groups (rule 13): a group short of work asks a neighbour for some.
import * as v from 'valibot';
import { contract, operation } from '../contract.ts';
import { empty, groupIdSchema, jobIdSchema, listOf, natural, objectIdSchema, positive, text } from '../schemas.ts';

export const loansPerAnswerMax = 16;

export const lendingContract = contract({
  name: 'lending',
  resources: {
    loans: {
      /**
       * By a bridge of `group`, whose members may run `workers` workers and have nothing waiting. What is lent is in the ledger when this is
       * answered (`lent`), and reaches the borrower by it; nothing is lent where `why` is not ''.
       */
      create: operation(
        'member',
        v.strictObject({ group: groupIdSchema, workers: positive }),
        v.strictObject({ lent: listOf(v.strictObject({ job: jobIdSchema, items: natural }), loansPerAnswerMax), why: text(200) }),
      ),
    },
    /** Results made for another group: kept there before anybody says that they were computed (rule 5a), so that they outlive their makers. */
    results: {
      /** Answers when the group at home keeps the object, or cannot be reached, or this group is at home itself. */
      insert: operation('local', v.strictObject({ job: jobIdSchema, object: objectIdSchema }), v.strictObject({ kept: v.boolean() })),
      /** To a member of the group at home: fetch it and keep it. */
      update: operation('member', v.strictObject({ object: objectIdSchema }), empty),
    },
  },
  publishes: {},
});
