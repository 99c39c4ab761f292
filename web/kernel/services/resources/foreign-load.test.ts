import { expect, test } from 'vitest';
import type { Machine } from '../../platform.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { ForeignLoad } from './foreign-load.ts';

const turnMs = 3;

/** A tab with `running` workers that never lose anything themselves; what a scout loses, of each millisecond it computes, is `lost()`. */
function tab(cores: number, running: number, lost: () => number, pressure: () => 'nominal' | 'critical' = () => 'nominal') {
  const clock = new VirtualClock();
  const asked: number[] = [];
  const machine = {
    cores,
    visible: () => true,
    signals: () => ({ pressure: pressure() }),
    scout: (ms: number) => {
      asked.push(ms);
      const lostMs = Math.round((ms * lost()) / turnMs) * turnMs;
      return Promise.resolve({ ranMs: ms + lostMs, lostMs, gaps: lostMs / turnMs });
    },
  } as unknown as Machine;
  const load: ForeignLoad = new ForeignLoad({
    clock,
    machine,
    room: () => ({ cores, full: running, running: Math.min(running, load.window) }),
    changed: () => {},
  });
  load.active(true);
  const probes = () => {
    if (load.window > 0) for (let worker = 0; worker < running; worker++) load.probe({ ranMs: 1, lostMs: 0, gaps: 0 });
    clock.after(100, probes);
  };
  probes();
  return { clock, load, asked };
}

test('a program beside a worker that the system spares is seen by a scout within two seconds', async () => {
  let others = false;
  const { clock, load } = tab(2, 1, () => (others ? 1 : 0));
  await clock.advance(10_000);
  expect(load.window).toBe(Infinity);
  others = true;
  await clock.advance(2_000);
  expect(load.window).toBe(0);
  expect(load.why).toBe('yielding');
});

test('what a worker lost once is looked into at once', async () => {
  const { clock, load, asked } = tab(2, 1, () => 0);
  await clock.advance(10_100);
  const looks = asked.length;
  load.probe({ ranMs: 3, lostMs: 2, gaps: 1 });
  await clock.advance(300);
  expect(asked.slice(looks)).toEqual([30]);
  expect(load.window).toBe(Infinity);
});

test.each([
  ['a twenty-fifth of a core that nothing of ours runs on', 1, 2_400],
  ['a two-hundredth where workers run on all', 2, 300],
])('alone, the scout takes no more than %s', async (_share, workers, mostMs) => {
  const { clock, load, asked } = tab(2, workers, () => 0);
  await clock.advance(60_000);
  expect(load.window).toBe(Infinity);
  expect(asked.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(mostMs);
});

test('what our own page loses by starting workers is not taken for another program', async () => {
  let at = 0;
  const { clock, load } = tab(2, 1, () => (at < 1_000 ? 1 : 0));
  for (; at < 10_000; at += 100) await clock.advance(100);
  expect(load.window).toBe(Infinity);
});

test('where the system spares the scout too, a full processor that our worker does not explain is yielded to', async () => {
  let others = false;
  const { clock, load } = tab(
    2,
    1,
    () => (others ? 0.15 : 0),
    () => (others ? 'critical' : 'nominal'),
  );
  await clock.advance(10_000);
  expect(load.window).toBe(Infinity);
  others = true;
  await clock.advance(700);
  expect(load.window).toBe(0);
});

test('a processor that our own workers fill is not yielded', async () => {
  const { clock, load } = tab(
    2,
    2,
    () => 0.15,
    () => 'critical',
  );
  await clock.advance(30_000);
  expect(load.window).toBe(Infinity);
});

test('a burst of our own page is not taken for another program', async () => {
  let at = -1;
  const { clock, load } = tab(2, 1, () => (++at % 3 === 0 ? 2 : 0));
  await clock.advance(60_000);
  expect(load.window).toBe(Infinity);
});

test('a worker of our own that is woken on the core of the scout is not taken for another program', async () => {
  const { clock, load } = tab(2, 1, () => 0.3);
  await clock.advance(60_000);
  expect(load.window).toBe(Infinity);
});

test('a scout that our own page interrupts now and then is not asked without end', async () => {
  let turn = 0;
  const { clock, asked } = tab(2, 1, () => (turn++ % 2 === 0 ? 0.3 : 0));
  await clock.advance(60_000);
  expect(asked.length).toBeLessThanOrEqual(130);
});

test.each([1, 4, 8])('on %d cores that its own workers fill a scout loses its share, and none of them is stopped', async (cores) => {
  const { clock, load } = tab(cores, cores, () => 1 / cores);
  load.probe({ ranMs: 3, lostMs: 2, gaps: 1 });
  await clock.advance(60_000);
  expect(load.window).toBe(Infinity);
});

test('one worker on many cores is not stopped because a scout is interrupted now and then', async () => {
  const { clock, load } = tab(8, 1, () => 0.06);
  await clock.advance(60_000);
  expect(load.window).toBe(Infinity);
});
