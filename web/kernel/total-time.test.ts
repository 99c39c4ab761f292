// A job that may take so much of processors and no more, over whole kernels.
import { expect, test } from 'vitest';
import { unwrap } from './lib/outcome.ts';
import { executorContract } from './protocol/contracts/executor.ts';
import { TestGroup, type TestPeer } from './testing/test-group.ts';

const itemMs = 500;

async function groupOf(seed: string): Promise<{ group: TestGroup; submitter: TestPeer; donors: TestPeer[] }> {
  const group = new TestGroup({ seed, script: () => ({ ms: itemMs, value: 1 }) });
  const [submitter, ...donors] = [await group.start('submitter'), await group.start('ann'), await group.start('bob')];
  for (const donor of donors) await group.donate(donor);
  await group.joined([submitter, ...donors], 2);
  return { group, submitter, donors };
}

test('a job that has used its processor time ends with that reason everywhere, with its results, and nothing more of it runs', async () => {
  const { group, submitter, donors } = await groupOf('total time');
  const job = await group.submit(submitter, 10_000, undefined, true, { totalMs: 20_000 });
  const summary = await group.ended(submitter, job, 120_000);
  const reason = 'It has used the 20 seconds of processor time that it was given.';
  expect([summary.state, summary.reason]).toEqual(['failed', reason]);
  // What was under way when it ended is over by some functions at most.
  expect(summary.committed * itemMs).toBeGreaterThanOrEqual(18_000);
  expect(summary.committed * itemMs).toBeLessThan(40_000);
  await group.clock.advance(3_000);
  for (const donor of donors) {
    expect((await group.summary(donor, job))!.reason).toBe(reason);
    expect(unwrap(await donor.kernel.bus.ask(executorContract, 'runs', 'query', {})).body.running).toEqual([]);
  }
}, 30_000);

test('a job that needs less than it may take is done', async () => {
  const { group, submitter } = await groupOf('time enough');
  const job = await group.submit(submitter, 20, undefined, true, { totalMs: 60_000 });
  expect((await group.ended(submitter, job, 60_000)).state).toBe('done');
}, 30_000);
