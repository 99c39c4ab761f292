// What every Transport must do. Both ends are in one realm, so that both can be looked at.
import { peerId, type PeerId } from '../lib/ids.ts';
import type { Outcome } from '../lib/outcome.ts';
import type { Channel, Link, Transport } from '../platform.ts';
import { equal, holds, type SuiteApi, type Until } from './contract-suite.ts';

export interface TransportUnderTest {
  /** Not started. */
  readonly near: Transport;
  readonly far: Transport;
  readonly nearPeer: PeerId;
  readonly farPeer: PeerId;
  /** Nobody listens there. */
  readonly absentPeer: PeerId;
  readonly until: Until;
  dispose(): void;
}

/** Two transports of one network that moves when `clock` does, under made-up ids. */
export function onClock(near: Transport, far: Transport, clock: { readonly until: Until }): TransportUnderTest {
  const peer = (digit: string) => peerId(`${digit.repeat(32)}-${'0'.repeat(16)}`);
  const until: Until = (condition, ms, what) => clock.until(condition, ms, what);
  return { near, far, nearPeer: peer('a'), farPeer: peer('b'), absentPeer: peer('c'), until, dispose: () => undefined };
}

interface Linked extends TransportUnderTest {
  readonly link: Link;
  readonly inbound: Link;
  readonly inboundAll: Link[];
}

const value = <T>(outcome: Outcome<T>): T => {
  if (outcome.ok) return outcome.value;
  throw new Error(`a fault: ${outcome.fault.code}: ${outcome.fault.message}`);
};
/** So long at most does one step of a real network take here. */
const stepMs = 10_000;

export function transportContract({ test }: SuiteApi, make: () => TransportUnderTest): void {
  const transportTest = (name: string, run: (given: TransportUnderTest) => Promise<void>) =>
    test(`transport: ${name}`, async () => {
      const given = make();
      try {
        await run(given);
      } finally {
        given.near.stop();
        given.far.stop();
        given.dispose();
      }
    });
  const linkTest = (name: string, run: (given: Linked) => Promise<void>) => transportTest(name, async (given) => run(await linked(given)));

  linkTest('a dial gives both sides a link that names the other and shares a binding', async ({ link, inbound, nearPeer, farPeer }) => {
    equal([link.remote, link.dialled], [farPeer, true], 'near');
    equal([inbound.remote, inbound.dialled], [nearPeer, false], 'far');
    holds(link.binding.length >= 32, 'the binding is too short to be unguessable');
    equal(link.binding, inbound.binding, 'binding');
  });

  linkTest('two links have different bindings', async ({ near, farPeer, link, until, inboundAll }) => {
    const second = value(await settled(near.dial(farPeer), until));
    await until(() => inboundAll.length === 2, stepMs, 'the second link');
    holds(hex(second.binding) !== hex(link.binding), 'the bindings are equal');
    equal(inboundAll[1]!.binding, second.binding, 'binding of the second');
  });

  for (const plane of ['control', 'data'] as const) {
    linkTest(`${plane}: messages arrive whole, once and in order, both ways at once`, async ({ link, inbound, until }) => {
      const [there, back] = [record(inbound[plane]), record(link[plane])];
      const sizes = Array.from({ length: 200 }, (_, i) => [17, 1, 1_000, 16_384, 65_536][i % 5]!);
      for (const [i, size] of sizes.entries()) {
        link[plane].send(numbered(i, size));
        inbound[plane].send(numbered(i + 1_000, size));
      }
      await until(() => there.length >= 200 && back.length >= 200, stepMs, 'all messages');
      equal(
        there,
        sizes.map((size, i) => `${i} ${size}`),
        'there',
      );
      equal(
        back,
        sizes.map((size, i) => `${i + 1_000} ${size}`),
        'back',
      );
    });

    linkTest(`${plane}: the largest message passes, a larger one throws`, async ({ link, inbound, until }) => {
      const channel = link[plane];
      holds(channel.messageBytesMax >= 64 * 1024, 'messages of 64 KiB must pass');
      const there = record(inbound[plane]);
      let thrown = false;
      try {
        channel.send(new Uint8Array(channel.messageBytesMax + 1));
      } catch {
        thrown = true;
      }
      holds(thrown, 'nothing was thrown');
      channel.send(numbered(5, channel.messageBytesMax));
      await until(() => there.length === 1, stepMs, 'the message');
      equal(there, [`5 ${channel.messageBytesMax}`], 'there');
    });
  }

  linkTest('the planes do not mix', async ({ link, inbound, until }) => {
    const [control, data] = [record(inbound.control), record(inbound.data)];
    link.control.send(numbered(1, 10));
    link.data.send(numbered(2, 20));
    await until(() => control.length === 1 && data.length === 1, stepMs, 'both messages');
    equal([control, data], [['1 10'], ['2 20']], 'messages');
  });

  linkTest('what arrives before anybody listens is kept', async ({ link, inbound, until }) => {
    const second = record(inbound.control);
    for (let i = 0; i < 10; i++) link.data.send(numbered(i, 10));
    // On its own plane, so no order is promised; by the time the echo is here the others are, or will be kept as well.
    link.control.send(numbered(0, 10));
    await until(() => second.length === 1, stepMs, 'the message behind');
    const first = record(inbound.data);
    holds(first.length === 0, 'a listener was called inside onMessage');
    await until(() => first.length === 10, stepMs, 'the kept messages');
    equal(
      first,
      Array.from({ length: 10 }, (_, i) => `${i} 10`),
      'kept',
    );
  });

  linkTest('what has arrived stays as it was, whatever comes after it', async ({ link, inbound, until }) => {
    const kept: Uint8Array[] = [];
    inbound.data.onMessage((message) => kept.push(message));
    for (let i = 0; i < 20; i++) link.data.send(numbered(i, 1_000));
    await until(() => kept.length === 20, stepMs, 'all messages');
    for (const [i, message] of kept.entries()) equal(hex(message), hex(numbered(i, 1_000)), `message ${i}`);
  });

  linkTest('a sender may use its buffer again at once', async ({ link, inbound, until }) => {
    const there = record(inbound.data);
    const buffer = numbered(1, 1_000);
    link.data.send(buffer);
    buffer.set(numbered(2, 1_000));
    link.data.send(buffer.subarray(0, 100));
    await until(() => there.length === 2, stepMs, 'both');
    equal(there, ['1 1000', '2 100'], 'messages');
  });

  linkTest('a pump that waits for room moves 24 MiB, and its buffer empties', async ({ link, inbound, until }) => {
    let bytes = 0;
    inbound.data.onMessage((message) => (bytes += message.length));
    const chunk = new Uint8Array(64 * 1024);
    const all = 24 * 1024 * 1024;
    let sent = 0;
    let most = 0;
    const pump = () => {
      while (sent < all && link.data.bufferedBytes() < 1024 * 1024) {
        link.data.send(chunk);
        sent += chunk.length;
        most = Math.max(most, link.data.bufferedBytes());
      }
      if (sent < all) link.data.whenBelow(256 * 1024, pump);
    };
    pump();
    await until(() => bytes >= all, 6 * stepMs, 'all bytes');
    equal(bytes, all, 'bytes');
    holds(most <= 1024 * 1024 + chunk.length, `${most} bytes were buffered`);
    await until(() => link.data.bufferedBytes() === 0, stepMs, 'an empty buffer');
  });

  linkTest('a sender that does not wait loses nothing: 40 MiB at once arrive whole', async ({ link, inbound, until }) => {
    const there = record(inbound.data);
    for (let i = 0; i < 320; i++) link.data.send(numbered(i, 128 * 1024));
    await until(() => there.length >= 320, 6 * stepMs, 'all messages');
    equal(
      there,
      Array.from({ length: 320 }, (_, i) => `${i} ${128 * 1024}`),
      'there',
    );
  });

  linkTest('whenBelow calls asynchronously where there is room already, and when the link closes', async ({ link, until }) => {
    let called = 0;
    link.data.whenBelow(0, () => called++);
    equal(called, 0, 'called inside whenBelow');
    await until(() => called === 1, stepMs, 'the call');
    for (let i = 0; i < 40; i++) link.data.send(new Uint8Array(64 * 1024));
    link.data.whenBelow(0, () => called++);
    link.close();
    await until(() => called === 2, stepMs, 'the call on close');
  });

  linkTest('a close is told to both sides once, also to who asks later; sends after it are dropped', async ({ link, inbound, until }) => {
    const told: string[] = [];
    link.onClose(() => told.push('near'));
    inbound.onClose(() => told.push('far'));
    const there = record(inbound.control);
    link.close();
    equal(told, [], 'told inside close');
    link.control.send(numbered(1, 10));
    link.close();
    await until(() => told.length >= 2, stepMs, 'both sides');
    inbound.close();
    inbound.data.send(numbered(2, 10));
    link.onClose(() => told.push('late'));
    await until(() => told.length >= 3, stepMs, 'who asks later');
    equal([told.toSorted(), there], [['far', 'late', 'near'], []], 'what was told and heard');
  });

  transportTest('others may carry offer and answer: the link is like any other', async (given) => {
    const inboundAll = await started(given);
    const { near, far, nearPeer, farPeer, until } = given;
    const link = value(
      await settled(
        near.dialThrough(farPeer, (offer) => far.answer(nearPeer, offer)),
        until,
      ),
    );
    await until(() => inboundAll.length === 1, stepMs, 'the inbound link');
    const inbound = inboundAll[0]!;
    equal([link.remote, link.dialled, inbound.remote, inbound.dialled], [farPeer, true, nearPeer, false], 'ends');
    holds(link.binding.length >= 32, 'the binding is too short to be unguessable');
    equal(link.binding, inbound.binding, 'binding');
    const [there, back] = [record(inbound.control), record(link.data)];
    link.control.send(numbered(1, 20));
    inbound.data.send(numbered(2, 65_536));
    await until(() => there.length === 1 && back.length === 1, stepMs, 'both messages');
    equal([there, back], [['1 20'], ['2 65536']], 'messages');
    let closed = 0;
    inbound.onClose(() => closed++);
    link.close();
    await until(() => closed === 1, stepMs, 'the close');
  });

  transportTest('an offer that nobody carries, an answer that is none and an offer that is none are faults', async (given) => {
    const inboundAll = await started(given);
    const { near, far, nearPeer, farPeer, until } = given;
    const refused = await settled(
      near.dialThrough(farPeer, async () => ({ ok: false, fault: { code: 'refused', message: 'no' } })),
      until,
    );
    equal(refused.ok ? '' : refused.fault.code, 'refused', 'not carried');
    const nonsense = await settled(
      near.dialThrough(farPeer, async () => ({ ok: true, value: 'v=0 nonsense' })),
      until,
    );
    holds(!nonsense.ok, 'nonsense was taken for an answer');
    const unasked = await settled(far.answer(nearPeer, 'v=0 nonsense'), until);
    holds(!unasked.ok, 'nonsense was answered');
    equal(inboundAll.length, 0, 'links');
  });

  transportTest(
    'a dial of nobody, of oneself, or before the start is a fault in bounded time',
    async ({ near, nearPeer, absentPeer, until }) => {
      const early = await settled(near.dial(absentPeer), until);
      holds(!early.ok, 'a transport that is not started dialled');
      value(
        await settled(
          near.start(nearPeer, () => undefined),
          until,
        ),
      );
      for (const peer of [nearPeer, absentPeer]) {
        const outcome = await settled(near.dial(peer), until);
        holds(!outcome.ok && ['unreachable', 'too-late'].includes(outcome.fault.code), 'it is not a fault');
      }
    },
  );

  linkTest('start and stop may be called twice; a stop closes the links', async ({ near, far, nearPeer, farPeer, inbound, until }) => {
    value(
      await settled(
        near.start(nearPeer, () => undefined),
        until,
      ),
    );
    let closed = 0;
    inbound.onClose(() => closed++);
    near.stop();
    near.stop();
    await until(() => closed === 1, stepMs, 'the close');
    const outcome = await settled(near.dial(farPeer), until);
    holds(!outcome.ok, 'a stopped transport dialled');
    far.stop();
  });
}

/** Both sides up. Answers with the links that come to the far one. */
async function started({ near, far, nearPeer, farPeer, until }: TransportUnderTest): Promise<Link[]> {
  const inboundAll: Link[] = [];
  value(
    await settled(
      far.start(farPeer, (link) => inboundAll.push(link)),
      until,
    ),
  );
  value(
    await settled(
      near.start(nearPeer, () => undefined),
      until,
    ),
  );
  holds(near.introduces() && far.introduces(), 'a transport that is up introduces');
  return inboundAll;
}

async function linked(given: TransportUnderTest): Promise<Linked> {
  const { near, farPeer, until } = given;
  const inboundAll = await started(given);
  const link = value(await settled(near.dial(farPeer), until));
  await until(() => inboundAll.length === 1, stepMs, 'the inbound link');
  return { ...given, link, inbound: inboundAll[0]!, inboundAll };
}

async function settled<T>(work: Promise<T>, until: Until): Promise<T> {
  let done = false;
  const watched = work.finally(() => (done = true));
  await until(() => done, 2 * stepMs, 'the answer');
  return watched;
}

/** A message that names itself: its number at the front, repeated where there is room, and its size. */
function numbered(n: number, size: number): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(size);
  message.fill(n & 255);
  if (size >= 8) new DataView(message.buffer).setUint32(0, n, true);
  return message;
}

/** "number size" of each message, or what is wrong with it. */
function record(channel: Channel): string[] {
  const messages: string[] = [];
  let expected = -1;
  channel.onMessage((message) => {
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    // A message too small to carry its number follows the one before.
    const n = message.length >= 8 ? view.getUint32(0, true) : expected < 0 ? message[0]! : expected + 1;
    if (message.length < 8 && message[0] !== (n & 255)) messages.push(`damaged ${message.length}`);
    else if (message.length >= 9 && message.at(-1) !== (n & 255)) messages.push(`damaged ${n}`);
    else messages.push(`${n} ${message.length}`);
    expected = n;
  });
  return messages;
}

const hex = (bytes: Uint8Array) => [...bytes].join();
