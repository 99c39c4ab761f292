// Finds rows of a table by a hash of theirs, with nothing in memory but four bytes a slot: open addressing, linear probing.

const loadMax = 0.7;

export class RowIndex {
  /** Row + 1; 0 is empty. A power of two of them. */
  #slots = new Uint32Array(8);
  #count = 0;

  /** `hashOf` answers with the hash of a row as 32 bits without sign. */
  constructor(private readonly hashOf: (row: number) => number) {}

  /** Rows may have one hash; many of one make it slow. */
  add(row: number): void {
    if (++this.#count > loadMax * this.#slots.length) this.#grow();
    this.#put(row);
  }

  /** The first row of that hash that `is` says yes to. */
  find(hash: number, is: (row: number) => boolean): number | undefined {
    const mask = this.#slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const row = this.#slots[at]! - 1;
      if (row < 0) return undefined;
      if (is(row)) return row;
    }
  }

  #put(row: number): void {
    const mask = this.#slots.length - 1;
    let at = this.hashOf(row) & mask;
    while (this.#slots[at] !== 0) at = (at + 1) & mask;
    this.#slots[at] = row + 1;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(before.length * 2);
    for (const slot of before) if (slot !== 0) this.#put(slot - 1);
  }
}
