// The contract suites over the ports of the simulation at scale, and what goes beyond them.
import { expect, test } from 'vitest';
import { peerId } from '../../kernel/lib/ids.ts';
import type { Frame } from '../../kernel/protocol/frame.ts';
import { CarriedOffers } from '../../kernel/testing/carried-offers.ts';
import { clockContract } from '../../kernel/testing/clock-contract.ts';
import { seededRandom } from '../../kernel/testing/seeded-random.ts';
import { onClock, transportContract } from '../../kernel/testing/transport-contract.ts';
import { vitestSuite } from '../../kernel/testing/vitest-suite.ts';
import { ObjectBinding } from './object-binding.ts';
import { ScaleNetwork } from './scale-network.ts';
import { Traffic } from './traffic.ts';
import { ProcessClock, WheelClock } from './wheel-clock.ts';

const peer = (digit: string) => peerId(`${digit.repeat(32)}-${'0'.repeat(16)}`);
const wire = { delayMs: 5, jitterMs: 10, lossShare: 0, retransmitMs: 200, noticeMs: 4_000 };

clockContract(vitestSuite(), () => {
  const clock = new WheelClock();
  return { clock, until: (condition, ms, what) => clock.until(condition, ms, what), dispose: () => undefined };
});

for (const lossShare of [0, 0.05]) {
  transportContract(vitestSuite(`loss ${lossShare}`), () => {
    const clock = new WheelClock();
    const network = new ScaleNetwork(clock, seededRandom('transport'), new Traffic(), { ...wire, lossShare });
    return onClock(network.transport(), network.transport(), clock);
  });
}

transportContract(vitestSuite('two shards'), () => {
  const { clock, networks } = twoShards();
  return onClock(networks[0].transport(), networks[1].transport(), clock);
});

/** Each has its part of the tabs; they hear of each other every 5 ms, as in a run of two threads. */
function twoShards() {
  const clock = new WheelClock();
  const offers = new CarriedOffers(seededRandom('offers'));
  const shard = (index: number) => {
    const traffic = new Traffic();
    const frames = new ObjectBinding(traffic, false);
    const network = new ScaleNetwork(clock, seededRandom(`shard ${index}`), traffic, { ...wire, frames, offers, shard: index, shards: 2 });
    return { frames, network };
  };
  const [one, two] = [shard(0), shard(1)];
  clock.pause(wire.delayMs, () => {
    const [toTwo, toOne] = [one.network.takeCrossings(1), two.network.takeCrossings(0)];
    two.network.crossed(0, toTwo);
    one.network.crossed(1, toOne);
  });
  return { clock, networks: [one.network, two.network] as const, frames: [one.frames, two.frames] as const };
}

test('between two shards a frame is taken out of the one and put into the other, in the order sent', async () => {
  const { clock, networks, frames } = twoShards();
  const [near, far] = [networks[0].transport(), networks[1].transport()];
  const heard: unknown[] = [];
  await far.start(peer('b'), (link) => {
    link.control.onMessage((message) => heard.push(frames[1].decode(message.subarray(1)) ?? message.length));
    link.onClose(() => heard.push('closed'));
  });
  await near.start(peer('a'), () => undefined);
  await clock.advance(10);
  const dialled = await clock.finish(near.dial(peer('b')));
  if (!dialled.ok) throw new Error(dialled.fault.message);
  const { control } = dialled.value;
  const frame: Frame = { t: 'neighbours', peers: [peer('a')], gone: [] };
  control.send(Uint8Array.of(0, ...frames[0].put(frame)));
  control.send(new Uint8Array(9));
  control.send(Uint8Array.of(0, ...frames[0].put({ ...frame, gone: [peer('c')] })));
  dialled.value.close();
  await clock.advance(100);
  expect(heard).toEqual([frame, 9, { ...frame, gone: [peer('c')] }, 'closed']);
});

test('who dies is missed on the other shard after a while, and a cut that is too long ends links there too', async () => {
  const { clock, networks } = twoShards();
  const ends: string[] = [];
  const transports = [networks[0].transport(), networks[1].transport(), networks[1].transport()] as const;
  for (const [at, transport] of transports.entries())
    await transport.start(peer('abc'[at]!), (link) => link.onClose(() => ends.push(`to ${link.remote[0]}`)));
  await clock.advance(10);
  for (const other of ['b', 'c']) {
    const dialled = await clock.finish(transports[0].dial(peer(other)));
    if (!dialled.ok) throw new Error(dialled.fault.message);
    const { onClose } = dialled.value;
    onClose.call(dialled.value, () => ends.push(`from a to ${other}`));
  }
  networks[1].crash(peer('b'));
  await clock.advance(wire.noticeMs - 10);
  expect(ends).toEqual([]);
  await clock.advance(20);
  expect(ends).toEqual(['from a to b']);
  for (const network of networks) network.partition((of) => (of === peer('c') ? 1 : 0));
  await clock.advance(wire.noticeMs + 10);
  expect(ends.toSorted()).toEqual(['from a to b', 'from a to c', 'to a']);
});

test('timers beyond a turn of the wheel run in their time; those of a dead process never do', async () => {
  const clock = new WheelClock();
  const life = new ProcessClock(clock, 500, 0);
  const ran: string[] = [];
  for (const ms of [30_000, 9_000, 8_192, 100]) clock.after(ms, () => ran.push(String(ms)));
  for (const ms of [50, 20_000]) life.after(ms, () => ran.push(`of the process ${ms}`));
  await clock.advance(100);
  life.alive = false;
  await clock.advance(30_000);
  expect(ran).toEqual(['of the process 50', '100', '8192', '9000', '30000']);
});

test('timers of one time run in the order they were set, whichever of them are cancelled; a pause comes before them', async () => {
  const clock = new WheelClock();
  const ran: string[] = [];
  const cancels = Array.from({ length: 8 }, (_, n) => clock.after(4_000, () => ran.push(String(n))));
  for (const n of [0, 3, 7]) cancels[n]!();
  clock.after(2_000, () => clock.pause(2_000, () => ran.push('pause')));
  await clock.advance(4_000);
  expect(ran).toEqual(['pause', '1', '2', '4', '5', '6']);
});

test('what is sent over a cut arrives when it ends, in its order; a link that is cut for too long ends on both sides', async () => {
  const clock = new WheelClock();
  const network = new ScaleNetwork(clock, seededRandom('cut'), new Traffic(), wire);
  const [near, far] = [network.transport(), network.transport()];
  const heard: number[] = [];
  const ends: string[] = [];
  await far.start(peer('b'), (link) => {
    link.control.onMessage((message) => heard.push(message[0]!));
    link.onClose(() => ends.push('far'));
  });
  await near.start(peer('a'), () => undefined);
  const dialled = await clock.finish(near.dial(peer('b')));
  if (!dialled.ok) throw new Error(dialled.fault.message);
  const { control, onClose } = dialled.value;
  onClose.call(dialled.value, () => ends.push('near'));
  const halves = (of: string) => (of === peer('a') ? 0 : 1);
  network.partition(halves);
  for (const n of [1, 2, 3]) control.send(Uint8Array.of(n, 0));
  await clock.advance(2_000);
  expect(heard).toEqual([]);
  network.partition(undefined);
  await clock.advance(50);
  expect(heard).toEqual([1, 2, 3]);
  network.partition(halves);
  await clock.advance(wire.noticeMs + 10);
  expect(ends.toSorted()).toEqual(['far', 'near']);
});

test('a frame passes as it is, once, and cannot be changed any more', () => {
  const traffic = new Traffic();
  const binding = new ObjectBinding(traffic, true);
  const frame: Frame = { t: 'neighbours', peers: [peer('a')], gone: [] };
  const bytes = binding.encode(frame);
  expect(binding.decode(bytes)).toBe(frame);
  expect(Object.isFrozen(frame.peers)).toBe(true);
  expect(binding.decode(bytes)).toBeUndefined();
  expect(traffic.messages).toBe(1);
  expect(traffic.bytes).toBeGreaterThan(60);
});
