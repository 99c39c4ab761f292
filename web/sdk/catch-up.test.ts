// Two ledgers that never met, and the one asking the other.
import { expect, it } from 'vitest';
import { ledgerContract } from '../kernel/protocol/contracts/ledger.ts';
import type { Bus } from '../kernel/service.ts';
import { TestGroup } from '../kernel/testing/test-group.ts';
import { catchUp } from './catch-up.ts';
import { lullOf } from './testing/lull-of.ts';

it('a job that was just met stands as it does where it came from', async () => {
  const script = (index: number) => ({ ms: 5, value: index });
  const there = new TestGroup({ seed: 'there', script });
  const submitter = await there.start('submitter');
  const { bus } = submitter.kernel;
  const lull = lullOf(there, submitter);
  const job = await there.clock.finish(lull.submit({ name: 'long', code: 'export default (n) => n', inputs: { range: [0, 1_000] } }));
  // More than one answer holds.
  for (let priority = 0; priority < 600; priority++) await there.clock.finish(job.setPriority(priority % 100));
  await there.clock.finish(job.cancel());
  const id = job.id as never;

  const here = new TestGroup({ seed: 'here', script });
  const own = (await here.start('newcomer')).kernel.bus;
  const asking = {
    ask: (...all: Parameters<Bus['ask']>) => (all[4]?.peer === undefined ? own : bus).ask(all[0], all[1], all[2], all[3]),
  } as Bus;
  const manifest = await there.clock.finish(bus.ask(ledgerContract, 'jobs', 'get', { job: id }));
  if (!manifest.ok) throw new Error(manifest.fault.message);
  await here.clock.finish(own.ask(ledgerContract, 'jobs', 'insert', manifest.value.body));
  const stands = async () => {
    const answer = await here.clock.finish(own.ask(ledgerContract, 'jobs', 'query', {}));
    return answer.ok && answer.value.body.jobs.map(({ state, priority }) => [state, priority]);
  };
  expect(await stands()).toEqual([['queued', 0]]);
  expect(await here.clock.finish(catchUp(asking, id, bus.self.peer))).toBe(true);
  expect(await stands()).toEqual([['cancelled', 99]]);
  expect(await here.clock.finish(catchUp(asking, id, bus.self.peer))).toBe(false);
});
