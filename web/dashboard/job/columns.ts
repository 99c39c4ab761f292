// Results as columns of numbers: what plots, histograms and sorting need, and no value kept beyond that.
import type { Result } from '../../sdk/types.ts';

/** Results kept at most: about 40 bytes each and 8 more a column. */
export const columnsMax = 200_000;
const keysMax = 8;
/** Time an item took, as a column beside those of its value. */
export const tookKey = 'took';

/** Numbers that a value holds, by name: the value itself is ''. */
export function numbersIn(value: unknown): readonly (readonly [key: string, value: number])[] {
  if (typeof value === 'number') return [['', value]];
  if (typeof value === 'boolean') return [['', value ? 1 : 0]];
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Date) return [];
  if (Array.isArray(value))
    return value.slice(0, keysMax).flatMap((each, i) => (typeof each === 'number' ? [[`[${i}]`, each] as const] : []));
  return Object.entries(value)
    .slice(0, 64)
    .flatMap(([key, each]) => (typeof each === 'number' ? [[key, each] as const] : []));
}

export class Columns {
  size = 0;
  readonly #index = new Uint32Array(columnsMax);
  readonly #took = new Float32Array(columnsMax);
  readonly #by = new Map<string, Float64Array>();

  /** Adds results that are not in yet; answers how many fitted. */
  add(results: readonly Result[]): number {
    let taken = 0;
    for (const result of results) {
      if (this.size >= columnsMax) break;
      const row = this.size++;
      taken++;
      this.#index[row] = result.index;
      this.#took[row] = result.tookMs;
      if ('error' in result) continue;
      for (const [key, value] of numbersIn(result.value)) {
        let column = this.#by.get(key);
        if (column === undefined) {
          if (this.#by.size >= keysMax) continue;
          column = new Float64Array(columnsMax).fill(Number.NaN);
          this.#by.set(key, column);
        }
        column[row] = value;
      }
    }
    return taken;
  }

  /** Names of the columns of values, in order of appearance. */
  get keys(): readonly string[] {
    return [...this.#by.keys()];
  }

  index(): Uint32Array {
    return this.#index.subarray(0, this.size);
  }

  /** Ms for `tookKey`; NaN where a result has no such number. Empty where there is no such column. */
  column(key: string): Float32Array | Float64Array {
    if (key === tookKey) return this.#took.subarray(0, this.size);
    return this.#by.get(key)?.subarray(0, this.size) ?? new Float64Array(0);
  }

  /** Items in the order of a column; those without a number come last either way. */
  order(key: string, descending: boolean): Uint32Array {
    const values = this.column(key);
    const index = this.index();
    const sign = descending ? -1 : 1;
    const rows = Uint32Array.from({ length: values.length }, (_, i) => i).sort((a, b) => {
      const [x, y] = [values[a]!, values[b]!];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || index[a]! - index[b]!;
      return sign * (x - y) || index[a]! - index[b]!;
    });
    return rows.map((row) => index[row]!);
  }

  /** Points in order of items, for a line: x the item, y the column. */
  points(key: string): readonly [x: Float64Array, y: Float64Array] {
    const values = this.column(key);
    const index = this.index();
    const rows = Uint32Array.from({ length: values.length }, (_, i) => i).sort((a, b) => index[a]! - index[b]!);
    return [Float64Array.from(rows, (row) => index[row]!), Float64Array.from(rows, (row) => values[row]!)];
  }
}
