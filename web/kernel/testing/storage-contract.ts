// What every Storage must do.
import { isHex32 } from '../lib/ids.ts';
import type { Outcome } from '../lib/outcome.ts';
import type { Storage } from '../platform.ts';
import { equal, holds, type SuiteApi } from './contract-suite.ts';

export interface StorageUnderTest {
  readonly storage: Storage;
  /** The same database opened again after `storage.close()`; absent where nothing outlives it. */
  readonly reopen?: () => Promise<Storage>;
  dispose(): Promise<void>;
}

const value = <T>(outcome: Outcome<T>): T => {
  if (outcome.ok) return outcome.value;
  throw new Error(`a fault: ${outcome.fault.code}: ${outcome.fault.message}`);
};
const code = (outcome: Outcome<unknown>) => (outcome.ok ? 'ok' : outcome.fault.code);
const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill);

export function storageContract({ test }: SuiteApi, make: () => Promise<StorageUnderTest>): void {
  const storageTest = (name: string, run: (given: StorageUnderTest) => Promise<void>) =>
    test(`storage: ${name}`, async () => {
      const given = await make();
      try {
        await run(given);
      } finally {
        await given.dispose();
      }
    });

  storageTest('a key that was never written reads as undefined, a table of none as empty', async ({ storage }) => {
    equal(value(await storage.get('meta', 'nothing')), undefined, 'get');
    equal(value(await storage.entries('jobs', '')), [], 'entries');
    equal(value(await storage.keys('jobs', '')), [], 'keys');
  });

  storageTest('values of every kind the kernel keeps come back as they were', async ({ storage }) => {
    const kinds: Record<string, unknown> = {
      bytes: bytes(300, 7),
      empty: new Uint8Array(0),
      text: 'hällo \u{1F409}',
      number: -1.5,
      no: false,
      nothing: null,
      record: { fence: 3, holders: ['a', 'b'], until: null, deep: { bytes: bytes(3, 9) } },
      list: [1, [2, 'three']],
    };
    value(await storage.write(Object.entries(kinds).map(([key, kind]) => ({ table: 'objects' as const, key, value: kind }))));
    for (const [key, kind] of Object.entries(kinds)) equal(value(await storage.get('objects', key)), kind, key);
  });

  storageTest('entries and keys give exactly those with the prefix, by key order', async ({ storage }) => {
    const keys = ['b/2', 'a/1', 'b/10', 'b', 'b/1', 'ba', 'c/1', 'b/\uffff', 'b/\uffffx', 'b0'];
    value(await storage.write(keys.map((key, i) => ({ table: 'slices' as const, key, value: i }))));
    value(await storage.write([{ table: 'events', key: 'b/1', value: 'of another table' }]));
    equal(value(await storage.keys('slices', 'b/')), ['b/1', 'b/10', 'b/2', 'b/\uffff', 'b/\uffffx'], 'keys');
    equal(
      value(await storage.entries('slices', 'b/1')),
      [
        ['b/1', 4],
        ['b/10', 2],
      ],
      'entries',
    );
    equal(value(await storage.keys('slices', 'b/\uffff')), ['b/\uffff', 'b/\uffffx'], 'a prefix that ends in the last code unit');
    equal(value(await storage.keys('slices', '')), keys.toSorted(), 'all');
    equal(value(await storage.keys('slices', 'zz')), [], 'none');
  });

  storageTest('a write applies its operations in order, deletes among them', async ({ storage }) => {
    value(
      await storage.write([
        { table: 'locks', key: 'kept', value: 1 },
        { table: 'locks', key: 'gone', value: 1 },
      ]),
    );
    value(
      await storage.write([
        { table: 'locks', key: 'kept', value: 2 },
        { table: 'locks', key: 'kept', value: 3 },
        { table: 'locks', key: 'gone', delete: true },
        { table: 'locks', key: 'never there', delete: true },
        { table: 'records', key: 'with it', value: 'x' },
      ]),
    );
    equal(value(await storage.entries('locks', '')), [['kept', 3]], 'locks');
    equal(value(await storage.get('records', 'with it')), 'x', 'the other table');
    value(await storage.write([]));
  });

  storageTest('writes that overlap all count, in the order they were asked for', async ({ storage }) => {
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        storage.write([
          { table: 'meta', key: 'last', value: i },
          { table: 'events', key: `${100 + i}`, value: i },
        ]),
      ),
    );
    equal(
      outcomes.map(code),
      outcomes.map(() => 'ok'),
      'outcomes',
    );
    equal(value(await storage.get('meta', 'last')), 29, 'the last one');
    equal(value(await storage.keys('events', '')).length, 30, 'all of them');
  });

  storageTest('a megabyte in sixteen values is one write, and reads back byte for byte', async ({ storage }) => {
    const parts = Array.from({ length: 16 }, (_, i) => bytes(64 * 1024, i + 1));
    value(await storage.write(parts.map((part, i) => ({ table: 'slices' as const, key: `object/${i + 10}`, value: part }))));
    equal(
      value(await storage.entries('slices', 'object/')).map(([, part]) => part),
      parts,
      'values',
    );
  });

  storageTest('after close everything is a storage fault, and closing again does nothing', async ({ storage }) => {
    storage.close();
    storage.close();
    const outcomes = await Promise.all([
      storage.get('meta', 'a'),
      storage.entries('meta', ''),
      storage.keys('meta', ''),
      storage.write([{ table: 'meta', key: 'a', value: 1 }]),
    ]);
    equal(outcomes.map(code), ['storage', 'storage', 'storage', 'storage'], 'outcomes');
  });

  storageTest('what was written is there when the database is opened again, under the same store id', async ({ storage, reopen }) => {
    holds(isHex32(storage.store), 'the store has an id');
    equal(storage.durable, reopen !== undefined, 'durable');
    if (reopen === undefined) return;
    value(await storage.write([{ table: 'jobs', key: 'j', value: bytes(10, 1) }]));
    storage.close();
    const again = await reopen();
    equal(again.store, storage.store, 'store id');
    equal(value(await again.get('jobs', 'j')), bytes(10, 1), 'value');
  });

  storageTest('the estimate is two numbers, whatever the host tells', async ({ storage }) => {
    const { usedBytes, quotaBytes } = await storage.estimate();
    holds(
      Number.isFinite(usedBytes) && Number.isFinite(quotaBytes) && usedBytes >= 0 && quotaBytes >= 0,
      `estimate says ${usedBytes} of ${quotaBytes}`,
    );
  });
}
