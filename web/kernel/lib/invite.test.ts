import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inviteFragment, networkTitleCharsMax, networkTitleOf, parseInvite } from './invite.ts';

const key = 'ab'.repeat(32);

test('an invite says what was written, whatever the network is called', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.string({ unit: 'grapheme', maxLength: 80 }), (bytes, text) => {
      const invite = { key: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''), name: networkTitleOf(text) };
      expect(parseInvite(inviteFragment(invite))).toEqual(invite);
    }),
  );
});

test.each(['', '#', '#main', '#joined', '?join=1', `join=${key}`])('%j is no invite', (fragment) => {
  expect(parseInvite(fragment)).toBeUndefined();
});

test.each(['#join=', `#join=${key.slice(1)}`, `#join=${key}0`, `#join=${'zz'.repeat(32)}`, '#join=&name=class'])(
  '%s is an invite that was damaged',
  (fragment) => {
    expect(parseInvite(fragment)).toBe('damaged');
  },
);

test('what a mail program adds to a link, capitals and a broken name do no harm', () => {
  expect(parseInvite(`#join=${key}.`)).toEqual({ key, name: '' });
  expect(parseInvite(`#join=${key.toUpperCase()}&name=a%20class&utm=1`)).toEqual({ key, name: 'a class' });
  expect(parseInvite(`#join=${key}&name=%E0%A4`)).toEqual({ key, name: '' });
});

test('a name is one short line that turns nothing around', () => {
  expect(networkTitleOf('  Class\n\t10b  ')).toBe('Class 10b');
  expect(networkTitleOf('a\u202Eb\u0000c')).toBe('a b c');
  expect(Array.from(networkTitleOf('🦦'.repeat(200)))).toHaveLength(networkTitleCharsMax);
});
