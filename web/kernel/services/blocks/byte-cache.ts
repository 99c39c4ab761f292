/** Bytes by key, the least recently used dropped first once there are more than `bytesMax`. */
export class ByteCache {
  readonly #entries = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(private readonly bytesMax: number) {}

  get(key: string): Uint8Array | undefined {
    const bytes = this.#entries.get(key);
    if (bytes === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, bytes);
    return bytes;
  }

  delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.length ?? 0;
    this.#entries.delete(key);
  }

  /** What is larger than a quarter of all is not worth the room. */
  put(key: string, bytes: Uint8Array): void {
    if (bytes.length > this.bytesMax / 4) return;
    this.#bytes += bytes.length - (this.#entries.get(key)?.length ?? 0);
    this.#entries.delete(key);
    this.#entries.set(key, bytes);
    for (const [oldest, old] of this.#entries) {
      if (this.#bytes <= this.bytesMax) return;
      this.#entries.delete(oldest);
      this.#bytes -= old.length;
    }
  }
}
