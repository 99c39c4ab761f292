// What goes over the wire, counted: every message, and of one in `sampleEvery` the bytes that it would take. So frames can be passed as they
// are, and bytes be known to a fraction of a per cent all the same.
import { encodeWire } from '../../kernel/lib/wire-codec.ts';
import type { Frame } from '../../kernel/protocol/frame.ts';

const sampleEvery = 32;

interface Kind {
  messages: number;
  bytes: number;
}

export class Traffic {
  messages = 0;
  /** What passed as bytes: hellos, and the data plane. */
  rawBytes = 0;
  #sampled = 0;
  #sampledBytes = 0;
  readonly #kinds = new Map<string, Kind>();

  frame(frame: Frame): void {
    if (this.messages++ % sampleEvery !== 0) return;
    const { length } = encodeWire(frame);
    this.#sampled++;
    this.#sampledBytes += length;
    const name = kindOf(frame);
    const kind = this.#kinds.get(name) ?? { messages: 0, bytes: 0 };
    kind.messages++;
    kind.bytes += length;
    this.#kinds.set(name, kind);
  }

  raw(bytes: number): void {
    this.rawBytes += bytes;
  }

  /** Of all messages, by the sample; the raw bytes included. */
  get bytes(): number {
    return Math.round(this.rawBytes + (this.#sampled === 0 ? 0 : (this.#sampledBytes / this.#sampled) * this.messages));
  }

  /** The kinds of frames with their share of all messages and bytes, the largest first. */
  kinds(): { readonly name: string; readonly messages: number; readonly bytes: number }[] {
    return [...this.#kinds]
      .map(([name, { messages, bytes }]) => ({ name, messages: messages * sampleEvery, bytes: bytes * sampleEvery }))
      .toSorted((a, b) => b.bytes - a.bytes);
  }
}

/** Service, resource and verb; what is no request by its type. */
function kindOf(frame: Frame): string {
  if (frame.t !== 'request') return frame.t;
  const [service, resource = ''] = frame.to.split('/');
  return service === 'notify' ? 'notify' : `${service} ${resource} ${frame.verb}`;
}
