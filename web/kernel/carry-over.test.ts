import { expect, test } from 'vitest';
import { carryOver } from './carry-over.ts';
import { unwrap } from './lib/outcome.ts';
import { memoryStorage } from './memory-storage.ts';
import { seededRandom } from './testing/seeded-random.ts';

test('what a page kept in memory goes to the database that opened late, and what is there stays', async () => {
  const [memory, database] = [memoryStorage(seededRandom('memory')), memoryStorage(seededRandom('database'), { durable: true })];
  await memory.write([
    { table: 'slices', key: 'a/00', value: Uint8Array.of(1) },
    { table: 'meta', key: 'slice/a', value: { size: 1 } },
    { table: 'events', key: 'job/event', value: Uint8Array.of(2) },
    { table: 'records', key: 'record', value: Uint8Array.of(3) },
    { table: 'locks', key: 'record', value: 1 },
    { table: 'meta', key: 'group', value: 'where it was while nobody knew its store' },
    { table: 'meta', key: 'resources/consent', value: true },
  ]);
  await database.write([
    { table: 'meta', key: 'group', value: 'home' },
    { table: 'meta', key: 'resources/consent', value: false },
  ]);
  unwrap(await carryOver(memory, database));
  const keys = async (table: 'slices' | 'events' | 'records' | 'locks') => unwrap(await database.keys(table, ''));
  expect([await keys('slices'), await keys('events'), await keys('records'), await keys('locks')]).toEqual([
    ['a/00'],
    ['job/event'],
    [],
    [],
  ]);
  expect(unwrap(await database.entries('meta', ''))).toEqual([
    ['group', 'home'],
    // What the person has said last.
    ['resources/consent', true],
    ['slice/a', { size: 1 }],
  ]);
});

test('what does not fit is told, and no slice is said to be whole that is not there', async () => {
  const [memory, database] = [
    memoryStorage(seededRandom('memory')),
    memoryStorage(seededRandom('small'), { durable: true, quotaBytes: 5 }),
  ];
  await memory.write([
    { table: 'slices', key: 'a/00', value: new Uint8Array(10) },
    { table: 'meta', key: 'slice/a', value: { size: 10 } },
  ]);
  expect(await carryOver(memory, database)).toMatchObject({ ok: false, fault: { code: 'storage', full: true } });
  expect(unwrap(await database.keys('meta', ''))).toEqual([]);
});
