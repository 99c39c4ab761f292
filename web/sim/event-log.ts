// All that happened in a run, as one hash: two runs of a seed must end in the same one. Fast rather than cryptographic: every byte on
// the wire goes through it.

export class EventLog {
  #a = 0x811c9dc5;
  #b = 0x9e3779b9;
  #count = 0;

  /** Lines are handed to `trace` as they come, for whoever replays a seed. */
  constructor(private readonly trace?: (line: string) => void) {}

  get count(): number {
    return this.#count;
  }

  get hash(): string {
    return [this.#a, this.#b, this.#count].map((part) => (part >>> 0).toString(16).padStart(8, '0')).join('');
  }

  note(line: string): void {
    this.#count++;
    for (let i = 0; i < line.length; i++) this.#mix(line.charCodeAt(i));
    this.trace?.(line);
  }

  message(at: number, from: number, to: number, bytes: Uint8Array): void {
    this.#count++;
    this.#mix(at * 64);
    this.#mix(from * 1_000 + to);
    this.#mix(bytes.length);
    for (const byte of bytes) this.#a = Math.imul(this.#a ^ byte, 0x01000193);
  }

  #mix(value: number): void {
    this.#a = Math.imul(this.#a ^ value, 0x01000193);
    this.#b = Math.imul(this.#b ^ this.#a ^ (this.#b >>> 15), 0x85ebca6b);
  }
}
