import { describe, expect, it } from 'vitest';
import { objectId } from '../../kernel/lib/ids.ts';
import { itemMsDefault, itemMsMax, jobLifeMsDefault, jobLifeMsMax, jobTotalMsMax } from '../../kernel/limits.ts';
import type { JobInput } from '../../kernel/protocol/job-manifest.ts';
import type { Job } from '../../sdk/types.ts';
import { checkDraft, dayMs, msOf } from './draft.ts';
import { clonedItemsMax, draftOfJob, type KnownJob } from './sample-draft.ts';

const job = (inputs: readonly unknown[] = []) =>
  ({
    name: 'Old',
    args: { n: 1 },
    open: false,
    source: () => Promise.resolve({ code: 'export default (x) => x', reduce: null }),
    inputs: () => Promise.resolve(inputs),
  }) as unknown as Job;
/** As this tab's ledger knows it. */
const known = (input: JobInput, limits: Partial<KnownJob['manifest']> = {}, priority = 0): KnownJob => ({
  manifest: { input, itemMs: itemMsDefault, createdAt: 1_000, expires: 1_000 + jobLifeMsDefault, ...limits },
  priority,
});
const object = objectId('ab'.repeat(32));

describe('an old job, cloned', () => {
  it('has its code, its arguments and its range again', async () => {
    const { draft, sentence } = await draftOfJob(job(), known({ kind: 'range', items: 10, offset: 5 }));
    expect(draft).toMatchObject({ name: 'Old', code: 'export default (x) => x', args: '{"n":1}', kind: 'range', text: { range: '5..15' } });
    expect(sentence).toBe('');
  });

  it('has the limits and the priority that it had, and none where it had none', async () => {
    const input: JobInput = { kind: 'range', items: 1, offset: 0 };
    const draftOf = async (limits: Partial<KnownJob['manifest']>, priority = 0) =>
      (await draftOfJob(job(), known(input, limits, priority))).draft;
    expect(await draftOf({})).toMatchObject({ totalMinutes: '', itemMinutes: '', memoryMiB: '', priority: '' });
    const limits = { totalMs: 90_000, itemMs: 7_200_000, memoryMiB: 2_048 };
    expect(checkDraft(await draftOf(limits, -5))).toMatchObject({ ok: true, options: { limits, priority: -5 } });
    for (const totalMs of [1, 7, 60_000, 3_599_999, 123_456_789, jobTotalMsMax])
      expect(msOf((await draftOf({ totalMs })).totalMinutes, jobTotalMsMax)).toBe(totalMs);
    for (const itemMs of [1, 61_001, itemMsMax]) expect(msOf((await draftOf({ itemMs })).itemMinutes, itemMsMax)).toBe(itemMs);
  });

  it('is kept for as many days as it was', async () => {
    const daysOf = async (keptMs: number) =>
      (await draftOfJob(job(), known({ kind: 'range', items: 1, offset: 0 }, { expires: 1_000 + keptMs }))).draft.keepDays;
    expect(await Promise.all([jobLifeMsDefault, jobLifeMsMax, 3.4 * dayMs, 60_000].map(daysOf))).toEqual(['', '90', '3', '1']);
    expect((await draftOfJob(job(), undefined)).draft.keepDays).toBe('');
  });

  it('refers to the object that its input is in', async () => {
    const lines = await draftOfJob(job(), known({ kind: 'lines', object, items: 3, perSegment: [3] }));
    expect(lines.draft).toMatchObject({ kind: 'object', split: 'lines', text: { object } });
    const chunks = await draftOfJob(job(), known({ kind: 'chunks', object, items: 3, bytes: 4_096 }));
    expect(chunks.draft).toMatchObject({ kind: 'object', split: 'chunks', chunkKiB: '4' });
  });

  it('has short lists written out, as lines where they are that', async () => {
    const list: JobInput = { kind: 'items', object, items: 2, perSegment: [2] };
    expect((await draftOfJob(job(['a', 'b']), known(list))).draft).toMatchObject({ kind: 'lines', text: { lines: 'a\nb' } });
    expect((await draftOfJob(job([{ a: 1 }, [2]]), known(list))).draft).toMatchObject({
      kind: 'json',
      text: { json: '[{"a":1},[2]]' },
    });
  });

  it('says so where its input cannot be written out', async () => {
    const list = (items: number): JobInput => ({ kind: 'items', object, items, perSegment: [items] });
    expect((await draftOfJob(job([new Uint8Array(2)]), known(list(1)))).sentence).toMatch(/Choose it again/);
    expect((await draftOfJob(job(), known(list(clonedItemsMax + 1)))).sentence).toMatch(/Choose it again/);
    expect((await draftOfJob(job(), undefined)).sentence).toMatch(/Choose it again/);
  });
});
