// What goes over the wire, counted: every message, and of one in some the bytes that it would take. So frames can be passed as they
// are, and bytes be known to a fraction of a per cent all the same.
import { encodeWire } from '../../kernel/lib/wire-codec.ts';
import type { Frame } from '../../kernel/protocol/frame.ts';

interface Kind {
  messages: number;
  bytes: number;
}

/** What one shard has counted. */
export interface Counted {
  readonly messages: number;
  readonly rawBytes: number;
  readonly sampled: number;
  readonly sampledBytes: number;
  readonly kinds: readonly (readonly [name: string, messages: number, bytes: number])[];
}

export class Traffic {
  messages = 0;
  /** What passed as bytes: hellos, and the data plane. */
  rawBytes = 0;
  #sampled = 0;
  #sampledBytes = 0;
  readonly #kinds = new Map<string, Kind>();

  /** Of so many messages one is weighed. */
  constructor(readonly sampleEvery = 32) {}

  frame(frame: Frame): void {
    if (this.messages++ % this.sampleEvery !== 0) return;
    const { length } = encodeWire(frame);
    this.#sampled++;
    this.#sampledBytes += length;
    this.#take(kindOf(frame), 1, length);
  }

  #take(name: string, messages: number, bytes: number): void {
    const kind = this.#kinds.get(name) ?? { messages: 0, bytes: 0 };
    kind.messages += messages;
    kind.bytes += bytes;
    this.#kinds.set(name, kind);
  }

  raw(bytes: number): void {
    this.rawBytes += bytes;
  }

  counted(): Counted {
    const kinds = [...this.#kinds].map(([name, { messages, bytes }]) => [name, messages, bytes] as const);
    return { messages: this.messages, rawBytes: this.rawBytes, sampled: this.#sampled, sampledBytes: this.#sampledBytes, kinds };
  }

  static ofAll(parts: readonly Counted[], sampleEvery: number): Traffic {
    const all = new Traffic(sampleEvery);
    for (const { messages, rawBytes, sampled, sampledBytes, kinds } of parts) {
      all.messages += messages;
      all.rawBytes += rawBytes;
      all.#sampled += sampled;
      all.#sampledBytes += sampledBytes;
      for (const [name, count, bytes] of kinds) all.#take(name, count, bytes);
    }
    return all;
  }

  /** Of all messages, by the sample; the raw bytes included. */
  get bytes(): number {
    return Math.round(this.rawBytes + (this.#sampled === 0 ? 0 : (this.#sampledBytes / this.#sampled) * this.messages));
  }

  /** The kinds of frames with their share of all messages and bytes, the largest first. */
  kinds(): { readonly name: string; readonly messages: number; readonly bytes: number }[] {
    return [...this.#kinds]
      .map(([name, { messages, bytes }]) => ({ name, messages: messages * this.sampleEvery, bytes: bytes * this.sampleEvery }))
      .toSorted((a, b) => b.bytes - a.bytes);
  }
}

/** Service, resource and verb; what is no request by its type. */
function kindOf(frame: Frame): string {
  if (frame.t !== 'request') return frame.t;
  const [service, resource = ''] = frame.to.split('/');
  return service === 'notify' ? 'notify' : `${service} ${resource} ${frame.verb}`;
}
