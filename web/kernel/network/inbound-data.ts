// The receiving half of a link's data plane: places chunks straight into buffers made to the announced lengths. The channels
// are not ordered against each other, so chunks may come before their announcement: so many are held as the far side may send
// ahead of consent.
import { failure, success, type Outcome } from '../lib/outcome.ts';
import { eagerBytesMax, inboundBytesPerLinkMax } from '../limits.ts';
import { decodeChunk, type Chunk } from '../protocol/frame.ts';

/** Bytes in assembly over all links of the tab. */
export class InboundBudget {
  #bytes = 0;
  constructor(private readonly bytesMax: number) {}

  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.bytesMax) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

interface Assembly {
  readonly lengths: readonly number[];
  readonly bytes: number;
  readonly buffers: Uint8Array[];
  buffer: number;
  offset: number;
  readonly done: (buffers: readonly Uint8Array[]) => void;
}

export class InboundData {
  readonly #open = new Map<number, Assembly>();
  #bytes = 0;
  #early: Chunk[] = [];
  #earlyBytes = 0;
  /** Transfers are numbered in the order of their announcement: a chunk above is early, one below and not open is late. */
  #announced = 0;

  constructor(
    private readonly budget: InboundBudget,
    private readonly garbage: (reason: string) => void,
  ) {}

  /** True where `number` may be announced: each once, in order. */
  mayAnnounce(number: number): boolean {
    return number > this.#announced;
  }

  /** The announcement of a transfer nobody here wants: its chunks are dropped. */
  skip(number: number): void {
    this.#announced = number;
    this.#takeEarly(number);
  }

  /**
   * Makes room for a transfer; `done` is called, later or now, with all its buffers. The caller has checked the lengths.
   * Faults: 'overloaded'; its chunks are then dropped.
   */
  admit(number: number, lengths: readonly number[], done: (buffers: readonly Uint8Array[]) => void): Outcome<void> {
    const bytes = lengths.reduce((sum, length) => sum + length, 0);
    if (this.#bytes + bytes > inboundBytesPerLinkMax || !this.budget.take(bytes)) {
      this.skip(number);
      return failure('overloaded', 'Too many buffers are already on their way to that tab.');
    }
    this.#bytes += bytes;
    this.#announced = number;
    const assembly: Assembly = { lengths, bytes, buffers: [], buffer: 0, offset: 0, done };
    this.#open.set(number, assembly);
    this.#passEmpty(assembly);
    for (const chunk of this.#takeEarly(number)) this.#place(chunk);
    return success(undefined);
  }

  /** Forgets a transfer: what still comes of it is dropped. True where it was open. */
  drop(number: number): boolean {
    const assembly = this.#open.get(number);
    if (assembly === undefined) return false;
    this.#open.delete(number);
    this.#free(assembly.bytes);
    return true;
  }

  /** A message of the channel. */
  receive(message: Uint8Array): void {
    const chunk = decodeChunk(message);
    if (chunk === undefined) return this.garbage('a data message is no chunk');
    if (chunk.transfer <= this.#announced) return this.#place(chunk);
    this.#earlyBytes += chunk.payload.length;
    if (this.#earlyBytes > eagerBytesMax) return this.garbage('more buffers came ahead of their announcement than agreed');
    this.#early.push(chunk);
  }

  close(): void {
    for (const number of this.#open.keys()) this.drop(number);
    this.#early = [];
  }

  #takeEarly(number: number): readonly Chunk[] {
    const mine = this.#early.filter((chunk) => chunk.transfer === number);
    // Lower numbers can no longer be announced.
    this.#early = this.#early.filter((chunk) => chunk.transfer > number);
    this.#earlyBytes = this.#early.reduce((sum, chunk) => sum + chunk.payload.length, 0);
    return mine;
  }

  #place(chunk: Chunk): void {
    const assembly = this.#open.get(chunk.transfer);
    if (assembly === undefined) return;
    const length = assembly.lengths[assembly.buffer];
    if (
      length === undefined ||
      chunk.buffer !== assembly.buffer ||
      chunk.offset !== assembly.offset ||
      chunk.offset + chunk.payload.length > length
    ) {
      return this.garbage('a chunk is not the next one of its transfer');
    }
    let buffer = assembly.buffers[assembly.buffer];
    if (buffer === undefined && chunk.payload.length === length) {
      // Whole in one: where it lies it may stay.
      assembly.buffers.push(chunk.payload);
      return this.#passOn(chunk.transfer, assembly);
    }
    if (buffer === undefined) {
      // Made when its first chunk comes, so that an announcement alone costs the far side's bytes nothing of ours.
      try {
        buffer = new Uint8Array(length);
      } catch {
        return this.garbage('this tab has no memory left for a buffer');
      }
      assembly.buffers.push(buffer);
    }
    buffer.set(chunk.payload, chunk.offset);
    assembly.offset += chunk.payload.length;
    if (assembly.offset < length) return;
    assembly.offset = 0;
    this.#passOn(chunk.transfer, assembly);
  }

  /** Its latest buffer is whole. */
  #passOn(number: number, assembly: Assembly): void {
    assembly.buffer++;
    this.#passEmpty(assembly);
    if (assembly.buffer < assembly.lengths.length) return;
    this.#open.delete(number);
    this.#free(assembly.bytes);
    assembly.done(assembly.buffers);
  }

  #passEmpty(assembly: Assembly): void {
    while (assembly.lengths[assembly.buffer] === 0) {
      assembly.buffers.push(new Uint8Array(0));
      assembly.buffer++;
    }
  }

  #free(bytes: number): void {
    this.#bytes -= bytes;
    this.budget.give(bytes);
  }
}
