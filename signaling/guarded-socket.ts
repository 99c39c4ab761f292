// A WebSocket from outside, with its limits. What stands behind it sees whole text frames within the rates, and one close.
import type { WebSocket } from 'ws';
import type { Limits } from './limits.ts';
import type { Metrics, RefusalReason } from './metrics.ts';
import { TokenBucket, type Rate } from './token-bucket.ts';

export type Endpoint = 'directory' | 'introductions';

export interface GuardedSocketContext {
  readonly endpoint: Endpoint;
  readonly frameRate: Rate;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
}

/** A frame past `maxPayload` or one that is no WebSocket frame: ws reports it by these codes and closes by itself. */
const tooLongCode = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';

export class GuardedSocket {
  #open = true;
  #unansweredPings = 0;
  #onText: (text: string) => void = () => undefined;
  #onClose: () => void = () => undefined;

  constructor(
    private readonly socket: WebSocket,
    private readonly context: GuardedSocketContext,
  ) {
    const frames = new TokenBucket(context.frameRate, context.nowMs());
    const bytes = new TokenBucket(context.limits.inboundByteRate, context.nowMs());
    const inside = (length: number): boolean => {
      if (!this.#open) return false;
      this.#unansweredPings = 0;
      context.metrics.count('lull_frames_total', { endpoint: context.endpoint, direction: 'in' });
      context.metrics.count('lull_bytes_total', { endpoint: context.endpoint, direction: 'in' }, length);
      if (!frames.take(1, context.nowMs())) return this.#cutFor('frames');
      return bytes.take(length, context.nowMs()) || this.#cutFor('bytes');
    };
    socket.on('message', (data, isBinary) => {
      const frame = data as Buffer;
      if (!inside(frame.length)) return;
      if (isBinary) this.cut('binary');
      else this.#onText(frame.toString());
    });
    // Pings cost us pongs: they count like any other frame.
    socket.on('ping', (data) => void inside(data.length));
    socket.on('pong', (data) => void inside(data.length));
    socket.on('error', (error: Error & { code?: string }) => {
      if (this.#open) this.cut(error.code === tooLongCode ? 'frame-size' : 'malformed');
    });
    socket.on('close', () => this.#ended());
  }

  get open(): boolean {
    return this.#open;
  }

  /** One listener each. `onClose` runs once, at the moment the socket is closed or cut by either side. */
  listen(onText: (text: string) => void, onClose: () => void): void {
    this.#onText = onText;
    this.#onClose = onClose;
    if (!this.#open) onClose();
  }

  send(text: string): void {
    if (!this.#open) return;
    this.socket.send(text, () => undefined);
    this.context.metrics.count('lull_frames_total', { endpoint: this.context.endpoint, direction: 'out' });
    this.context.metrics.count('lull_bytes_total', { endpoint: this.context.endpoint, direction: 'out' }, text.length);
    if (this.socket.bufferedAmount > this.context.limits.unsentBytesMax) this.cut('unsent');
  }

  /** Called every `pingEveryMs`. */
  ping(): void {
    if (!this.#open) return;
    if (this.#unansweredPings >= 2) return this.cut('half-open');
    this.#unansweredPings++;
    this.socket.ping(undefined, undefined, () => undefined);
  }

  /** Ends it at once, without a closing handshake: the other side has broken a rule or is not there. */
  cut(reason: RefusalReason): void {
    if (!this.#open) return;
    this.context.metrics.refused(reason);
    this.socket.terminate();
    this.#ended();
  }

  /** Ends it politely, and surely: what was sent before is delivered to whoever reads within a second. */
  close(code: number, reason: string): void {
    if (!this.#open) return;
    this.socket.close(code, reason);
    setTimeout(() => this.socket.terminate(), 1_000).unref();
    this.#ended();
  }

  #cutFor(reason: RefusalReason): false {
    this.cut(reason);
    return false;
  }

  #ended(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#onClose();
  }
}
