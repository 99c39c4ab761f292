// What a neighbour that passes messages on can do to them: drop them, and nothing else.
import { expect, test } from 'vitest';
import { makePeerId, peerId, type PeerId } from '../lib/ids.ts';
import { encodeWire } from '../lib/wire-codec.ts';
import { networkContract } from '../protocol/contracts/network.ts';
import { encodeChunk, relaySignedBytes } from '../protocol/frame.ts';
import { MemoryNetwork } from '../testing/memory-transport.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { stranger } from '../testing/stranger.ts';
import { testDigest, testSigner } from '../testing/test-crypto.ts';
import { testKernel } from '../testing/test-kernel.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { ReplayWindow } from './replay-window.ts';

/** Ada, a neighbour who is a stranger to honesty, and what cyd, whom ada has no link to, has signed. */
async function setUp() {
  const clock = new VirtualClock();
  const net = new MemoryNetwork(clock, seededRandom('relay'));
  const ada = await clock.finish(testKernel({ name: 'ada', clock, transport: net.transport() }));
  const neighbour = await stranger('neighbour', clock, net, ada.self);
  const signer = testSigner('cyd');
  const cyd = makePeerId(signer.identity, new Uint8Array(8).fill(7));
  const signed = async (counter: number, more: { network?: string; to?: string; payload?: Uint8Array } = {}) => {
    const payload = more.payload ?? new Uint8Array(0);
    const buffers = payload.length > 0 ? [payload.length] : [];
    const hashes = payload.length > 0 ? [await testDigest.sha256(payload)] : [];
    const sealed = encodeWire({ frame: neighbour.request({ id: counter, buffers }), hashes });
    const address = { to: (more.to ?? ada.self.peer) as typeof cyd, from: cyd, counter, sealed };
    const signature = await signer.sign(relaySignedBytes(more.network ?? 'public', address));
    return { t: 'relay', ...address, identity: signer.identity as string, signature, buffers, transfer: 0 };
  };
  /** How many answers ada has sent back for cyd. */
  const answers = async () => {
    await clock.advance(20);
    return neighbour.heard().filter(({ t, to }) => t === 'relay' && to === cyd).length;
  };
  return { clock, ada, neighbour, signed, answers };
}

test('a message passed on is served once, whatever the order, and its repetition is dropped', async () => {
  const { neighbour, signed, answers } = await setUp();
  const [first, second] = [await signed(1), await signed(2)];
  neighbour.send(second);
  neighbour.send(first);
  expect(await answers()).toBe(2);
  neighbour.send(first);
  neighbour.send(second);
  expect(await answers()).toBe(2);
});

test.each<[string, (frame: Record<string, unknown>) => Record<string, unknown>]>([
  ['its counter', (frame) => ({ ...frame, counter: 99 })],
  [
    'its content',
    (frame) => ({ ...frame, sealed: Uint8Array.from(frame['sealed'] as Uint8Array, (byte, i) => (i === 40 ? byte ^ 1 : byte)) }),
  ],
  ['its signature', (frame) => ({ ...frame, signature: new Uint8Array(64) })],
  ['its identity', (frame) => ({ ...frame, identity: testSigner('mallory').identity })],
  ['its sender', (frame) => ({ ...frame, from: makePeerId(testSigner('cyd').identity, new Uint8Array(8).fill(8)) })],
])('a message of which the neighbour changed %s is dropped', async (_, change) => {
  const { neighbour, signed, answers, ada } = await setUp();
  neighbour.send(change(await signed(1)));
  expect(await answers()).toBe(0);
  expect(ada.reports.map(({ message }) => message).join()).toContain('A relayed message was dropped');
});

test('a message signed for another network or another tab is dropped', async () => {
  const { neighbour, signed, answers } = await setUp();
  neighbour.send(await signed(1, { network: 'class 7b' }));
  const elsewhere = await signed(2, { to: neighbour.peer });
  neighbour.send({ ...elsewhere, to: (await signed(3)).to });
  expect(await answers()).toBe(0);
});

test('buffers that were changed on the way are never used', async () => {
  const { neighbour, signed, answers, ada } = await setUp();
  const payload = Uint8Array.of(1, 2, 3, 4);
  const frame = await signed(1, { payload });
  neighbour.send({ ...frame, transfer: 1 });
  neighbour.link.data.send(encodeChunk({ transfer: 1, buffer: 0, offset: 0, payload: Uint8Array.of(1, 2, 3, 5) }));
  expect(await answers()).toBe(0);
  expect(ada.reports.at(-1)?.message).toContain('buffers were changed');
  neighbour.send({ ...frame, transfer: 2 });
  neighbour.link.data.send(encodeChunk({ transfer: 2, buffer: 0, offset: 0, payload }));
  expect(await answers()).toBe(1);
});

test("what is not the neighbour's own is not passed on: never more than one hop", async () => {
  const { clock, net, ada } = await (async () => {
    const clock = new VirtualClock();
    const net = new MemoryNetwork(clock, seededRandom('hops'));
    return { clock, net, ada: await clock.finish(testKernel({ name: 'ada', clock, transport: net.transport() })) };
  })();
  const near = await stranger('near', clock, net, ada.self);
  const target = await stranger('target', clock, net, ada.self);
  const frame = {
    t: 'relay',
    to: target.peer,
    identity: near.self.identity,
    counter: 5,
    sealed: new Uint8Array(3),
    signature: new Uint8Array(64),
    buffers: [],
    transfer: 0,
  };
  near.send({ ...frame, from: makePeerId(testSigner('far').identity, new Uint8Array(8)) });
  await clock.advance(20);
  expect(near.heard()).toContainEqual(expect.objectContaining({ t: 'unrelayed', counter: 5, code: 'refused' }));
  expect(target.heard().filter(({ t }) => t === 'relay')).toEqual([]);
  near.send({ ...frame, from: near.peer });
  await clock.advance(20);
  expect(target.heard().filter(({ t }) => t === 'relay')).toHaveLength(1);
});

test('a neighbour that has no link to the tab is no hop there until it says so again', async () => {
  const { clock, ada, neighbour } = await setUp();
  const cyd = makePeerId(testSigner('cyd').identity, new Uint8Array(8).fill(7));
  const relayed = () => neighbour.heard().filter(({ t }) => t === 'relay');
  const ask = () => void ada.bus.ask(networkContract, 'clock', 'get', {}, { peer: cyd, timeoutMs: 500 });
  const heard = async (count: number) => {
    ask();
    await clock.advance(600);
    expect(relayed()).toHaveLength(count);
  };
  neighbour.send({ t: 'neighbours', peers: [cyd], gone: [] });
  await clock.advance(20);
  await heard(1);
  neighbour.send({ t: 'unrelayed', counter: relayed()[0]!['counter'], code: 'unreachable', message: 'No link.' });
  await clock.advance(20);
  // Its time ran out before the neighbour said so.
  await heard(2);
  ask();
  await clock.advance(20);
  neighbour.send({ t: 'unrelayed', counter: relayed()[2]!['counter'], code: 'unreachable', message: 'No link.' });
  await clock.advance(20);
  await heard(3);
  neighbour.send({ t: 'neighbours', peers: [cyd], gone: [] });
  await clock.advance(20);
  await heard(4);
});

test('a neighbour passes on only so much a second, and says so', async () => {
  const { clock, ada, neighbour } = await setUp();
  const frame = {
    t: 'relay',
    to: ada.self.peer,
    from: neighbour.peer,
    identity: neighbour.self.identity,
    sealed: new Uint8Array(3),
    signature: new Uint8Array(64),
    buffers: [],
    transfer: 0,
  };
  for (let counter = 1; counter <= 1_200; counter++) neighbour.send({ ...frame, counter });
  await clock.advance(20);
  expect(neighbour.heard().filter(({ t, code }) => t === 'unrelayed' && code === 'overloaded').length).toBeGreaterThan(150);
});

test('a replay window takes each counter once, in any order within its width', () => {
  const window = new ReplayWindow(4);
  expect([3, 1, 3, 2, 6, 2, 5, 4, 6].map((counter) => window.take(counter))).toEqual([
    true,
    true,
    false,
    true,
    true,
    false,
    true,
    true,
    false,
  ]);
  for (let counter = 7; counter < 100; counter++) expect(window.take(counter)).toBe(true);
  expect(window.take(95)).toBe(false);
  expect(window.take(50)).toBe(false);
});

test('a tab that others lead to as well is told of by three of them, those with the lowest ids', async () => {
  const clock = new VirtualClock();
  const net = new MemoryNetwork(clock, seededRandom('ways'));
  const ada = await clock.finish(testKernel({ name: 'ada', clock, transport: net.transport() }));
  const lower = ['1', '2', '3'].map((digit) => peerId(`${'0'.repeat(32)}-${digit.repeat(16)}`));
  const higher = peerId(`${'f'.repeat(32)}-${'f'.repeat(16)}`);
  const eve = await stranger('eve', clock, net, ada.self);
  eve.send({ t: 'neighbours', peers: [...lower, higher], gone: [] });
  await clock.advance(3_000);
  const told = () => eve.heard().flatMap(({ t, peers }) => (t === 'neighbours' ? (peers as PeerId[]) : []));
  const met = async (name: string, neighbours: readonly PeerId[]) => {
    const other = await stranger(name, clock, net, ada.self);
    other.send({ t: 'neighbours', peers: [...neighbours], gone: [] });
    await clock.advance(3_000);
    return other.peer;
  };
  const led = await met('led', lower);
  expect(told()).not.toContain(led);
  const linked = await met('linked', [...lower.slice(1), eve.peer]);
  expect(told()).not.toContain(linked);
  const lonely = await met('lonely', [...lower.slice(1), higher]);
  expect(told()).toContain(lonely);
  // What else has changed is told with it, and everything after a while.
  expect(told()).toContain(led);
});
