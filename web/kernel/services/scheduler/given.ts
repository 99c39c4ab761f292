// What this tab has given since it was opened, and how fast it gives now.
export interface Given {
  readonly parts: number;
  readonly items: number;
  readonly cpuMs: number;
  readonly itemsPerSecond: number;
}

const windowMs = 5_000;
const entriesMax = 4_096;

export class GivenCounter {
  #parts = 0;
  #items = 0;
  #cpuMs = 0;
  readonly #recent: { at: number; items: number }[] = [];

  /** A function of which something was committed: a part, as people see it. */
  part(): void {
    this.#parts++;
  }

  add(now: number, items: number, cpuMs: number): void {
    this.#items += items;
    this.#cpuMs += cpuMs;
    this.#recent.push({ at: now, items });
    if (this.#recent.length > entriesMax) this.#recent.shift();
  }

  read(now: number): Given {
    while (this.#recent.length > 0 && now - this.#recent[0]!.at > windowMs) this.#recent.shift();
    const items = this.#recent.reduce((sum, one) => sum + one.items, 0);
    return { parts: this.#parts, items: this.#items, cpuMs: this.#cpuMs, itemsPerSecond: items / (windowMs / 1_000) };
  }
}
