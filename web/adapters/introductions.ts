// What the PeerServer passes on comes from strangers. This names each message, and lets through what an honest tab of ours sends.
import * as v from 'valibot';
import { isPeerId, peerId, type PeerId } from '../kernel/lib/ids.ts';

export type Introduction =
  /** From the server itself. */
  | { readonly kind: 'server' }
  /** An answer or a candidate for a connection that is known here, or nothing. */
  | { readonly kind: 'negotiation'; readonly from: PeerId; readonly connection: string }
  | { readonly kind: 'offer'; readonly from: PeerId; readonly connection: string }
  /** The server found nobody by that id. */
  | { readonly kind: 'expired'; readonly from: PeerId }
  | { readonly kind: 'ignored' };

const sdpTextMax = 16 * 1024;
const connectionName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_]{1,64}$/));
const from = v.pipe(v.string(), v.check(isPeerId), v.transform(peerId));
const sdp = (type: 'offer' | 'answer') => v.object({ type: v.literal(type), sdp: v.pipe(v.string(), v.maxLength(sdpTextMax)) });

const shape = v.variant('type', [
  v.object({ type: v.picklist(['OPEN', 'ID-TAKEN', 'INVALID-KEY']) }),
  v.object({ type: v.literal('ERROR'), payload: v.object({ msg: v.string() }) }),
  v.object({ type: v.literal('EXPIRE'), src: from }),
  v.object({
    type: v.literal('OFFER'),
    src: from,
    payload: v.object({
      type: v.literal('data'),
      serialization: v.literal('raw'),
      reliable: v.literal(true),
      connectionId: connectionName,
      sdp: sdp('offer'),
    }),
  }),
  v.object({ type: v.literal('ANSWER'), src: from, payload: v.object({ connectionId: connectionName, sdp: sdp('answer') }) }),
  v.object({
    type: v.literal('CANDIDATE'),
    src: from,
    payload: v.object({ connectionId: connectionName, candidate: v.object({ candidate: v.pipe(v.string(), v.maxLength(1_024)) }) }),
  }),
]);

export function introductionKind(message: unknown): Introduction {
  const parsed = v.safeParse(shape, message);
  if (!parsed.success) return { kind: 'ignored' };
  const { output } = parsed;
  switch (output.type) {
    case 'OFFER':
      return { kind: 'offer', from: output.src, connection: output.payload.connectionId };
    case 'ANSWER':
    case 'CANDIDATE':
      return { kind: 'negotiation', from: output.src, connection: output.payload.connectionId };
    case 'EXPIRE':
      return { kind: 'expired', from: output.src };
    case 'OPEN':
    case 'ID-TAKEN':
    case 'INVALID-KEY':
    case 'ERROR':
      return { kind: 'server' };
  }
}
