import { describe, expect, it } from 'vitest';
import { objectId } from '../../kernel/lib/ids.ts';
import type { JobInput } from '../../kernel/protocol/job-manifest.ts';
import type { Job } from '../../sdk/types.ts';
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
    const { draft, sentence } = await draftOfJob(job(), { kind: 'range', items: 10, offset: 5 });
    expect(draft).toMatchObject({ name: 'Old', code: 'export default (x) => x', args: '{"n":1}', kind: 'range', text: { range: '5..15' } });
    expect(sentence).toBe('');
  });

  it('refers to the object that its input is in', async () => {
    const lines = await draftOfJob(job(), { kind: 'lines', object, items: 3, perSegment: [3] });
    expect(lines.draft).toMatchObject({ kind: 'object', split: 'lines', text: { object } });
    const chunks = await draftOfJob(job(), { kind: 'chunks', object, items: 3, bytes: 4_096 });
    expect(chunks.draft).toMatchObject({ kind: 'object', split: 'chunks', chunkKiB: '4' });
  });

  it('has short lists written out, as lines where they are that', async () => {
    const list: JobInput = { kind: 'items', object, items: 2, perSegment: [2] };
    expect((await draftOfJob(job(['a', 'b']), list)).draft).toMatchObject({ kind: 'lines', text: { lines: 'a\nb' } });
    expect((await draftOfJob(job([{ a: 1 }, [2]]), list)).draft).toMatchObject({ kind: 'json', text: { json: '[{"a":1},[2]]' } });
  });

  it('says so where its input cannot be written out', async () => {
    const list = (items: number): JobInput => ({ kind: 'items', object, items, perSegment: [items] });
    expect((await draftOfJob(job([new Uint8Array(2)]), list(1))).sentence).toMatch(/Choose it again/);
    expect((await draftOfJob(job(), list(clonedItemsMax + 1))).sentence).toMatch(/Choose it again/);
    expect((await draftOfJob(job(), undefined)).sentence).toMatch(/Choose it again/);
  });
});
