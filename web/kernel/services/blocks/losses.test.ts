// Ways in which something that was said to be kept could once be lost, or be kept worse than it should be for as long as nothing changed.
import { afterEach, expect, it } from 'vitest';
import { unwrap, failure } from '../../lib/outcome.ts';
import { memoryStorage } from '../../memory-storage.ts';
import type { Storage } from '../../platform.ts';
import { blocksContract } from '../../protocol/contracts/blocks.ts';
import { BlocksWorld as World, bytesOf, day, slicesOf } from '../../testing/blocks-world.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { testCoder } from '../../testing/test-coder.ts';
import { testDigest } from '../../testing/test-crypto.ts';
import { leafHash } from './leaf-hash.ts';
import { encodeManifest, idOfManifest } from './manifest.ts';
import { SliceStore } from './slice-store.ts';
import { loadStore } from './store-loading.ts';

let world: World;
afterEach(() => {
  const bugs = world.keepers.flatMap(({ tab }) => tab.reports.filter((report) => report.startsWith('bug')));
  if (bugs.length > 0) throw new Error(bugs.join('\n'));
});

it('what was put while everybody else was doubted is given to them when they answer again', async () => {
  world = new World('doubted');
  const [one, ...others] = await world.group(4);
  await world.clock.advance(30_000);
  for (const other of others) other.suspect = true;
  world.view();
  const ref = await world.put(one!, [bytesOf(900)]);
  expect(ref.copies).toBe(0);
  // Looked at, and nobody to give it to.
  await world.clock.advance(5_000);
  for (const other of others) other.suspect = false;
  world.view();
  await world.clock.advance(2_000);
  expect(await world.copies(one!, ref.id)).toBe(2);
});

it('what was put while nobody was there is given at once to whoever comes', async () => {
  world = new World('nobody yet');
  const one = await world.add('one', { donating: false });
  world.view();
  const ref = await world.put(one, [bytesOf(900)]);
  expect(ref.copies).toBe(0);
  await world.clock.advance(100);
  await world.add('two');
  world.view();
  // Not three seconds, for which what others have put is let alone.
  await world.clock.advance(200);
  expect(await world.copies(one, ref.id)).toBe(1);
});

it('the only copy of what was put is not said to be kept where the browser will not have it so', async () => {
  world = new World('refused');
  const inner = memoryStorage(seededRandom('refusing'), { durable: true });
  const lasting = (value: unknown) => (value as { pinned?: boolean }).pinned === false;
  const storage: Storage = {
    ...inner,
    // The slice itself is taken; that it is to stay is not.
    write: async (ops) =>
      ops.some((op) => op.table === 'meta' && 'value' in op && lasting(op.value)) ? failure('storage', 'Aborted.') : inner.write(ops),
  };
  const one = await world.add('one', { storage, donating: false });
  const two = await world.add('two');
  world.view();
  two.tab.state = 'frozen';
  const put = one.tab.bus.ask(
    blocksContract,
    'objects',
    'insert',
    { name: '', type: '', expires: world.clock.wall() + day, segments: [0] },
    { buffers: [bytesOf(700)], timeoutMs: 60_000 },
  );
  expect(await world.clock.finish(put)).toMatchObject({ ok: false, fault: { code: 'storage' } });
});

it('a copy that makes room for its own manifest is written again before it is said to be kept', async () => {
  world = new World('room');
  const one = await world.add('one');
  const { platform } = one.tab;
  const storage = memoryStorage(seededRandom('full'), { durable: true });
  const store = new SliceStore({ ...platform, storage, coder: testCoder }, () => undefined);
  const expires = world.clock.wall() + day;
  const bytes = bytesOf(50_000);
  const hash = await leafHash(testDigest, bytes);
  const manifest = encodeManifest({
    v: 2,
    size: bytes.length,
    name: '',
    type: '',
    expires,
    by: one.tab.self.identity,
    k: 1,
    n: 1,
    segments: [{ size: bytes.length, hash, slices: new Uint8Array(0) }],
    holders: [],
  });
  unwrap(await store.keep(hash, bytes, { expires, pinned: true }));
  // All of it but a few bytes is taken up by the copy that is here for convenience.
  store.limit(bytes.length + manifest.length - 10);
  const kept = await store.keep(hash, bytes, { expires }, [await idOfManifest(testDigest, manifest), manifest]);
  const again = new SliceStore({ ...platform, storage }, () => undefined);
  await again.load();
  expect({ kept: kept.ok, objects: [...again.objects()], claimed: again.has(hash), read: await again.pieces(hash) }).toEqual({
    kept: false,
    objects: [],
    claimed: false,
    read: undefined,
  });
  // With room for both it is there, whole.
  store.limit(bytes.length + manifest.length);
  unwrap(await store.keep(hash, bytes, { expires }, [await idOfManifest(testDigest, manifest), manifest]));
  const third = new SliceStore({ ...platform, storage }, () => undefined);
  await third.load();
  expect(await third.pieces(hash)).toEqual([bytes]);
});

it('a write of the page before that ends while the store is read leaves its slice whole', async () => {
  world = new World('reload');
  const one = await world.add('one');
  const ref = await world.put(one, [bytesOf(300)]);
  const [hash] = (await slicesOf(one)) as [string];
  const inner = memoryStorage(seededRandom('reload'), { durable: true });
  const last = [...unwrap(await one.tab.storage.entries('slices', '')).map(([key, value]) => ({ table: 'slices' as const, key, value }))];
  const metas = [
    ...unwrap(await one.tab.storage.entries('meta', 'slice/')).map(([key, value]) => ({ table: 'meta' as const, key, value })),
  ];
  let reads = 0;
  const between =
    <A extends unknown[], R>(read: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      // In the order in which they are asked for; the write comes after the first of them.
      if (reads++ === 1) await inner.write([...last, ...metas]);
      return read(...args);
    };
  const storage: Storage = { ...inner, entries: between(inner.entries), keys: between(inner.keys) };
  const loaded = unwrap(await loadStore(storage));
  expect(loaded.stray).toEqual([]);
  expect(ref.size).toBe(300);
  expect([...loaded.slices.keys()]).toEqual([hash]);
});

it('a browser that does not tell how much it gives is taken at its word when it refuses, not before', async () => {
  world = new World('untold');
  const inner = memoryStorage(seededRandom('untold'), { durable: true });
  const one = await world.add('one', { storage: { ...inner, estimate: async () => ({ usedBytes: 0, quotaBytes: 0 }) } });
  const ref = await world.put(one, [bytesOf(400)]);
  expect(await world.get(one, ref.id)).toEqual(bytesOf(400));
  expect(one.problem()).toBe('');
});
