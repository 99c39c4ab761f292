// One link's control channel as whole messages of up to `controlBytesMax`, in order: larger ones than the channel carries go in
// pieces. What the channel cannot take yet waits here, bounded.
import { concatBytes } from '../lib/bytes.ts';
import { failure, success, type Outcome } from '../lib/outcome.ts';
import {
  bodyBytesMax,
  controlBufferedBytesLow,
  controlBufferedBytesMax,
  outboundControlBytesMax,
  outboundMessagesPerLinkMax,
} from '../limits.ts';
import type { Channel } from '../platform.ts';
import { pieceLast, pieceMore } from '../protocol/frame.ts';

/** A relayed frame wraps a whole call frame, hence a little more. */
const controlBytesMax = bodyBytesMax + 4 * 1024;

export interface ControlListener {
  message(whole: Uint8Array): void;
  /** The far side does not keep to the protocol. */
  garbage(reason: string): void;
}

export class ControlPlane {
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #pausing = false;
  #pieces: Uint8Array[] = [];
  #piecesBytes = 0;

  constructor(
    private readonly channel: Channel,
    private readonly listener: ControlListener,
  ) {}

  /** Faults: 'too-large', 'overloaded'. */
  send(whole: Uint8Array): Outcome<void> {
    if (whole.length > controlBytesMax) return failure('too-large', `A message may have at most ${bodyBytesMax} bytes beside its buffers.`);
    if (this.#waiting.length >= outboundMessagesPerLinkMax || this.#waitingBytes + whole.length > outboundControlBytesMax) {
      return failure('overloaded', 'Too much already waits to be sent to that tab.');
    }
    const room = this.channel.messageBytesMax - 1;
    for (let at = 0; at < whole.length || at === 0; at += room) {
      const part = whole.subarray(at, at + room);
      const piece = new Uint8Array(1 + part.length);
      piece[0] = at + room < whole.length ? pieceMore : pieceLast;
      piece.set(part, 1);
      if (this.#waiting.length === 0 && this.#hasRoom()) this.channel.send(piece);
      else {
        this.#waiting.push(piece);
        this.#waitingBytes += piece.length;
      }
    }
    this.#pump();
    return success(undefined);
  }

  /** Calls `run` when all that was sent so far has left. */
  whenSent(run: () => void): void {
    if (this.#waiting.length === 0) this.channel.whenBelow(0, run);
    else this.channel.whenBelow(controlBufferedBytesLow, () => this.whenSent(run));
  }

  /** A message of the channel. */
  receive(piece: Uint8Array): void {
    const kind = piece[0];
    if (piece.length < 2 || (kind !== pieceMore && kind !== pieceLast))
      return this.listener.garbage('a control message is neither whole nor a piece');
    const part = piece.subarray(1);
    if (kind === pieceLast && this.#pieces.length === 0) return this.listener.message(part);
    this.#piecesBytes += part.length;
    if (this.#piecesBytes > controlBytesMax) return this.listener.garbage('a control message is too large');
    this.#pieces.push(part);
    if (kind === pieceMore) return;
    const whole = concatBytes(this.#pieces);
    this.#pieces = [];
    this.#piecesBytes = 0;
    this.listener.message(whole);
  }

  #hasRoom(): boolean {
    return !this.#pausing && this.channel.bufferedBytes() < controlBufferedBytesMax;
  }

  #pump(): void {
    while (!this.#pausing && this.#waiting.length > 0) {
      if (!this.#hasRoom()) {
        this.#pausing = true;
        this.channel.whenBelow(controlBufferedBytesLow, () => {
          this.#pausing = false;
          this.#pump();
        });
        return;
      }
      const piece = this.#waiting.shift()!;
      this.#waitingBytes -= piece.length;
      this.channel.send(piece);
    }
  }
}
