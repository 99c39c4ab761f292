// The sending half of a link's data plane: streams buffers by reference in chunks, one chunk of each transfer in turn, so that a
// small one is not stuck behind a large one, and never more than `dataBufferedBytesMax` into the channel. Up to `eagerBytesMax`
// go before the far side has said that it has room.
import { dataBufferedBytesLow, dataBufferedBytesMax, dataChunkBytes, eagerBytesMax } from '../limits.ts';
import type { Channel } from '../platform.ts';
import { chunkHeaderBytes, encodeChunk } from '../protocol/frame.ts';

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

export class OutboundData {
  /** Announced, and neither admitted in full nor stopped. A map keeps the turn: whose chunk went goes to the end. */
  readonly #transfers = new Map<number, Transfer>();
  /** All is sent, consent is still out. */
  readonly #unconfirmed = new Map<number, Transfer>();
  #eagerBytes = 0;
  #pausing = false;
  #open = true;
  readonly #payloadBytesMax: number;

  constructor(
    private readonly channel: Channel,
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
      const next = this.#next();
      if (next === undefined) return;
      if (this.channel.bufferedBytes() >= dataBufferedBytesMax) {
        this.#pausing = true;
        this.channel.whenBelow(dataBufferedBytesLow, () => {
          this.#pausing = false;
          this.#pump();
        });
        return;
      }
      this.#sendChunk(...next);
    }
  }

  #next(): [number: number, transfer: Transfer] | undefined {
    for (const [number, transfer] of this.#transfers) {
      if (transfer.admitted || this.#eagerBytes + this.#payloadBytesMax <= eagerBytesMax) return [number, transfer];
    }
    return undefined;
  }

  #sendChunk(number: number, transfer: Transfer): void {
    while (transfer.buffers[transfer.buffer]!.length === 0) transfer.buffer++;
    const bytes = transfer.buffers[transfer.buffer]!;
    const payload = bytes.subarray(transfer.offset, transfer.offset + this.#payloadBytesMax);
    const chunk = encodeChunk({ transfer: number, buffer: transfer.buffer, offset: transfer.offset, payload });
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
    this.#transfers.delete(number);
    const more = transfer.buffer < transfer.buffers.length;
    if (more) this.#transfers.set(number, transfer);
    else if (!transfer.admitted) this.#unconfirmed.set(number, transfer);
    this.sent(chunk.length);
    this.channel.send(chunk);
    if (!more && transfer.admitted) transfer.done();
  }
}
