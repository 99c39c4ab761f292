import { expect, test } from 'vitest';
import type { Receipt } from './donor-source.ts';
import { receiptsFile, receiptsSummary, verdictWords } from './receipts.ts';

const receipt = (change: Partial<Receipt> = {}): Receipt =>
  ({
    job: 'a'.repeat(64),
    name: 'Primes',
    submitter: 'b'.repeat(64),
    codeHash: 'c'.repeat(64),
    firstAt: 0,
    lastAt: 60_000,
    parts: 3,
    items: 30,
    failed: 1,
    cpuMs: 12_345,
    bytes: 900,
    verdicts: { finished: 3, stopped: 0, unloadable: 0, died: 0, 'no-data': 0 },
    ...change,
  }) as Receipt;

test('how parts ended is said in words, the most frequent first', () => {
  expect(verdictWords(receipt())).toBe('all finished');
  expect(verdictWords(receipt({ verdicts: { finished: 2, stopped: 5, unloadable: 0, died: 1, 'no-data': 0 } }))).toBe(
    '5 given back unfinished, 2 finished, 1 broke their sandbox',
  );
});

test('the file has code hash, submitter, CPU seconds, bytes and verdicts of each job', () => {
  const file = JSON.parse(receiptsFile([receipt()], { identity: 'd'.repeat(64), writtenAt: 0 })) as {
    donor: { identity: string };
    jobs: object[];
  };
  expect(file.donor.identity).toBe('d'.repeat(64));
  expect(file.jobs).toMatchObject([
    { codeHash: 'c'.repeat(64), submitter: { identity: 'b'.repeat(64) }, cpuSeconds: 12.35, resultBytes: 900, verdicts: { finished: 3 } },
  ]);
});

test('the whole of it is counted', () => {
  expect(receiptsSummary([receipt(), receipt({ parts: 1 })])).toBe('2 jobs, 4 parts');
});
