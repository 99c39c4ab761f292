import { expect, test } from 'vitest';
import { VirtualClock } from '../kernel/testing/virtual-clock.ts';
import { workerCalls } from './worker-calls.ts';

/** A Worker that gets messages and never answers. */
class SilentWorker extends EventTarget {
  terminated = false;
  postMessage(): void {}
  terminate(): void {
    this.terminated = true;
  }
}

interface Methods {
  add(a: number, b: number): number;
}

function setUp() {
  const clock = new VirtualClock();
  const workers: SilentWorker[] = [];
  const calls = workerCalls<Methods>(clock, () => {
    const worker = new SilentWorker();
    workers.push(worker);
    return worker as unknown as Worker;
  });
  const outcomes: string[] = [];
  const ask = (msMax: number) =>
    void calls
      .call(async (methods) => methods.add(1, 2), msMax, 'It took too long.')
      .then(String, (error: Error & { code?: string }) => outcomes.push(`${error.code}: ${error.message}`));
  return { clock, workers, outcomes, ask };
}

test('a Worker that does not answer in time is ended with all its calls, and the next call has a new one', async () => {
  const { clock, workers, outcomes, ask } = setUp();
  ask(1_000);
  ask(60_000);
  await clock.until(() => outcomes.length === 2, 2_000, 'both calls');
  expect(outcomes).toEqual(['too-late: It took too long.', 'too-late: A background worker of this page hung and was started anew.']);
  expect(workers.map(({ terminated }) => terminated)).toEqual([true]);
  ask(1_000);
  expect(workers.map(({ terminated }) => terminated)).toEqual([true, false]);
});

test('a Worker that cannot start is a fault at once, not a wait', async () => {
  const { clock, workers, outcomes, ask } = setUp();
  ask(60_000);
  workers[0]!.dispatchEvent(new Event('error', { cancelable: true }));
  await clock.until(() => outcomes.length === 1, 1_000, 'the call');
  expect(outcomes).toEqual(['internal: A background worker of this page failed.']);
  ask(1_000);
  expect(workers.length).toBe(2);
});
