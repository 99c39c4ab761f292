import { expect, test } from 'vitest';
import type { JobSummary } from '../../kernel/protocol/contracts/ledger.ts';
import { listed, named } from './order.ts';

const job = (name: string, state: JobSummary['state'], createdAt: number, priority = 0) =>
  ({ id: name, state, priority, manifest: { name, createdAt } }) as JobSummary;
const names = (jobs: readonly JobSummary[]) => jobs.map(({ manifest }) => manifest.name);

test('what is under way comes first, in the order in which it is worked on, however old it is', () => {
  const jobs = [
    job('done last', 'done', 9),
    job('second in the queue', 'queued', 8),
    job('failed before', 'failed', 7),
    job('urgent', 'queued', 6, 5),
    job('resting', 'paused', 5),
    job('first in the queue', 'queued', 4),
    job('cancelled', 'cancelled', 3),
    job('at work', 'running', 1),
  ];
  expect(names(listed(jobs))).toEqual([
    'at work',
    'urgent',
    'first in the queue',
    'second in the queue',
    'resting',
    'done last',
    'failed before',
    'cancelled',
  ]);
});

test('a name is found by its words, in any order and case', () => {
  const jobs = [job('Sweep of beta, 3rd', 'done', 1), job('sweep of gamma', 'done', 2), job('primes', 'done', 3)];
  expect(names(named(jobs, 'beta SWEEP'))).toEqual(['Sweep of beta, 3rd']);
  expect(names(named(jobs, '  '))).toEqual(names(jobs));
  expect(named(jobs, 'delta')).toEqual([]);
});
