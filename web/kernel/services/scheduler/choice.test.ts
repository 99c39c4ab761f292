import { expect, test } from 'vitest';
import { groupId, identityId, jobId } from '../../lib/ids.ts';
import type { JobSummary } from '../../protocol/contracts/ledger.ts';
import { excluded, sameChoice, type Choice } from './choice.ts';

const [me, friend, stranger] = ['a', 'b', 'c'].map((digit) => identityId(digit.repeat(64))) as [never, never, never];
const job = jobId('d'.repeat(64));
const [here, there] = [groupId('1'.repeat(32)), groupId('2'.repeat(32))];
const of = (submitter: string, memoryMiB?: number, home = here) =>
  ({ id: job, home, manifest: { submitter, memoryMiB, home: here } }) as JobSummary;
const choice = (change: Partial<Choice> = {}): Choice => ({ jobs: 'all', follow: [], never: [], memoryMiB: 512, ...change });

test('who chose nothing runs everything', () => {
  expect(excluded(of(stranger), choice(), me)).toBe('');
  expect(excluded(of(stranger), undefined, me)).toBe('');
});

test('only the jobs of those one follows, and one’s own', () => {
  const followed = choice({ jobs: 'followed', follow: [friend] });
  expect(excluded(of(friend), followed, me)).toBe('');
  expect(excluded(of(me), followed, me)).toBe('');
  expect(excluded(of(stranger), followed, me)).toBe('not-chosen');
});

test('never: a submitter, or one job; also of somebody one follows', () => {
  expect(excluded(of(stranger), choice({ never: [stranger] }), me)).toBe('not-chosen');
  expect(excluded(of(friend), choice({ never: [job], jobs: 'followed', follow: [friend] }), me)).toBe('not-chosen');
  expect(excluded(of(me), choice({ never: [me] }), me)).toBe('');
});

test('never: a group, of the jobs that are at home there and of those that were submitted there', () => {
  expect(excluded(of(stranger), choice({ never: [there] }), me)).toBe('');
  expect(excluded(of(stranger, 0, there), choice({ never: [there] }), me)).toBe('not-chosen');
  expect(excluded(of(friend, 0, there), choice({ never: [here] }), me)).toBe('not-chosen');
  expect(excluded(of(me), choice({ never: [here] }), me)).toBe('');
});

test('what needs more memory than one allows, whosever it is', () => {
  expect(excluded(of(stranger, 512), choice(), me)).toBe('');
  expect(excluded(of(stranger, 513), choice(), me)).toBe('job-memory');
  expect(excluded(of(me, 513), choice(), me)).toBe('job-memory');
});

test('a choice is the same while its lists are', () => {
  expect(sameChoice(choice({ never: [job] }), choice({ never: [job] }))).toBe(true);
  expect(sameChoice(choice(), choice({ never: [job] }))).toBe(false);
  expect(sameChoice(undefined, choice())).toBe(false);
});
