import { lengthOf, type Pieces } from '../../lib/pieces.ts';
import { chunkHeaderBytes } from '../../protocol/frame.ts';

interface Entry {
  readonly pieces: Pieces;
  /** Bytes. */
  readonly size: number;
  /** The keys it is drawn from, and where among them. */
  keys: string[];
  at: number;
  used: boolean;
}

/**
 * Bytes by key, for a while. Past `bytesMax` any of them goes, by lot: where more is read one after the other than fits, the least
 * recently used would always be just the next one wanted, and nothing would ever be found. What is still to be asked for the first time
 * goes last.
 */
export class ByteCache {
  readonly #entries = new Map<string, Entry>();
  readonly #read: string[] = [];
  readonly #awaited: string[] = [];
  #bytes = 0;

  constructor(
    private readonly bytesMax: number,
    /** Uniform in [0, 1). */
    private readonly fraction: () => number,
  ) {}

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Pieces | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.used = true;
    if (entry.keys === this.#awaited) {
      this.#unlist(entry);
      this.#list(key, entry, this.#read);
    }
    return entry.pieces;
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.size;
    this.#unlist(entry);
  }

  /** What is larger than a quarter of all is not worth the room. `awaited`: somebody is about to ask for it. */
  put(key: string, pieces: Pieces, awaited = false): void {
    this.delete(key);
    const size = lengthOf(pieces);
    if (size > this.bytesMax / 4) return;
    while (this.#bytes + size > this.bytesMax) {
      const keys = this.#read.length > 0 ? this.#read : this.#awaited;
      this.delete(keys[Math.floor(this.fraction() * keys.length)]!);
    }
    const entry = { pieces: pieces.map(withoutWaste), size, keys: [], at: 0, used: true };
    this.#entries.set(key, entry);
    this.#list(key, entry, awaited ? this.#awaited : this.#read);
    this.#bytes += size;
  }

  /** Drops what nobody has put or got since this was called last. */
  dropIdle(): void {
    for (const [key, entry] of [...this.#entries]) {
      if (!entry.used) this.delete(key);
      entry.used = false;
    }
  }

  #list(key: string, entry: Entry, keys: string[]): void {
    entry.keys = keys;
    entry.at = keys.length;
    keys.push(key);
  }

  /** The last of its list takes its place. */
  #unlist({ keys, at }: Entry): void {
    const last = keys.pop()!;
    if (at === keys.length) return;
    keys[at] = last;
    this.#entries.get(last)!.at = at;
  }
}

/** A view keeps all of its buffer alive: that may be no more than the header of the chunk that brought it. */
const withoutWaste = (bytes: Uint8Array) => (bytes.buffer.byteLength - bytes.byteLength <= chunkHeaderBytes ? bytes : bytes.slice());
