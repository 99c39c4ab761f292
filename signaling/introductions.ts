// PeerServer, embedded: carries the offers, answers and candidates by which two tabs open their link. It is given a front
// instead of a WebSocket server, so that it meets only proven ids, well-formed frames and sockets within their rates.
//
// A peer id is public, so anybody could register under it while its owner is away and keep the owner out. Hence the token
// must be the owner's signature over the id (`introductionToken`): nobody else ever holds the address.
import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import express from 'express';
import { ExpressPeerServer } from 'peer';
import * as v from 'valibot';
import type { WebSocketServer } from 'ws';
import { isPeerId, peerBelongsTo, type PeerId } from '../web/kernel/lib/ids.ts';
import { introductionProofBytes, parseIntroductionToken } from '../web/kernel/protocol/directory.ts';
import { peerIdSchema } from '../web/kernel/protocol/schemas.ts';
import type { GuardedSocket } from './guarded-socket.ts';
import { provenBy } from './identity-proof.ts';
import type { Limits } from './limits.ts';
import type { Metrics } from './metrics.ts';
import type { SocketDoor } from './socket-gate.ts';
import { StoppableTimers } from './stoppable-timers.ts';
import { TokenBucket } from './token-bucket.ts';

/** PeerJS's own path for `path: '/peerjs'`. */
export const introductionsPath = '/peerjs/peerjs';
const key = 'peerjs';
const payloadDepthMax = 8;

const frameSchema = v.variant('type', [
  v.object({ type: v.literal('HEARTBEAT') }),
  v.object({ type: v.picklist(['OFFER', 'ANSWER', 'CANDIDATE']), dst: peerIdSchema, payload: v.record(v.string(), v.unknown()) }),
  v.object({ type: v.literal('LEAVE'), dst: peerIdSchema }),
]);

/** What PeerServer uses of a WebSocket. */
class PeerSocket extends EventEmitter {
  constructor(readonly guarded: GuardedSocket) {
    super();
  }

  send(data: string): void {
    this.guarded.send(data);
  }

  close(): void {
    this.guarded.close(1000, '');
  }
}

export class Introductions implements SocketDoor {
  readonly endpoint = 'introductions';
  readonly #front = new EventEmitter();
  readonly #timers = new StoppableTimers();
  readonly #present = new Map<PeerId, PeerSocket>();
  readonly #absentBytes: TokenBucket;

  /** @param server only handed to PeerServer, which insists on one; it neither listens to it nor answers its requests */
  constructor(
    server: Server,
    limits: Limits,
    private readonly metrics: Metrics,
    private readonly nowMs: () => number,
    report: (message: string) => void,
  ) {
    this.#absentBytes = new TokenBucket(limits.absentByteRate, nowMs());
    this.#timers.hold(() => {
      const app = ExpressPeerServer(server, {
        path: '/peerjs',
        key,
        allow_discovery: false,
        concurrent_limit: limits.socketsMax,
        // A hidden tab's heartbeats come late or never; our own pings find out who is gone.
        alive_timeout: 600_000,
        createWebSocketServer: () => this.#front as unknown as WebSocketServer,
      });
      // Without a listener, one bad frame would end the process.
      app.on('error', (error: Error) => report(`PeerServer: ${error.message}`));
      // PeerServer starts when it is mounted.
      express().use(app);
    });
  }

  enter(guarded: GuardedSocket, request: IncomingMessage): void {
    const query = new URL(request.url ?? '', 'http://localhost').searchParams;
    const id = query.get('id') ?? '';
    const token = query.get('token') ?? '';
    if (!isPeerId(id) || query.get('key') !== key) return this.#turnAway(guarded, 'malformed', 'No proper id or key');
    const peer = id as PeerId;
    const proof = parseIntroductionToken(token);
    if (
      proof === undefined ||
      !peerBelongsTo(peer, proof.identity) ||
      !provenBy(proof.identity, introductionProofBytes(peer), proof.signatureHex)
    ) {
      return this.#turnAway(guarded, 'forged', 'The token does not prove the id');
    }
    const socket = new PeerSocket(guarded);
    const before = this.#present.get(peer);
    this.#present.set(peer, socket);
    guarded.listen(
      (text) => this.#frame(peer, socket, text),
      () => {
        if (this.#present.get(peer) === socket) this.#present.delete(peer);
        socket.emit('close');
      },
    );
    // The owner came back before its old socket was seen to close: PeerServer must forget the old one first.
    before?.guarded.close(4001, 'the same peer came again');
    this.#front.emit('connection', socket, request);
  }

  /** PeerServer's timers stop; its sockets are closed by the gate. */
  close(): void {
    this.#timers.stop();
  }

  #frame(from: PeerId, socket: PeerSocket, text: string): void {
    const frame = parseFrame(text);
    if (frame === undefined) return socket.guarded.cut('malformed');
    if (frame.type === 'LEAVE' && !this.#present.has(frame.dst)) return;
    if (frame.type !== 'HEARTBEAT' && !this.#present.has(frame.dst) && !this.#absentBytes.take(text.length, this.nowMs())) {
      // PeerServer would keep it for five seconds; there is no more room to, so say at once that nobody came.
      this.metrics.refused('absent');
      return socket.send(JSON.stringify({ type: 'EXPIRE', src: frame.dst, dst: from }));
    }
    socket.emit('message', text);
  }

  #turnAway(guarded: GuardedSocket, reason: 'malformed' | 'forged', msg: string): void {
    this.metrics.refused(reason);
    guarded.send(JSON.stringify({ type: 'ERROR', payload: { msg } }));
    guarded.close(4000, reason);
  }
}

function parseFrame(text: string): v.InferOutput<typeof frameSchema> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const frame = v.safeParse(frameSchema, value);
  // Deep nesting makes PeerServer's JSON.stringify throw, for which it closes the *receiver's* socket.
  return frame.success && withinDepth(value, payloadDepthMax) ? frame.output : undefined;
}

function withinDepth(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return left > 0 && Object.values(value).every((inner) => withinDepth(inner, left - 1));
}
