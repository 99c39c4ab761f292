// The contract suites over the ports of the simulation at scale, and what goes beyond them.
import { expect, test } from 'vitest';
import { peerId } from '../../kernel/lib/ids.ts';
import type { Frame } from '../../kernel/protocol/frame.ts';
import { clockContract } from '../../kernel/testing/clock-contract.ts';
import { seededRandom } from '../../kernel/testing/seeded-random.ts';
import { transportContract } from '../../kernel/testing/transport-contract.ts';
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
    return {
      near: network.transport(),
      far: network.transport(),
      nearPeer: peer('a'),
      farPeer: peer('b'),
      absentPeer: peer('c'),
      until: (condition, ms, what) => clock.until(condition, ms, what),
      dispose: () => undefined,
    };
  });
}

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
