import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MachineSignals } from '../../protocol/contracts/resources.ts';
import { clearMsMin, pressedMs } from './constraints.ts';
import { decide, defaultLimits, freshMemory, silentMachine, type Facts, type Memory } from './decide.ts';

const limits = defaultLimits(4, 8_192);
const facts = (change: Partial<Facts> = {}): Facts => ({
  nowMs: 1_000_000,
  localMs: 0,
  consent: true,
  secondTab: false,
  finishing: false,
  pausedMs: 0,
  visible: true,
  quietMs: 60_000,
  touch: 'input',
  limits,
  coresOfMachine: 4,
  signals: silentMachine,
  today: { uploadMiB: 0, downloadMiB: 0 },
  storageFull: false,
  ownWorkers: 0,
  window: Infinity,
  windowWhy: null,
  takenByOthers: null,
  ...change,
});
const of = (change: Partial<Facts> = {}) => decide(freshMemory, facts(change));
const short = (change: Partial<Facts> = {}) => {
  const { state, againInMs } = of(change);
  return [state.state, state.reason.code, state.workersAllowed, state.resumesInMs, againInMs];
};
const signals = (change: Partial<MachineSignals>): Partial<Facts> => ({ signals: { ...silentMachine, ...change } });

describe('consent and the person', () => {
  test('nothing runs without consent, in words that say which', () => {
    expect(short({ consent: null })).toEqual(['off', 'not-asked', 0, null, null]);
    expect(short({ consent: false })).toEqual(['off', 'not-donating', 0, null, null]);
  });

  test('the second tab of a profile does not donate, whatever was agreed', () => {
    expect(short({ secondTab: true })).toEqual(['off', 'other-tab', 0, null, null]);
    expect(of({ secondTab: true }).state.donating).toBe(false);
  });

  test('one input puts a visible tab in use, then it cools, then it is idle', () => {
    expect(short({ quietMs: 0 })).toEqual(['in use', 'in-use', 0, 15_000, 1_000]);
    expect(short({ quietMs: 999 })).toEqual(['in use', 'in-use', 0, 14_001, 1]);
    expect(short({ quietMs: 1_000 })).toEqual(['cooling', 'cooling', 0, 14_000, 1_000]);
    expect(short({ quietMs: 14_250 })).toEqual(['cooling', 'cooling', 0, 750, 750]);
    expect(short({ quietMs: 15_000 })).toEqual(['idle', '', 3, 0, null]);
  });

  test('while it cools it looks again on whole seconds of what is left', () => {
    expect(of({ quietMs: 2_400 })).toMatchObject({ state: { resumesInMs: 12_600 }, againInMs: 600 });
    expect(of({ quietMs: 14_999 })).toMatchObject({ state: { resumesInMs: 1 }, againInMs: 1 });
  });

  test('a tab that nobody has touched since it was opened is idle, and tells how long it is open', () => {
    const { state } = of({ touch: null, quietMs: 20 });
    expect([state.state, state.quietMs]).toEqual(['idle', 20]);
  });

  test('a page that came into view says so; a hidden one is idle after a moment, and input told by another tab still stops it', () => {
    expect(short({ touch: 'view', quietMs: 10 })).toEqual(['in use', 'shown', 0, 14_990, 990]);
    expect(short({ visible: false, touch: 'view', quietMs: 1_000 })).toEqual(['idle', '', 3, 0, null]);
    expect(short({ visible: false, quietMs: 10 })).toEqual(['in use', 'in-use', 0, 990, 990]);
  });

  test('a chosen quiet time of nothing means idle at once, hidden or not', () => {
    expect(short({ limits: { ...limits, idleAfterSeconds: 0 }, quietMs: 0 })).toEqual(['idle', '', 3, 0, null]);
  });

  test('a tab told to ignore input never leaves idle', () => {
    expect(
      short({ limits: { ...limits, whenBusy: 'ignore' }, quietMs: 0, ...signals({ person: 'active', pressure: 'critical' }) }),
    ).toEqual(['idle', '', 3, 0, null]);
  });

  test('input in another program counts where the browser tells of it', () => {
    expect(short(signals({ person: 'active' }))).toEqual(['in use', 'in-use-elsewhere', 0, null, null]);
    expect(short({ ...signals({ person: 'active' }), quietMs: 0 })[1]).toBe('in-use');
    expect(short(signals({ person: 'away' }))[0]).toBe('idle');
  });

  test('who allows cores while they are there gets so many and no more', () => {
    const both = { ...limits, coresInUse: 1 };
    expect(short({ limits: both, quietMs: 0 }).slice(0, 3)).toEqual(['in use', 'in-use', 1]);
    expect(short({ limits: both, quietMs: 5_000 }).slice(0, 3)).toEqual(['cooling', 'cooling', 1]);
    expect(short({ limits: both, quietMs: 0, window: 0, windowWhy: 'yielding' })[2]).toBe(0);
  });

  test('no more cores are used than there are, and one at least', () => {
    expect(short({ limits: { ...limits, cores: 64 } })[2]).toBe(4);
    expect(defaultLimits(1, null).cores).toBe(1);
    expect(of({ coresOfMachine: 1, limits: defaultLimits(1, null) }).state.reason.sentence).toContain('1 of 1 core.');
  });

  test('two starts are a quiet time apart, however often the tab is hidden and shown', () => {
    const earlier = { ...freshMemory, startedAtMs: 900_000 };
    const first = decide(earlier, facts({ visible: false, touch: 'view', quietMs: 1_000 }));
    expect(first.state.state).toBe('idle');
    const shown = decide(first.memory, facts({ nowMs: 1_002_000, touch: 'view', quietMs: 0 }));
    expect(shown.state.reason.code).toBe('shown');
    const hidden = decide(shown.memory, facts({ nowMs: 1_004_000, visible: false, touch: 'view', quietMs: 1_500 }));
    expect(hidden.state).toMatchObject({ state: 'cooling', resumesInMs: 11_000 });
  });

  test('finishing lets the workers be, and says so first; frozen lets none run', () => {
    const { state } = of({ finishing: true });
    expect(state).toMatchObject({ state: 'stopped', finishing: true, workersAllowed: 3, reason: { code: 'finishing' } });
    expect(of({ finishing: true, quietMs: 0 }).state).toMatchObject({
      workersAllowed: 0,
      reasons: [{ code: 'finishing' }, { code: 'in-use' }],
    });
    expect(short(signals({ frozen: true }))).toEqual(['stopped', 'frozen', 0, null, null]);
  });
});

describe('what holds work back', () => {
  const battery = (charging: boolean, level: number) => signals({ battery: { charging, level } });

  test.each([
    ['on-battery', battery(false, 0.9)],
    ['battery-low', { ...battery(false, 0.1), limits: { ...limits, onBattery: true } }],
    ['metered', signals({ metered: true })],
    ['upload-used', { today: { uploadMiB: limits.uploadMiBPerDay, downloadMiB: 0 } }],
    ['download-used', { today: { uploadMiB: 0, downloadMiB: limits.downloadMiBPerDay } }],
    ['memory-limit', { limits: { ...limits, memoryMiB: 100 } }],
    ['memory-low', signals({ heapShare: 0.95 })],
    ['storage-full', { storageFull: true }],
    // 1 January 1970 was a Thursday; only Friday is open.
    ['schedule', { limits: { ...limits, schedule: [{ days: [5], from: 60, until: 120 }] } }],
  ] as const)('%s', (code, change) => {
    const { state } = of(change as Partial<Facts>);
    expect(state).toMatchObject({ state: 'constrained', workersAllowed: 0, reason: { code } });
    expect(state.reason.sentence).not.toBe('');
  });

  test('all that holds is named, and somebody at the machine beside it', () => {
    const { state } = of({ ...battery(false, 0.1), quietMs: 0 });
    expect(state.reasons.map(({ code }) => code)).toEqual(['on-battery', 'battery-low', 'in-use']);
  });

  test('what the person allows does not hold', () => {
    expect(short({ ...battery(false, 0.9), limits: { ...limits, onBattery: true } })[0]).toBe('idle');
    expect(short({ ...signals({ metered: true }), limits: { ...limits, onMetered: true } })[0]).toBe('idle');
    expect(short(battery(true, 0.05))[0]).toBe('idle');
  });

  test('memory counts for so many workers', () => {
    expect(short({ limits: { ...limits, memoryMiB: 300 } })[2]).toBe(2);
  });

  test('a schedule says when it opens', () => {
    const opens = { limits: { ...limits, schedule: [{ days: [4], from: 60, until: 120 }] } };
    expect(of(opens).state.resumesInMs).toBe(3_600_000);
    expect(of({ ...opens, localMs: 90 * 60_000 }).state.state).toBe('idle');
  });

  test('letting go takes the quiet time, and twice as long if it was raised again soon', () => {
    const off = battery(false, 0.9);
    const on = battery(true, 0.9);
    let memory: Memory = freshMemory;
    const at = (nowMs: number, change: Partial<Facts>) => {
      const decided = decide(memory, facts({ nowMs, ...change }));
      memory = decided.memory;
      return decided;
    };
    expect(at(0, off).state.state).toBe('constrained');
    expect(at(10_000, on)).toMatchObject({ state: { state: 'constrained', resumesInMs: 15_000 }, againInMs: 15_000 });
    expect(at(25_000, on).state.state).toBe('idle');
    expect(at(26_000, off).state.state).toBe('constrained');
    expect(at(27_000, on).state.resumesInMs).toBe(30_000);
    expect(at(57_000, on).state.state).toBe('idle');
  });

  test('a pressed machine counts after a while, and not where our own workers explain it', () => {
    const pressed = signals({ pressure: 'critical' });
    const first = decide(freshMemory, facts(pressed));
    expect(first).toMatchObject({ state: { state: 'idle' }, againInMs: pressedMs });
    const later = decide(first.memory, facts({ ...pressed, nowMs: 1_000_000 + pressedMs }));
    expect(later.state.reason.code).toBe('pressure');
    const eased = decide(later.memory, facts({ ...signals({ pressure: 'fair' }), nowMs: 1_010_000 }));
    expect(eased.state).toMatchObject({ state: 'constrained', resumesInMs: 15_000 });
    const own = decide(first.memory, facts({ ...pressed, nowMs: 1_000_000 + pressedMs, ownWorkers: 3 }));
    expect(own.state.state).toBe('idle');
  });

  test('other programs that want the processor leave fewer workers, or none', () => {
    expect(short({ window: 1, windowWhy: 'yielding' }).slice(0, 3)).toEqual(['idle', 'yielding', 1]);
    expect(short({ window: 0, windowWhy: 'yielding' }).slice(0, 3)).toEqual(['constrained', 'yielding', 0]);
    expect(short({ window: 5, windowWhy: 'yielding' }).slice(0, 3)).toEqual(['idle', '', 3]);
  });
});

describe('whatever the signals do', () => {
  const step = fc.record({
    afterMs: fc.integer({ min: 1, max: 4_000 }),
    input: fc.boolean(),
    visible: fc.boolean(),
    charging: fc.boolean(),
    pressure: fc.constantFrom('nominal', 'fair', 'serious', 'critical' as const),
    metered: fc.boolean(),
    person: fc.constantFrom('active', 'away', null),
    heapShare: fc.constantFrom(0.5, 0.85, 0.95),
    frozen: fc.constantFrom(false, false, false, true),
    ownWorkers: fc.integer({ min: 0, max: 4 }),
  });

  test('two starts are a quiet time apart, and input always wins', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 30 }), (steps, idleAfterSeconds) => {
        const chosen = { ...limits, idleAfterSeconds };
        let memory: Memory = freshMemory;
        let nowMs = 0;
        let touched: { atMs: number; kind: 'input' | 'view' } | null = null;
        let visible = true;
        const starts: number[] = [];
        for (const one of steps) {
          nowMs += one.afterMs;
          if (one.visible !== visible) touched = { atMs: nowMs, kind: 'view' };
          if (one.input) touched = { atMs: nowMs, kind: 'input' };
          visible = one.visible;
          const { pressure, metered, person, heapShare, frozen } = one;
          const { memory: next, state } = decide(
            memory,
            facts({
              nowMs,
              localMs: nowMs,
              visible,
              quietMs: nowMs - (touched?.atMs ?? 0),
              touch: touched?.kind ?? null,
              limits: chosen,
              ownWorkers: one.ownWorkers,
              signals: {
                battery: { charging: one.charging, level: 0.5 },
                pressure: pressure as 'nominal',
                metered,
                person,
                heapShare,
                frozen,
              },
            }),
          );
          if (next.started && !memory.started) starts.push(nowMs);
          memory = next;
          expect(one.input && state.workersAllowed > 0).toBe(false);
          expect(state.workersAllowed === 0 && state.reason.code === '').toBe(false);
          expect(state.reasons.length === 0 ? '' : state.reasons[0]!.code).toBe(state.reason.code);
        }
        const apart = Math.max(clearMsMin, idleAfterSeconds * 1_000);
        // The first one is free: who opens the page, or presses Start, may leave at once.
        for (let i = 2; i < starts.length; i++) expect(starts[i]! - starts[i - 1]!).toBeGreaterThanOrEqual(apart);
        expect(starts.length).toBeLessThanOrEqual(2 + nowMs / apart);
      }),
      { numRuns: 300 },
    );
  });
});
