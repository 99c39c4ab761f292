// Whole kernels: a store that takes long to read keeps nobody from their tab, nor the tab from its work in the end.
import { expect, it } from 'vitest';
import { storeReadMsMax } from './limits.ts';
import type { Storage } from './platform.ts';
import { ledgerContract } from './protocol/contracts/ledger.ts';
import { schedulerContract } from './protocol/contracts/scheduler.ts';
import { TestGroup } from './testing/test-group.ts';

it('a tab whose store takes half a minute to read is there before, knows no less of its jobs after, and works again', async () => {
  const group = new TestGroup({ seed: 'full store', script: (index) => ({ ms: 200, value: index }) });
  const submitter = await group.start('submitter');
  const [steady, other] = [await group.start('steady'), await group.start('other')];
  await group.donate(steady);
  await group.donate(other);
  await group.joined([submitter, steady, other], 2);
  const job = await group.submit(submitter, 600);
  await group.clock.until(async () => ((await group.summary(other, job))?.committed ?? 0) > 20, 60_000);
  const before = (await group.summary(other, job))!.committed;
  await group.crash(other);

  const readMs = 30_000;
  const slowly = (kept: Storage): Storage => ({
    ...kept,
    entries: async (table, prefix) => {
      await new Promise<void>((resolve) => void group.clock.after(table === 'events' || table === 'objects' ? readMs : 1, resolve));
      return kept.entries(table, prefix);
    },
  });
  const startedMs = group.clock.now();
  const again = await group.start('other', { storage: slowly });
  // Blocks and the ledger, one after the other.
  expect(group.clock.now() - startedMs).toBeLessThan(2 * storeReadMsMax + 1_000);
  await group.donate(again);
  // Asking it would wait for its ledger.
  let known: number | undefined;
  again.kernel.bus.watch(ledgerContract, 'jobs', ({ jobs }) => (known ??= jobs.find(({ id }) => id === job)?.committed ?? 0));
  await group.clock.advance(100);
  expect(known).toBeUndefined();
  let parts = 0;
  again.kernel.bus.watch(schedulerContract, 'given', (given) => (parts = given.parts));
  await group.clock.until(() => Promise.resolve(known !== undefined), 4 * readMs, 'its ledger read');
  // What it had itself, and not what others have told it since.
  expect(known).toBeGreaterThanOrEqual(before);
  await group.clock.until(() => Promise.resolve(parts > 0), 60_000, 'a part given');
  expect((await group.ended(submitter, job, 300_000)).state).toBe('done');
  for (const peer of [submitter, steady, again]) expect(peer.bugs).toEqual([]);
});
