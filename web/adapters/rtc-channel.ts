// One RTCDataChannel as the port's Channel. Knows the two traps of the browser: more than 16 MiB buffered closes the channel, and
// what arrives before somebody listens is lost.
import type { Channel } from '../kernel/platform.ts';

/** Chromium's largest message. */
const messageBytesCap = 256 * 1024;
/** The rest waits here: far below the 16 MiB at which Chromium gives the channel up. */
const handedBytesMax = 4 * 1024 * 1024;
const handedBytesLow = 1024 * 1024;
/** A far side that takes nothing while so much is sent is as good as gone. */
const waitingBytesMax = 128 * 1024 * 1024;
/** What arrives before anybody listens. */
const keptMessagesMax = 4_096;

export class RtcChannel implements Channel {
  #messageBytesMax = messageBytesCap;
  #open = true;
  /** Accepted, not yet given to the browser; only when more than `handedBytesMax` is on its way. */
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #waitingBytes = 0;
  #kept: Uint8Array[] = [];
  #listener: ((message: Uint8Array) => void) | undefined;
  #low: { readonly low: number; readonly run: () => void }[] = [];

  /** `onOverflow` is called when a bound is passed: the link is to be closed. */
  constructor(
    private readonly channel: RTCDataChannel,
    private readonly onOverflow: () => void,
  ) {
    channel.binaryType = 'arraybuffer';
    channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (data instanceof ArrayBuffer) this.#receive(new Uint8Array(data));
    });
    channel.addEventListener('bufferedamountlow', () => this.#drained());
  }

  get messageBytesMax(): number {
    return this.#messageBytesMax;
  }

  /** What the far side says it takes, once the connection is up. */
  limit(bytes: number): void {
    this.#messageBytesMax = Math.min(messageBytesCap, bytes);
  }

  send(message: Uint8Array): void {
    if (message.length > this.#messageBytesMax)
      throw new RangeError(`a message of ${message.length} bytes; the most is ${this.#messageBytesMax}`);
    if (!this.#open) return;
    if (this.#waiting.length > 0 || this.channel.bufferedAmount + message.length > handedBytesMax) {
      this.#waitingBytes += message.length;
      if (this.#waitingBytes > waitingBytesMax) {
        this.onOverflow();
        return;
      }
      this.#waiting.push(message.slice());
      this.#arm();
    } else this.#hand(message as Uint8Array<ArrayBuffer>);
  }

  bufferedBytes(): number {
    return this.#open ? this.channel.bufferedAmount + this.#waitingBytes : 0;
  }

  whenBelow(low: number, run: () => void): void {
    this.#low.push({ low, run });
    this.#checkLow();
  }

  onMessage(listen: (message: Uint8Array) => void): void {
    if (this.#listener !== undefined) throw new Error('a channel has one listener');
    this.#listener = listen;
    queueMicrotask(() => this.#flush());
  }

  /** The link is over: nothing is delivered any more, and who waits for room is told. */
  finish(): void {
    this.#open = false;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#kept = [];
    this.#checkLow();
  }

  #hand(message: Uint8Array<ArrayBuffer>): void {
    try {
      this.channel.send(message);
    } catch {
      // Closing, or full in spite of the watch: either way this link carries nothing more.
      this.onOverflow();
    }
  }

  #receive(message: Uint8Array): void {
    if (!this.#open) return;
    if (this.#listener !== undefined && this.#kept.length === 0) {
      this.#listener(message);
      return;
    }
    if (this.#kept.length >= keptMessagesMax) this.onOverflow();
    else this.#kept.push(message);
  }

  #flush(): void {
    for (let message = this.#kept.shift(); message !== undefined && this.#open; message = this.#kept.shift()) this.#listener!(message);
  }

  #drained(): void {
    while (this.#open && this.#waiting.length > 0 && this.channel.bufferedAmount < handedBytesMax) {
      const message = this.#waiting.shift()!;
      this.#waitingBytes -= message.length;
      this.#hand(message);
    }
    this.#checkLow();
  }

  #checkLow(): void {
    const buffered = this.bufferedBytes();
    this.#low = this.#low.filter(({ low, run }) => {
      if (buffered > low) return true;
      queueMicrotask(run);
      return false;
    });
    this.#arm();
  }

  /** The event comes when the amount falls to the threshold from above it: the highest that somebody waits for. */
  #arm(): void {
    let threshold = this.#waiting.length > 0 ? handedBytesLow : 0;
    for (const { low } of this.#low) threshold = Math.max(threshold, low);
    if (this.#open) this.channel.bufferedAmountLowThreshold = threshold;
  }
}
