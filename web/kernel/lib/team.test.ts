import fc from 'fast-check';
import { expect, test } from 'vitest';
import { testDigest } from '../testing/test-crypto.ts';
import { bytesOfHex, hexOf } from './bytes.ts';
import { networkTitleOf } from './invite.ts';
import { parseTeam, teamFragment, teamMarkOf } from './team.ts';

const key = 'ab'.repeat(32);
const { sha256 } = testDigest;

test('a link says what was written, whatever the team is called and wherever it gives', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.string({ unit: 'grapheme', maxLength: 80 }),
      fc.constantFrom('public', 'cd'.repeat(32)),
      (bytes, text, network) => {
        const team = { key: hexOf(bytes), name: networkTitleOf(text), network };
        expect(parseTeam(teamFragment(team))).toEqual(team);
      },
    ),
  );
});

test.each(['', '#', '#main', `#join=${key}`, '#teams'])('%j leads to no team', (fragment) => {
  expect(parseTeam(fragment)).toBeUndefined();
});

test.each(['#team=', `#team=${key}`, `#team=${key.slice(1)}&in=public`, `#team=${key}&in=publi`, `#team=${key}&in=${key}0`])(
  '%s is a link that was damaged',
  (fragment) => {
    expect(parseTeam(fragment)).toBe('damaged');
  },
);

test('what a mail program adds to a link and a broken name do no harm', () => {
  expect(parseTeam(`#team=${key.toUpperCase()}&in=public.`)).toEqual({ key, network: 'public', name: '' });
  expect(parseTeam(`#team=${key}&in=public&name=%E0%A4`)).toEqual({ key, network: 'public', name: '' });
});

test('a mark is the same for whoever has the key, and another one for each member and each team', async () => {
  const [ann, bob] = ['01'.repeat(32), '02'.repeat(32)];
  const mark = await teamMarkOf(sha256, bytesOfHex(key), ann);
  expect(mark).toMatch(/^[0-9a-f]{32}$/);
  expect(await teamMarkOf(sha256, bytesOfHex(key), ann)).toBe(mark);
  expect(await teamMarkOf(sha256, bytesOfHex(key), bob)).not.toBe(mark);
  expect(await teamMarkOf(sha256, bytesOfHex('ac'.repeat(32)), ann)).not.toBe(mark);
});
