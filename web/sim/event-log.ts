// All that happened in a run, as one hash: two runs of a seed must end in the same one.
import { createHash } from 'node:crypto';

const gatheredBytes = 64 * 1024;

export class EventLog {
  readonly #hash = createHash('sha1');
  /** Gathered, for the hash takes a large piece as fast as a small one. */
  readonly #gathered = Buffer.allocUnsafe(gatheredBytes);
  readonly #head = new Float64Array(3);
  readonly #headBytes = new Uint8Array(this.#head.buffer);
  #length = 0;
  #count = 0;

  /** Lines are handed to `trace` as they come, for whoever replays a seed. */
  constructor(private readonly trace?: (line: string) => void) {}

  get count(): number {
    return this.#count;
  }

  /** Of what was noted so far. */
  get hash(): string {
    this.#pass();
    return this.#hash.copy().digest('hex');
  }

  note(line: string): void {
    this.#count++;
    this.#take(Buffer.from(line));
    this.trace?.(line);
  }

  message(at: number, from: number, to: number, bytes: Uint8Array): void {
    this.#count++;
    this.#head.set([at, from, to]);
    this.#take(this.#headBytes);
    this.#take(bytes);
  }

  #take(bytes: Uint8Array): void {
    if (this.#length + bytes.length > gatheredBytes) this.#pass();
    if (bytes.length > gatheredBytes) {
      this.#hash.update(bytes);
      return;
    }
    this.#gathered.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #pass(): void {
    this.#hash.update(this.#gathered.subarray(0, this.#length));
    this.#length = 0;
  }
}
