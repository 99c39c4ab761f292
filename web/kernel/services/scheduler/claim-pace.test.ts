import { expect, test } from 'vitest';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { cheapPauseMs, ClaimPace, nothingPauseMs, vainPauseMs } from './claim-pace.ts';

function paced() {
  const clock = new VirtualClock();
  const went: number[] = [];
  const pace = new ClaimPace(clock, () => went.push(clock.now()));
  return { clock, pace, went, began: clock.now() };
}

test('asks at once until a claim is in vain', () => {
  expect(paced().pace.ready()).toBe(true);
});

test.each([
  ['nothing waited', 0, nothingPauseMs],
  ['others were faster', 3, vainPauseMs],
])('where %s it goes on after its pause, once', async (_why, waiting, pauseMs) => {
  const { clock, pace, went, began } = paced();
  pace.vain({ waiting, tried: true });
  expect([pace.ready(), pace.ready()]).toEqual([false, false]);
  await clock.advance(1_000);
  expect(went).toEqual([began + pauseMs]);
  expect(pace.ready()).toBe(true);
});

test('what comes ends the pause, but no sooner than after any claim in vain', async () => {
  const { clock, pace, went, began } = paced();
  pace.vain({ waiting: 0, tried: true });
  expect(pace.ready()).toBe(false);
  await clock.advance(20);
  pace.heard(0);
  pace.heard(4);
  expect(pace.ready()).toBe(false);
  await clock.advance(1_000);
  expect(went).toEqual([began + vainPauseMs]);
});

test('where there was nothing to try, what comes is asked for almost at once, every time', async () => {
  const { clock, pace, went, began } = paced();
  for (let turn = 1; turn <= 3; turn++) {
    pace.vain({ waiting: 0, tried: false });
    pace.heard(4);
    expect(pace.ready()).toBe(false);
    await clock.advance(cheapPauseMs);
    expect(went.map((at) => at - began)).toEqual(Array.from({ length: turn }, (_, i) => (i + 1) * cheapPauseMs));
  }
});

test('what came and was not for this tab does not end the next pause', async () => {
  const { clock, pace, went, began } = paced();
  for (let turn = 0; turn < 3; turn++) {
    pace.vain({ waiting: 0, tried: true });
    pace.ready();
    pace.heard(4);
    pace.ready();
    await clock.advance(turn === 1 ? nothingPauseMs : vainPauseMs);
  }
  expect(went.map((at) => at - began)).toEqual([vainPauseMs, vainPauseMs + nothingPauseMs, 2 * vainPauseMs + nothingPauseMs]);
});

test('a claim that failed has its whole pause', async () => {
  const { clock, pace, went, began } = paced();
  pace.vain(undefined);
  pace.heard(4);
  pace.ready();
  await clock.advance(1_000);
  expect(went).toEqual([began + nothingPauseMs]);
});

test('is silent once it was stopped', async () => {
  const { clock, pace, went } = paced();
  pace.vain({ waiting: 0, tried: true });
  pace.ready();
  pace.stop();
  await clock.advance(1_000);
  expect(went).toEqual([]);
});
