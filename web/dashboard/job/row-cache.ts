// Results and inputs of the rows somebody looks at, fetched when they come into sight and forgotten when there are many.
import type { Job, Result } from '../../sdk/types.ts';

export interface Row {
  readonly result: Result;
  readonly input: unknown;
}

const rowsMax = 4_000;
const fetchMax = 64;
/** What could not be had is asked for again after so long: a keeper may be back, though the job no longer changes. */
const againMs = 3_000;

export class RowCache {
  readonly #rows = new Map<number, Row>();
  readonly #asked = new Map<number, number>();
  readonly #listeners = new Set<() => void>();
  #wanted: readonly number[] = [];
  #busy = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly job: Pick<Job, 'peek' | 'inputs'>) {}

  get(index: number): Row | undefined {
    return this.#rows.get(index);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The items in sight: those not here yet are fetched, the latest wish first. */
  want(indices: readonly number[]): void {
    this.#wanted = indices;
    void this.#fetch();
  }

  /** What was read may have changed: items were run anew. */
  forget(): void {
    this.#rows.clear();
    this.#asked.clear();
  }

  #next(): readonly [first: number, end: number] | undefined {
    const now = performance.now();
    const missing = this.#wanted.filter(
      (index) => !this.#rows.has(index) && now - (this.#asked.get(index) ?? Number.NEGATIVE_INFINITY) > againMs,
    );
    if (missing.length === 0) return undefined;
    const first = Math.min(...missing);
    // Items beside it that are wanted as well come with it.
    const wanted = new Set(missing);
    let end = first + 1;
    while (wanted.has(end) && end - first < fetchMax) end++;
    return [first, end];
  }

  async #fetch(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    clearTimeout(this.#timer);
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) {
        const [first, end] = next;
        for (let index = first; index < end; index++) this.#asked.set(index, performance.now());
        const [results, inputs] = await Promise.all([
          this.job.peek(first, end - first).catch((): Result[] => []),
          this.job.inputs(first, end - first).catch((): unknown[] => []),
        ]);
        for (const result of results) this.#put(result.index, { result, input: inputs[result.index - first] });
        if (results.length > 0) this.#changed();
      }
    } finally {
      this.#busy = false;
    }
    if (this.#wanted.some((index) => !this.#rows.has(index))) this.#timer = setTimeout(() => void this.#fetch(), againMs);
  }

  #put(index: number, row: Row): void {
    this.#rows.set(index, row);
    for (const oldest of this.#rows.keys()) {
      if (this.#rows.size <= rowsMax) break;
      this.#rows.delete(oldest);
    }
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
