import { expect, test } from 'vitest';
import { jobId } from '../../lib/ids.ts';
import { receiptsMax, type Receipt } from '../../protocol/contracts/scheduler.ts';
import { hexNumber, manifestOf } from '../../testing/made-up-jobs.ts';
import { mergedReceipts, withPart } from './receipts.ts';

const part = { ended: 'finished', items: 5, failed: 1, cpuMs: 100, bytes: 30 } as const;
/** Of so many parts, the first at `at`, one a millisecond. */
function receipt(job: number, parts: number, at: number): Receipt {
  let made: Receipt | undefined;
  for (let i = 0; i < parts; i++) made = withPart(made, { id: jobId(hexNumber(job)), manifest: manifestOf(10) }, part, at + i);
  return made!;
}

test('what was done while nobody knew the store is added to what stands in it, the latest last', () => {
  const before = [receipt(1, 2, 10), receipt(2, 1, 20)];
  expect(mergedReceipts(before, [receipt(3, 1, 90), receipt(1, 3, 100)])).toEqual([
    receipt(2, 1, 20),
    receipt(3, 1, 90),
    { ...receipt(1, 5, 10), lastAt: 102 },
  ]);
  expect(mergedReceipts('nonsense', before)).toEqual(before);
  expect(mergedReceipts(before, undefined)).toEqual(before);
});

test('of more receipts than are kept the oldest go', () => {
  const full = Array.from({ length: receiptsMax }, (_, i) => receipt(i, 1, i));
  expect(mergedReceipts(full, [receipt(99_999, 1, 1e6)])).toEqual([...full.slice(1), receipt(99_999, 1, 1e6)]);
});
