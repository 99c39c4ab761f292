import { expect, test } from 'vitest';
import { hexOf } from '../../lib/bytes.ts';
import { jobId, makePeerId, recordId, storeId } from '../../lib/ids.ts';
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
