// What a person who waits for a job is told, over whole kernels.
import { expect, it } from 'vitest';
import { unwrap } from '../kernel/lib/outcome.ts';
import { resourcesContract, type Limits } from '../kernel/protocol/contracts/resources.ts';
import { TestGroup } from '../kernel/testing/test-group.ts';
import { lullOf } from './testing/lull-of.ts';

it('a waiting job says which constraint excludes how many members, whoever of the group is asked', async () => {
  const group = new TestGroup({ seed: 'constraints', script: (index) => ({ ms: 20, value: index }) });
  const submitter = await group.start('submitter');
  const peers = [submitter];
  const donor = async (name: string, limits: Partial<Limits>) => {
    const peer = await group.start(name);
    peers.push(peer);
    await group.donate(peer);
    unwrap(await group.clock.finish(peer.kernel.bus.ask(resourcesContract, 'limits', 'update', limits)));
    return peer;
  };
  await donor('choosy', { jobs: 'followed' });
  await donor('never', { never: [submitter.kernel.self.identity] });
  await donor('small', { memoryMiB: 256 });
  const paused = await donor('paused', {});
  unwrap(await group.clock.finish(paused.kernel.bus.ask(resourcesContract, 'pause', 'replace', { ms: 3_600_000 })));
  await group.joined(peers, 4);
  const lull = lullOf(group, submitter);
  await group.clock.until(() => lull.peers().length === 5, 5_000, 'the view');
  const job = await group.clock.finish(
    lull.submit({ name: 'waits', code: 'export default (n) => n', inputs: { range: [0, 4_000] }, limits: { memoryMiB: 512 } }),
  );
  await group.clock.advance(3_000);
  const { members, constraints, sentence, waiting } = await group.clock.finish(job.standing());
  expect(constraints).toEqual([
    { members: 2, words: 'their owner chose not to run it' },
    { members: 1, words: 'not donating' },
    { members: 1, words: 'not enough memory' },
    { members: 1, words: 'paused by their owner' },
  ]);
  expect(sentence).toBe('2 members: their owner chose not to run it; 1: not donating; 1: not enough memory; 1: paused by their owner.');
  expect(waiting).toBeGreaterThan(0);
  expect(members.filter(({ self, answered, claimed }) => answered && claimed === 0 && !self)).toHaveLength(4);

  // What holds all work back is at hand without asking: choices and memory, which are about this job, are not.
  expect(lull.metrics()).toMatchObject({
    constraints: [
      { members: 1, words: 'not donating' },
      { members: 1, words: 'paused by their owner' },
    ],
    sentence: '1 member: not donating; 1: paused by their owner.',
  });

  const other = lullOf(group, paused);
  await group.clock.until(() => other.job(String(job.id)) !== undefined, 5_000, 'the job');
  expect((await group.clock.finish(other.job(String(job.id))!.standing())).sentence).toBe(sentence);

  // One that may runs it: nobody is said to be kept from what it does.
  const helper = await donor('helper', {});
  await group.clock.until(() => job.progress.committed > 0, 20_000, 'work');
  const working = (await group.clock.finish(job.standing())).members.find(({ peer }) => peer === helper.kernel.self.peer)!;
  expect(working).toMatchObject({ answered: true, why: '' });
  expect(working.runs.length).toBeGreaterThan(0);
  await group.crash(helper);
  const silent = await group.clock.finish(job.standing());
  expect(silent.members.find(({ peer }) => peer === helper.kernel.self.peer)).toMatchObject({
    answered: false,
    why: 'It has not answered.',
  });
  expect(silent.sentence).toContain('1: not answering');
  await group.clock.until(() => lull.metrics().sentence.includes('not answering'), 10_000, 'the suspicion');
});
