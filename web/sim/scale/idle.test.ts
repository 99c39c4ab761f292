// What a group costs its members while there is nothing to do: a donor's line carries it all day.
import { expect, it } from 'vitest';
import { scaleScript, spansOf, submitJob, type Submitted } from './scale-jobs.ts';
import { scalePlanOf, type ScaleJob, type ScaleOptions } from './scale-plan.ts';
import { ScaleWorld } from './scale-world.ts';

/** Since the first came, until the last has its links and all have heard of each other. */
const settleMs = 20_000;
const idleMs = 30_000;

/** A group that has come together, and what each of it sends a second from now on. */
async function idleGroup(options: ScaleOptions, jobs: readonly ScaleJob[] = []) {
  const plan = scalePlanOf(options);
  const world = new ScaleWorld(options, plan, scaleScript(jobs));
  for (const tab of world.tabs) world.clock.after(plan.startMs[tab.number]!, () => void world.start(tab));
  await world.clock.advance(settleMs);
  const rates = async (ms: number) => {
    const before = { messages: world.traffic.messages, bytes: world.traffic.bytes };
    await world.clock.advance(ms);
    const rate = (now: number, then: number) => (now - then) / options.peers / (ms / 1_000);
    return { messages: rate(world.traffic.messages, before.messages), bytes: rate(world.traffic.bytes, before.bytes) };
  };
  return { world, rates };
}

it('a member of an idle group of twenty sends at most 2 kB and 12 messages a second', async () => {
  const { world, rates } = await idleGroup({ seed: 'idle', peers: 20, groups: 1, churn: 0, jobs: 0, lossShare: 0 });
  const { messages, bytes } = await rates(idleMs);
  console.log(`idle in a group of 20: each sends ${messages.toFixed(1)} messages and ${bytes.toFixed(0)} bytes a second`);
  expect(world.violations.list).toEqual([]);
  expect(messages).toBeLessThan(12);
  expect(messages).toBeGreaterThan(4);
  expect(bytes).toBeLessThan(2_000);
}, 60_000);

it('who keeps eighty jobs that have ended sends hardly more than who keeps none', async () => {
  const jobs = Array.from({ length: 80 }, (_, number): ScaleJob => ({ number, atMs: 0, submitter: number % 3, items: 4, itemMs: 20 }));
  const { world, rates } = await idleGroup({ seed: 'eighty', peers: 3, groups: 1, churn: 0, jobs: 0, lossShare: 0 }, jobs);
  const withNone = await rates(2 * idleMs);
  const submitted = jobs.map((plan): Submitted => ({ plan, id: undefined, by: undefined, home: undefined, submittedMs: 0 }));
  for (const job of submitted) void submitJob(world, job);
  const { bus } = world.live[0]!.kernel;
  const isDone = async ({ id, plan }: Submitted) =>
    id !== undefined && (await spansOf(bus, id)).reduce((items, { range }) => items + range[1] - range[0], 0) === plan.items;
  for (let waits = 0; !(await Promise.all(submitted.map(isDone))).every(Boolean); waits++) {
    expect(waits).toBeLessThan(120);
    await world.clock.advance(1_000);
  }
  // Until the last of it is told, kept and tidied away.
  await world.clock.advance(settleMs);
  const withJobs = await rates(2 * idleMs);
  console.log(
    `idle with none and with 80 ended jobs: each sends ${withNone.bytes.toFixed(0)} and ${withJobs.bytes.toFixed(0)} bytes a second`,
  );
  expect(world.violations.list).toEqual([]);
  expect(withJobs.bytes).toBeLessThan(1.25 * withNone.bytes);
}, 60_000);
