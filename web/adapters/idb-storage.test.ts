import 'fake-indexeddb/auto';
import { deleteDB, openDB } from 'idb';
import { expect, test, vi } from 'vitest';
import type { Storage } from '../kernel/platform.ts';
import { seededRandom } from '../kernel/testing/seeded-random.ts';
import { storageContract } from '../kernel/testing/storage-contract.ts';
import { vitestSuite } from '../kernel/testing/vitest-suite.ts';
import { openStorage } from './idb-storage.ts';

let made = 0;
const freshName = () => `lull-test-${++made}`;

async function opened(name: string, options: { onClosed?: (sentence: string) => void } = {}) {
  const outcome = await openStorage({ name, random: seededRandom(`storage ${made} ${name}`), ...options });
  if (!outcome.ok) throw new Error(outcome.fault.message);
  return outcome.value;
}

storageContract(vitestSuite(), async () => {
  const name = freshName();
  const storage = await opened(name);
  return {
    storage,
    reopen: () => opened(name),
    dispose: async () => {
      storage.close();
    },
  };
});

test('a value that cannot be kept makes the whole write a fault, and nothing of it stays', async () => {
  const storage = await opened(freshName());
  const outcome = await storage.write([
    { table: 'locks', key: 'before', value: 1 },
    { table: 'locks', key: 'bad', value: () => 1 },
  ]);
  expect(outcome).toMatchObject({ ok: false, fault: { code: 'storage' } });
  expect(await storage.keys('locks', '')).toEqual({ ok: true, value: [] });
  expect(await storage.write([{ table: 'locks', key: 'after', value: 1 }])).toMatchObject({ ok: true });
  storage.close();
});

test('a view is kept without the buffer behind it', async () => {
  const storage = await opened(freshName());
  const segment = new Uint8Array(1024 * 1024);
  await storage.write([
    { table: 'slices', key: 'view', value: segment.subarray(10, 20) },
    { table: 'locks', key: 'nested', value: { bytes: segment.subarray(0, 5) } },
  ]);
  const [view, nested] = [await storage.get('slices', 'view'), await storage.get('locks', 'nested')];
  expect(view.ok && (view.value as Uint8Array).buffer.byteLength).toBe(10);
  expect(nested.ok && (nested.value as { bytes: Uint8Array }).bytes.buffer.byteLength).toBe(5);
  storage.close();
});

test('two tabs that open at once agree on the store id', async () => {
  const name = freshName();
  const [one, two] = await Promise.all([opened(name), opened(name)]);
  expect(one.store).toBe(two.store);
  one.close();
  two.close();
});

test('a deleted database comes back as another store', async () => {
  const name = freshName();
  const before = await opened(name);
  before.close();
  await deleteDB(name);
  const random = seededRandom('another');
  const after = await openStorage({ name, random });
  expect(after.ok && after.value.store).not.toBe(before.store);
});

test('a newer version in another tab closes this one, which says so', async () => {
  const name = freshName();
  const told: string[] = [];
  const storage = await opened(name, { onClosed: (sentence) => told.push(sentence) });
  const newer = await openDB(name, 2);
  expect(told).toEqual(['A newer version of Lull runs in another tab.']);
  expect(await storage.get('meta', 'store')).toEqual({ ok: false, fault: { code: 'storage', message: told[0], closed: true } });
  const older = await openStorage({ name, random: seededRandom('older') });
  expect(older).toMatchObject({ ok: false, fault: { code: 'storage', message: expect.stringContaining('reload') } });
  newer.close();
});

test('a database that does not open in the time allowed is a fault then, and is there when it opens after all', async () => {
  const name = freshName();
  const before = await opened(name);
  const { store } = before;
  before.close();
  const real = indexedDB.open.bind(indexedDB);
  let begin = () => undefined as unknown;
  const slow = new Promise<void>((resolve) => (begin = resolve as () => undefined));
  const spy = vi.spyOn(indexedDB, 'open').mockImplementation((...args) => {
    const request = real(...args);
    const listen = request.addEventListener.bind(request);
    // A machine so busy that what the database says is not heard for a while.
    request.addEventListener = ((type: string, listener: (event: Event) => void) =>
      listen(type, (event) => void slow.then(() => listener(event)))) as typeof request.addEventListener;
    return request;
  });
  let late: Storage | undefined;
  const told = new Promise<void>((resolve) => {
    void openStorage({
      name,
      random: seededRandom('slow'),
      waitMsMax: 20,
      onLate: (storage) => {
        late = storage;
        resolve();
      },
    }).then((outcome) => {
      expect(outcome).toMatchObject({ ok: false, fault: { code: 'storage', message: expect.stringContaining('takes long to open') } });
      expect(late).toBeUndefined();
      begin();
    });
  });
  await told;
  expect(late!.store).toBe(store);
  late!.close();
  spy.mockRestore();
});

test('a database that could not be opened for a moment is tried again, and one that is refused is not', async () => {
  const name = freshName();
  const real = indexedDB.open.bind(indexedDB);
  const failing = (error: string, times: number) => {
    let left = times;
    return vi.spyOn(indexedDB, 'open').mockImplementation((...args) => {
      if (left-- > 0) throw new DOMException('Internal error opening backing store for indexedDB.open.', error);
      return real(...args);
    });
  };
  const passing = failing('UnknownError', 1);
  const storage = await opened(name);
  expect([storage.durable, passing.mock.calls.length]).toEqual([true, 2]);
  storage.close();
  passing.mockRestore();
  const refusing = failing('SecurityError', 9);
  expect(await openStorage({ name, random: seededRandom('refused') })).toMatchObject({ ok: false, fault: { code: 'storage' } });
  expect(refusing.mock.calls).toHaveLength(1);
  refusing.mockRestore();
});

test('a browser that throws at the mere name of databases keeps no data, and that is all', async () => {
  const name = vi.spyOn(globalThis, 'indexedDB', 'get').mockImplementation(() => {
    throw new DOMException('The operation is insecure.', 'SecurityError');
  });
  expect(await openStorage({ name: 'forbidden', random: seededRandom('forbidden') })).toMatchObject({
    ok: false,
    fault: { code: 'storage' },
  });
  name.mockRestore();
});

test('a database that another tab keeps from opening is a fault after the time allowed', async () => {
  const name = freshName();
  // That tab does not step aside for a deletion, and whoever opens waits behind both.
  const holding = await openDB(name, 1);
  const deletion = deleteDB(name);
  const outcome = await openStorage({ name, random: seededRandom('held up'), waitMsMax: 30 });
  expect(outcome).toMatchObject({ ok: false, fault: { code: 'storage', message: expect.stringContaining('another tab') } });
  holding.close();
  await deletion;
});
