import { expect, test } from 'vitest';
import { equalBytes } from '../lib/bytes.ts';
import { groupId, makePeerId, type PeerId } from '../lib/ids.ts';
import type { Outcome } from '../lib/outcome.ts';
import { decodeWire, encodeWire } from '../lib/wire-codec.ts';
import type { Link, Platform, Signer } from '../platform.ts';
import { pieceLast } from '../protocol/frame.ts';
import { hmacSha256 } from '../lib/hmac.ts';
import { macBytes, proofBytes } from '../protocol/hello.ts';
import type { Self } from '../service.ts';
import { MemoryNetwork } from '../testing/memory-transport.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { testDigest, testSigner } from '../testing/test-crypto.ts';
import { testPlatform } from '../testing/test-kernel.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { handshake, type HandshakeOptions, type Proven } from './handshake.ts';

interface Tab {
  readonly platform: Platform;
  readonly self: Self;
}

const plain: HandshakeOptions = { bindings: ['msgpack'], store: null, admits: () => undefined };

/** Two tabs and a fresh link between them: the first dialled. */
async function setUp(networks: readonly [string, string] = ['public', 'public']) {
  const clock = new VirtualClock();
  const net = new MemoryNetwork(clock, seededRandom('handshake'));
  const tab = (name: string, network: string): Tab => {
    const { platform } = testPlatform({ name, clock, transport: net.transport() });
    const { identity } = platform.signer;
    return {
      platform,
      self: { identity, network, peer: makePeerId(identity, platform.random.bytes(8)), group: () => groupId('0'.repeat(32)) },
    };
  };
  const ada = tab('ada', networks[0]);
  const bob = tab('bob', networks[1]);
  await ada.platform.transport.start(ada.self.peer, () => undefined);
  let accepted: ((link: Link) => void) | undefined;
  await bob.platform.transport.start(bob.self.peer, (link) => accepted?.(link));
  const connect = async (): Promise<[Link, Link]> => {
    const far = new Promise<Link>((resolve) => (accepted = resolve));
    const near = await clock.finish(ada.platform.transport.dial(bob.self.peer));
    if (!near.ok) throw new Error(near.fault.message);
    return [near.value, await far];
  };
  const shake = (link: Link, { platform, self }: Tab, options: Partial<HandshakeOptions> = {}) =>
    handshake(link, platform, self, { ...plain, ...options });
  return { clock, ada, bob, connect, shake };
}

const both = <T>(clock: VirtualClock, a: Promise<T>, b: Promise<T>) => clock.finish(Promise.all([a, b]));
const faultOf = (outcome: Outcome<Proven>) => (outcome.ok ? 'proven' : `${outcome.fault.code}: ${outcome.fault.message}`);
const sent = (tree: unknown) => Uint8Array.from([pieceLast, ...encodeWire(tree)]);

/** A hello as `signer` would say it over `link`, with whatever lies are wanted. */
async function hello(link: Link, signer: Signer, self: Self, lies: Record<string, unknown> = {}, to: PeerId = link.remote) {
  const bytes = encodeWire({
    v: 1,
    vMin: 1,
    network: self.network,
    peer: self.peer,
    identity: self.identity,
    store: null,
    bindings: ['msgpack'],
    ...lies,
  });
  return sent({
    t: 'hello',
    hello: bytes,
    proof: await signer.sign(proofBytes(link.binding, link.dialled ? 'dialler' : 'dialled', self.peer, to, bytes)),
  });
}

test('each side learns who the other is, and they agree on version and binding', async () => {
  const { clock, ada, bob, connect, shake } = await setUp();
  const [near, far] = await connect();
  const [a, b] = await both(
    clock,
    shake(near, ada, { bindings: ['soap', 'msgpack'] }),
    shake(far, bob, { bindings: ['msgpack', 'soap'], versions: { v: 2, vMin: 1 } }),
  );
  expect(a).toMatchObject({ ok: true, value: { peer: bob.self.peer, identity: bob.self.identity, binding: 'soap', version: 1 } });
  expect(b).toMatchObject({ ok: true, value: { peer: ada.self.peer, identity: ada.self.identity, binding: 'soap', version: 1 } });
});

test('what comes before the handshake is done is kept, in order', async () => {
  const { clock, ada, bob, connect, shake } = await setUp();
  const [near, far] = await connect();
  near.control.send(await hello(near, ada.platform.signer, ada.self));
  for (const i of [1, 2, 3]) near.control.send(Uint8Array.of(i));
  near.data.send(Uint8Array.of(9));
  const proven = await clock.finish(shake(far, bob));
  if (!proven.ok) throw new Error(proven.fault.message);
  await clock.advance(10);
  const came: number[] = [];
  proven.value.listen(
    (message) => came.push(message[0]!),
    (message) => came.push(message[0]!),
  );
  near.control.send(Uint8Array.of(4));
  await clock.advance(10);
  expect(came).toEqual([1, 2, 3, 9, 4]);
});

test('another network is refused on both sides', async () => {
  const { clock, ada, bob, connect, shake } = await setUp(['public', 'class 7b']);
  const [near, far] = await connect();
  const outcomes = await both(clock, shake(near, ada), shake(far, bob));
  expect(outcomes.map(faultOf)).toEqual(Array(2).fill('refused: The other tab belongs to another network.'));
});

test('without a version in common both sides say so in words a person understands', async () => {
  const { clock, ada, bob, connect, shake } = await setUp();
  const [near, far] = await connect();
  const [a, b] = await both(clock, shake(near, ada), shake(far, bob, { versions: { v: 3, vMin: 2 } }));
  expect(faultOf(a!)).toBe(
    'refused: The other tab speaks another protocol version (2 to 3; this one speaks 1). Reload this page to get the newer version.',
  );
  expect(faultOf(b!)).toBe(
    'refused: The other tab speaks another protocol version (1; this one speaks 2 to 3). The other tab is older: it should be reloaded.',
  );
});

test('a far side that refuses first is heard, not mistaken for a broken link', async () => {
  const { clock, ada, bob, connect, shake } = await setUp();
  const [near, far] = await connect();
  far.control.send(sent({ t: 'bye', code: 'version', sentence: 'anything at all' }));
  expect(faultOf(await clock.finish(shake(near, ada)))).toBe(
    'refused: The other tab speaks another protocol version. One of the two should be reloaded.',
  );
  expect(bob.self.peer).toBe(near.remote);
});

test('a hello made for one link is worth nothing on another', async () => {
  const { clock, ada, bob, connect, shake } = await setUp();
  const [first] = await connect();
  const recorded = await hello(first, ada.platform.signer, ada.self);
  const [second, far] = await connect();
  expect(equalBytes(first.binding, second.binding)).toBe(false);
  second.control.send(recorded);
  expect(faultOf(await clock.finish(shake(far, bob)))).toBe('refused: The other tab could not prove who it is.');
});

test('a hello sent back to its maker is refused', async () => {
  const { clock, ada, connect, shake } = await setUp();
  const [near, far] = await connect();
  far.control.onMessage((message) => far.control.send(message));
  expect(faultOf(await clock.finish(shake(near, ada)))).toBe('refused: The other tab is not who it was called by.');
});

test.each<[string, (ada: Tab, link: Link) => Promise<Uint8Array>]>([
  ['the identity of somebody else', (ada, link) => hello(link, testSigner('mallory'), ada.self)],
  [
    'an identity its peer id does not belong to',
    (ada, link) => hello(link, testSigner('mallory'), ada.self, { identity: testSigner('mallory').identity }),
  ],
  [
    'another peer id than it dialled with',
    (ada, link) => hello(link, ada.platform.signer, { ...ada.self, peer: makePeerId(ada.self.identity, new Uint8Array(8)) }),
  ],
  [
    'a proof meant for a third tab',
    (ada, link) => hello(link, ada.platform.signer, ada.self, {}, makePeerId(testSigner('cyd').identity, new Uint8Array(8))),
  ],
])('a tab that comes with %s is refused', async (_, lie) => {
  const { clock, ada, bob, connect, shake } = await setUp();
  const [near, far] = await connect();
  near.control.send(await lie(ada, near));
  const reasons = ['refused: The other tab could not prove who it is.', 'refused: The other tab is not who it was called by.'];
  expect(reasons).toContain(faultOf(await clock.finish(shake(far, bob))));
});

test.each<[string, Uint8Array]>([
  ['nothing', new Uint8Array(0)],
  ['noise', Uint8Array.of(0, 193, 7, 7)],
  ['a piece of a hello', Uint8Array.of(1, 1)],
  ['a hello without a version', sent({ t: 'hello', hello: encodeWire({ peer: 'me' }), proof: new Uint8Array(64) })],
  ['a hello with fields of its own', sent({ t: 'hello', hello: encodeWire({ v: 1, vMin: 1, admin: true }), proof: new Uint8Array(64) })],
  ['a request', sent({ t: 'request', id: 1 })],
])('%s instead of a hello is refused as malformed', async (_, message) => {
  const { clock, bob, connect, shake } = await setUp();
  const [near, far] = await connect();
  near.control.send(message);
  expect(faultOf(await clock.finish(shake(far, bob)))).toMatch(/^malformed: The other tab does not speak Lull's protocol/);
});

test('a far side that says nothing, floods or goes away ends the handshake in time', async () => {
  const { clock, bob, connect, shake } = await setUp();
  const [, silent] = await connect();
  expect(faultOf(await clock.finish(shake(silent, bob)))).toMatch(/^too-late/);
  const [flooding, flooded] = await connect();
  for (let i = 0; i < 30; i++) flooding.data.send(new Uint8Array(200_000));
  expect(faultOf(await clock.finish(shake(flooded, bob)))).toMatch(/^overloaded/);
  const [leaving, left] = await connect();
  const pending = shake(left, bob);
  leaving.close();
  expect(faultOf(await clock.finish(pending))).toMatch(/^unreachable/);
});

test('the security manager has the last word, and the far side is told', async () => {
  const { clock, ada, bob, connect, shake } = await setUp();
  const [near, far] = await connect();
  const heard: unknown[] = [];
  near.control.onMessage((message) => heard.push(decodeWire(message.subarray(1))));
  near.control.send(await hello(near, ada.platform.signer, ada.self));
  expect(faultOf(await clock.finish(shake(far, bob, { admits: () => 'This identity may not take part here.' })))).toBe(
    'refused: This identity may not take part here.',
  );
  await clock.advance(10);
  expect(heard.at(-1)).toMatchObject({ t: 'bye', code: 'refused' });
});

const networkKey = new Uint8Array(32).fill(7);
const privateNetwork = ['a'.repeat(64), 'a'.repeat(64)] as const;

/** A whole hello with a MAC by `key`, as `self` would say it over `link` if it were the far side's role. */
async function keyedHello(
  link: Link,
  { platform, self }: Tab,
  key: Uint8Array,
  role: 'dialler' | 'dialled' = link.dialled ? 'dialler' : 'dialled',
) {
  const plainHello = decodeWire((await hello(link, platform.signer, self)).subarray(1)) as { hello: Uint8Array };
  const mac = await hmacSha256(testDigest.sha256, key, macBytes(link.binding, role, self.peer, link.remote, plainHello.hello));
  return sent({ ...plainHello, mac });
}

test('in a private network two tabs that have its key find each other', async () => {
  const { clock, ada, bob, connect, shake } = await setUp(privateNetwork);
  const [near, far] = await connect();
  const [a, b] = await both(clock, shake(near, ada, { networkKey }), shake(far, bob, { networkKey }));
  expect(a).toMatchObject({ ok: true, value: { peer: bob.self.peer } });
  expect(b).toMatchObject({ ok: true, value: { peer: ada.self.peer } });
});

const noKey = 'refused: The other tab could not show that it has the key of this network.';

test.each<[string, Uint8Array | undefined]>([
  ['another key', new Uint8Array(32).fill(8)],
  ['no key', undefined],
])('who calls itself of a private network and has %s is refused, whoever dialled', async (_, theirs) => {
  const { clock, ada, bob, connect, shake } = await setUp(privateNetwork);
  const [near, far] = await connect();
  const [, b] = await both(clock, shake(near, ada, { networkKey: theirs }), shake(far, bob, { networkKey }));
  expect(faultOf(b!)).toBe(noKey);
  const [second, other] = await connect();
  const [a] = await both(clock, shake(second, ada, { networkKey }), shake(other, bob, { networkKey: theirs }));
  expect(faultOf(a!)).toMatch(/^refused/);
});

test('who is dialled in a private network says nothing about itself to one without the key', async () => {
  const { clock, ada, bob, connect, shake } = await setUp(privateNetwork);
  const [near, far] = await connect();
  const heard: unknown[] = [];
  near.control.onMessage((message) => heard.push(decodeWire(message.subarray(1))));
  near.control.send(await keyedHello(near, ada, new Uint8Array(32)));
  expect(faultOf(await clock.finish(shake(far, bob, { networkKey })))).toBe(noKey);
  await clock.advance(10);
  expect(heard).toEqual([{ t: 'bye', code: 'network', sentence: expect.any(String) }]);
});

test('the MAC of one link is worth nothing on another, nor in the other role', async () => {
  const { clock, ada, bob, connect, shake } = await setUp(privateNetwork);
  const [first] = await connect();
  const recorded = decodeWire((await keyedHello(first, ada, networkKey)).subarray(1)) as { mac: Uint8Array };
  const [second, far] = await connect();
  // A proof for this link, by whoever took the identity; but the key was never theirs.
  const fresh = decodeWire((await hello(second, ada.platform.signer, ada.self)).subarray(1)) as object;
  second.control.send(sent({ ...fresh, mac: recorded.mac }));
  expect(faultOf(await clock.finish(shake(far, bob, { networkKey })))).toBe(noKey);
  const [third, thirdFar] = await connect();
  third.control.send(await keyedHello(third, ada, networkKey, 'dialled'));
  expect(faultOf(await clock.finish(shake(thirdFar, bob, { networkKey })))).toBe(noKey);
});
