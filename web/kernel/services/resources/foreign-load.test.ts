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

test('alone, the scout takes no more than a hundredth of a core', async () => {
  const { clock, load, asked } = tab(2, 1, () => 0);
  await clock.advance(60_000);
  expect(load.window).toBe(Infinity);
  expect(asked.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(600);
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

test('a scout that our own page interrupts now and then is not asked without end', async () => {
  let turn = 0;
  const { clock, asked } = tab(2, 1, () => (turn++ % 2 === 0 ? 0.3 : 0));
  await clock.advance(60_000);
  expect(asked.length).toBeLessThanOrEqual(130);
});
