import { expect, test } from 'vitest';
import { introductionKind } from './introductions.ts';

const src = `${'a'.repeat(32)}-${'0'.repeat(16)}`;
const offer = {
  type: 'data',
  serialization: 'raw',
  reliable: true,
  connectionId: 'dc_abc123',
  sdp: { type: 'offer', sdp: 'v=0' },
  label: 'dc_abc123',
};

test('what an honest tab and the server send is named', () => {
  expect(introductionKind({ type: 'OFFER', src, dst: 'x', payload: offer })).toEqual({ kind: 'offer', from: src, connection: 'dc_abc123' });
  expect(
    introductionKind({ type: 'CANDIDATE', src, payload: { connectionId: 'dc_1', candidate: { candidate: 'candidate:1' } } }).kind,
  ).toBe('negotiation');
  expect(introductionKind({ type: 'ANSWER', src, payload: { connectionId: 'dc_1', sdp: { type: 'answer', sdp: '' } } }).kind).toBe(
    'negotiation',
  );
  expect(introductionKind({ type: 'EXPIRE', src })).toEqual({ kind: 'expired', from: src });
  expect(introductionKind({ type: 'OPEN' }).kind).toBe('server');
});

test('what would throw in PeerJS, stay in memory or close a good link is ignored', () => {
  const bad: unknown[] = [
    null,
    'text',
    [],
    {},
    { type: 'LEAVE', src },
    { type: 'OFFER', src },
    { type: 'OFFER', src: 'somebody', payload: offer },
    { type: 'OFFER', src, payload: { ...offer, type: 'media' } },
    { type: 'OFFER', src, payload: { ...offer, serialization: 'constructor' } },
    { type: 'OFFER', src, payload: { ...offer, reliable: false } },
    { type: 'OFFER', src, payload: { ...offer, connectionId: 'x'.repeat(65) } },
    { type: 'OFFER', src, payload: { ...offer, sdp: { type: 'offer', sdp: 'x'.repeat(20_000) } } },
    { type: 'ANSWER', src, payload: null },
    { type: 'CANDIDATE', src, payload: { connectionId: 'dc_1', candidate: 7 } },
    { type: 'ERROR' },
  ];
  for (const message of bad) expect(introductionKind(message)).toEqual({ kind: 'ignored' });
});
