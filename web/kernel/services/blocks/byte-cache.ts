interface Entry {
  readonly bytes: Uint8Array;
  /** Where in the list of keys. */
  at: number;
  used: boolean;
}

/**
 * Bytes by key, for a while. Past `bytesMax` any of them goes, by lot: where more is read one after the other than fits, the least
 * recently used would always be just the next one wanted, and nothing would ever be found.
 */
export class ByteCache {
  readonly #entries = new Map<string, Entry>();
  readonly #keys: string[] = [];
  #bytes = 0;

  constructor(
    private readonly bytesMax: number,
    /** Uniform in [0, 1). */
    private readonly fraction: () => number,
  ) {}

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Uint8Array | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.used = true;
    return entry?.bytes;
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes.length;
    const last = this.#keys.pop()!;
    if (last === key) return;
    this.#keys[entry.at] = last;
    this.#entries.get(last)!.at = entry.at;
  }

  /** What is larger than a quarter of all is not worth the room. */
  put(key: string, bytes: Uint8Array): void {
    this.delete(key);
    if (bytes.length > this.bytesMax / 4) return;
    while (this.#bytes + bytes.length > this.bytesMax) this.delete(this.#keys[Math.floor(this.fraction() * this.#keys.length)]!);
    this.#entries.set(key, { bytes, at: this.#keys.length, used: true });
    this.#keys.push(key);
    this.#bytes += bytes.length;
  }

  /** Drops what nobody has put or got since this was called last. */
  dropIdle(): void {
    for (const [key, entry] of [...this.#entries]) {
      if (!entry.used) this.delete(key);
      entry.used = false;
    }
  }
}
