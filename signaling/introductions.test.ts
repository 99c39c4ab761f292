import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { introductionToken } from '../web/kernel/protocol/directory.ts';
import { Client, join, meet, testPeer, tokenOf, until } from './testing/client.ts';
import { serverUnderTest, type ServerUnderTest } from './testing/server-under-test.ts';

let server: ServerUnderTest;
beforeEach(async () => {
  server = await serverUnderTest();
});
afterEach(() => server.close());

const type = (name: string) => (frame: { type?: string }) => frame.type === name;
const open = async (...args: Parameters<typeof meet>) => {
  const client = await meet(...args);
  await client.nextWhere(type('OPEN'), 'OPEN');
  return client;
};

describe('the embedded PeerServer', () => {
  test('carries an offer to the peer it is for, from the one it is from', async () => {
    const [ann, ben] = [testPeer(), testPeer()];
    const [a, b] = [await open(server.wsUrl, ann), await open(server.wsUrl, ben)];
    a.send({ type: 'OFFER', src: 'somebody else', dst: ben.peer, payload: { sdp: { type: 'offer', sdp: 'v=0' } } });
    expect(await b.nextWhere(type('OFFER'), 'the offer')).toEqual({
      type: 'OFFER',
      src: ann.peer,
      dst: ben.peer,
      payload: { sdp: { type: 'offer', sdp: 'v=0' } },
    });
  });

  test('lets nobody but its owner have an id, not even while the owner is away', async () => {
    const [ann, eve] = [testPeer(), testPeer()];
    const tokens = [
      '',
      'x',
      tokenOf(eve),
      introductionToken(ann.identity, '00'.repeat(64)),
      introductionToken(eve.identity, tokenOf(ann).slice(65)),
    ];
    for (const token of tokens) {
      const squatter = await meet(server.wsUrl, ann, token);
      await squatter.nextWhere(type('ERROR'), 'the refusal');
      expect(await squatter.closed).toBe(4000);
    }
    await open(server.wsUrl, ann);
  });

  test('gives a returning owner its id at once, though the old socket has not closed', async () => {
    const [ann, ben] = [testPeer(), testPeer()];
    const old = await open(server.wsUrl, ann);
    const again = await open(server.wsUrl, ann);
    expect(await old.closed).toBe(4001);
    const b = await open(server.wsUrl, ben);
    b.send({ type: 'OFFER', dst: ann.peer, payload: {} });
    await again.nextWhere(type('OFFER'), 'the offer');
  });

  test('tells the caller when nobody is there', async () => {
    const [ann, ben] = [testPeer(), testPeer()];
    const full = await serverUnderTest({ absentByteRate: { burst: 200, perSecond: 0 } });
    try {
      const a = await open(full.wsUrl, ann);
      // The first is kept for a while, in case the other comes back; past the room for such, the answer is immediate.
      a.send({ type: 'OFFER', dst: ben.peer, payload: { a: 'x'.repeat(60) } });
      a.send({ type: 'OFFER', dst: ben.peer, payload: { b: 'x'.repeat(60) } });
      expect(await a.nextWhere(type('EXPIRE'), 'EXPIRE')).toEqual({ type: 'EXPIRE', src: ben.peer, dst: ann.peer });
      const b = await open(full.wsUrl, ben);
      expect(await b.nextWhere(type('OFFER'), 'the kept offer')).toMatchObject({ src: ann.peer, payload: { a: 'x'.repeat(60) } });
    } finally {
      await full.close();
    }
  });

  test.each([
    ['text that is not JSON', 'not JSON at all'],
    ['null', 'null'],
    ['a made-up type', { type: 'EXPIRE', dst: testPeer().peer }],
    ['no receiver', { type: 'OFFER', payload: {} }],
    ['a binary frame', Buffer.from([1, 2, 3])],
    [
      'nesting that would throw further on',
      `{"type":"OFFER","dst":"${testPeer().peer}","payload":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`,
    ],
    ['a frame past its size', 'x'.repeat(70_000)],
  ])('cuts who sends %s, and goes on for the others', async (_what, frame) => {
    const [ann, ben, eve] = [testPeer(), testPeer(), testPeer()];
    const [a, b, e] = [await open(server.wsUrl, ann), await open(server.wsUrl, ben), await open(server.wsUrl, eve)];
    e.send(frame);
    await e.closed;
    a.send({ type: 'HEARTBEAT' });
    a.send({ type: 'ANSWER', dst: ben.peer, payload: {} });
    await b.nextWhere(type('ANSWER'), 'the answer');
    expect(a.isClosed).toBe(false);
  });

  test('is not there for other paths, and hands out no ids', async () => {
    await expect(Client.open(`${server.wsUrl}/peerjs`)).rejects.toThrow('refused with 404');
    expect((await server.get('/peerjs/peerjs/id')).status).toBe(404);
    expect((await server.get('/peerjs/peerjs/peers')).status).toBe(404);
  });

  test('forgets a peer when it goes, whatever the directory knows', async () => {
    const ann = testPeer();
    const a = await open(server.wsUrl, ann);
    await join(server.wsUrl, ann);
    a.vanish();
    await until(async () => (await server.metric('lull_sockets{endpoint="introductions"}')) === 0, 'the socket is gone');
    expect(await server.metric('lull_peers')).toBe(1);
    await open(server.wsUrl, ann);
  });
});
