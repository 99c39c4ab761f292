// What a full group costs its members while there is nothing to do: a donor's line carries it all day.
import { expect, it } from 'vitest';
import { scaleScript } from './scale-jobs.ts';
import { scalePlanOf, type ScaleOptions } from './scale-plan.ts';
import { ScaleWorld } from './scale-world.ts';

/** Since the first came, until the last has its links and all have heard of each other. */
const settleMs = 20_000;
const idleMs = 30_000;

it('a member of an idle group of twenty sends at most 2 kB and 12 messages a second', async () => {
  const options: ScaleOptions = { seed: 'idle', peers: 20, groups: 1, churn: 0, jobs: 0, lossShare: 0 };
  const plan = scalePlanOf(options);
  const world = new ScaleWorld(options, plan, scaleScript(plan.jobs));
  for (const tab of world.tabs) world.clock.after(plan.startMs[tab.number]!, () => void world.start(tab));
  await world.clock.advance(settleMs);
  const before = { messages: world.traffic.messages, bytes: world.traffic.bytes };
  await world.clock.advance(idleMs);
  const rate = (now: number, then: number) => (now - then) / options.peers / (idleMs / 1_000);
  const messages = rate(world.traffic.messages, before.messages);
  const bytes = rate(world.traffic.bytes, before.bytes);
  console.log(`idle in a group of ${options.peers}: each sends ${messages.toFixed(1)} messages and ${bytes.toFixed(0)} bytes a second`);
  expect(world.violations.list).toEqual([]);
  expect(messages).toBeLessThan(12);
  expect(messages).toBeGreaterThan(4);
  expect(bytes).toBeLessThan(2_000);
}, 60_000);
