// A donor that comes to a job in a group of whole kernels: how soon it has something to show.
import { expect, test } from 'vitest';
import { unwrap } from './lib/outcome.ts';
import { ledgerContract } from './protocol/contracts/ledger.ts';
import { schedulerContract } from './protocol/contracts/scheduler.ts';
import { TestGroup, type TestPeer } from './testing/test-group.ts';

const itemMs = 50;

async function groupWithJob(seed: string) {
  const group = new TestGroup({ seed, script: () => ({ ms: itemMs, value: 1 }) });
  const submitter = await group.start('sue');
  const keeper = await group.start('kay');
  await group.donate(keeper);
  await group.joined([submitter, keeper], 1);
  const job = await group.submit(submitter, 100_000);
  const given = async ({ kernel }: TestPeer) =>
    unwrap(await group.clock.finish(kernel.bus.ask(schedulerContract, 'state', 'get', {}))).body;
  return { group, submitter, keeper, job, given };
}

test('hands in what is finished of its first part after a moment, and every item once', async () => {
  const { group, submitter, job, given } = await groupWithJob('first part');
  // Long enough for functions to be of a second.
  await group.clock.advance(10_000);
  const donor = await group.start('dan');
  await group.donate(donor);
  await group.clock.until(async () => (await given(donor)).running > 0, 10_000, 'a part that runs');
  const began = group.clock.now();
  await group.clock.until(async () => (await given(donor)).partsDone === 1, 10_000, 'something handed in');
  const tookMs = group.clock.now() - began;
  const early = (await given(donor)).itemsDone;
  expect(early).toBeGreaterThan(0);
  expect(early * itemMs).toBeLessThan(500);
  expect(tookMs).toBeLessThan(500);
  // The rest of that part is no part of its own, and the next ones are handed in whole.
  await group.clock.until(async () => (await given(donor)).partsDone === 2, 10_000, 'a second part');
  expect((await given(donor)).itemsDone * itemMs).toBeGreaterThan(1_000);
  const told = unwrap(await group.clock.finish(submitter.kernel.bus.ask(ledgerContract, 'decisions', 'get', { job }))).body;
  expect(told.surplusItems).toBe(0);
}, 60_000);
