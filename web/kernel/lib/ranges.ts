// Sets and maps over half-open runs of integers: millions of items as few runs.
//
// Entries are kept in order in chunks of bounded size, so that one change costs a binary search, the entries it touches
// and one chunk; never the whole map.

export type Span = readonly [first: number, end: number];

export interface Entry<V> {
  readonly first: number;
  /** One past the last. */
  readonly end: number;
  readonly value: V;
}

const chunkEntriesMax = 256;
const chunkEntries = 128;

/** Maps runs of integers to values. Entries are ascending and apart; touching entries of the same value (`same`) are one. */
export class RangeMap<V> {
  #chunks: Entry<V>[][] = [];

  constructor(private readonly same: (a: V, b: V) => boolean = Object.is) {}

  get(at: number): V | undefined {
    const [chunk, index] = this.#locate(at);
    const entry = this.#chunks[chunk]?.[index];
    return entry !== undefined && entry.first <= at ? entry.value : undefined;
  }

  /** Entries that overlap [first, end), ascending, clipped to it. The map must not change meanwhile. */
  *entries(first = 0, end = Number.POSITIVE_INFINITY): Generator<Entry<V>> {
    if (first >= end) return;
    let [chunk, index] = this.#locate(first);
    for (; chunk < this.#chunks.length; chunk++, index = 0) {
      const entries = this.#chunks[chunk]!;
      for (; index < entries.length; index++) {
        const entry = entries[index]!;
        if (entry.first >= end) return;
        if (entry.first >= first && entry.end <= end) yield entry;
        else yield { first: Math.max(entry.first, first), end: Math.min(entry.end, end), value: entry.value };
      }
    }
  }

  /**
   * Calls `change` for every run of equal value in [first, end), the empty ones (undefined) included, ascending, and keeps what it
   * answers; undefined leaves the run empty. `change` must not touch the map.
   */
  update(first: number, end: number, change: (value: V | undefined, first: number, end: number) => V | undefined): void {
    if (first >= end) return;
    const [startChunk, startIndex] = this.#locate(first);
    const out: Entry<V>[] = [];
    const put = (from: number, to: number, value: V | undefined) => {
      if (from >= to || value === undefined) return;
      const last = out.at(-1);
      if (last !== undefined && last.end === from && this.same(last.value, value))
        out[out.length - 1] = { first: last.first, end: to, value: last.value };
      else out.push({ first: from, end: to, value });
    };
    // A touching neighbour on the left may become one with what follows.
    let [chunk, index] = [startChunk, startIndex];
    const [leftChunk, leftIndex] = this.#before(startChunk, startIndex);
    const left = this.#chunks[leftChunk]?.[leftIndex];
    if (left !== undefined && left.end === first) {
      [chunk, index] = [leftChunk, leftIndex];
      put(left.first, left.end, left.value);
    }
    const fromChunk = chunk;
    const fromIndex = index;
    [chunk, index] = [startChunk, startIndex];
    let at = first;
    for (;;) {
      const entry = this.#chunks[chunk]?.[index];
      // One entry past the end is taken too where it touches: it may merge.
      if (entry === undefined || entry.first > end) break;
      if (entry.first < end) {
        if (entry.first < first) put(entry.first, first, entry.value);
        const low = Math.max(entry.first, first);
        const high = Math.min(entry.end, end);
        if (at < low) put(at, low, change(undefined, at, low));
        put(low, high, change(entry.value, low, high));
        at = high;
        if (entry.end > end) put(end, entry.end, entry.value);
      } else {
        if (at < end) put(at, end, change(undefined, at, end));
        at = end;
        put(entry.first, entry.end, entry.value);
      }
      if (++index >= this.#chunks[chunk]!.length) {
        chunk++;
        index = 0;
      }
    }
    if (at < end) put(at, end, change(undefined, at, end));
    this.#replace(fromChunk, fromIndex, chunk, index, out);
  }

  set(first: number, end: number, value: V): void {
    this.update(first, end, () => value);
  }

  delete(first: number, end: number): void {
    this.update(first, end, () => undefined);
  }

  /** Replaces the entries from (a, i) up to, not including, (b, j). */
  #replace(a: number, i: number, b: number, j: number, entries: readonly Entry<V>[]): void {
    const head = this.#chunks[a]?.slice(0, i) ?? [];
    const tail = this.#chunks[b]?.slice(j) ?? [];
    const whole = [...head];
    for (const entry of entries) whole.push(entry);
    for (const entry of tail) whole.push(entry);
    const chunks: Entry<V>[][] = [];
    if (whole.length <= chunkEntriesMax) {
      if (whole.length > 0) chunks.push(whole);
    } else {
      for (let at = 0; at < whole.length; at += chunkEntries) chunks.push(whole.slice(at, at + chunkEntries));
    }
    const count = b - a + 1;
    if (chunks.length <= 64) this.#chunks.splice(a, count, ...chunks);
    else this.#chunks = [...this.#chunks.slice(0, a), ...chunks, ...this.#chunks.slice(a + count)];
  }

  /** The first entry that ends after `at`. */
  #locate(at: number): [chunk: number, index: number] {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#chunks[middle]!.at(-1)!.end > at) high = middle;
      else low = middle + 1;
    }
    const entries = this.#chunks[low];
    if (entries === undefined) return [low, 0];
    let from = 0;
    let to = entries.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (entries[middle]!.end > at) to = middle;
      else from = middle + 1;
    }
    return [low, from];
  }

  #before(chunk: number, index: number): [chunk: number, index: number] {
    if (index > 0) return [chunk, index - 1];
    return [chunk - 1, (this.#chunks[chunk - 1]?.length ?? 0) - 1];
  }
}

/** A set of integers as runs. */
export class RangeSet {
  readonly #map = new RangeMap<true>();
  #size = 0;

  /** How many integers are in. */
  get size(): number {
    return this.#size;
  }

  has(at: number): boolean {
    return this.#map.get(at) === true;
  }

  /** True where all of [first, end) is in. */
  covers(first: number, end: number): boolean {
    for (const _ of this.gaps(first, end)) return false;
    return true;
  }

  add(first: number, end: number): void {
    this.#map.update(first, end, (value, from, to) => {
      if (value === undefined) this.#size += to - from;
      return true;
    });
  }

  delete(first: number, end: number): void {
    this.#map.update(first, end, (value, from, to) => {
      if (value !== undefined) this.#size -= to - from;
      return undefined;
    });
  }

  /** Runs in [first, end) that are in, ascending. */
  *spans(first = 0, end = Number.POSITIVE_INFINITY): Generator<Span> {
    for (const entry of this.#map.entries(first, end)) yield [entry.first, entry.end];
  }

  /** Runs in [first, end) that are not in, ascending. */
  *gaps(first: number, end: number): Generator<Span> {
    let at = first;
    for (const entry of this.#map.entries(first, end)) {
      if (at < entry.first) yield [at, entry.first];
      at = entry.end;
    }
    if (at < end) yield [at, end];
  }
}
