import { describe, expect, it } from 'vitest';
import type { Member } from '../../kernel/protocol/contracts/membership.ts';
import { coresOffered, estimate } from './estimate.ts';
import { spread, threeItems, type Head } from './three-items.ts';

const member = (state: string, workersAllowed: number, status = 'alive') =>
  ({ status, offer: { state, sandbox: { workersAllowed } } }) as unknown as Member;

describe('the estimate before a job is submitted', () => {
  it('counts the cores that are idle now', () => {
    expect(coresOffered([member('idle', 3), member('in use', 4), member('idle', 2, 'suspect'), member('idle', 1)])).toBe(4);
    expect(coresOffered([{ status: 'alive', offer: null } as unknown as Member])).toBe(0);
  });

  it('spreads the items over the cores and never claims to know more than three items tell', () => {
    const said = estimate(900, [100, 100, 100], 9)!;
    expect(said.likelyMs).toBeCloseTo(1_500 + 10_000 / 0.9, 0);
    expect(said.fromMs).toBeLessThan(said.likelyMs * 0.8);
    expect(said.toMs).toBeGreaterThan(said.likelyMs * 1.3);
    expect(estimate(10, [100], 100)!.likelyMs).toBeCloseTo(1_500 + 100 / 0.9, 0);
  });

  it('says nothing where nobody computes or nothing was tried', () => {
    expect([estimate(10, [], 4), estimate(10, [1], 0), estimate(0, [1], 4)]).toEqual([null, null, null]);
  });
});

describe('the items that are tried', () => {
  const noObject: Head = () => Promise.reject(new Error('not asked for'));
  const noItems = () => Promise.reject(new Error('not asked for'));
  it('are the first, the middle and the last, each once', () => {
    expect([1, 2, 3, 100].map(spread)).toEqual([[0], [0, 1], [0, 1, 2], [0, 49, 99]]);
  });
  it('of a range are its numbers, of a list its elements', async () => {
    expect(await threeItems({ range: [10, 21] }, noObject, noItems)).toEqual({ indices: [0, 5, 10], values: [10, 15, 20], of: 11 });
    expect(await threeItems({ items: ['a', 'b'] }, noObject, noItems)).toEqual({ indices: [0, 1], values: ['a', 'b'], of: 2 });
    const made = (body: string) => Promise.resolve(Array.from(body));
    expect(await threeItems({ generator: 'yield' }, noObject, made)).toEqual({ indices: [0, 2, 4], values: ['y', 'e', 'd'], of: 5 });
  });
  it('of a small file are lines from all of it, of a large one its first lines, whole', async () => {
    const small = new File(['a\nb\nc\nd\ne\n'], 's.txt');
    expect(await threeItems({ file: small, chunkBytes: null }, noObject, noItems)).toEqual({
      indices: [0, 2, 4],
      values: ['a', 'c', 'e'],
      of: 5,
    });
    const large = new File([Array.from({ length: 60_000 }, (_, i) => `line ${String(i).padStart(6, '0')}`).join('\n')], 'l.txt');
    const tried = await threeItems({ file: large, chunkBytes: null }, noObject, noItems);
    expect(tried).toMatchObject({ indices: [0, 1, 2], values: ['line 000000', 'line 000001', 'line 000002'] });
    expect(Math.abs(tried.of! - 60_000)).toBeLessThan(600);
  });
  it('of a file in pieces are bytes', async () => {
    const file = new File([new Uint8Array(5_000).map((_, i) => i)], 'b.bin');
    const { indices, values, of } = await threeItems({ file, chunkBytes: 2_048 }, noObject, noItems);
    expect([indices, of, values.map((value) => (value as Uint8Array).length)]).toEqual([[0, 1, 2], 3, [2_048, 2_048, 904]]);
  });
  it('of an object are its first', async () => {
    const bytes = new TextEncoder().encode('x\ny\n');
    const head: Head = () => Promise.resolve({ bytes, size: 4, name: 'o' });
    expect(await threeItems({ object: 'ab', chunkBytes: null }, head, noItems)).toMatchObject({ values: ['x', 'y'] });
    expect(await threeItems({ object: 'ab', chunkBytes: 2 }, head, noItems)).toMatchObject({ indices: [0, 1], of: 2 });
  });
  it('of what is no text are refused with a sentence', async () => {
    const file = new File([Uint8Array.of(0x50, 0x4b, 0, 0)], 'a.zip');
    await expect(threeItems({ file, chunkBytes: null }, noObject, noItems)).rejects.toThrow('a.zip does not look like text');
  });
});
