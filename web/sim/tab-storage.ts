// One process's handle on a store that outlives it. Writes take time and are applied in their order; some fail as told; when the process dies
// the first few of those under way are applied and the rest are not, and nobody hears of either.
import { failure, type Outcome } from '../kernel/lib/outcome.ts';
import type { Clock, Storage, Table, WriteOp } from '../kernel/platform.ts';
import type { Draw } from './draw.ts';

export interface StorageFaults {
  /** Share of writes that are refused: an aborted transaction. */
  refuse: number;
  /** Nothing that grows is taken. */
  full: boolean;
  /** A write takes up to so long. */
  writeMsMax: number;
}

export interface StorageListener {
  /** Asked to write. */
  writing(ops: readonly WriteOp[]): void;
  /** In the store. */
  written(ops: readonly WriteOp[]): void;
}

interface Pending {
  readonly ops: readonly WriteOp[];
  readonly settle: (outcome: Outcome<void>) => void;
  readonly refused: boolean;
}

const never = <T>() => new Promise<T>(() => undefined);
const writeMsMin = 0.5;

export class TabStorage implements Storage {
  #alive = true;
  #lastAt = 0;
  readonly #pending: Pending[] = [];

  constructor(
    private readonly inner: Storage,
    private readonly clock: Clock,
    private readonly draw: Draw,
    private readonly faults: StorageFaults,
    private readonly listener: StorageListener,
  ) {}

  get store() {
    return this.inner.store;
  }

  get durable(): boolean {
    return this.inner.durable;
  }

  get(table: Table, key: string): Promise<Outcome<unknown>> {
    return this.#alive ? this.inner.get(table, key) : never();
  }

  entries(table: Table, prefix: string): Promise<Outcome<readonly (readonly [string, unknown])[]>> {
    return this.#alive ? this.inner.entries(table, prefix) : never();
  }

  keys(table: Table, prefix: string): Promise<Outcome<readonly string[]>> {
    return this.#alive ? this.inner.keys(table, prefix) : never();
  }

  write(ops: readonly WriteOp[]): Promise<Outcome<void>> {
    if (!this.#alive) return never();
    this.listener.writing(ops);
    return new Promise((resolve) => {
      const grows = ops.some((op) => !('delete' in op));
      const refused = (grows && this.faults.full) || this.draw.chance(this.faults.refuse);
      const pending: Pending = { ops, settle: resolve, refused };
      this.#pending.push(pending);
      this.#lastAt = Math.max(this.#lastAt, this.clock.now() + writeMsMin + this.draw.fraction() * this.faults.writeMsMax);
      this.clock.after(this.#lastAt - this.clock.now(), () => this.#apply());
    });
  }

  estimate(): Promise<{ usedBytes: number; quotaBytes: number }> {
    return this.#alive ? this.inner.estimate() : never();
  }

  /** The database stays open for the next process. */
  close(): void {
    this.#alive = false;
  }

  /** The process is gone: of the writes under way the first `n` drawn were already in the journal. */
  die(): void {
    this.#alive = false;
    const kept = this.#pending.splice(0);
    const journalled = this.draw.int(0, kept.length);
    for (const { ops, refused } of kept.slice(0, journalled)) if (!refused) this.#put(ops);
  }

  /** In the order asked for, whatever the timers' fractions of a millisecond say. */
  #apply(): void {
    const pending = this.#pending.shift();
    if (pending === undefined) return;
    if (pending.refused) pending.settle(failure('storage', 'The transaction was aborted.'));
    else this.#put(pending.ops, pending.settle);
  }

  #put(ops: readonly WriteOp[], settle?: (outcome: Outcome<void>) => void): void {
    this.listener.written(ops);
    void this.inner.write(ops).then(settle);
  }
}
