import { expect, test } from 'vitest';
import { Dispatcher } from '../../dispatcher.ts';
import { groupId, makePeerId } from '../../lib/ids.ts';
import { carryOver } from '../../carry-over.ts';
import { memoryStorage } from '../../memory-storage.ts';
import type { Machine, Platform, Storage } from '../../platform.ts';
import type { Running } from '../../protocol/contracts/executor.ts';
import { membershipContract } from '../../protocol/contracts/membership.ts';
import { resourcesContract, type MachineSignals, type ResourceState } from '../../protocol/contracts/resources.ts';
import type { Offer } from '../../protocol/offer.ts';
import { SecurityManager } from '../../security-manager.ts';
import type { Service } from '../../service.ts';
import { madeUpResources } from '../../testing/made-up-resources.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { testCoder } from '../../testing/test-coder.ts';
import { testDigest, testSigner } from '../../testing/test-crypto.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { defaultLimits } from './decide.ts';
import { resourcesService } from './service.ts';

interface TabOptions {
  readonly storage?: Storage;
  readonly profileRole?: 'speaker' | 'second';
  readonly cores?: number;
}

const run = (phase: Running['phase']): Running =>
  ({
    job: 'a'.repeat(64),
    record: 'b'.repeat(64),
    range: [0, 5],
    finished: 0,
    items: 5,
    phase,
    startedAgoMs: 0,
    progress: null,
  }) as never;

function tab({ storage, profileRole = 'speaker', cores = 4 }: TabOptions = {}) {
  const clock = new VirtualClock();
  const random = seededRandom('resources');
  const signer = testSigner('donor');
  let visible = true;
  let signals: MachineSignals = madeUpResources().signals;
  let watcher: Parameters<Machine['watch']>[0] | undefined;
  const reports: string[] = [];
  const unused = () => {
    throw new Error('not part of this test');
  };
  const platform: Platform = {
    clock,
    random,
    digest: testDigest,
    coder: testCoder,
    signer,
    storage: storage ?? memoryStorage(random, { durable: true }),
    transport: { start: unused, dial: unused, introduces: () => false, dialThrough: unused, answer: unused, stop: unused },
    directory: { start: unused, stop: unused },
    sandbox: { open: unused, warm: unused },
    machine: {
      cores,
      memoryMiB: 8_192,
      visible: () => visible,
      signals: () => signals,
      watch: (listener) => {
        watcher = listener;
        return () => (watcher = undefined);
      },
    },
    profileRole,
    report: (level, message) => reports.push(`${level}: ${message}`),
  };
  const self = {
    peer: makePeerId(signer.identity, random.bytes(8)),
    identity: signer.identity,
    network: 'public',
    group: () => groupId('0'.repeat(32)),
  };
  const dispatcher = new Dispatcher(platform, new SecurityManager(signer.identity), self);
  const offers: Offer[] = [];
  const register = (service: unknown) => {
    const outcome = dispatcher.register(service as Service);
    if (!outcome.ok) throw new Error(outcome.fault.message);
  };
  register({
    contract: membershipContract,
    handlers: {
      offer: {
        replace: (offer: Offer) => {
          offers.push(offer);
          return {};
        },
      },
    },
    start: () => undefined,
    stop: () => undefined,
  });
  const service = resourcesService(dispatcher.contextOf('resources') as never);
  register(service);
  const bus = dispatcher.bus('test');
  const states: ResourceState[] = [];
  bus.watch(resourcesContract, 'state', (state) => states.push(state));
  const ask = async (consent: boolean) => {
    const outcome = await clock.finish(bus.ask(resourcesContract, 'consent', 'replace', { donating: consent }));
    return outcome.ok ? 'ok' : outcome.fault.code;
  };
  return {
    clock,
    bus,
    service,
    states,
    offers,
    reports,
    platform,
    ask,
    publishRunning: (running: Running[]) =>
      (dispatcher.contextOf('executor') as { publish(name: string, body: unknown): void }).publish('running', { running }),
    input: () => watcher!.input(),
    show: (on: boolean) => {
      visible = on;
      watcher!.visible(on);
    },
    tell: (change: Partial<MachineSignals>) => {
      signals = { ...signals, ...change };
      watcher!.signals();
    },
    watched: () => watcher !== undefined,
    seen: () => states.map(({ state }) => state).filter((state, i, all) => state !== all[i - 1]),
    last: () => states.at(-1)!,
  };
}

test('a first visit donates nothing and says it has not been asked', async () => {
  const { service, last, clock, offers } = tab();
  await service.start();
  await clock.advance(60_000);
  expect(last()).toMatchObject({ donating: false, consent: null, state: 'off', workersAllowed: 0, reason: { code: 'not-asked' } });
  expect(offers.at(-1)).toMatchObject({ state: 'off', reason: 'not-asked', storage: { keeps: false } });
});

test('consent starts it, is remembered by the store, and a returning donor is idle at once', async () => {
  const storage = memoryStorage(seededRandom('kept'), { durable: true });
  const first = tab({ storage });
  await first.service.start();
  expect(await first.ask(true)).toBe('ok');
  expect(first.last()).toMatchObject({ donating: true, state: 'idle', workersAllowed: 3 });
  await first.service.stop();
  const second = tab({ storage });
  await second.service.start();
  await second.clock.advance(1);
  expect(second.seen()).toEqual(['idle']);
  expect(await second.ask(false)).toBe('ok');
  expect(second.last()).toMatchObject({ state: 'off', reason: { code: 'not-donating' }, workersAllowed: 0 });
});

test('input is published in the same turn, and only the whole quiet time brings workers back', async () => {
  const { service, clock, ask, input, seen, last, states } = tab();
  await service.start();
  await ask(true);
  await clock.advance(1_000);
  input();
  await Promise.resolve().then(() => undefined);
  expect(last()).toMatchObject({
    state: 'in use',
    workersAllowed: 0,
    resumesInMs: 15_000,
    reason: { sentence: 'Somebody is using this machine, so Lull waits.' },
  });
  await clock.advance(14_000);
  expect(last()).toMatchObject({ state: 'cooling', workersAllowed: 0 });
  input();
  await clock.advance(14_999);
  expect(last().workersAllowed).toBe(0);
  await clock.advance(2);
  expect(last()).toMatchObject({ state: 'idle', workersAllowed: 3 });
  expect(seen()).toEqual(['off', 'idle', 'in use', 'cooling', 'in use', 'cooling', 'idle']);
  // Told once a second while it cools.
  expect(states.filter(({ state }) => state === 'cooling').length).toBeGreaterThanOrEqual(26);
});

test('a moving pointer publishes once, and keeps the tab in use for as long as it moves', async () => {
  const { service, clock, ask, input, states, last } = tab();
  await service.start();
  await ask(true);
  await clock.advance(1);
  const before = states.length;
  for (let i = 0; i < 500; i++) {
    input();
    await clock.advance(10);
  }
  expect(states.slice(before).every(({ state }) => state === 'in use')).toBe(true);
  expect(states.length - before).toBeLessThanOrEqual(10);
  await clock.advance(14_500);
  expect(last().state).toBe('cooling');
  await clock.advance(600);
  expect(last().state).toBe('idle');
});

test('hiding the tab lets workers run after a moment, showing it stops them', async () => {
  const { service, clock, ask, input, show, last } = tab();
  await service.start();
  await ask(true);
  input();
  show(false);
  await clock.advance(1_001);
  expect(last()).toMatchObject({ state: 'idle', workersAllowed: 3 });
  show(true);
  await clock.advance(0);
  expect(last().state).toBe('in use');
});

test('limits are checked, merged, kept and used at once', async () => {
  const storage = memoryStorage(seededRandom('limits'), { durable: true });
  const { service, clock, bus, ask, last, input } = tab({ storage });
  await service.start();
  await ask(true);
  const update = async (change: object) => {
    const outcome = await clock.finish(bus.ask(resourcesContract, 'limits', 'update', change));
    return outcome.ok ? outcome.value.body.limits : outcome.fault.code;
  };
  expect(await update({ cores: 2 })).toEqual({ ...defaultLimits(4, 8_192), cores: 2 });
  expect(await update({ cores: undefined, whenBusy: 'ignore' })).toMatchObject({ cores: 2, whenBusy: 'ignore' });
  for (const bad of [
    { cores: 0 },
    { cores: 1.5 },
    { shareOfTime: 0 },
    { schedule: [{ days: [], from: 0, until: 1 }] },
    { idleAfterSeconds: -1 },
    { idleAfterSeconds: 1e9 },
    { whenBusy: 'always' },
    { gpus: 1 },
  ])
    expect(await update(bad)).toBe('malformed');
  input();
  await clock.advance(0);
  expect(last()).toMatchObject({ state: 'idle', workersAllowed: 2 });
  const again = tab({ storage });
  await again.service.start();
  await again.clock.advance(0);
  expect(again.last().limits).toMatchObject({ cores: 2, whenBusy: 'ignore' });
});

test('a limit said before the database opened leaves the other limits, and whether the person donates', async () => {
  const [memory, database] = [memoryStorage(seededRandom('memory')), memoryStorage(seededRandom('database'), { durable: true })];
  const schedule = [{ days: [6], from: 0, until: 0 }];
  const limit = async ({ clock, bus }: ReturnType<typeof tab>, change: object) =>
    expect(await clock.finish(bus.ask(resourcesContract, 'limits', 'update', change))).toMatchObject({ ok: true });
  const before = tab({ storage: database });
  await before.service.start();
  await before.ask(true);
  await limit(before, { schedule, never: ['a'.repeat(64)], storageMiB: 128 });
  const meanwhile = tab({ storage: memory });
  await meanwhile.service.start();
  await limit(meanwhile, { storageMiB: 256, never: ['b'.repeat(64)] });
  expect(meanwhile.last()).toMatchObject({ consent: null, limits: { schedule: [] } });
  expect(await carryOver(memory, database)).toMatchObject({ ok: true });
  const after = tab({ storage: database });
  await after.service.start();
  await after.clock.advance(0);
  const never = ['a'.repeat(64), 'b'.repeat(64)];
  expect(after.last()).toMatchObject({ consent: true, donating: true, limits: { schedule, never, storageMiB: 256 } });
});

test('the second tab of a profile is off, and refuses to start', async () => {
  const { service, clock, ask, last, offers } = tab({ profileRole: 'second' });
  await service.start();
  expect(await ask(true)).toBe('refused');
  await clock.advance(100);
  expect(last()).toMatchObject({ state: 'off', donating: false, reason: { code: 'other-tab' } });
  expect(offers.at(-1)!.storage.keeps).toBe(false);
});

test('the group is told of a change of state at once, and of running work once a second at most', async () => {
  const { service, clock, ask, input, offers, publishRunning } = tab();
  await service.start();
  await ask(true);
  await clock.advance(2_000);
  expect(offers.at(-1)).toEqual({
    state: 'idle',
    reason: '',
    machine: { cores: 4, memoryMiB: 8_192 },
    sandbox: { workersAllowed: 3, workersRunning: 0, claimed: 0, itemsPerSecond: 0 },
    storage: { keeps: true, usedMiB: 0, allowedMiB: 256 },
  });
  const told = offers.length;
  for (let i = 0; i < 20; i++) {
    publishRunning(Array.from({ length: 1 + (i % 3) }, () => run(i % 2 === 0 ? 'running' : 'waiting')));
    await clock.advance(100);
  }
  expect(offers.length - told).toBeLessThanOrEqual(3);
  publishRunning([run('running'), run('running'), run('fetching')]);
  await clock.advance(1_000);
  expect(offers.at(-1)!.sandbox).toMatchObject({ workersRunning: 2, claimed: 3 });
  input();
  await clock.advance(0);
  expect(offers.at(-1)).toMatchObject({ state: 'in use', reason: 'in-use', sandbox: { workersAllowed: 0 } });
});

test('a store that cannot keep the choice still honours it, and the report says so', async () => {
  const { service, ask, last, reports, platform } = tab();
  await service.start();
  platform.storage.close();
  expect(await ask(true)).toBe('ok');
  expect(last().donating).toBe(true);
  expect(reports).toEqual(['warning: the choice could not be kept: The storage is closed.']);
});

test('after stop no timer runs and no input is heard; start and stop may be called twice', async () => {
  const { service, clock, ask, input, states, watched, offers } = tab();
  await service.start();
  await service.start();
  await ask(true);
  input();
  await clock.advance(0);
  await service.stop();
  await service.stop();
  const [published, told] = [states.length, offers.length];
  await clock.advance(120_000);
  expect([states.length, offers.length, watched()]).toEqual([published, told, false]);
});

test('a battery that is unplugged stops workers at once; plugged in again they wait for the quiet time', async () => {
  const { service, clock, ask, tell, last } = tab();
  await service.start();
  await ask(true);
  tell({ battery: { charging: false, level: 0.8 } });
  await clock.advance(0);
  expect(last()).toMatchObject({ state: 'constrained', workersAllowed: 0, reason: { code: 'on-battery' } });
  tell({ battery: { charging: true, level: 0.8 } });
  await clock.advance(14_999);
  expect(last().workersAllowed).toBe(0);
  await clock.advance(2);
  expect(last()).toMatchObject({ state: 'idle', workersAllowed: 3 });
});

test('when the system says that nobody was there for a minute, the quiet time has passed', async () => {
  const { service, clock, ask, tell, last } = tab();
  await service.start();
  tell({ person: 'active' });
  await ask(true);
  await clock.advance(100_000);
  expect(last().reason.code).toBe('in-use-elsewhere');
  tell({ person: 'away' });
  await clock.advance(0);
  expect(last().state).toBe('idle');
});

test('finishing allows what runs to end, then stops; input ends it at once', async () => {
  const { service, clock, bus, ask, last, input, publishRunning } = tab();
  await service.start();
  await ask(true);
  const finish = async () => {
    publishRunning([run('running')]);
    await clock.advance(0);
    await clock.finish(bus.ask(resourcesContract, 'consent', 'replace', { donating: false, finish: true }));
  };
  await finish();
  expect(last()).toMatchObject({ state: 'stopped', finishing: true, workersAllowed: 3, reason: { code: 'finishing' } });
  publishRunning([]);
  await clock.advance(0);
  expect(last()).toMatchObject({ state: 'off', consent: false });
  await ask(true);
  await finish();
  input();
  await clock.advance(0);
  expect(last()).toMatchObject({ state: 'stopped', workersAllowed: 0 });
});

test('with nothing to finish, finishing is stopping', async () => {
  const { service, clock, bus, ask, last } = tab();
  await service.start();
  await ask(true);
  await clock.finish(bus.ask(resourcesContract, 'consent', 'replace', { donating: false, finish: true }));
  expect(last()).toMatchObject({ state: 'off', consent: false, finishing: false });
});

test('the group learns how long work may go on here before somebody comes', async () => {
  const storage = memoryStorage(seededRandom('stretches'), { durable: true });
  const { service, clock, ask, input, offers } = tab({ storage });
  await service.start();
  await ask(true);
  expect(offers.at(-1)!.sandbox.stretchSeconds).toBeUndefined();
  for (const seconds of [40, 60, 50]) {
    await clock.advance(seconds * 1_000);
    input();
    await clock.advance(15_000);
  }
  expect(offers.at(-1)!.sandbox.stretchSeconds).toBe(48);
  await service.stop();
  const again = tab({ storage });
  await again.service.start();
  await again.clock.advance(0);
  expect(again.offers.at(-1)!.sandbox.stretchSeconds).toBe(48);
});

test('a pause holds for its time whatever else is the case, is kept over a restart, and ends when the person says so', async () => {
  const storage = memoryStorage(seededRandom('pause'), { durable: true });
  const { service, clock, bus, ask, input, last } = tab({ storage });
  const pause = (ms: number) => clock.finish(bus.ask(resourcesContract, 'pause', 'replace', { ms }));
  await service.start();
  await ask(true);
  await pause(3_600_000);
  expect(last()).toMatchObject({ state: 'constrained', workersAllowed: 0, reason: { code: 'paused' }, resumesInMs: 3_600_000 });
  input();
  await clock.advance(3_599_000);
  expect(last()).toMatchObject({ workersAllowed: 0, reason: { code: 'paused' } });
  await clock.advance(1_001);
  expect(last()).toMatchObject({ state: 'idle', workersAllowed: 3 });
  await pause(3_600_000);
  await pause(0);
  expect(last()).toMatchObject({ workersAllowed: 3 });
  await pause(3_600_000);
  await service.stop();
  const again = tab({ storage });
  await again.service.start();
  await again.clock.advance(0);
  expect(again.last()).toMatchObject({ workersAllowed: 0, reason: { code: 'paused' } });
  await again.ask(false);
  await again.ask(true);
  expect(again.last()).toMatchObject({ workersAllowed: 3 });
});
