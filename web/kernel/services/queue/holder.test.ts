import { expect, test } from 'vitest';
import { hexOf } from '../../lib/bytes.ts';
import { jobId, makePeerId, recordId, storeId } from '../../lib/ids.ts';
import { memoryStorage } from '../../memory-storage.ts';
import type { Platform, Storage } from '../../platform.ts';
import { MemoryNetwork } from '../../testing/memory-transport.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { testPlatform } from '../../testing/test-kernel.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { RecordBook } from './book.ts';
import { Group } from './group.ts';
import { Holder, tooManyOfOne } from './holder.ts';

const job = jobId('a'.repeat(64));

test('whoever appends them, one submitter has so many functions here and no more, and is told so', async () => {
  const clock = new VirtualClock();
  const transport = new MemoryNetwork(clock, seededRandom('holder')).transport();
  const { platform } = testPlatform({ name: 'holder', clock, transport });
  const { identity } = platform.signer;
  const book = new RecordBook();
  const group = new Group(makePeerId(identity, platform.random.bytes(8)), identity, platform.storage.store, true);
  const functionsMax = 5;
  const holder = new Holder(
    platform,
    book,
    group,
    () => 1_000,
    () => functionsMax - book.size,
  );
  const append = (steward: number, first: number, count: number) => {
    const functions = Array.from({ length: count }, (_, i) => ({
      record: recordId(hexOf(platform.random.bytes(32))),
      range: [first + i, first + i + 1] as [number, number],
      slice: null,
    }));
    const lineage = `${String(steward).repeat(32)}-${'0'.repeat(16)}.1`;
    return holder.insert(
      { job, lineage, round: 0, k: 1, holders: [storeId('b'.repeat(32))], functions },
      String(steward).repeat(64),
      false,
    );
  };
  expect(await append(1, 0, 3)).toMatchObject({ kept: 3, refused: 0, why: '' });
  expect(await append(2, 3, 4)).toMatchObject({ kept: 2, refused: 2, why: tooManyOfOne });
  book.remove(book.ofJob(job)[0]!.id, true);
  expect(await append(3, 7, 1)).toMatchObject({ kept: 1, refused: 0 });
});

/** A store whose every write takes until it is let through, and a function that is on its way into it. */
function onItsWay() {
  const clock = new VirtualClock();
  const transport = new MemoryNetwork(clock, seededRandom('holder')).transport();
  const kept = memoryStorage(seededRandom('slow'), { durable: true });
  let written = () => {};
  const storage: Storage = {
    ...kept,
    write: async (ops) => {
      await new Promise<void>((resolve) => (written = resolve));
      return kept.write(ops);
    },
  };
  const platform: Platform = { ...testPlatform({ name: 'holder', clock, transport }).platform, storage };
  const { identity } = platform.signer;
  const group = new Group(makePeerId(identity, platform.random.bytes(8)), identity, storage.store, true);
  const holder = new Holder(
    platform,
    new RecordBook(),
    group,
    () => 1_000,
    () => 1_000,
  );
  const id = recordId(hexOf(platform.random.bytes(32)));
  const inserted = holder.insert(
    {
      job,
      lineage: `${'1'.repeat(32)}-${'0'.repeat(16)}.1`,
      round: 0,
      k: 2,
      holders: [storage.store, storeId('b'.repeat(32)), storeId('c'.repeat(32))],
      functions: [{ record: id, range: [0, 1], slice: new Uint8Array(40) }],
    },
    '1'.repeat(64),
    false,
  );
  return { clock, kept, holder, id, inserted, written: () => written(), claimant: makePeerId(identity, platform.random.bytes(8)) };
}

test('what ended while it was being written does not stay in the store', async () => {
  const { clock, kept, holder, id, inserted, written } = onItsWay();
  await clock.advance(1);
  await holder.forget([id], true);
  written();
  expect(await inserted).toMatchObject({ refused: 0, added: [] });
  expect(await kept.keys('records', '')).toMatchObject({ value: [id] });
  const swept = holder.forget([], false);
  written();
  await swept;
  expect(await kept.keys('records', '')).toMatchObject({ value: [] });
});

test('whoever asks for a function that is being written waits for that and is not told that it is unknown', async () => {
  const { clock, holder, id, inserted, written, claimant } = onItsWay();
  const granted = holder.lock(id, claimant);
  await clock.advance(1);
  written();
  expect(await inserted).toMatchObject({ kept: 1, refused: 0 });
  await clock.advance(1);
  // The grant is durable, too.
  written();
  expect(await granted).toMatchObject({ granted: true, fence: 1 });
});
