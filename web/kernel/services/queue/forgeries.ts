// Whom this tab has caught with a false slice or a false label: a bounded list for people to see.
import type { RecordId, StoreId } from '../../lib/ids.ts';
import { forgeriesMax, type Forgery } from '../../protocol/contracts/queue.ts';

export class Forgeries {
  readonly #list: Forgery[] = [];

  /** True for a new one; another of the same makes its number grow. */
  note(what: Forgery['what'], identity: Forgery['identity'], store: StoreId | null, record: RecordId): boolean {
    const at = this.#list.findIndex((one) => one.what === what && one.identity === identity && one.store === store);
    const before = at >= 0 ? this.#list.splice(at, 1)[0] : undefined;
    this.#list.push({ what, identity, store, record, times: (before?.times ?? 0) + 1 });
    if (this.#list.length > forgeriesMax) this.#list.shift();
    return before === undefined;
  }

  list(): Forgery[] {
    return [...this.#list];
  }
}
