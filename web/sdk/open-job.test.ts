// Open jobs over whole kernels, as two tabs of their submitter see them.
import { describe, expect, it } from 'vitest';
import { TestGroup } from '../kernel/testing/test-group.ts';
import type { Job, Result } from './types.ts';
import { lullOf } from './testing/lull-of.ts';

/** Two donors and a submitter; each item answers with its index and what it was given, as far as the sandbox can tell. */
async function groupOf(seed: string) {
  const group = new TestGroup({ seed, network: { delayMs: 2 }, script: (index) => ({ ms: 20, value: index }) });
  const submitter = await group.start('submitter');
  const donors = [await group.start('donor 1'), await group.start('donor 2')];
  for (const donor of donors) await group.donate(donor);
  await group.joined([submitter, ...donors], 2);
  const lull = lullOf(group, submitter);
  await group.clock.until(() => lull.peers().length > 2, 5_000, 'the view');
  return { group, submitter, donors, lull };
}

const spec = { name: 'open', code: 'export default (n) => n', inputs: { range: [0, 20] as [number, number] }, open: true };
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);
const inputsOf = async (job: Job, items: number) => job.inputs(0, items);

describe('an open job', () => {
  it('takes more input while it runs, waits for more when it has none left, and is done once it is closed', async () => {
    const { group, lull } = await groupOf('append');
    const { clock } = group;
    const job = await clock.finish(lull.submit(spec));
    expect([job.open, job.progress.items]).toEqual([true, 20]);
    const read: Result[] = [];
    const reading = (async () => {
      for await (const result of job) read.push(result);
    })();
    await clock.finish(job.append(['a', 'b', 'c']));
    await clock.finish(job.append({ range: [100, 110] }));
    await clock.until(() => read.length === 33, 60_000, 'all results so far');
    expect([job.state, job.reason, job.progress.items]).toEqual(['running', 'Waits for more input.', 33]);
    expect(job.progress.etaSeconds).toBeNull();
    await clock.finish(job.append({ range: [7, 9] }));
    await clock.until(() => read.length === 35, 60_000, 'the results of what came last');
    await clock.finish(job.close());
    await clock.finish(reading);
    expect(await clock.finish(job.done)).toBe('done');
    expect(read.map(({ index }) => index)).toEqual(upTo(35));
    expect(await clock.finish(job.values())).toEqual(upTo(35));
    // Each item keeps what it was given.
    expect(await clock.finish(inputsOf(job, 35))).toEqual([...upTo(20), 'a', 'b', 'c', ...upTo(10).map((i) => 100 + i), 7, 8]);
    await expect(clock.finish(job.append(['late']))).rejects.toMatchObject({ code: 'job-ended', message: 'The job is closed.' });
    await clock.finish(job.close());
  });

  it('may begin without input, and keeps the order in which appends were asked for', async () => {
    const { group, lull } = await groupOf('empty');
    const { clock } = group;
    const job = await clock.finish(lull.submit({ ...spec, inputs: { items: [] } }));
    expect([job.state, job.progress.items, job.reason]).toEqual(['queued', 0, 'Waits for more input.']);
    const values = job.values();
    await clock.finish(Promise.all([job.append(['a', 'b']), job.append({ range: [5, 6] }), job.append(['c'])]));
    await clock.finish(job.close());
    expect(await clock.finish(values, 60_000)).toEqual(upTo(4));
    expect(await clock.finish(inputsOf(job, 4))).toEqual(['a', 'b', 5, 'c']);
  });

  it('may be appended to and closed by its submitter only, and not once it was cancelled', async () => {
    const { group, donors, lull } = await groupOf('whose');
    const { clock } = group;
    const job = await clock.finish(lull.submit(spec));
    const stranger = lullOf(group, donors[0]!);
    const seen = await clock.finish(stranger.find(job.id));
    await expect(clock.finish(seen.append(['x']))).rejects.toMatchObject({ code: 'refused' });
    await expect(clock.finish(seen.close())).rejects.toMatchObject({ code: 'refused' });
    const closed = await clock.finish(lull.submit({ ...spec, open: false }));
    await expect(clock.finish(closed.append(['x']))).rejects.toMatchObject({ code: 'job-ended', message: 'The job is closed.' });
    await clock.finish(job.cancel());
    await clock.until(() => job.state === 'cancelled', 5_000, 'the cancel');
    await expect(clock.finish(job.append(['x']))).rejects.toMatchObject({ code: 'job-ended' });
  });

  it.each(['wren', 'finch', 'robin', 'swift'])(
    'gives both their place when two tabs append at the same moment, each item once (%s)',
    async (seed) => {
      const { group, submitter, lull } = await groupOf(seed);
      const { clock } = group;
      const second = await group.start('submitter');
      await group.joined([submitter, second], 2);
      const other = lullOf(group, second);
      const job = await clock.finish(lull.submit(spec));
      const same = await clock.finish(other.find(job.id));
      await clock.finish(Promise.all([job.append(['a', 'b', 'c']), same.append(['x', 'y'])]));
      await clock.finish(Promise.all([job.append(['d']), same.append(['z'])]));
      await clock.until(() => job.progress.items === 27 && same.progress.items === 27, 30_000, 'all input in both tabs');
      await clock.finish(same.close());
      expect(await clock.finish(job.values(), 120_000)).toEqual(upTo(27));
      const given = await clock.finish(inputsOf(job, 27));
      expect(await clock.finish(inputsOf(same, 27))).toEqual(given);
      expect(given.slice(0, 20)).toEqual(upTo(20));
      const text = given.slice(20).join('');
      expect(text.split('').toSorted().join('')).toBe('abcdxyz');
      for (const together of ['abc', 'xy']) expect(text).toContain(together);
    },
  );

  it('is finished by others when its submitter leaves right after it closed, and is whole when it comes back', async () => {
    const { group, submitter, donors, lull } = await groupOf('left');
    const { clock } = group;
    const job = await clock.finish(lull.submit({ ...spec, inputs: { range: [0, 60] } }));
    await clock.finish(job.append({ range: [1_000, 1_090] }));
    await clock.finish(job.close());
    await group.crash(submitter);
    await group.crash(donors[0]!);
    const summary = await group.ended(donors[1]!, job.id as never, 120_000);
    expect(summary).toMatchObject({ state: 'done', items: 150, committed: 150, open: false });
    const back = await group.start('submitter');
    await group.joined([back, donors[1]!], 1);
    const again = await clock.finish(lullOf(group, back).find(job.id), 30_000);
    expect(await clock.finish(again.values(), 60_000)).toEqual(upTo(150));
    expect(await clock.finish(again.inputs(148, 2))).toEqual([1_088, 1_089]);
  });

  it('runs items that have a result anew when asked, and shows the new one', async () => {
    let answer = 'first';
    const group = new TestGroup({ seed: 'anew', script: (index) => ({ ms: 5, value: `${answer} ${index}` }) });
    const submitter = await group.start('submitter');
    const donor = await group.start('donor');
    await group.donate(donor);
    await group.joined([submitter, donor], 1);
    const lull = lullOf(group, submitter);
    const { clock } = group;
    const job = await clock.finish(lull.submit({ ...spec, open: false, inputs: { range: [0, 4] } }));
    expect(await clock.finish(job.values(), 60_000)).toEqual(upTo(4).map((i) => `first ${i}`));
    answer = 'second';
    await clock.finish(job.retry([1, 2]));
    await clock.until(() => job.state !== 'done', 5_000, 'the job to go on');
    expect(await clock.finish(job.values(), 60_000)).toEqual(['first 0', 'second 1', 'second 2', 'first 3']);
  });
});
