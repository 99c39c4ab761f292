// Looks on at every ledger: what is acknowledged is in as many stores as was said.
import type { EventId, JobId, StoreId } from '../kernel/lib/ids.ts';
import type { WriteOp } from '../kernel/platform.ts';
import { short } from './queue-watch.ts';
import type { Violations } from './watch.ts';

export class LedgerWatch {
  /** Stores that ever kept an event, by `${job}/${event}`. */
  readonly #keptBy = new Map<string, Set<StoreId>>();
  events = 0;

  constructor(private readonly violations: Violations) {}

  written(store: StoreId, ops: readonly WriteOp[]): void {
    for (const op of ops) {
      if (op.table !== 'events' || 'delete' in op) continue;
      const stores = this.#keptBy.get(op.key) ?? new Set();
      this.#keptBy.set(op.key, stores.add(store));
    }
  }

  /** `others`: identities other than its author's that are said to hold it. */
  acknowledged(author: StoreId, job: JobId, event: EventId, others: number): void {
    this.events++;
    const stores = this.#keptBy.get(`${job}/${event}`) ?? new Set();
    const elsewhere = [...stores].filter((store) => store !== author).length;
    if (!stores.has(author) || elsewhere < others)
      this.violations.add(
        'S4',
        `event ${short(event)} was acknowledged by ${others} others and is durable at ${elsewhere}${stores.has(author) ? '' : ', not at its author'}`,
      );
  }
}
