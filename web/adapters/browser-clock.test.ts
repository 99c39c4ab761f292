import { afterEach, expect, test } from 'vitest';
import { clockContract } from '../kernel/testing/clock-contract.ts';
import { pollUntil } from '../kernel/testing/contract-suite.ts';
import { vitestSuite } from '../kernel/testing/vitest-suite.ts';
import { browserClock, type BrowserClock } from './browser-clock.ts';

/** A stand-in for worker/ticker.ts; `fail` makes it a script that does not load. */
class FakeTicker {
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  readonly orders: number[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly dead = false) {}

  postMessage(ms: number): void {
    this.orders.push(ms);
    clearTimeout(this.#timer);
    if (!this.dead) this.#timer = setTimeout(() => this.onmessage?.({ data: 0 } as MessageEvent), ms);
  }

  terminate(): void {
    clearTimeout(this.#timer);
  }

  fail(): void {
    this.onerror?.({ preventDefault: () => undefined } as ErrorEvent);
  }
}

const open: BrowserClock[] = [];
const made = (ticker: FakeTicker | undefined) => {
  const clock = browserClock(() => {
    if (ticker === undefined) throw new Error('no Worker here');
    return ticker as unknown as Worker;
  });
  open.push(clock);
  return clock;
};
afterEach(() => open.splice(0).forEach((clock) => clock.stop()));

for (const [ticks, ticker] of [
  ['a Worker', () => new FakeTicker()],
  ['the page, where no Worker can be made', () => undefined],
] as const) {
  clockContract(vitestSuite(`ticks from ${ticks}`), () => {
    const clock = made(ticker());
    return { clock, until: pollUntil, dispose: () => clock.stop() };
  });
}

test('a Worker that does not load is replaced by the page, and no timer is lost', async () => {
  const ticker = new FakeTicker(true);
  const clock = made(ticker);
  let ran = 0;
  clock.after(5, () => ran++);
  ticker.fail();
  await pollUntil(() => ran === 1, 2_000, 'the timer');
  expect(clock.ticksFrom).toBe('page');
});

test('the Worker is asked once for many timers, and again only for an earlier one', async () => {
  const ticker = new FakeTicker();
  const clock = made(ticker);
  for (let i = 0; i < 100; i++) clock.after(50_000 + i, () => undefined);
  clock.after(20_000, () => undefined);
  expect(ticker.orders.length).toBe(2);
});

test('a wait longer than setTimeout can hold does not fire at once', async () => {
  const ticker = new FakeTicker();
  const clock = made(ticker);
  clock.after(40 * 24 * 3_600_000, () => expect.unreachable('it ran'));
  expect(ticker.orders[0]).toBeLessThan(2 ** 31);
});
