import { expect, it } from 'vitest';
import { identityId, makePeerId } from '../../kernel/lib/ids.ts';
import type { MemberStanding, Standing } from '../../sdk/types.ts';
import { doingOf, nobodyWorks, queueSentence } from './standing-words.ts';

const identity = identityId('1'.repeat(64));
const member: MemberStanding = {
  peer: makePeerId(identity, new Uint8Array(8)),
  identity,
  name: 'teal-heron',
  self: false,
  answered: true,
  allocated: true,
  claimed: 0,
  runs: [],
  why: 'It works on other jobs.',
};
const standing: Standing = { members: [member], constraints: [], sentence: '', waiting: 3, claimed: 0, lentItems: 0 };
const runs = [
  { range: [0, 20] as const, items: 20, finished: 4 },
  { range: [20, 40] as const, items: 20, finished: 10 },
];

it('a member runs parts, has some, does nothing for a reason, or says nothing', () => {
  expect(doingOf({ ...member, runs, claimed: 3 })).toEqual({
    tone: 'tide',
    word: 'runs 2 parts',
    more: '14 of 40 items done, 1 more part claimed ahead',
  });
  expect(doingOf({ ...member, claimed: 1 }).word).toBe('has 1 part');
  expect(doingOf(member)).toEqual({ tone: 'mute', word: 'nothing', more: 'It works on other jobs.' });
  expect(doingOf({ ...member, answered: false, why: 'It has not answered.' })).toMatchObject({ tone: 'coral', word: 'silent' });
});

it('the queue is summed up in a sentence', () => {
  expect(queueSentence(standing)).toBe("Nobody works on it. 3 parts wait in this group's queue, 0 are claimed.");
  expect(queueSentence({ ...standing, members: [{ ...member, claimed: 2 }, member], waiting: 1, claimed: 1, lentItems: 200 })).toBe(
    "1 of 2 members works on it. 1 part waits in this group's queue, 1 is claimed. 200 items are lent between groups.",
  );
});

it('nobody works on it only where nothing is claimed by anybody', () => {
  expect(nobodyWorks(standing)).toBe(true);
  expect(nobodyWorks({ ...standing, claimed: 1 })).toBe(false);
  expect(nobodyWorks({ ...standing, members: [{ ...member, claimed: 1 }] })).toBe(false);
});
