// What passes over a proven link. Control frames are encoded by the link's binding; chunks of buffers have a form of their own.
import * as v from 'valibot';
import { buffersPerMessageMax, callTimeoutMsMax, groupPeersMax, bodyBytesMax } from '../limits.ts';
import { encodeWire } from '../lib/wire-codec.ts';
import type { FaultCode } from '../lib/outcome.ts';
import type { PeerId } from '../lib/ids.ts';
import { verbs } from './message.ts';
import { byeSchema } from './hello.ts';
import { amount, bytes, identityIdSchema, listOf, natural, peerIdSchema, positive, text } from './schemas.ts';
import { uriCharsMax } from './uri.ts';

const faultCodes = [
  'unknown-uri',
  'refused',
  'malformed',
  'too-large',
  'too-late',
  'overloaded',
  'unreachable',
  'not-found',
  'conflict',
  'storage',
  'not-built',
  'internal',
] as const satisfies readonly FaultCode[];

/** Lengths of the buffers a frame refers to, in index order, and the transfer that brings their bytes; absent where there are none. */
const attached = {
  buffers: v.optional(listOf(v.pipe(natural, v.maxValue(0xffff_ffff)), buffersPerMessageMax)),
  transfer: v.optional(v.pipe(natural, v.maxValue(0xffff_ffff))),
};

export const requestFrameSchema = v.strictObject({
  t: v.literal('request'),
  id: positive,
  /** What the URIs have behind the peer: whose they are the link has proven, or the relay frame. */
  to: text(uriCharsMax),
  from: text(uriCharsMax),
  verb: v.picklist(verbs),
  /** Milliseconds the sender still waits, at sending. */
  deadline: v.pipe(amount, v.maxValue(callTimeoutMsMax)),
  trace: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  body: v.optional(v.unknown()),
  ...attached,
});
export type RequestFrame = v.InferOutput<typeof requestFrameSchema>;

export const answerFrameSchema = v.strictObject({ t: v.literal('answer'), re: positive, body: v.optional(v.unknown()), ...attached });
export const faultFrameSchema = v.strictObject({ t: v.literal('fault'), re: positive, code: v.picklist(faultCodes), message: v.string() });
/** The asker gave up: nobody waits for the answer to `re` any more. */
export const cancelFrameSchema = v.strictObject({ t: v.literal('cancel'), re: positive });

/** What two peers say to each other, over a link of their own or through a common neighbour. */
export const callFrameSchema = v.variant('t', [requestFrameSchema, answerFrameSchema, faultFrameSchema, cancelFrameSchema]);
export type CallFrame = v.InferOutput<typeof callFrameSchema>;

export const neighboursMax = groupPeersMax * 4;

/** The far side's word on an announced transfer: go on past the eager part, or stop (refused, or wanted no more). */
export const admitFrameSchema = v.strictObject({ t: v.literal('admit'), transfer: positive, go: v.boolean() });
/** The sender gave up a transfer it had announced. */
export const abortFrameSchema = v.strictObject({ t: v.literal('abort'), transfer: positive });
/** Whom the sender can relay to, as changes of what it told on this link before: proven links that came, and those that went. */
export const neighboursFrameSchema = v.strictObject({
  t: v.literal('neighbours'),
  peers: listOf(peerIdSchema, neighboursMax),
  gone: listOf(peerIdSchema, neighboursMax),
});

/** A call frame for a peer without a direct link, carried one hop by a common neighbour, who cannot alter or repeat it. */
export const relayFrameSchema = v.strictObject({
  t: v.literal('relay'),
  to: peerIdSchema,
  from: peerIdSchema,
  /** Of `from`, whose id begins with it. */
  identity: identityIdSchema,
  /** Grows with every frame `from` relays; what was seen is refused. */
  counter: positive,
  /** An encoded `sealedSchema`. */
  sealed: bytes(bodyBytesMax),
  signature: bytes(64),
  ...attached,
});
export type RelayFrame = v.InferOutput<typeof relayFrameSchema>;

/** What the relay frame's signature covers, beside the addresses: the call frame, and the SHA-256 of each buffer. */
export const sealedSchema = v.strictObject({ frame: callFrameSchema, hashes: listOf(bytes(32), buffersPerMessageMax) });

/** The neighbour could not pass on the relay frame with this counter. */
export const unrelayedFrameSchema = v.strictObject({
  t: v.literal('unrelayed'),
  counter: positive,
  code: v.picklist(faultCodes),
  message: text(300),
});

export const frameSchema = v.variant('t', [
  requestFrameSchema,
  answerFrameSchema,
  faultFrameSchema,
  cancelFrameSchema,
  admitFrameSchema,
  abortFrameSchema,
  neighboursFrameSchema,
  relayFrameSchema,
  unrelayedFrameSchema,
  byeSchema,
]);
export type Frame = v.InferOutput<typeof frameSchema>;

export function relaySignedBytes(network: string, frame: { to: PeerId; from: PeerId; counter: number; sealed: Uint8Array }): Uint8Array {
  return encodeWire(['lull relay v1', network, frame.to, frame.from, frame.counter, frame.sealed]);
}

/**
 * A chunk on the data channel: 12 bytes little-endian, then the payload. Chunks of one transfer come in order, buffer by buffer.
 *
 *     u32 transfer | u16 buffer index | u16 zero | u32 offset in the buffer | payload
 */
export const chunkHeaderBytes = 12;

export interface Chunk {
  readonly transfer: number;
  readonly buffer: number;
  readonly offset: number;
  readonly payload: Uint8Array;
}

/** Written into `room`, where it is given, which must be large enough; the answer is then a view of it. */
export function encodeChunk(chunk: Chunk, room = new Uint8Array(chunkHeaderBytes + chunk.payload.length)): Uint8Array {
  const whole = room.subarray(0, chunkHeaderBytes + chunk.payload.length);
  const view = new DataView(whole.buffer, whole.byteOffset, chunkHeaderBytes);
  view.setUint32(0, chunk.transfer, true);
  view.setUint16(4, chunk.buffer, true);
  view.setUint16(6, 0, true);
  view.setUint32(8, chunk.offset, true);
  whole.set(chunk.payload, chunkHeaderBytes);
  return whole;
}

/** undefined where the bytes are no chunk. The payload is a view. */
export function decodeChunk(whole: Uint8Array): Chunk | undefined {
  if (whole.length <= chunkHeaderBytes) return undefined;
  const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength);
  const transfer = view.getUint32(0, true);
  if (transfer === 0 || view.getUint16(6, true) !== 0) return undefined;
  return { transfer, buffer: view.getUint16(4, true), offset: view.getUint32(8, true), payload: whole.subarray(chunkHeaderBytes) };
}

/**
 * A message on the control channel: one byte, then bytes of the frame. A frame larger than the channel carries goes in pieces,
 * one after the other and with nothing between them.
 */
export const pieceMore = 1;
export const pieceLast = 0;
