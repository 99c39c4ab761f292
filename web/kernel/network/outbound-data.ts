// The sending half of a link's data plane: streams buffers by reference in chunks, never more into the channel than leaves it soon
// (send-depth.ts). Every other chunk is the oldest transfer's, the rest are one of each in turn: a small one is not stuck behind a large
// one, and equal ones end one after the other, so that the far side can ask for the next while the others still come. Up to `eagerBytesMax`
// go before the far side has said that it has room.
import { dataChunkBytes, dataChunkMs, eagerBytesMax } from '../limits.ts';
import type { Channel } from '../platform.ts';
import { chunkHeaderBytes, encodeChunk } from '../protocol/frame.ts';
import { SendDepth } from './send-depth.ts';

interface Transfer {
  readonly buffers: readonly Uint8Array[];
  buffer: number;
  offset: number;
  /** Bytes sent before the far side's consent. */
  eager: number;
  admitted: boolean;
  /** All is sent and the far side takes it. */
  readonly done: () => void;
}

/** Every chunk of every link is written here, because what was sent may be written over: memory of its own for each would cost more than the copying. */
const room = new Uint8Array(chunkHeaderBytes + dataChunkBytes);

export class OutboundData {
  /** Announced, and neither admitted in full nor stopped, the oldest first: transfers are numbered in their order. */
  readonly #transfers = new Map<number, Transfer>();
  /** Whose chunk went in turn last; the next is one above, or else the oldest. */
  #turn = 0;
  #oldestIsNext = true;
  /** All is sent, consent is still out. */
  readonly #unconfirmed = new Map<number, Transfer>();
  #eagerBytes = 0;
  #pausing = false;
  #sentAt = -Infinity;
  readonly #depth = new SendDepth();
  #open = true;
  readonly #payloadBytesMax: number;

  constructor(
    private readonly channel: Channel,
    private readonly now: () => number,
    private readonly sent: (bytes: number) => void,
  ) {
    this.#payloadBytesMax = Math.min(dataChunkBytes, channel.messageBytesMax - chunkHeaderBytes);
  }

  /** Begins to stream; the transfer must be announced on the control channel before. */
  stream(number: number, buffers: readonly Uint8Array[], done: () => void): void {
    if (!this.#open) return;
    this.#transfers.set(number, { buffers, buffer: 0, offset: 0, eager: 0, admitted: false, done });
    this.#pump();
  }

  /** The far side has room for all of it. */
  admitted(number: number): void {
    const sent = this.#unconfirmed.get(number);
    this.#confirm(number);
    sent?.done();
    this.#pump();
  }

  /** Nothing more of it is sent. True where something was still to be sent. */
  stop(number: number): boolean {
    this.#confirm(number);
    const stopped = this.#transfers.delete(number);
    this.#pump();
    return stopped;
  }

  close(): void {
    this.#open = false;
    this.#transfers.clear();
    this.#unconfirmed.clear();
  }

  get idle(): boolean {
    return this.#transfers.size === 0;
  }

  /** What was sent of it ahead of consent is agreed, or was dropped: it makes room for others'. */
  #confirm(number: number): void {
    const transfer = this.#unconfirmed.get(number) ?? this.#transfers.get(number);
    this.#unconfirmed.delete(number);
    if (transfer === undefined || transfer.admitted) return;
    transfer.admitted = true;
    this.#eagerBytes -= transfer.eager;
  }

  #pump(): void {
    while (this.#open && !this.#pausing) {
      if (this.#transfers.size === 0) return;
      const bufferedBytes = this.channel.bufferedBytes();
      if (bufferedBytes === 0 && this.now() - this.#sentAt <= dataChunkMs) this.#depth.emptied();
      if (bufferedBytes >= this.#depth.bytesMax) {
        this.#pausing = true;
        this.#depth.pause(this.now(), bufferedBytes);
        this.channel.whenBelow(this.#depth.bytesLow, () => {
          this.#pausing = false;
          this.#depth.resume(this.now(), this.channel.bufferedBytes());
          this.#pump();
        });
        return;
      }
      const next = this.#next();
      if (next === undefined) return;
      this.#sendChunk(...next);
    }
  }

  #next(): [number: number, transfer: Transfer] | undefined {
    let oldest: [number, Transfer] | undefined;
    for (const [number, transfer] of this.#transfers) {
      if (!transfer.admitted && this.#eagerBytes + this.#payloadBytesMax > eagerBytesMax) continue;
      oldest ??= [number, transfer];
      if (this.#oldestIsNext) break;
      if (number <= this.#turn) continue;
      this.#turn = number;
      this.#oldestIsNext = true;
      return [number, transfer];
    }
    if (oldest === undefined) return undefined;
    if (!this.#oldestIsNext) this.#turn = oldest[0];
    this.#oldestIsNext = !this.#oldestIsNext;
    return oldest;
  }

  #sendChunk(number: number, transfer: Transfer): void {
    while (transfer.buffers[transfer.buffer]!.length === 0) transfer.buffer++;
    const bytes = transfer.buffers[transfer.buffer]!;
    const payloadBytes = Math.min(this.#payloadBytesMax, this.#depth.chunkBytes);
    const payload = bytes.subarray(transfer.offset, transfer.offset + payloadBytes);
    const chunk = encodeChunk({ transfer: number, buffer: transfer.buffer, offset: transfer.offset, payload }, room);
    transfer.offset += payload.length;
    if (!transfer.admitted) {
      transfer.eager += payload.length;
      this.#eagerBytes += payload.length;
    }
    if (transfer.offset === bytes.length) {
      transfer.offset = 0;
      transfer.buffer++;
      while (transfer.buffer < transfer.buffers.length && transfer.buffers[transfer.buffer]!.length === 0) transfer.buffer++;
    }
    const more = transfer.buffer < transfer.buffers.length;
    if (!more) {
      this.#transfers.delete(number);
      if (!transfer.admitted) this.#unconfirmed.set(number, transfer);
    }
    this.sent(chunk.length);
    this.#sentAt = this.now();
    this.channel.send(chunk);
    if (!more && transfer.admitted) transfer.done();
  }
}
