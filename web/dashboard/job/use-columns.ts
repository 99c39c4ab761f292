import { useEffect, useState } from 'react';
import type { Job, Span } from '../../sdk/types.ts';
import { Columns, columnsMax } from './columns.ts';
import { decidedRanges, itemsIn, unseen } from './decided.ts';

const perRead = 500;
/** Between two reads the page may draw. */
const breathMs = 12;
const againMs = 2_000;
const drawEveryMs = 300;

type Range = readonly [first: number, end: number];

export interface Loaded {
  readonly columns: Columns;
  /** Another one whenever there is more in the columns. */
  readonly version: number;
  /** All that is decided is in, or all there is room for. */
  readonly all: boolean;
  readonly full: boolean;
}

/** Reads decided results into columns, a page at a time, for as long as somebody wants them. */
export class ColumnLoader {
  #columns = new Columns();
  #seen: Range[] = [];
  #spans: readonly Span[] = [];
  #wanted = false;
  #busy = false;
  #version = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly job: Pick<Job, 'peek'>,
    private readonly changed: (loaded: Loaded) => void,
  ) {}

  /** What is decided now, and whether anybody looks. */
  update(spans: readonly Span[], wanted: boolean): void {
    this.#spans = spans;
    this.#wanted = wanted;
    if (!wanted) {
      clearTimeout(this.#timer);
      return;
    }
    // Fewer than were read: some are run anew.
    if (itemsIn(decidedRanges(spans)) < itemsIn(this.#seen)) {
      this.#columns = new Columns();
      this.#seen = [];
    }
    void this.#load();
  }

  state(): Loaded {
    const full = this.#columns.size >= columnsMax;
    return { columns: this.#columns, version: this.#version, full, all: full || this.#missing() === undefined };
  }

  #missing(): Range | undefined {
    return this.#columns.size >= columnsMax ? undefined : unseen(decidedRanges(this.#spans), this.#seen)[0];
  }

  async #load(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    clearTimeout(this.#timer);
    let drawnAt = 0;
    try {
      for (let next = this.#missing(); next !== undefined && this.#wanted; next = this.#missing()) {
        const [first, end] = [next[0], Math.min(next[1], next[0] + perRead)];
        const results = await this.job.peek(first, end - first);
        // What could not be had now is asked for again later.
        if (results.length === 0) break;
        this.#columns.add(results);
        this.#seen = joined([...this.#seen, [first, end]]);
        this.#version++;
        if (performance.now() - drawnAt > drawEveryMs) {
          drawnAt = performance.now();
          this.changed(this.state());
        }
        await new Promise((resolve) => setTimeout(resolve, breathMs));
      }
    } catch {
      // Its keepers are away: it is tried again.
    } finally {
      this.#busy = false;
    }
    if (!this.#wanted) return;
    this.changed(this.state());
    if (this.#missing() !== undefined) this.#timer = setTimeout(() => void this.#load(), againMs);
  }
}

/** Columns of the decided results while `wanted`. */
export function useColumns(job: Job, spans: readonly Span[] | null, wanted: boolean): Loaded {
  const [loaded, setLoaded] = useState<Loaded>(() => ({ columns: new Columns(), version: 0, all: false, full: false }));
  const [loader] = useState(() => new ColumnLoader(job, setLoaded));
  useEffect(() => {
    loader.update(spans ?? [], wanted && spans !== null);
    return () => loader.update(spans ?? [], false);
  }, [loader, spans, wanted]);
  return loaded;
}

export function joined(ranges: readonly Range[]): Range[] {
  const out: [number, number][] = [];
  for (const [first, end] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = out.at(-1);
    if (last !== undefined && first <= last[1]) last[1] = Math.max(last[1], end);
    else out.push([first, end]);
  }
  return out;
}
