// The network manager as a service: links, and the group this tab is in. The manager itself carries every remote message.
import * as v from 'valibot';
import { groupPeersMax, offerCharsMax } from '../../limits.ts';
import { contract, operation } from '../contract.ts';
import { amount, empty, groupIdSchema, identityIdSchema, listOf, peerIdSchema, storeIdSchema, text } from '../schemas.ts';

export const linkSchema = v.strictObject({
  peer: peerIdSchema,
  /** Proven by the handshake. */
  identity: identityIdSchema,
  store: v.nullable(storeIdSchema),
  openedAt: amount,
  bytesIn: amount,
  bytesOut: amount,
});
export type LinkInfo = v.InferOutput<typeof linkSchema>;

export const networkContract = contract({
  name: 'network',
  resources: {
    links: {
      /** Dial, prove, open; answers when the link is usable (at once where it is already). */
      insert: operation('local', v.strictObject({ peer: peerIdSchema }), linkSchema),
      delete: operation('local', v.strictObject({ peer: peerIdSchema }), empty),
      query: operation('local', empty, v.strictObject({ links: listOf(linkSchema, groupPeersMax * 4) })),
    },
    transfers: {
      /**
       * For each peer asked about, null where there is no link: ms since it was heard on it (data counts where it said something in the last
       * six seconds), and since data came by it (null: never). And over
       * all links together ms since data came, and at `best` in the last minutes how many bytes of it a second.
       */
      query: operation(
        'local',
        v.strictObject({ peers: listOf(peerIdSchema, groupPeersMax * 4) }),
        v.strictObject({
          links: listOf(v.nullable(v.strictObject({ heardMsAgo: amount, dataMsAgo: v.nullable(amount) })), groupPeersMax * 4),
          dataMsAgo: v.nullable(amount),
          best: amount,
        }),
      ),
    },
    /** The directory placed this tab: what self.group() answers from now on. */
    group: { replace: operation('local', v.strictObject({ group: groupIdSchema }), empty) },
    /** Members and bridges introduce tabs to each other where nobody else does. */
    introductions: {
      /** Whether the asked tab could carry something to that one: over a link of its own, or over one neighbour. */
      query: operation('member', v.strictObject({ peer: peerIdSchema }), v.strictObject({ reaches: v.boolean() })),
      /** An offer of `from` for `to`: answered by `to`, carried there by anybody else whom `from` itself asks. */
      create: operation(
        'member',
        v.strictObject({ to: peerIdSchema, from: peerIdSchema, offer: text(offerCharsMax) }),
        v.strictObject({ answer: text(offerCharsMax) }),
      ),
    },
    clock: {
      /** Milliseconds on this tab's monotonic clock: the smallest device another tab can use by URI. */
      get: operation('member', empty, v.strictObject({ nowMs: amount })),
    },
  },
  publishes: {
    /** All open links, on every change. */
    links: v.strictObject({ links: listOf(linkSchema, groupPeersMax * 4) }),
  },
});
