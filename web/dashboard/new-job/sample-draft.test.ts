import { describe, expect, it } from 'vitest';
import { objectId } from '../../kernel/lib/ids.ts';
import { jobTotalMsMax } from '../../kernel/limits.ts';
import type { JobInput } from '../../kernel/protocol/job-manifest.ts';
import type { Job } from '../../sdk/types.ts';
import { totalMsOf } from './draft.ts';
import { clonedItemsMax, draftOfJob } from './sample-draft.ts';

const job = (inputs: readonly unknown[] = []) =>
  ({
    name: 'Old',
    args: { n: 1 },
    open: false,
    source: () => Promise.resolve({ code: 'export default (x) => x', reduce: null }),
    inputs: () => Promise.resolve(inputs),
  }) as unknown as Job;
const object = objectId('ab'.repeat(32));

describe('an old job, cloned', () => {
  it('has its code, its arguments and its range again', async () => {
    const { draft, sentence } = await draftOfJob(job(), { input: { kind: 'range', items: 10, offset: 5 } });
    expect(draft).toMatchObject({ name: 'Old', code: 'export default (x) => x', args: '{"n":1}', kind: 'range', text: { range: '5..15' } });
    expect(sentence).toBe('');
  });

  it('has the time limit that it had, and none where it had none', async () => {
    const input: JobInput = { kind: 'range', items: 1, offset: 0 };
    const limitOf = async (totalMs?: number) =>
      (await draftOfJob(job(), { input, ...(totalMs !== undefined && { totalMs }) })).draft.totalMinutes;
    expect([await limitOf(90_000), await limitOf()]).toEqual(['1.5', '']);
    for (const totalMs of [1, 7, 60_000, 3_599_999, 123_456_789, jobTotalMsMax]) expect(totalMsOf(await limitOf(totalMs))).toBe(totalMs);
  });

  it('refers to the object that its input is in', async () => {
    const lines = await draftOfJob(job(), { input: { kind: 'lines', object, items: 3, perSegment: [3] } });
    expect(lines.draft).toMatchObject({ kind: 'object', split: 'lines', text: { object } });
    const chunks = await draftOfJob(job(), { input: { kind: 'chunks', object, items: 3, bytes: 4_096 } });
    expect(chunks.draft).toMatchObject({ kind: 'object', split: 'chunks', chunkKiB: '4' });
  });

  it('has short lists written out, as lines where they are that', async () => {
    const list: JobInput = { kind: 'items', object, items: 2, perSegment: [2] };
    expect((await draftOfJob(job(['a', 'b']), { input: list })).draft).toMatchObject({ kind: 'lines', text: { lines: 'a\nb' } });
    expect((await draftOfJob(job([{ a: 1 }, [2]]), { input: list })).draft).toMatchObject({
      kind: 'json',
      text: { json: '[{"a":1},[2]]' },
    });
  });

  it('says so where its input cannot be written out', async () => {
    const list = (items: number): JobInput => ({ kind: 'items', object, items, perSegment: [items] });
    expect((await draftOfJob(job([new Uint8Array(2)]), { input: list(1) })).sentence).toMatch(/Choose it again/);
    expect((await draftOfJob(job(), { input: list(clonedItemsMax + 1) })).sentence).toMatch(/Choose it again/);
    expect((await draftOfJob(job(), undefined)).sentence).toMatch(/Choose it again/);
  });
});
