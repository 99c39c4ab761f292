// What browsers tell about the machine, against stand-ins for their parts; the real ones are met in e2e/politeness.spec.ts.
import { describe, expect, test, vi } from 'vitest';
import { calibrated, probe, Prober } from '../../worker/probe.ts';
import { batterySensor } from './machine-battery.ts';
import { connectionSensor } from './machine-connection.ts';
import { frozenSensor, heapShare } from './machine-page.ts';
import { personSensor } from './machine-person.ts';
import { pressureSensor } from './machine-pressure.ts';
import { scoutOf } from './machine-scout.ts';

const made = <T extends object>(fields: T) => Object.assign(new EventTarget(), fields);

test('a browser that tells nothing is nothing unusual', () => {
  for (const sensor of [
    batterySensor(vi.fn<() => void>(), {}),
    connectionSensor(vi.fn<() => void>(), {}),
    pressureSensor(vi.fn<() => void>(), {}),
    personSensor(vi.fn<() => void>(), {}),
  ]) {
    expect(sensor.read()).toBeNull();
    sensor.stop();
  }
  expect(heapShare({})).toBeNull();
});

describe('the battery', () => {
  test('is told once it is known, and on every change until it is stopped', async () => {
    const battery = made({ charging: true, level: 1 });
    const changed = vi.fn<() => void>();
    const sensor = batterySensor(changed, { getBattery: () => Promise.resolve(battery) });
    expect(sensor.read()).toBeNull();
    await vi.waitFor(() => expect(sensor.read()).toEqual({ charging: true, level: 1 }));
    battery.charging = false;
    battery.dispatchEvent(new Event('chargingchange'));
    expect(sensor.read()).toEqual({ charging: false, level: 1 });
    expect(changed).toHaveBeenCalledTimes(2);
    sensor.stop();
    battery.dispatchEvent(new Event('levelchange'));
    expect(changed).toHaveBeenCalledTimes(2);
  });

  test('a refusal is as if there were none', async () => {
    const sensor = batterySensor(vi.fn<() => void>(), { getBattery: () => Promise.reject(new Error('not allowed')) });
    await Promise.resolve();
    expect(sensor.read()).toBeNull();
  });
});

test('a connection is metered when it saves data, or is a mobile one', () => {
  const connection: EventTarget & { saveData?: boolean; type?: string } = made({ saveData: false });
  const changed = vi.fn<() => void>();
  const sensor = connectionSensor(changed, { connection });
  expect(sensor.read()).toBe(false);
  connection.saveData = true;
  connection.dispatchEvent(new Event('change'));
  expect([sensor.read(), changed.mock.calls.length]).toEqual([true, 1]);
  Object.assign(connection, { saveData: false, type: 'cellular' });
  expect(sensor.read()).toBe(true);
});

describe('pressure', () => {
  const setUp = (refused = false) => {
    let listen: (records: readonly { readonly state: string }[]) => void = () => undefined;
    const document = made({ visibilityState: 'visible' as DocumentVisibilityState });
    const PressureObserver = class {
      constructor(run: typeof listen) {
        listen = run;
      }
      observe = () => (refused ? Promise.reject(new Error('NotAllowedError')) : Promise.resolve());
      disconnect = () => undefined;
    };
    const changed = vi.fn<() => void>();
    return {
      sensor: pressureSensor(changed, { PressureObserver, document }),
      say: (state: string) => listen([{ state }]),
      document,
      changed,
    };
  };

  test('is what was reported last, and no word that is not known', () => {
    const { sensor, say, changed } = setUp();
    say('critical');
    say('critical');
    say('catastrophic');
    expect([sensor.read(), changed.mock.calls.length]).toEqual(['critical', 1]);
  });

  test('is not known in a hidden page, which hears no more', () => {
    const { sensor, say, document } = setUp();
    say('critical');
    document.visibilityState = 'hidden';
    document.dispatchEvent(new Event('visibilitychange'));
    expect(sensor.read()).toBeNull();
  });

  test('a refusal is no error', async () => {
    const { sensor } = setUp(true);
    await Promise.resolve();
    expect(sensor.read()).toBeNull();
  });
});

describe('the person', () => {
  const setUp = (state: string) => {
    const permission = made({ state });
    const detectors: (EventTarget & { userState: string; screenState: string })[] = [];
    class IdleDetector extends EventTarget {
      userState = 'active' as 'active' | 'idle';
      screenState = 'unlocked' as 'locked' | 'unlocked';
      constructor() {
        super();
        detectors.push(this);
      }
      start = () => Promise.resolve();
    }
    const sensor = personSensor(vi.fn<() => void>(), {
      IdleDetector,
      navigator: { permissions: { query: () => Promise.resolve(permission) } },
    });
    return { permission, detectors, sensor };
  };

  test('is watched where that was allowed, and a locked screen is nobody', async () => {
    const { detectors, sensor } = setUp('granted');
    await vi.waitFor(() => expect(sensor.read()).toBe('active'));
    Object.assign(detectors[0]!, { screenState: 'locked' });
    detectors[0]!.dispatchEvent(new Event('change'));
    expect(sensor.read()).toBe('away');
  });

  test('is not asked for; allowed later it is watched, refused later it no longer is', async () => {
    const { permission, detectors, sensor } = setUp('prompt');
    await Promise.resolve();
    expect([sensor.read(), detectors.length]).toEqual([null, 0]);
    permission.state = 'granted';
    permission.dispatchEvent(new Event('change'));
    await vi.waitFor(() => expect(sensor.read()).toBe('active'));
    permission.state = 'denied';
    permission.dispatchEvent(new Event('change'));
    expect(sensor.read()).toBeNull();
  });
});

test('a page hears that it is put to sleep, and that it wakes', () => {
  const page = new EventTarget();
  const changed = vi.fn<() => void>();
  const sensor = frozenSensor(changed, page);
  page.dispatchEvent(new Event('freeze'));
  expect(sensor.read()).toBe(true);
  page.dispatchEvent(new Event('resume'));
  expect([sensor.read(), changed.mock.calls.length]).toEqual([false, 2]);
});

test('memory is a share of what the page may use', () => {
  expect(heapShare({ memory: { usedJSHeapSize: 300, jsHeapSizeLimit: 400 } })).toBe(0.75);
});

describe('the scout', () => {
  const reading = { ranMs: 20, lostMs: 0, gaps: 0 };
  test('answers what its Worker measured, one look at a time', async () => {
    const worker = { postMessage: vi.fn<(ms: number) => void>(), onmessage: undefined as unknown, terminate: vi.fn<() => void>() };
    const scout = scoutOf(() => worker as unknown as Worker);
    const first = scout(20);
    expect(await scout(20)).toBeUndefined();
    (worker.onmessage as (event: object) => void)({ data: reading });
    expect(await first).toEqual(reading);
    expect(worker.postMessage).toHaveBeenCalledExactlyOnceWith(20);
  });

  test('knows nothing where there can be no Worker, or it fails', async () => {
    const none = scoutOf(() => {
      throw new Error('refused');
    });
    expect(await none(20)).toBeUndefined();
    const worker = { postMessage: vi.fn<(ms: number) => void>(), onerror: undefined as unknown, terminate: vi.fn<() => void>() };
    const failing = scoutOf(() => worker as unknown as Worker)(20);
    (worker.onerror as (event: object) => void)({ preventDefault: () => undefined });
    expect(await failing).toBeUndefined();
    expect(worker.terminate).toHaveBeenCalledOnce();
  });
});

describe('a probe', () => {
  /** A clock on which every read is a step later, but for the gaps: by the number of the read. */
  const clockWith = (stepMs: number, gaps: Readonly<Record<number, number>> = {}) => {
    let [now, reads] = [0, 0];
    return () => (now += stepMs + (gaps[reads++] ?? 0));
  };

  test('that nobody interrupts loses nothing, however slow the processor is', () => {
    for (const stepMs of [0.05, 0.1, 0.4, 1.2]) expect(probe(clockWith(stepMs), 1, 2, 100)).toMatchObject({ lostMs: 0, gaps: 0 });
  });

  test('counts what it lost, and computes its time all the same', () => {
    const seen = probe(clockWith(0.1, { 3: 3, 9: 4 }), 1, 2, 100);
    expect(seen.gaps).toBe(2);
    expect(seen.lostMs).toBeCloseTo(7);
    expect(seen.ranMs).toBeCloseTo(9.1, 0);
  });

  test('a clock that stands still holds nothing up', () => {
    expect(probe(() => 5, 1, 2, 100)).toEqual({ ranMs: 0, lostMs: 0, gaps: 0 });
    expect(calibrated(() => 5)).toBeGreaterThan(0);
  });

  test('leaves out a machine that slept, and ends after so long by the clock', () => {
    expect(probe(clockWith(0.1, { 5: 60_000 }), 1, 2, 100)).toMatchObject({ lostMs: 0, gaps: 0 });
    const crowded = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [i, 10]));
    expect(probe(clockWith(0.1, crowded), 1, 2, 30).ranMs).toBeLessThan(45);
  });

  test('comes ten times a second, and more often for a moment once something was seen', () => {
    let now = 0;
    let crowdedUntil = 0;
    const prober = new Prober(() => (now += now < crowdedUntil ? 3 : 0.1), 1);
    const readings = (forMs: number) => {
      let count = 0;
      for (const until = now + forMs; now < until; now += 5) if (prober.between() !== undefined) count++;
      return count;
    };
    const usual = readings(2_000);
    expect(usual).toBeGreaterThan(12);
    expect(usual).toBeLessThan(22);
    crowdedUntil = now + 500;
    const crowded = readings(500);
    expect(crowded).toBeGreaterThan(2);
    expect(readings(200)).toBeGreaterThan(2);
    expect(readings(2_000)).toBeLessThan(25);
  });
});
