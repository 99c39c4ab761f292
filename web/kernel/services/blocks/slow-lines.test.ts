// Who is asked beside somebody slow, and who is no longer waited for.
import { expect, test } from 'vitest';
import { makePeerId } from '../../lib/ids.ts';
import { failure, success, type Outcome } from '../../lib/outcome.ts';
import type { Bus } from '../../service.ts';
import { testSigner } from '../../testing/test-crypto.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { Neighbours } from './neighbours.ts';
import { Stragglers } from './stragglers.ts';

const MiB = 1024 * 1024;
const peer = makePeerId(testSigner('slow').identity, new Uint8Array(8));

function neighbours(moved: { link: { heardMsAgo: number; dataMsAgo: number | null } | null; dataMsAgo: number | null; best: number }) {
  const body = { links: [moved.link], dataMsAgo: moved.dataMsAgo, best: moved.best };
  const bus = { ask: async () => success({ body, buffers: [] }) };
  return new Neighbours(bus as unknown as Bus, new VirtualClock());
}

test('somebody else is asked where nothing comes, over a link or over a hop', async () => {
  const mayHedge = (link: { heardMsAgo: number; dataMsAgo: number | null } | null, dataMsAgo: number | null) => {
    const known = neighbours({ link, dataMsAgo, best: 1e6 });
    return known.coming(MiB, () => known.mayHedge([peer], 1_500, 1_500));
  };
  expect(await mayHedge({ heardMsAgo: 0, dataMsAgo: null }, 0)).toBe(true);
  expect(await mayHedge({ heardMsAgo: 0, dataMsAgo: 2_000 }, 0)).toBe(true);
  expect(await mayHedge({ heardMsAgo: 0, dataMsAgo: 100 }, 100)).toBe(false);
  expect(await mayHedge(null, 2_000)).toBe(true);
  expect(await mayHedge(null, 100)).toBe(false);
});

test('while data comes, all that is on its way has twice the time it takes at the best of the line, and no line is taken for slower than 100 kB/s', async () => {
  const after = async (best: number, waitedMs: number) => {
    const known = neighbours({ link: { heardMsAgo: 0, dataMsAgo: 10 }, dataMsAgo: 10, best });
    return known.coming(4 * MiB, () => known.mayHedge([peer], waitedMs, 1_500));
  };
  expect([await after(1e6, 9_000), await after(1e6, 10_000)]).toEqual([false, true]);
  // A holder that gives a byte a second, to a tab that has had nothing else.
  expect([await after(13, 85_000), await after(13, 86_000)]).toEqual([false, true]);
});

test('what is no longer wanted does not keep others waiting', async () => {
  const known = neighbours({ link: { heardMsAgo: 0, dataMsAgo: 10 }, dataMsAgo: 10, best: 1e6 });
  await known.coming(400 * MiB, async () => undefined);
  await expect(known.coming(400 * MiB, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(await known.coming(MiB, () => known.mayHedge([peer], 4_000, 1_500))).toBe(true);
});

test('who takes twice as long as half of the others, and the grace, is late', async () => {
  const clock = new VirtualClock();
  const after = (ms: number, outcome: Outcome<number> = success(ms)) =>
    new Promise<Outcome<number>>((resolve) => void clock.after(ms, () => resolve(outcome)));
  const stragglers = new Stragglers(clock, 5, 1_000);
  const ended: (number | string)[] = [];
  const began = clock.now();
  for (const delivery of [after(100), after(2_000), after(3_000), after(5_900), after(60_000)])
    void stragglers
      .first(delivery)
      .then((outcome) => ended.push(outcome.ok ? outcome.value : `${outcome.fault.code} ${clock.now() - began}`));
  await clock.advance(70_000);
  expect(ended).toEqual([100, 2_000, 3_000, 5_900, 'too-late 6000']);
});

test('one alone is waited for, and one that fails is no measure', async () => {
  const clock = new VirtualClock();
  const after = (ms: number, outcome: Outcome<number>) =>
    new Promise<Outcome<number>>((resolve) => void clock.after(ms, () => resolve(outcome)));
  const one = new Stragglers(clock, 1, 10).first(after(60_000, success(1)));
  const two = new Stragglers(clock, 2, 10);
  void two.first(after(10, failure('unreachable', '')));
  const other = two.first(after(60_000, success(2)));
  expect(await clock.finish(Promise.all([one, other]), 70_000)).toMatchObject([{ ok: true }, { ok: true }]);
});
