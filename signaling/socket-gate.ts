// The door for WebSockets: who may come in, how many, and from where. Pings those inside and cuts who does not answer.
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { requestAddress, Tally } from './addresses.ts';
import { GuardedSocket, type Endpoint } from './guarded-socket.ts';
import type { Limits } from './limits.ts';
import type { Metrics, RefusalReason } from './metrics.ts';

export interface SocketGateOptions {
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
  readonly trustProxy: boolean;
  /** Origins of other sites that may connect; the server's own always may, and so may programs that send none. */
  readonly origins: readonly string[];
}

export interface SocketDoor {
  readonly endpoint: Endpoint;
  enter(socket: GuardedSocket, request: IncomingMessage): void;
}

export class SocketGate {
  readonly #sockets = new Map<GuardedSocket, Endpoint>();
  readonly #perAddress = new Tally();
  readonly #servers: Readonly<Record<Endpoint, WebSocketServer>>;
  readonly #pings: NodeJS.Timeout;
  #closed = false;

  constructor(private readonly options: SocketGateOptions) {
    const { limits } = options;
    const server = (maxPayload: number) =>
      new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload });
    this.#servers = { directory: server(limits.directoryFrameBytesMax), introductions: server(limits.introductionFrameBytesMax) };
    this.#pings = setInterval(() => this.#ping(), limits.pingEveryMs);
    this.#pings.unref();
  }

  count(endpoint: Endpoint): number {
    let count = 0;
    for (const of of this.#sockets.values()) if (of === endpoint) count++;
    return count;
  }

  /** Takes over an upgrade request: the socket enters by `door`, or is refused with an HTTP status. */
  upgrade(door: SocketDoor | undefined, request: IncomingMessage, raw: Duplex, head: Buffer): void {
    raw.on('error', () => raw.destroy());
    const { limits, metrics } = this.options;
    const refuse = (status: number, reason: RefusalReason) => {
      metrics.refused(reason);
      raw.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => raw.destroy());
    };
    if (door === undefined) return refuse(404, 'path');
    if (!this.#originAllowed(request)) return refuse(403, 'origin');
    if (this.#closed || this.#sockets.size >= limits.socketsMax) return refuse(503, 'sockets-total');
    const address = requestAddress(request, this.options.trustProxy);
    if (this.#perAddress.of(address) >= limits.socketsPerAddressMax) return refuse(429, 'sockets-address');
    // What is no proper handshake is answered 400 by ws itself, and the callback never runs.
    this.#servers[door.endpoint].handleUpgrade(request, raw, head, (socket) => {
      const frameRate = door.endpoint === 'directory' ? limits.directoryFrameRate : limits.introductionFrameRate;
      const guarded = new GuardedSocket(socket, { endpoint: door.endpoint, frameRate, limits, metrics, nowMs: this.options.nowMs });
      this.#sockets.set(guarded, door.endpoint);
      this.#perAddress.add(address);
      socket.on('close', () => {
        if (this.#sockets.delete(guarded)) this.#perAddress.remove(address);
      });
      door.enter(guarded, request);
    });
  }

  /** Says goodbye to everybody; who does not answer within a second is cut. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#pings);
    for (const socket of this.#sockets.keys()) socket.close(1001, 'the server is stopping');
  }

  /** Only the host is compared: a proxy in front may speak another scheme than we do. */
  #originAllowed(request: IncomingMessage): boolean {
    const origin = request.headers.origin;
    if (origin === undefined || this.options.origins.includes(origin) || this.options.origins.includes('*')) return true;
    try {
      return new URL(origin).host === request.headers.host;
    } catch {
      return false;
    }
  }

  #ping(): void {
    for (const socket of this.#sockets.keys()) socket.ping();
  }
}
