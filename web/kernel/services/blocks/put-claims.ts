/** What the puts under way have brought into the own store: two of the same content have the same slices, and what one leaves the other needs. */
export class PutClaims {
  readonly #claims = new Map<string, number>();

  constructor(private readonly forget: (hashes: readonly string[]) => Promise<void>) {}

  claim(hash: string): void {
    this.#claims.set(hash, (this.#claims.get(hash) ?? 0) + 1);
  }

  /** The put is over with them; what no other put needs is forgotten, where nothing has named it by now. */
  async release(hashes: Iterable<string>): Promise<void> {
    const free: string[] = [];
    for (const hash of hashes) {
      const left = (this.#claims.get(hash) ?? 1) - 1;
      if (left > 0) this.#claims.set(hash, left);
      else {
        this.#claims.delete(hash);
        free.push(hash);
      }
    }
    if (free.length > 0) await this.forget(free);
  }
}
