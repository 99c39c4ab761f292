import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Limits } from './limits.ts';
import { Client, join, meet, testPeer, until, within } from './testing/client.ts';
import { serverUnderTest, type ServerUnderTest } from './testing/server-under-test.ts';

let server: ServerUnderTest;
const start = async (limits: Partial<Limits> = {}, options = {}) => (server = await serverUnderTest(limits, options));
afterEach(() => server.close());

const refusals = (reason: string) => server.metric(`lull_refusals_total{reason="${reason}"}`);

/** A bare TCP connection; `ended` resolves with all that the server said. */
function raw(port: number, text: string): { socket: Socket; ended: Promise<string> } {
  const socket = connect(port, '127.0.0.1', () => socket.write(text));
  let said = '';
  socket.on('data', (chunk) => (said += chunk.toString()));
  socket.on('error', () => undefined);
  return { socket, ended: new Promise((resolve) => socket.on('close', () => resolve(said))) };
}

describe('the limits', () => {
  test('a flood to the directory is cut while others are served', async () => {
    await start();
    const flooder = await Client.open(`${server.wsUrl}/directory`);
    const member = await join(server.wsUrl, testPeer());
    const other = await join(server.wsUrl, testPeer());
    // A member may say needless things, but not many.
    for (let i = 0; i < 200; i++) member.client.send('{}');
    for (let i = 0; i < 200; i++) flooder.send('x'.repeat(3_000));
    await within(Promise.all([flooder.closed, member.client.closed]), 4_000, 'the cut');
    await other.client.next('left');
    await join(server.wsUrl, testPeer());
    expect(await refusals('frames')).toBeGreaterThanOrEqual(1);
  });

  test('a flood to PeerServer is cut, by frames and by bytes, while others are served', async () => {
    await start();
    const [ann, ben, eve, mallory] = [testPeer(), testPeer(), testPeer(), testPeer()];
    const [a, b, e, m] = [
      await meet(server.wsUrl, ann),
      await meet(server.wsUrl, ben),
      await meet(server.wsUrl, eve),
      await meet(server.wsUrl, mallory),
    ];
    for (let i = 0; i < 3_000; i++) e.send({ type: 'HEARTBEAT' });
    for (let i = 0; i < 200; i++) m.send({ type: 'OFFER', dst: eve.peer, payload: { filler: 'x'.repeat(60_000) } });
    a.send({ type: 'OFFER', dst: ben.peer, payload: {} });
    await b.nextWhere((frame) => frame.type === 'OFFER', 'the offer');
    await within(Promise.all([e.closed, m.closed]), 4_000, 'the cut');
    expect(await refusals('frames')).toBe(1);
    expect(await refusals('bytes')).toBe(1);
  });

  test('pings count as frames', async () => {
    await start({ directoryFrameRate: { burst: 10, perSecond: 1 } });
    const pinger = await Client.open(`${server.wsUrl}/directory`);
    for (let i = 0; i < 50; i++) pinger.socket.ping();
    await within(pinger.closed, 4_000, 'the cut');
    expect(await refusals('frames')).toBe(1);
  });

  test('a frame longer than allowed ends only its own socket', async () => {
    await start();
    const member = await join(server.wsUrl, testPeer());
    const other = await Client.open(`${server.wsUrl}/directory`);
    other.send('x'.repeat(5_000));
    await within(other.closed, 4_000, 'the cut');
    expect(await refusals('frame-size')).toBe(1);
    expect(member.client.isClosed).toBe(false);
  });

  test('bytes that are no WebSocket frame end only their own socket', async () => {
    await start();
    const member = await join(server.wsUrl, testPeer());
    const handshake =
      'GET /directory HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    const { socket, ended } = raw(server.port, handshake);
    await new Promise((resolve) => socket.once('data', resolve));
    socket.write(Buffer.alloc(2_000, 0xff));
    await within(ended, 4_000, 'the cut');
    expect(await refusals('malformed')).toBe(1);
    expect(member.client.isClosed).toBe(false);
  });

  test('who answers no pings is cut, and the group hears of it', async () => {
    await start({ pingEveryMs: 60 });
    const [ann, ben] = [testPeer(), testPeer()];
    const witness = await join(server.wsUrl, ann);
    const frozen = await join(server.wsUrl, ben);
    // The connection stays, and nobody reads from it: what a lost network looks like.
    (frozen.client.socket as unknown as { _socket: Socket })._socket.pause();
    expect(await witness.client.next('left')).toEqual({ type: 'left', peer: ben.peer });
    expect(await refusals('half-open')).toBe(1);
    expect(witness.client.isClosed).toBe(false);
  });

  test('an address has only so many sockets, and gets room again when one closes', async () => {
    await start({ socketsPerAddressMax: 2 });
    const first = await Client.open(`${server.wsUrl}/directory`);
    await Client.open(`${server.wsUrl}/directory`);
    await expect(Client.open(`${server.wsUrl}/directory`)).rejects.toThrow('refused with 429');
    first.close();
    await until(async () => (await server.metric('lull_sockets{endpoint="directory"}')) === 1, 'one socket is left');
    await Client.open(`${server.wsUrl}/directory`);
    expect(await refusals('sockets-address')).toBe(1);
  });

  test('behind a trusted proxy the address is the one that the proxy wrote last', async () => {
    await start({ socketsPerAddressMax: 1 }, { trustProxy: true });
    const from = (forwarded: string) => Client.open(`${server.wsUrl}/directory`, { headers: { 'X-Forwarded-For': forwarded } });
    await from('10.0.0.9, 192.0.2.1');
    await from('192.0.2.2');
    await expect(from('10.0.0.8, 192.0.2.1')).rejects.toThrow('refused with 429');
  });

  test('the server has only so many sockets in all', async () => {
    await start({ socketsMax: 1 });
    await Client.open(`${server.wsUrl}/directory`);
    await expect(meet(server.wsUrl, testPeer())).rejects.toThrow('refused with 503');
  });

  test('pages of other sites may not connect, unless named', async () => {
    await start({}, { origins: ['https://lab.example'] });
    const from = (origin: string) => Client.open(`${server.wsUrl}/directory`, { origin });
    await expect(from('https://evil.example')).rejects.toThrow('refused with 403');
    await expect(from('null')).rejects.toThrow('refused with 403');
    await from(`http://127.0.0.1:${server.port}`);
    await from('https://lab.example');
  });

  test('an address has only so many connections', async () => {
    await start({ connectionsPerAddressMax: 3 });
    const held = Array.from({ length: 3 }, () => raw(server.port, 'GET / HTTP/1.1\r\n'));
    await Promise.all(held.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))));
    expect(await within(raw(server.port, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n').ended, 4_000, 'the end')).toBe('');
    for (const { socket } of held) socket.destroy();
    await until(async () => (await refusals('connections-address').catch(() => 0)) >= 1, 'the refusal is counted');
  });

  test('a connection opened ahead of need and never used is closed without a word', async () => {
    await start({ headersMs: 200 });
    expect(await within(raw(server.port, '').ended, 4_000, 'the end')).toBe('');
  });

  test('who sends its headers slowly is answered 408 and dropped', async () => {
    await start({ headersMs: 200 });
    const said = await within(raw(server.port, 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ').ended, 4_000, 'the end');
    expect(said).toMatch(/^HTTP\/1\.1 408 /);
    expect((await server.get('/health')).status).toBe(200);
  });

  test('huge headers and garbage are refused, and the server goes on', async () => {
    await start();
    for (const text of [
      `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`,
      '\0\x01garbage\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
    ]) {
      expect(await within(raw(server.port, text).ended, 4_000, 'the end')).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect((await server.get('/health')).status).toBe(200);
  });

  test('one connection may ask only so often', async () => {
    await start({ requestRate: { burst: 3, perSecond: 0 } });
    const request = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
    const said = await within(raw(server.port, request.repeat(5)).ended, 4_000, 'the end');
    expect(said.match(/HTTP\/1\.1 \d+/g)?.slice(0, 4)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 429']);
  });

  test('an upgrade that is no WebSocket handshake is refused', async () => {
    await start();
    const said = await within(
      raw(server.port, 'GET /directory HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n').ended,
      4_000,
      'the end',
    );
    expect(said).toMatch(/^HTTP\/1\.1 4\d\d /);
  });
});
