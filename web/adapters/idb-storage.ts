// The store in IndexedDB: database 'lull', one object store a table, one `write` one transaction.
//
// Writes are relaxed (handed to the operating system) unless the tables they touch hold a promise to others: a lock, a record, an
// event or a manifest is acknowledged to the network, so it is flushed to the disk first ('strict'). Slices are named by their hash and
// kept by several stores, so losing the last ones in a power cut loses nothing that is not noticed and repaired. Measured in Chromium
// on disk, a small write: 1.2 to 4.9 ms strict, 1.1 to 1.3 ms relaxed; 4 MiB of slices relaxed: 16 ms (e2e/adapters.spec.ts prints them).
import { deleteDB, openDB, type DBSchema, type IDBPDatabase, type IDBPObjectStore } from 'idb';
import { hexOf } from '../kernel/lib/bytes.ts';
import { isHex32, storeId, type StoreId } from '../kernel/lib/ids.ts';
import { failure, success, type Fault, type Outcome } from '../kernel/lib/outcome.ts';
import { tables, type Random, type Storage, type Table, type WriteOp } from '../kernel/platform.ts';

type Schema = DBSchema & Record<Table, { key: string; value: unknown }>;
type Database = IDBPDatabase<Schema>;
type Reader = IDBPObjectStore<Schema, [Table], Table>;

export interface StorageOptions {
  readonly name?: string;
  readonly random: Random;
  /** Told once when the database closes under us: another tab upgrades it, or the browser took it. */
  readonly onClosed?: (sentence: string) => void;
  /** How long the tab waits for the database before it begins without it. */
  readonly waitMsMax?: number;
  /** The database opened after all, when the fault had been answered: on a busy machine that can take many seconds. Told once at most. */
  readonly onLate?: (storage: Storage) => void;
}

const version = 1;
const storeKey = 'store';
const promised: ReadonlySet<Table> = new Set(['meta', 'jobs', 'events', 'records', 'locks']);

/** A browser that could not open a database may do so in a moment: its disk is busy, or what it was is still being closed. */
const openAgainMsMin = 250;
const openAgainMsMax = 15_000;
const openTriesMax = 40;
const refusals: ReadonlySet<string> = new Set(['SecurityError', 'InvalidAccessError', 'InvalidStateError', 'VersionError']);
const nameOf = (error: unknown) => (error instanceof Error || error instanceof DOMException ? error.name : '');
/** Trying again would change nothing: the browser or its person will not have a database opened, or a newer site was here. */
export const isRefusal = (error: unknown): boolean => refusals.has(nameOf(error));

/**
 * Opens or makes the database. Fault 'storage' with a sentence where the browser refuses, or it takes too long; unless it refuses for good
 * it goes on being opened, and `onLate` has it then: what others rely on is in it.
 */
export async function openStorage(options: StorageOptions): Promise<Outcome<Storage>> {
  const { waitMsMax = 3_000, onLate } = options;
  if (!hasDatabases()) return failure('storage', 'This browser keeps no data for websites (IndexedDB is off).');
  const state = {
    last: failure('storage', 'The data here takes long to open: this machine is busy, or another tab holds it up.'),
    late: false,
  };
  const opening = openAgain(options, state);
  const opened = await within(waitMsMax, opening);
  if (opened !== undefined) return opened;
  state.late = true;
  const tell = async () => {
    const storage = await opening;
    if (!storage.ok) return;
    if (onLate === undefined) storage.value.close();
    else onLate(storage.value);
  };
  // The fault is heard first.
  setTimeout(() => void tell(), 0);
  return state.last;
}

/** Where data of sites is forbidden some browsers throw at the mere name. */
function hasDatabases(): boolean {
  try {
    return typeof indexedDB !== 'undefined';
  } catch {
    return false;
  }
}

/** Until it is open, is refused for good, or nobody waits for it any more. Never rejects. */
async function openAgain(options: StorageOptions, state: { last: Outcome<never>; readonly late: boolean }): Promise<Outcome<Storage>> {
  for (let tries = 1; ; tries++) {
    try {
      return success(await openOnce(options));
    } catch (error) {
      state.last = { ok: false, fault: faultOf(error) };
      const nobodyWaits = state.late && options.onLate === undefined;
      if (isRefusal(error) || tries >= openTriesMax || nobodyWaits) return state.last;
      const waitMs = Math.min(openAgainMsMax, openAgainMsMin * 2 ** (tries - 1));
      await new Promise<void>((resolve) => void setTimeout(resolve, waitMs));
    }
  }
}

/** @throws what the browser says */
async function openOnce({ name = 'lull', random, onClosed }: StorageOptions): Promise<Storage> {
  let closed: string | undefined;
  let database: Database | undefined;
  const close = (sentence: string) => {
    if (closed !== undefined) return;
    closed = sentence;
    database?.close();
    onClosed?.(sentence);
  };
  try {
    database = await open(name, close);
    return new IdbStorage(database, await storeOf(database, random), () => closed);
  } catch (error) {
    database?.close();
    throw error;
  }
}

/** Deletes all that was kept under `name`; it is gone when no tab has it open any more. Fault 'storage' where the browser refuses. */
export async function removeStorage(name: string): Promise<Outcome<void>> {
  try {
    await deleteDB(name);
    return success(undefined);
  } catch (error) {
    return { ok: false, fault: faultOf(error) };
  }
}

async function open(name: string, close: (sentence: string) => void): Promise<Database> {
  const opening = openDB<Schema>(name, version, {
    upgrade: (database) => {
      for (const table of tables) if (!database.objectStoreNames.contains(table)) database.createObjectStore(table);
    },
    // A newer site wants to change the database: step aside, or its tab waits for ever.
    blocking: () => close('A newer version of Lull runs in another tab.'),
    terminated: () => close('The browser has closed the data of this site.'),
  });
  return opening;
}

/** The work's value, or undefined after `ms`. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms)));
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** The id made with the database; two tabs that open it at once get the same. */
async function storeOf(database: Database, random: Random): Promise<StoreId> {
  const made = storeId(hexOf(random.bytes(16)));
  const transaction = database.transaction('meta', 'readwrite', { durability: 'strict' });
  const kept = await transaction.store.get(storeKey);
  const store = typeof kept === 'string' && isHex32(kept) ? storeId(kept) : made;
  if (store === made) await transaction.store.put(made, storeKey);
  await transaction.done;
  return store;
}

class IdbStorage implements Storage {
  readonly durable = true;

  constructor(
    private readonly database: Database,
    readonly store: StoreId,
    private readonly closedBecause: () => string | undefined,
  ) {}
  #closed = false;
  /** Single reads of one moment share a transaction: one for each costs more than the reads. */
  readonly #readers = new Map<Table, Reader>();

  get(table: Table, key: string): Promise<Outcome<unknown>> {
    return this.#try(() => this.#reader(table).get(key));
  }

  entries(table: Table, prefix: string): Promise<Outcome<readonly (readonly [string, unknown])[]>> {
    return this.#try(async () => {
      // One transaction, so that keys and values are of one moment.
      const { store } = this.database.transaction(table);
      const [keys, values] = await Promise.all([store.getAllKeys(rangeOf(prefix)), store.getAll(rangeOf(prefix))]);
      return keys.map((key, i) => [key, values[i]] as const);
    });
  }

  keys(table: Table, prefix: string): Promise<Outcome<readonly string[]>> {
    return this.#try(() => this.database.getAllKeys(table, rangeOf(prefix)));
  }

  write(ops: readonly WriteOp[]): Promise<Outcome<void>> {
    return this.#try(async () => {
      const touched = [...new Set(ops.map((op) => op.table))];
      if (touched.length === 0) return;
      const durability = touched.some((table) => promised.has(table)) ? 'strict' : 'relaxed';
      const transaction = this.database.transaction(touched, 'readwrite', { durability });
      // `done` is waited for in every case: a rejection nobody waits for would reach the page.
      const done = transaction.done;
      done.catch(() => undefined);
      const asked: Promise<unknown>[] = [];
      try {
        for (const op of ops) {
          const store = transaction.objectStore(op.table);
          asked.push('delete' in op ? store.delete(op.key) : store.put(compact(op.value), op.key));
        }
        for (const each of asked) each.catch(() => undefined);
      } catch (error) {
        // A value that cannot be cloned throws at once: nothing of the write may stay.
        for (const each of asked) each.catch(() => undefined);
        transaction.abort();
        throw error;
      }
      try {
        await done;
      } catch (error) {
        // The transaction's own error is the cause (quota); where it has none a request's error is.
        throw transaction.error ?? error;
      }
    });
  }

  #reader(table: Table): Reader {
    const known = this.#readers.get(table);
    if (known !== undefined) return known;
    const { store, done } = this.database.transaction(table);
    done.catch(() => undefined);
    this.#readers.set(table, store);
    // It takes requests until the browser is given back its thread.
    queueMicrotask(() => this.#readers.delete(table));
    return store;
  }

  async estimate(): Promise<{ usedBytes: number; quotaBytes: number }> {
    try {
      const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.()) ?? {};
      return { usedBytes: usage, quotaBytes: quota };
    } catch {
      return { usedBytes: 0, quotaBytes: 0 };
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.database.close();
  }

  async #try<T>(work: () => Promise<T>): Promise<Outcome<T>> {
    const because = this.closedBecause();
    if (because !== undefined) return { ok: false, fault: { code: 'storage', message: because, closed: true } };
    if (this.#closed) return failure('storage', 'The storage is closed.');
    try {
      return success(await work());
    } catch (error) {
      return { ok: false, fault: faultOf(error) };
    }
  }
}

/** Keys that begin with `prefix`: up to the prefix with its last code unit raised by one. */
function rangeOf(prefix: string): IDBKeyRange | undefined {
  let head = prefix;
  while (head.length > 0 && head.charCodeAt(head.length - 1) === 0xffff) head = head.slice(0, -1);
  if (prefix === '') return undefined;
  if (head === '') return IDBKeyRange.lowerBound(prefix);
  const end = head.slice(0, -1) + String.fromCharCode(head.charCodeAt(head.length - 1) + 1);
  return IDBKeyRange.bound(prefix, end, false, true);
}

/** Structured clone writes the whole buffer behind a view: a 1 kB view of a 1 MiB segment would cost a megabyte. */
function compact(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.byteLength === value.buffer.byteLength ? value : value.slice();
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, compact(part)]));
}

function faultOf(error: unknown): Fault {
  const say = (message: string): Fault => ({ code: 'storage', message });
  switch (nameOf(error)) {
    case 'QuotaExceededError':
      return { ...say('The browser gives this site no more room for data.'), full: true };
    case 'SecurityError':
    case 'InvalidAccessError':
      return say('This browser does not let the site keep data (a private window, or cookies are blocked).');
    case 'VersionError':
      return say('The data here was written by a newer version of Lull: reload the page.');
    case 'AbortError':
      return say('The browser broke a write off; nothing of it was kept.');
    case 'InvalidStateError':
      return say('The data of this site is closed.');
    case 'DataCloneError':
      return say('A value of a kind that cannot be kept was given.');
    default:
      return say(`The data could not be read or written: ${error instanceof Error ? error.message : String(error)}`.slice(0, 300));
  }
}
