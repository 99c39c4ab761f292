import { expect, test } from 'vitest';
import { nameOf } from '../../kernel/lib/names.ts';
import { becomingWords, headingOf, movingWords, titleOf } from './wording.ts';

const network = { network: 'abcdef01'.repeat(8), key: '00'.repeat(32), name: 'Class 10b' };

test('a network is called as somebody called it, or by its key', () => {
  expect([titleOf(null), titleOf(network), titleOf({ ...network, name: '' })]).toEqual([
    'the public network',
    'Class 10b',
    'network abcdef01',
  ]);
});

test('the heading says who one is and where', () => {
  expect([headingOf(null, null), headingOf('calm otter', null), headingOf('calm otter', network)]).toEqual([
    'This browser is in the public network',
    'You are calm otter, in the public network',
    'You are calm otter, in Class 10b',
  ]);
});

test('before one becomes somebody else one hears what becomes of one’s jobs and key', () => {
  const [from, to] = ['12'.repeat(32), '34'.repeat(32)] as const;
  expect(becomingWords(from, to, 0)[0]).toContain(`are ${nameOf(to)} from then on`);
  expect(becomingWords(from, to, 0)[1]).toContain(`Jobs of ${nameOf(from)} and their results stay in the network until they expire`);
  expect(becomingWords(from, to, 1)[1]).toContain(`1 job of ${nameOf(from)} is not finished. It goes on without you`);
  expect(becomingWords(from, to, 3)[1]).toContain(`3 jobs of ${nameOf(from)} are not finished. They go on without you`);
  expect(becomingWords(from, to, 3)[2]).toContain(`The key of ${nameOf(from)} stays in this browser`);
});

test('before one moves one hears what stays behind, and that donating is asked anew', () => {
  expect(movingWords(null, network, true).join(' ')).toContain(
    'It donates to the public network now, and that stops. Whether it donates to Class 10b is a choice of its own.',
  );
  expect(movingWords(network, null, false).at(-1)).toBe('Whether it donates to the public network is a choice of its own.');
});
