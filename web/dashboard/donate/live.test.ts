import { expect, it } from 'vitest';
import type { Member } from '../../kernel/protocol/contracts/membership.ts';
import { liveNow } from './live.ts';

const member = (state: string, workersAllowed: number, workersRunning: number, itemsPerSecond: number) =>
  ({ offer: { state, machine: { cores: 8 }, sandbox: { workersAllowed, workersRunning, itemsPerSecond } } }) as unknown as Member;

it('the group at this moment counts who is here, who gives, and what is done', () => {
  const members = [member('off', 0, 0, 0), member('idle', 4, 3, 12), member('in use', 0, 0, 0), { offer: null } as unknown as Member];
  expect(liveNow(members, [{ state: 'running' }, { state: 'done' }, { state: 'queued' }])).toEqual({
    tabs: 4,
    donors: 2,
    cores: 4,
    busy: 1,
    perSecond: 12,
    underWay: 2,
  });
  expect(liveNow([], [])).toMatchObject({ tabs: 0, cores: 0 });
});
