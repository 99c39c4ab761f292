// Storage that ends with the page: for a browser that refuses IndexedDB, and for tests. It offers nothing to others (`durable`).
import { hexOf } from './lib/bytes.ts';
import { storeId } from './lib/ids.ts';
import { failure, success } from './lib/outcome.ts';
import { tables, type Random, type Storage, type Table } from './platform.ts';

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
