import { expect, test } from 'vitest';
import { peerId } from '../lib/ids.ts';
import type { Link } from '../platform.ts';
import { MemoryNetwork, type MemoryNetworkOptions } from './memory-transport.ts';
import { seededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

const a = peerId(`${'a'.repeat(32)}-${'0'.repeat(16)}`);
const b = peerId(`${'b'.repeat(32)}-${'0'.repeat(16)}`);
const bytes = (...values: number[]) => Uint8Array.from(values);

async function linked(options: MemoryNetworkOptions = {}) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock, seededRandom('memory transport'), options);
  const [near, far] = [network.transport(), network.transport()];
  const inbound: Link[] = [];
  await near.start(a, () => undefined);
  await far.start(b, (link) => inbound.push(link));
  const dialled = await clock.finish(near.dial(b));
  if (!dialled.ok) throw new Error(dialled.fault.message);
  await clock.until(() => inbound.length === 1, 1_000);
  return { clock, network, near, far, link: dialled.value, inbound: inbound[0]! };
}

const heard = (link: Link) => {
  const messages: number[][] = [];
  link.control.onMessage((message) => messages.push([...message]));
  return messages;
};

test('a cut holds messages, and a heal delivers them in order', async () => {
  const { clock, network, link, inbound } = await linked();
  const messages = heard(inbound);
  network.cut(a, b);
  for (const n of [1, 2, 3]) link.control.send(bytes(n));
  await clock.advance(1_000);
  expect(messages).toEqual([]);
  expect(link.control.bufferedBytes()).toBe(3);
  network.heal(a, b);
  await clock.advance(10);
  expect(messages).toEqual([[1], [2], [3]]);
});

test('a one-way cut lets the other way through', async () => {
  const { clock, network, link, inbound } = await linked();
  const [there, back] = [heard(inbound), heard(link)];
  network.cut(a, b, 'one-way');
  link.control.send(bytes(1));
  inbound.control.send(bytes(2));
  await clock.advance(100);
  expect([there, back]).toEqual([[], [[2]]]);
});

test('a crashed peer falls silent at once and its links close only when the far side notices', async () => {
  const { clock, network, near, link, inbound } = await linked({ noticeMs: 5_000 });
  const messages = heard(link);
  let closed = 0;
  link.onClose(() => closed++);
  inbound.onClose(() => expect.unreachable('a crashed tab runs nothing'));
  inbound.control.send(bytes(1));
  network.crash(b);
  inbound.control.send(bytes(2));
  await clock.advance(4_000);
  expect([messages, closed]).toEqual([[], 0]);
  await clock.advance(1_100);
  expect(closed).toBe(1);
  expect(network.openLinks).toBe(0);
  const again = await clock.finish(near.dial(b));
  expect(again.ok ? 'ok' : again.fault.code).toBe('unreachable');
});

test('a cut that lasts closes the link on both sides, a shorter one does not', async () => {
  const { clock, network, link, inbound } = await linked({ noticeMs: 5_000 });
  const closed: string[] = [];
  link.onClose(() => closed.push('near'));
  inbound.onClose(() => closed.push('far'));
  network.cut(a, b);
  await clock.advance(3_000);
  network.heal();
  await clock.advance(4_000);
  expect(closed).toEqual([]);
  network.cut(a, b);
  await clock.advance(5_001);
  expect(closed.toSorted()).toEqual(['far', 'near']);
});

test('a slow channel buffers, and says when it has room', async () => {
  const { clock, link, inbound } = await linked({ bytesPerMs: 10 });
  const messages = heard(inbound);
  let room = 0;
  for (let n = 0; n < 10; n++) link.control.send(new Uint8Array(100));
  link.control.whenBelow(500, () => room++);
  await clock.advance(40);
  expect([room, link.control.bufferedBytes()]).toEqual([0, 600]);
  await clock.advance(11);
  expect([room, link.control.bufferedBytes()]).toEqual([1, 500]);
  await clock.advance(60);
  expect(messages.length).toBe(10);
});

test('a frozen peer hears everything when it thaws', async () => {
  const { clock, network, link, inbound } = await linked();
  const messages = heard(inbound);
  network.freeze(b);
  link.control.send(bytes(7));
  await clock.advance(60_000);
  expect(messages).toEqual([]);
  network.thaw(b);
  await clock.advance(10);
  expect(messages).toEqual([[7]]);
});

test('a dial across a cut ends with a fault in bounded time', async () => {
  const { clock, network, near } = await linked();
  network.cut(a, b);
  const outcome = await clock.finish(near.dial(b), 20_000);
  expect(outcome.ok ? 'ok' : outcome.fault.code).toBe('too-late');
});
