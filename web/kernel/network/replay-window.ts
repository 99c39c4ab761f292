// Which counters of a sender have been seen: each is taken once, and one too far behind the highest not at all.

export class ReplayWindow {
  #highest = 0;
  #seen = new Set<number>();

  constructor(private readonly width: number) {}

  /** True the first time `counter` is offered, and not afterwards. */
  take(counter: number): boolean {
    if (counter <= this.#highest - this.width || this.#seen.has(counter)) return false;
    this.#seen.add(counter);
    if (counter > this.#highest) {
      this.#highest = counter;
      if (this.#seen.size > 2 * this.width) this.#seen = new Set([...this.#seen].filter((kept) => kept > counter - this.width));
    }
    return true;
  }
}
