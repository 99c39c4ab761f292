import { expect, test } from 'vitest';
import type { TeamGift } from '../../kernel/protocol/contracts/ledger.ts';
import { teamSum } from './team-sums.ts';

const gift = (identity: string, job: string, items: number, parts: number) =>
  ({ identity, job, items, parts, team: '' }) as unknown as TeamGift;

test('a team gave what its members gave, and a job that two of them helped counts once', () => {
  expect(teamSum([gift('ann', 'a', 10, 1), gift('bob', 'a', 5, 2), gift('bob', 'b', 20, 4)], 'ann')).toEqual({
    members: [
      { identity: 'bob', items: 25, parts: 6, jobs: 2 },
      { identity: 'ann', items: 10, parts: 1, jobs: 1 },
    ],
    items: 35,
    parts: 7,
    jobs: 2,
  });
});

test('who has given nothing yet is in it all the same', () => {
  expect(teamSum([], 'me')).toEqual({ members: [{ identity: 'me', items: 0, parts: 0, jobs: 0 }], items: 0, parts: 0, jobs: 0 });
});
