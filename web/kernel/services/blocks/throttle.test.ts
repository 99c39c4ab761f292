import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { Throttle } from './throttle.ts';

describe('a throttle', () => {
  it('lets a burst pass at once, and the rest at its rate, in order', async () => {
    const clock = new VirtualClock();
    const throttle = new Throttle(clock, 1_000, 500);
    const began = clock.now();
    const passed: [number, number][] = [];
    for (const bytes of [300, 200, 100, 1_000, 50]) void throttle.pass(bytes).then(() => passed.push([bytes, clock.now() - began]));
    await clock.advance(5_000);
    expect(passed).toEqual([
      [300, 0],
      [200, 0],
      [100, 100],
      [1_000, 1_100],
      [50, 1_150],
    ]);
    expect(throttle.passedBytes).toBe(1_650);
    expect(throttle.rate()).toBeCloseTo(230);
    await clock.advance(5_000);
    expect(throttle.rate()).toBe(0);
    // Idle time fills the burst up again, and no further.
    const again = clock.now();
    await throttle.pass(500);
    expect(clock.now()).toBe(again);
  });

  it('lets everybody go when it is stopped', async () => {
    const clock = new VirtualClock();
    const throttle = new Throttle(clock, 1, 0);
    let through = 0;
    for (let i = 0; i < 3; i++) void throttle.pass(1_000_000).then(() => through++);
    await clock.advance(10);
    throttle.stop();
    await clock.advance(0);
    expect(through).toBe(3);
  });
});
