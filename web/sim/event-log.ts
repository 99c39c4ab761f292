// All that happened in a run, as one hash: two runs of a seed must end in the same one.
import { createHash } from 'node:crypto';

export class EventLog {
  readonly #hash = createHash('sha1');
  readonly #head = new Float64Array(3);
  #count = 0;

  /** Lines are handed to `trace` as they come, for whoever replays a seed. */
  constructor(private readonly trace?: (line: string) => void) {}

  get count(): number {
    return this.#count;
  }

  /** Of what was noted so far. */
  get hash(): string {
    return this.#hash.copy().digest('hex');
  }

  note(line: string): void {
    this.#count++;
    this.#hash.update(line);
    this.trace?.(line);
  }

  message(at: number, from: number, to: number, bytes: Uint8Array): void {
    this.#count++;
    this.#head.set([at, from, to]);
    this.#hash.update(this.#head);
    this.#hash.update(bytes);
  }
}
