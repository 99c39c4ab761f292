import { expect, test } from 'vitest';
import { testDigest } from '../testing/test-crypto.ts';
import { bytesOfHex, hexOf } from './bytes.ts';
import { hmacSha256 } from './hmac.ts';

const text = (words: string) => new TextEncoder().encode(words);

test.each<[string, Uint8Array, Uint8Array, string]>([
  ['1', new Uint8Array(20).fill(0x0b), text('Hi There'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  ['2', text('Jefe'), text('what do ya want for nothing?'), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
  ['3', new Uint8Array(20).fill(0xaa), new Uint8Array(50).fill(0xdd), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
  [
    '6, a key longer than a block',
    new Uint8Array(131).fill(0xaa),
    text('Test Using Larger Than Block-Size Key - Hash Key First'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
])('RFC 4231, test case %s', async (_, key, message, mac) => {
  expect(hexOf(await hmacSha256(testDigest.sha256, key, message))).toBe(mac);
});

test('it depends on every byte of the key', async () => {
  const key = bytesOfHex('00'.repeat(32));
  const bent = key.slice();
  bent[31] = 1;
  expect(await hmacSha256(testDigest.sha256, key, text('x'))).not.toEqual(await hmacSha256(testDigest.sha256, bent, text('x')));
});
