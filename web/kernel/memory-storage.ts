// Storage that ends with the page: for a browser that refuses IndexedDB, and for tests. It offers nothing to others (`durable`).
import { hexOf } from './lib/bytes.ts';
import { storeId } from './lib/ids.ts';
import { failure, success, type Outcome } from './lib/outcome.ts';
import { tables, type Random, type Storage, type Table, type WriteOp } from './platform.ts';
import { mergedReports, reportsKey } from './services/abuse/outbox.ts';
import { limitsKey, mergedChoices } from './services/resources/choices.ts';
import { mergedReceipts, receiptsKey } from './services/scheduler/receipts.ts';

export interface MemoryStorageOptions {
  readonly durable?: boolean;
  readonly quotaBytes?: number;
}

export function memoryStorage(random: Random, options: MemoryStorageOptions = {}): Storage {
  const kept = new Map<Table, Map<string, unknown>>(tables.map((table) => [table, new Map()]));
  const of = (table: Table) => kept.get(table)!;
  const quotaBytes = options.quotaBytes ?? 256 * 1024 * 1024;
  let usedBytes = 0;
  let open = true;
  const closed = () => failure('storage', 'The storage is closed.');
  const matching = (table: Table, prefix: string) =>
    [...of(table)].filter(([key]) => key.startsWith(prefix)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    store: storeId(hexOf(random.bytes(16))),
    durable: options.durable ?? false,
    get: (table, key) => Promise.resolve(open ? success(of(table).get(key)) : closed()),
    entries: (table, prefix) => Promise.resolve(open ? success(matching(table, prefix)) : closed()),
    keys: (table, prefix) => Promise.resolve(open ? success(matching(table, prefix).map(([key]) => key)) : closed()),
    write: (ops) => {
      if (!open) return Promise.resolve(closed());
      let after = usedBytes;
      for (const op of ops) after += ('delete' in op ? 0 : sizeOf(op.value)) - sizeOf(of(op.table).get(op.key));
      if (after > quotaBytes) {
        const fault = { code: 'storage', message: 'The memory Lull may use is full.', full: true } as const;
        return Promise.resolve({ ok: false, fault });
      }
      usedBytes = after;
      for (const op of ops) {
        if ('delete' in op) of(op.table).delete(op.key);
        else of(op.table).set(op.key, op.value);
      }
      return Promise.resolve(success(undefined));
    },
    estimate: () => Promise.resolve({ usedBytes, quotaBytes }),
    close: () => {
      open = false;
    },
  };
}

/** Bytes count as they are, anything else as a small record. */
const sizeOf = (value: unknown) => (value === undefined ? 0 : value instanceof Uint8Array ? value.length : 256);

/** Of a run of bytes and of other entries, in one write. */
const slicesPerWrite = 4;
const entriesPerWrite = 256;
type Join = (before: unknown, since: unknown) => unknown;
/** What came since the page began and what was there, as one; the rest of what is known of a store stays what it was. */
const joins: ReadonlyMap<string, Join> = new Map<string, Join>([
  // What the person said last.
  ['resources/consent', (_, since) => since],
  ['resources/pause', (_, since) => since],
  [limitsKey, mergedChoices],
  [receiptsKey, mergedReceipts],
  [reportsKey, mergedReports],
]);

/**
 * What a tab kept in memory goes to its database, which opened late; nothing of the tab runs meanwhile. Nearly all of it is named by its
 * hash, so what is there already is the same; functions' records were promised under the name of a store that is no more. To be
 * done once, for what is counted is added to what is there. Faults: 'storage'.
 */
export async function carryOver(from: Storage, to: Storage): Promise<Outcome<void>> {
  // Slices before the entries that say they are whole.
  for (const table of ['slices', 'objects', 'jobs', 'events', 'meta'] as const) {
    const [entries, known] = await Promise.all([from.entries(table, ''), to.keys(table, '')]);
    if (!entries.ok) return entries;
    if (!known.ok) return known;
    const there = new Set(known.value);
    const ops: WriteOp[] = [];
    for (const [key, value] of entries.value) {
      const join = joins.get(key);
      if (!there.has(key)) ops.push({ table, key, value });
      else if (table === 'meta' && join !== undefined) {
        const before = await to.get(table, key);
        if (!before.ok) return before;
        ops.push({ table, key, value: join(before.value, value) });
      }
    }
    const perWrite = table === 'slices' ? slicesPerWrite : entriesPerWrite;
    for (let at = 0; at < ops.length; at += perWrite) {
      const written = await to.write(ops.slice(at, at + perWrite));
      if (!written.ok) return written;
    }
  }
  return success(undefined);
}
