import { expect, test } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { InboundRate } from './inbound-rate.ts';

test('what came in the best second is remembered for minutes, and less of it each', async () => {
  const clock = new VirtualClock();
  const rate = new InboundRate(clock);
  expect(rate.best()).toBe(0);
  const come = async (bytesPerSecond: number, seconds: number) => {
    for (let i = 0; i < 10 * seconds; i++) {
      rate.add(bytesPerSecond / 10);
      await clock.advance(100);
    }
  };
  await come(100_000, 5);
  expect(rate.best()).toBe(100_000);
  await come(1_000_000, 2);
  expect(rate.best()).toBe(1_000_000);
  await come(100_000, 5);
  expect(rate.best()).toBeGreaterThan(900_000);
  await clock.advance(600_000);
  expect(rate.best()).toBeLessThan(2_000);
  expect(rate.best()).toBeGreaterThan(500);
});
