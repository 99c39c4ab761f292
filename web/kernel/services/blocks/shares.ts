// How much of what may be kept here each other identity has filled since this page was loaded, so that nobody fills it alone.

export class Shares<K extends string> {
  readonly #filled = new Map<string, { bytes: number; readonly keys: Map<K, number> }>();

  constructor(
    /** Whether what was charged is still kept. */
    private readonly keeps: (key: K) => boolean,
    /** What one entry counts at least: entries are bounded as bytes are. */
    private readonly entryBytesMin: number,
  ) {}

  /** Whether `bytes` more of `identity` stay within `bytesMax`. What is no longer kept does not count. */
  hasRoom(identity: string, bytes: number, bytesMax: number): boolean {
    const fits = () => (this.#filled.get(identity)?.bytes ?? 0) + Math.max(bytes, this.entryBytesMin) <= bytesMax;
    if (!fits()) this.#recount(identity);
    return fits();
  }

  charge(identity: string, key: K, bytes: number): void {
    let filled = this.#filled.get(identity);
    if (filled === undefined) this.#filled.set(identity, (filled = { bytes: 0, keys: new Map() }));
    if (filled.keys.has(key)) return;
    const size = Math.max(bytes, this.entryBytesMin);
    filled.keys.set(key, size);
    filled.bytes += size;
  }

  /** Forgets what is no longer kept. */
  prune(): void {
    for (const identity of this.#filled.keys()) this.#recount(identity);
  }

  #recount(identity: string): void {
    const filled = this.#filled.get(identity);
    if (filled === undefined) return;
    for (const [key, size] of filled.keys) {
      if (this.keeps(key)) continue;
      filled.keys.delete(key);
      filled.bytes -= size;
    }
    if (filled.keys.size === 0) this.#filled.delete(identity);
  }
}
