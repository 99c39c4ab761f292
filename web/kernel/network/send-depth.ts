// How full a channel is kept: deep enough that a fast link does not run dry while this thread is busy, and on a slow one no deeper than what
// leaves soon, because what is sent next waits behind it.
import {
  dataBufferedBytesMax,
  dataBufferedBytesMin,
  dataBufferedBytesStart,
  dataBufferedMs,
  dataChunkBytes,
  dataChunkBytesMin,
  dataChunkBytesStart,
  dataChunkMs,
} from '../limits.ts';

export class SendDepth {
  #bytesMax = dataBufferedBytesStart;
  #chunkBytes = dataChunkBytesStart;
  #pausedAt = 0;
  #pausedBytes = 0;

  /** No more is sent while so much is in the channel. */
  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** In one message: nothing else goes over the connection before all of it has gone, messages of the control channel included. */
  get chunkBytes(): number {
    return this.#chunkBytes;
  }

  /** Sending goes on when no more than this is left. */
  get bytesLow(): number {
    return this.#bytesMax / 2;
  }

  /** Sending stops with so much in the channel. Times are ms. */
  pause(now: number, bufferedBytes: number): void {
    this.#pausedAt = now;
    this.#pausedBytes = bufferedBytes;
  }

  /** The channel is empty, and something was sent a moment ago: what leaves at once may be larger. */
  emptied(): void {
    this.#chunkBytes = Math.min(dataChunkBytes, 2 * this.#chunkBytes);
  }

  /** It goes on: how long that took says how fast the link is. */
  resume(now: number, bufferedBytes: number): void {
    const bytesPerMs = (this.#pausedBytes - bufferedBytes) / Math.max(1, now - this.#pausedAt);
    this.#bytesMax = Math.min(dataBufferedBytesMax, Math.max(dataBufferedBytesMin, bytesPerMs * dataBufferedMs));
    this.#chunkBytes = Math.min(dataChunkBytes, Math.max(dataChunkBytesMin, Math.floor(bytesPerMs * dataChunkMs)));
  }
}
