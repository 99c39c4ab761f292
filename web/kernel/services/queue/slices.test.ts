import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { jobId, recordId, storeId } from '../../lib/ids.ts';
import { holdersMax } from '../../limits.ts';
import { recordSliceBytesMax, type RecordLabel } from '../../protocol/record.ts';
import { testDigest } from '../../testing/test-crypto.ts';
import { majorityOf, slicesNeeded } from './holders.ts';
import { forgedAmong, labelAgrees, openRecord, sealRecord, subsets } from './slices.ts';

const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0');
const salt = Uint8Array.from({ length: 16 }, (_, i) => i);
const labelOf = (holders: number, k = slicesNeeded(holders)): RecordLabel => ({
  job: jobId(hex(7, 64)),
  lineage: `${hex(1, 32)}-${hex(2, 16)}.17`,
  round: 3,
  range: [1_000, 2_000],
  k,
  holders: Array.from({ length: holders }, (_, i) => storeId(hex(i, 32))),
});
const given = (slices: readonly Uint8Array[], which: readonly number[]) => new Map(which.map((index) => [index, slices[index]!]));
const all = (n: number) => Array.from({ length: n }, (_, index) => index);

describe('a record in slices', () => {
  it('is read from any k of them, for every number of holders', async () => {
    for (let holders = 1; holders <= holdersMax; holders++) {
      for (let k = 1; k <= majorityOf(holders); k++) {
        const label = labelOf(holders, k);
        const { id, slices } = await sealRecord(testDigest, label, salt);
        expect(slices).toHaveLength(holders);
        for (const slice of slices) expect(slice.length).toBeLessThanOrEqual(recordSliceBytesMax);
        for (const set of subsets(all(holders), k)) {
          const opened = (await openRecord(testDigest, id, label, given(slices, set), set[0]!))!;
          expect(labelAgrees(label, opened.body)).toBe(true);
          expect(opened.slices).toEqual(slices);
        }
      }
    }
  });

  it('is not read from fewer than k', async () => {
    for (const [holders, k] of [
      [5, 2],
      [6, 2],
      [6, 3],
      [6, 4],
    ]) {
      const label = labelOf(holders!, k);
      const { id, slices } = await sealRecord(testDigest, label, salt);
      expect(await openRecord(testDigest, id, label, given(slices, all(k! - 1)), 0)).toBeUndefined();
    }
  });

  it('cannot be made out of its label: the salt is in the slices only', async () => {
    const label = labelOf(6);
    const { id } = await sealRecord(testDigest, label, salt);
    const guess = await sealRecord(testDigest, label, new Uint8Array(16));
    expect(guess.id).not.toBe(id);
    expect(await openRecord(testDigest, id, label, given(guess.slices, all(6)), 0)).toBeUndefined();
  });

  it('is read whatever is forged as long as k slices are true, and exactly the forged ones are named', async () => {
    const label = labelOf(6);
    const { id, slices } = await sealRecord(testDigest, label, salt);
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(all(6), { minLength: 2 }),
        fc.uniqueArray(fc.nat(5), { maxLength: 6 }),
        fc.constantFrom('flipped', 'short', 'empty', 'odd', 'long', 'another'),
        async (order, forgers, how) => {
          const forge = (slice: Uint8Array): Uint8Array => {
            switch (how) {
              case 'flipped':
                return slice.map((byte, at) => (at === 20 ? byte ^ 1 : byte));
              case 'short':
                return slice.slice(0, -64);
              case 'empty':
                return new Uint8Array();
              case 'odd':
                return slice.slice(0, -1);
              case 'long':
                return Uint8Array.from([...slice, ...new Uint8Array(64)]);
              case 'another':
                return slice.map((byte) => byte ^ 0xff);
            }
          };
          const came = new Map<number, Uint8Array>();
          let opened;
          for (const index of order) {
            came.set(index, forgers.includes(index) ? forge(slices[index]!) : slices[index]!);
            opened ??= await openRecord(testDigest, id, label, came, index);
          }
          const honest = order.filter((index) => !forgers.includes(index));
          expect(opened !== undefined).toBe(honest.length >= label.k);
          if (opened === undefined) return;
          expect(new Set(forgedAmong(came, opened))).toEqual(new Set(order.filter((index) => forgers.includes(index))));
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });

  it('tells a label that lies about any part of it', async () => {
    const label = labelOf(5);
    const { id, slices } = await sealRecord(testDigest, label, salt);
    const { body } = (await openRecord(testDigest, id, label, given(slices, [1, 4]), 4))!;
    const lies: Partial<RecordLabel>[] = [
      { job: jobId(hex(8, 64)) },
      { lineage: 'another' },
      { round: 4 },
      { range: [1_000, 2_001] },
      { range: [999, 2_000] },
      { k: 3 },
      { holders: label.holders.toReversed() },
      { holders: label.holders.slice(1) },
    ];
    for (const lie of lies) expect(labelAgrees({ ...label, ...lie }, body)).toBe(false);
    expect(labelAgrees(label, body)).toBe(true);
  });

  it('is not read as another record', async () => {
    const label = labelOf(1);
    const { slices } = await sealRecord(testDigest, label, salt);
    expect(await openRecord(testDigest, recordId(hex(5, 64)), label, given(slices, [0]), 0)).toBeUndefined();
  });
});

it('subsets are all of their size', () => {
  expect(subsets([1, 2, 3], 0)).toEqual([[]]);
  expect(subsets([1, 2, 3], 2)).toEqual([
    [1, 2],
    [1, 3],
    [2, 3],
  ]);
  expect(subsets([1], 2)).toEqual([]);
});
