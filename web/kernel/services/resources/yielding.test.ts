import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../testing/seeded-random.ts';
import { roomScoutMs } from './foreign-load.ts';
import { holdMsMax, lagged, lagMsMin, probed, scouted, takenByOthers, unhindered, type Yielding } from './yielding.ts';

/**
 * A processor shared fairly in turns of 3 ms: what a probe that computes for `ms` sees among `threads` that all want to compute.
 * Turns of others come at random, so that a short probe may see none.
 */
function probeOn(cores: number, threads: number, ms: number, fraction: () => number) {
  const turnMs = 3;
  // Of each turn of ours so many turns are others'.
  const waits = Math.max(0, threads / cores - 1);
  const often = Math.min(1, waits);
  let [ranMs, lostMs, gaps] = [0, 0, 0];
  for (let computed = 0; computed < ms; computed += 0.1) {
    ranMs += 0.1;
    if (fraction() >= (0.1 / turnMs) * often) continue;
    const gap = turnMs * Math.max(1, waits) * (0.5 + fraction());
    ranMs += gap;
    lostMs += gap;
    gaps++;
  }
  return { ranMs, lostMs, gaps };
}

interface World {
  readonly cores: number;
  readonly full: number;
  /** Threads of other programs at a time. */
  others(atMs: number): number;
  readonly forMs: number;
  /** Our own page and its helpers, as a share of a thread. */
  readonly overhead?: number;
  readonly seed?: string;
}

/** Runs the controller against such a processor: each worker probes every 100 ms, a scout looks for room every second. */
function simulate({ cores, full, others, forMs, overhead = 0.1, seed = 'yielding' }: World) {
  const random = seededRandom(seed);
  let state = unhindered;
  const seen: { readonly atMs: number; readonly workers: number }[] = [];
  let suspiciousMs = 0;
  for (let atMs = 0; atMs < forMs; atMs += 50) {
    const running = Math.min(full, state.window);
    const room = { cores, full, running };
    const threads = running + others(atMs) + overhead;
    for (let worker = 0; worker < Math.min(full, state.window); worker++) {
      const ms = suspiciousMs > 0 ? 5 : atMs % 100 === 0 ? 1 : 0;
      if (ms === 0) continue;
      const reading = probeOn(cores, threads, ms, () => random.fraction());
      suspiciousMs = reading.gaps > 0 ? 20 : Math.max(0, suspiciousMs - ms);
      state = probed(state, { ...reading, atMs, ownThreads: running }, room);
    }
    if (atMs % 1_000 === 0 && state.window < full) {
      const reading = probeOn(cores, threads + 1, roomScoutMs(cores), () => random.fraction());
      state = scouted(state, { ...reading, atMs, ownThreads: running + 1 }, { ...room, running: Math.min(full, state.window) });
    }
    seen.push({ atMs, workers: Math.min(full, state.window) });
  }
  const changes = seen.filter(({ workers }, i) => i > 0 && workers !== seen[i - 1]!.workers);
  return { seen, changes, at: (ms: number) => seen.find(({ atMs }) => atMs >= ms)!.workers };
}

const machines = [
  { cores: 1, full: 1 },
  { cores: 2, full: 1 },
  { cores: 2, full: 2 },
  { cores: 4, full: 3 },
  { cores: 8, full: 7 },
  { cores: 8, full: 8 },
  { cores: 64, full: 63 },
];

describe('our own load', () => {
  test.each(machines)('$full workers on $cores cores alone are left as they are', ({ cores, full }) => {
    for (let seed = 0; seed < 20; seed++)
      expect(simulate({ cores, full, others: () => 0, forMs: 60_000, seed: `alone ${seed}` }).changes).toEqual([]);
  });

  test('more workers than cores explain what they take from each other', () => {
    expect(takenByOthers(30, 15, 4, 2)).toBe(0);
    expect(takenByOthers(30, 20, 4, 2)).toBeGreaterThan(0.25);
    expect(simulate({ cores: 2, full: 6, others: () => 0, forMs: 30_000 }).changes).toEqual([]);
  });

  test('a processor that slows down shows no gaps, so nothing changes', () => {
    // Steps that take twice as long are steps: probe.ts counts only what was interrupted.
    const state = probed(unhindered, { atMs: 0, ranMs: 40, lostMs: 0, gaps: 0, ownThreads: 3 }, { cores: 4, full: 3, running: 3 });
    expect(state.window).toBe(Infinity);
  });

  test('one long interruption is chance', () => {
    const state = probed(unhindered, { atMs: 0, ranMs: 60, lostMs: 58, gaps: 1, ownThreads: 1 }, { cores: 2, full: 1, running: 1 });
    expect(state.window).toBe(Infinity);
  });
});

describe('somebody else', () => {
  test.each(machines)(
    '$full of $cores cores: a program with a thread a core has its processor within 2 s, and we ours 10 s after it',
    (machine) => {
      const { cores } = machine;
      let late = 0;
      const speeds: number[] = [];
      for (let seed = 0; seed < 40; seed++) {
        const begins = 5_000;
        const ends = 35_000;
        const run = simulate({ ...machine, others: (ms) => (ms >= begins && ms < ends ? cores : 0), forMs: 50_000, seed: `busy ${seed}` });
        // Of n workers beside as many threads as cores these have cores / (cores + n) of what they had alone.
        const speed = (workers: number) => cores / (cores + workers);
        if (speed(run.at(begins + 2_000)) < 0.9) late++;
        for (const { atMs, workers } of run.seen) if (atMs >= begins + 2_000 && atMs < ends) speeds.push(speed(workers));
        expect(run.at(ends + 10_000)).toBe(machine.full);
      }
      expect(late).toBeLessThanOrEqual(4);
      expect(speeds.reduce((sum, speed) => sum + speed, 0) / speeds.length).toBeGreaterThan(0.93);
    },
  );

  test('a program with one thread costs about one core, and does not set workers going and stopping', () => {
    const run = simulate({ cores: 4, full: 4, others: (ms) => (ms > 2_000 ? 1 : 0), forMs: 120_000 });
    const later = run.seen.filter(({ atMs }) => atMs > 30_000);
    const mean = later.reduce((sum, { workers }) => sum + workers, 0) / later.length;
    expect(mean).toBeGreaterThan(1.5);
    expect(mean).toBeLessThanOrEqual(3.2);
    expect(run.changes.length).toBeLessThan(60);
  });

  test('a scout that found room by chance lets nothing run: the next must find it too', () => {
    const room = { cores: 2, full: 1, running: 0 };
    const clear = { ranMs: 30, lostMs: 0, gaps: 0, ownThreads: 1 };
    const taken = { ranMs: 42, lostMs: 12, gaps: 3, ownThreads: 1 };
    let state = probed(unhindered, { atMs: 1_000, ranMs: 40, lostMs: 20, gaps: 9, ownThreads: 1 }, { ...room, running: 1 });
    const atMs = 1_000 + holdMsMax;
    for (const [turn, scout] of [clear, taken, clear, taken, clear].entries()) {
      state = scouted(state, { ...scout, atMs: atMs + 1_000 * turn }, room);
      expect(state.window).toBe(0);
    }
    expect(scouted(state, { ...clear, atMs: atMs + 5_000 }, room).window).toBe(Infinity);
  });

  test('growing is held off for longer each time it was wrong, within a bound', () => {
    const room = { cores: 2, full: 2, running: 2 };
    const bad = { ranMs: 40, lostMs: 20, gaps: 9, ownThreads: 2 };
    let state: Yielding = unhindered;
    const holds: number[] = [];
    let atMs = 0;
    for (let i = 0; i < 6; i++) {
      state = probed(state, { ...bad, atMs: (atMs += 1_000) }, room);
      holds.push(state.holdMs);
      atMs += holdMsMax;
      for (let look = 0; look < 2; look++)
        state = scouted(state, { atMs: ++atMs, ranMs: 20, lostMs: 0, gaps: 0, ownThreads: 1 }, { ...room, running: 0 });
    }
    expect(holds).toEqual([1_000, 2_000, 4_000, 6_000, 6_000, 6_000]);
  });
});

describe('the page itself', () => {
  const room = { cores: 8, full: 6, running: 6 };
  test('twice slow within a moment halves the workers; once, or without workers, does not', () => {
    const once = lagged(unhindered, 1_000, lagMsMin, room);
    expect(once.window).toBe(Infinity);
    expect(lagged(once, 2_000, lagMsMin, room)).toMatchObject({ window: 3, why: 'slow-page' });
    expect(lagged(once, 9_000, lagMsMin, room).window).toBe(Infinity);
    expect(lagged(once, 2_000, lagMsMin, { ...room, running: 0 }).window).toBe(Infinity);
  });
  test('a machine that slept is not a slow page', () => {
    expect(lagged(lagged(unhindered, 0, 60_000, room), 100, 60_000, room)).toEqual(unhindered);
  });
});

test('the window never leaves its bounds, and never changes twice within a settling time downwards', () => {
  const event = fc.record({
    kind: fc.constantFrom('probe', 'scout', 'lag'),
    afterMs: fc.integer({ min: 1, max: 3_000 }),
    ranMs: fc.double({ min: 0.1, max: 60, noNaN: true }),
    lost: fc.double({ min: 0, max: 1, noNaN: true }),
    gaps: fc.integer({ min: 0, max: 20 }),
    running: fc.integer({ min: 0, max: 8 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      let state: Yielding = unhindered;
      let atMs = 0;
      let growths = 0;
      for (const { kind, afterMs, ranMs, lost, gaps, running } of events) {
        atMs += afterMs;
        const before = state;
        const room = { cores: 8, full: 8, running: Math.min(running, Math.min(8, state.window)) };
        const probe = { atMs, ranMs, lostMs: ranMs * lost, gaps, ownThreads: Math.max(1, room.running) };
        if (kind === 'probe') state = probed(state, probe, room);
        else if (kind === 'scout') state = scouted(state, probe, room);
        else state = lagged(state, atMs, ranMs * 5, room);
        expect(state.window >= 0 && (state.window === Infinity || Number.isInteger(state.window))).toBe(true);
        expect(state.why === null).toBe(state.window === Infinity);
        const grew = Math.min(8, state.window) > Math.min(8, before.window);
        if (grew) growths++;
        expect(grew && atMs - before.shedAtMs < before.holdMs).toBe(false);
      }
      expect(growths).toBeLessThanOrEqual(2 + (2 * atMs) / 2_000);
    }),
    { numRuns: 300 },
  );
});
