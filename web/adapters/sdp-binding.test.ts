import { expect, test } from 'vitest';
import { hexOf } from '../kernel/lib/bytes.ts';
import { bindingOf, fingerprintOf } from './sdp-binding.ts';

const line = (byte: string, hash = 'sha-256') =>
  `a=fingerprint:${hash} ${Array.from({ length: 32 }, () => byte.toUpperCase()).join(':')}\r\n`;
const sdp = (...lines: string[]) => `v=0\r\n${lines.join('')}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n`;

test('both sides get the same bytes from the same two certificates', () => {
  const [a, b] = [sdp(line('0a')), sdp(line('ff'))];
  expect(hexOf(bindingOf(a, b)!)).toBe('0a'.repeat(32) + 'ff'.repeat(32));
  expect(bindingOf(b, a)).toEqual(bindingOf(a, b));
});

test('a fingerprint named twice is one; two, a weaker hash, none, or damaged digits are refused', () => {
  expect(fingerprintOf(sdp(line('0a'), line('0A')))).toBeDefined();
  for (const bad of [sdp(line('0a'), line('0b')), sdp(line('0a', 'sha-1')), sdp(), sdp('a=fingerprint:sha-256 0A:0B\r\n')]) {
    expect(fingerprintOf(bad)).toBeUndefined();
    expect(bindingOf(bad, sdp(line('0c')))).toBeUndefined();
  }
});

test('a far side that shows our own certificate is refused', () => {
  expect(bindingOf(sdp(line('0a')), sdp(line('0a')))).toBeUndefined();
});
