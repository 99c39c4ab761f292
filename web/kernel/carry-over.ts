// A database that opens late takes up what the tab kept in memory until then. It knows what of each service's entries is joined, and how.
import { success, type Outcome } from './lib/outcome.ts';
import type { Storage, WriteOp } from './platform.ts';
import { mergedReports, reportsKey } from './services/abuse/outbox.ts';
import { limitsKey, mergedChoices } from './services/resources/choices.ts';
import { mergedReceipts, receiptsKey } from './services/scheduler/receipts.ts';

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
