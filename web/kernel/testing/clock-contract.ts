// What every Clock must do.
import type { Clock } from '../platform.ts';
import { equal, holds, type SuiteApi, type Until } from './contract-suite.ts';

export interface ClockUnderTest {
  readonly clock: Clock;
  readonly until: Until;
  dispose(): void;
}

export function clockContract({ test }: SuiteApi, make: () => ClockUnderTest): void {
  const clockTest = (name: string, run: (given: ClockUnderTest) => Promise<void>) =>
    test(`clock: ${name}`, async () => {
      const given = make();
      try {
        await run(given);
      } finally {
        given.dispose();
      }
    });

  clockTest('a callback never runs before after() has returned, not even with no wait', async ({ clock, until }) => {
    let returned = false;
    let early = false;
    let ran = 0;
    for (const ms of [0, -5]) {
      returned = false;
      clock.after(ms, () => {
        early ||= !returned;
        ran++;
      });
      returned = true;
    }
    await until(() => ran === 2, 2_000, 'both callbacks');
    equal(early, false, 'ran early');
  });

  clockTest('equal times run in the order of the calls, shorter waits first', async ({ clock, until }) => {
    const order: string[] = [];
    clock.after(40, () => order.push('long'));
    for (let i = 0; i < 20; i++) clock.after(0, () => order.push(`zero ${i}`));
    clock.after(20, () => order.push('short'));
    await until(() => order.length === 22, 2_000, 'all callbacks');
    equal(order, [...Array.from({ length: 20 }, (_, i) => `zero ${i}`), 'short', 'long'], 'order');
  });

  clockTest('no callback runs early, and now() never goes back', async ({ clock, until }) => {
    const late: number[] = [];
    let last = clock.now();
    let monotone = true;
    for (const ms of [1, 7, 13, 30, 30, 31]) {
      const from = clock.now();
      clock.after(ms, () => {
        monotone &&= clock.now() >= last;
        last = clock.now();
        late.push(clock.now() - from - ms);
      });
    }
    await until(() => late.length === 6, 2_000, 'all callbacks');
    holds(monotone, 'now() went back');
    holds(
      late.every((ms) => ms >= -0.001),
      `a callback ran early: ${late.join(', ')}`,
    );
  });

  clockTest('a cancelled callback does not run; cancelling again, or too late, does nothing', async ({ clock, until }) => {
    const ran: string[] = [];
    const cancel = clock.after(5, () => ran.push('cancelled'));
    cancel();
    cancel();
    const first = clock.after(6, () => {
      ran.push('first');
      second();
    });
    // Due in the same turn as the first, and cancelled by it.
    const second = clock.after(6, () => ran.push('second'));
    clock.after(12, () => ran.push('last'));
    await until(() => ran.includes('last'), 2_000, 'the last callback');
    first();
    equal(ran, ['first', 'last'], 'what ran');
  });

  clockTest('a callback may set the next one, and a shorter wait set later overtakes a longer one', async ({ clock, until }) => {
    const ran: string[] = [];
    clock.after(400, () => ran.push('long'));
    clock.after(1, () => clock.after(1, () => clock.after(0, () => ran.push('chain'))));
    await until(() => ran.length === 2, 3_000, 'both');
    equal(ran, ['chain', 'long'], 'what ran');
  });

  clockTest('a thousand timers all run, once each', async ({ clock, until }) => {
    const ran = new Uint8Array(1_000);
    let count = 0;
    for (let i = 0; i < 1_000; i++) {
      clock.after((i * 7) % 50, () => {
        ran[i]!++;
        count++;
      });
    }
    await until(() => count >= 1_000, 3_000, 'all callbacks');
    holds(
      ran.every((times) => times === 1),
      'a timer ran twice or never',
    );
  });

  clockTest('wall() is the time since 1970', async ({ clock }) => {
    holds(clock.wall() > Date.UTC(2024, 0, 1) && Number.isFinite(clock.wall()), `wall() says ${clock.wall()}`);
  });
}
