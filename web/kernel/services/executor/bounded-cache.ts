// What was fetched lately, bounded by weight; two who want the same thing at once fetch it once.
export class BoundedCache<K, V> {
  readonly #kept = new Map<K, { readonly value: V; readonly weight: number }>();
  readonly #coming = new Map<K, Promise<V>>();
  #weight = 0;

  constructor(
    private readonly weightMax: number,
    private readonly weigh: (value: V) => number,
  ) {}

  /** The kept value, or what `fetch` gives. A fetch that rejects is not remembered. */
  get(key: K, fetch: () => Promise<V>): Promise<V> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return Promise.resolve(kept.value);
    }
    const coming = this.#coming.get(key) ?? this.#fetch(key, fetch);
    return coming;
  }

  clear(): void {
    this.#kept.clear();
    this.#weight = 0;
  }

  async #fetch(key: K, fetch: () => Promise<V>): Promise<V> {
    const work = fetch();
    this.#coming.set(key, work);
    try {
      const value = await work;
      const weight = this.weigh(value);
      if (weight <= this.weightMax) {
        this.#kept.set(key, { value, weight });
        this.#weight += weight;
        for (const [oldest, entry] of this.#kept) {
          if (this.#weight <= this.weightMax) break;
          this.#kept.delete(oldest);
          this.#weight -= entry.weight;
        }
      }
      return value;
    } finally {
      this.#coming.delete(key);
    }
  }
}
