// Frames between the tabs of one process: the frame itself waits here, and the wire carries its number. What a tab has sent it may not change
// any more, and who gets it may not either: frozen, so that a service that leans on shared objects fails here.
import type { Binding } from '../../kernel/network/binding.ts';
import type { Frame } from '../../kernel/protocol/frame.ts';
import type { Traffic } from './traffic.ts';

/** What a tab has not taken though it came (its link had ended meanwhile) is dropped when it is older than two of these many. */
const generation = 1_000_000;
export const tokenBytes = 4;

export class ObjectBinding implements Binding {
  readonly name = 'objects';
  #frames = new Map<number, Frame>();
  #older = new Map<number, Frame>();
  #next = 1;

  constructor(
    private readonly traffic: Traffic,
    /** Costs a third of a run: for tests. */
    private readonly freezes: boolean,
  ) {}

  encode(frame: Frame): Uint8Array {
    this.traffic.frame(frame);
    return this.put(frame);
  }

  /** Its number, for who is to take it. */
  put(frame: Frame): Uint8Array {
    const number = this.#next;
    this.#next = number === 0xffff_ffff ? 1 : number + 1;
    if (number % generation === 0) {
      this.#older = this.#frames;
      this.#frames = new Map();
    }
    this.#frames.set(number, this.freezes ? frozen(frame) : frame);
    const token = new Uint8Array(tokenBytes);
    token[0] = number;
    token[1] = number >>> 8;
    token[2] = number >>> 16;
    token[3] = number >>> 24;
    return token;
  }

  /** What came to nobody. */
  drop(bytes: Uint8Array): void {
    this.decode(bytes);
  }

  decode(bytes: Uint8Array): unknown {
    if (bytes.length !== tokenBytes) return undefined;
    const number = (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0;
    const frame = this.#frames.get(number) ?? this.#older.get(number);
    if (!this.#frames.delete(number)) this.#older.delete(number);
    return frame;
  }
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) frozen(part);
  return value;
}
