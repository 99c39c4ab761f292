import { expect, it } from 'vitest';
import type { GroupsView } from '../kernel/protocol/contracts/groups.ts';
import type { GroupView } from '../kernel/protocol/contracts/membership.ts';
import { groupInfos } from './groups.ts';

const hex = (digit: string) => digit.repeat(64);
const member = (peer: string, status: 'alive' | 'suspect', state: 'idle' | null) => ({
  peer,
  identity: hex('a'),
  store: null,
  status,
  rttMs: null,
  offer: state === null ? null : { state },
});
const view = { group: hex('1'), members: [member('p', 'alive', 'idle'), member('q', 'suspect', 'idle'), member('r', 'alive', null)] };

it('tells of the own group at once, and of what each of its members is up to', () => {
  const [own, ...others] = groupInfos(view as unknown as GroupView, undefined);
  expect(others).toEqual([]);
  expect(own).toMatchObject({ group: hex('1'), self: true, reachable: true, bridges: [], spareWorkers: 0 });
  expect(own!.members.map(({ peer, state }) => [peer, state])).toEqual([
    ['p', 'idle'],
    ['q', 'suspect'],
    ['r', 'unknown'],
  ]);
  expect(own!.members[0]!.name).toMatch(/^[a-z]+-[a-z]+$/);
});

it('tells of neighbours as they said last, and by which links', () => {
  const neighbour = {
    group: hex('2'),
    members: [
      { peer: 's', identity: hex('b'), store: null },
      { peer: 't', identity: hex('c'), store: null },
    ],
    states: ['in use'],
    bridges: [{ here: 'p', there: 's', since: 5 }],
    up: false,
    spareWorkers: 2,
    waitingFunctions: 7,
  };
  const around = { group: hex('1'), load: { spareWorkers: 1, waitingFunctions: 0 }, neighbours: [neighbour] };
  const [own, other] = groupInfos(view as unknown as GroupView, around as unknown as GroupsView);
  expect(own!.spareWorkers).toBe(1);
  expect(other).toMatchObject({
    group: hex('2'),
    self: false,
    reachable: false,
    members: [{ state: 'in use' }, { state: 'unknown' }],
    bridges: [{ here: 'p', there: 's' }],
    spareWorkers: 2,
    waitingFunctions: 7,
  });
});
