import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { startKernel } from './kernel.ts';
import { failure } from './lib/outcome.ts';
import { memoryStorage } from './memory-storage.ts';
import type { Platform } from './platform.ts';
import { contract, operation } from './protocol/contract.ts';
import { membershipContract } from './protocol/contracts/membership.ts';
import { empty } from './protocol/schemas.ts';
import { serviceCatalogue } from './service-catalogue.ts';
import { MemoryDirectory } from './testing/memory-directory.ts';
import { MemoryNetwork } from './testing/memory-transport.ts';
import { testPlatform } from './testing/test-kernel.ts';
import { seededRandom } from './testing/seeded-random.ts';
import { testCoder } from './testing/test-coder.ts';
import { testDigest, testSigner } from './testing/test-crypto.ts';
import { VirtualClock } from './testing/virtual-clock.ts';
import type { ServiceFactory } from './service.ts';

const localOnly = (services: string) =>
  `<lull version="1">\n<security-manager/><uri-manager/><dispatcher/><drivers/><network-manager/>\n<services>${services}</services>\n</lull>`;

function setUp() {
  const clock = new VirtualClock();
  const random = seededRandom('kernel');
  const reports: string[] = [];
  const unused = () => {
    throw new Error('a local-only tab reaches for the network');
  };
  const platform: Platform = {
    clock,
    random,
    digest: testDigest,
    coder: testCoder,
    signer: testSigner('ada'),
    storage: memoryStorage(random),
    transport: { start: unused, dial: unused, introduces: () => false, dialThrough: unused, answer: unused, stop: unused },
    directory: { start: unused, stop: unused },
    sandbox: { open: unused, warm: () => undefined },
    machine: { cores: 2, memoryMiB: null, watch: () => () => undefined, visible: () => true },
    report: (level, message) => reports.push(`${level}: ${message}`),
  };
  return { clock, platform, reports };
}

const greetings = contract({
  name: 'greeter',
  resources: { greetings: { get: operation('member', v.strictObject({ name: v.string() }), v.strictObject({ text: v.string() })) } },
  publishes: { said: v.strictObject({ text: v.string() }) },
});
const greeter: ServiceFactory<typeof greetings> = (context) => ({
  contract: greetings,
  handlers: {
    greetings: {
      get: ({ name }) => {
        context.publish('said', { text: name });
        return { text: `Hello, ${name}.` };
      },
    },
  },
  start: () => undefined,
  stop: () => undefined,
});
const quiet = contract({ name: 'quiet', resources: { nothing: { get: operation('local', empty, empty) } }, publishes: {} });

test('a boot document without a binding gives a local tab whose services work', async () => {
  const { clock, platform } = setUp();
  const kernel = await clock.finish(
    startKernel(platform, {
      bootDocument: localOnly('<service name="greeter"/>'),
      network: 'public',
      catalogue: new Map([['greeter', greeter]]),
    }),
  );
  if (!kernel.ok) throw new Error(kernel.fault.message);
  expect(kernel.value.local).toBe(true);
  expect(kernel.value.services).toEqual(['greeter']);
  const reply = await kernel.value.bus.ask(greetings, 'greetings', 'get', { name: 'Ada' });
  expect(reply).toMatchObject({ ok: true, value: { body: { text: 'Hello, Ada.' } } });
  await kernel.value.stop();
  expect(await kernel.value.bus.ask(greetings, 'greetings', 'get', { name: 'Ada' })).toMatchObject({
    ok: false,
    fault: { code: 'unknown-uri' },
  });
});

test('services start in the order of their needs and stop in the reverse; stopping twice is once', async () => {
  const { clock, platform } = setUp();
  const order: string[] = [];
  const recorder =
    (name: string): ServiceFactory<typeof quiet> =>
    () => ({
      contract: { ...quiet, name: name as 'quiet' },
      handlers: { nothing: { get: () => ({}) } },
      start: () => void order.push(`+${name}`),
      stop: () => void order.push(`-${name}`),
    });
  const catalogue = new Map(['first', 'second', 'third'].map((name) => [name, recorder(name)]));
  const kernel = await clock.finish(
    startKernel(platform, {
      bootDocument: localOnly('<service name="third" needs="second first"/><service name="second" needs="first"/><service name="first"/>'),
      network: 'public',
      catalogue,
    }),
  );
  if (!kernel.ok) throw new Error(kernel.fault.message);
  await Promise.all([kernel.value.stop(), kernel.value.stop()]);
  expect(order).toEqual(['+first', '+second', '+third', '-third', '-second', '-first']);
});

test('a service that fails to start, or hangs, takes the others down and says so', async () => {
  const { clock, platform, reports } = setUp();
  const order: string[] = [];
  const make =
    (name: string, start: () => Promise<void>): ServiceFactory<typeof quiet> =>
    () => ({
      contract: { ...quiet, name: name as 'quiet' },
      handlers: { nothing: { get: () => ({}) } },
      start,
      stop: () => void order.push(`-${name}`),
    });
  const boot = (bad: () => Promise<void>) =>
    startKernel(platform, {
      bootDocument: localOnly('<service name="good"/><service name="bad" needs="good"/>'),
      network: 'public',
      catalogue: new Map([
        ['good', make('good', () => Promise.resolve())],
        ['bad', make('bad', bad)],
      ]),
    });
  const thrown = await clock.finish(boot(() => Promise.reject(new Error('no luck'))));
  expect(thrown).toMatchObject({ ok: false, fault: { code: 'internal', message: 'The service "bad" did not start: no luck' } });
  expect(order).toEqual(['-bad', '-good']);
  expect(reports).toContain('bug: The service "bad" did not start');
  const hung = await clock.finish(boot(() => new Promise(() => undefined)));
  expect(hung).toMatchObject({ ok: false, fault: { code: 'too-late' } });
});

test('a broken boot document is refused with its line and nothing is started', async () => {
  const { platform } = setUp();
  const outcome = await startKernel(platform, { bootDocument: '<lull version="1">\n<security-manager>\n</lull>', network: 'public' });
  expect(outcome).toMatchObject({ ok: false, fault: { code: 'malformed', message: expect.stringContaining('line 3') } });
});

const siteDocument = readFileSync(new URL('../../public/boot.xml', import.meta.url), 'utf8');

test('the document of the site without its binding boots every service of the site in a tab alone', async () => {
  const { clock, platform, reports } = setUp();
  const kernel = await clock.finish(startKernel(platform, { bootDocument: siteDocument.replace(/<binding[^>]*>/, ''), network: 'public' }));
  if (!kernel.ok) throw new Error(kernel.fault.message);
  expect(kernel.value.local).toBe(true);
  expect(kernel.value.services.toSorted()).toEqual([...serviceCatalogue.keys()].toSorted());
  await clock.advance(5_000);
  const view = await kernel.value.bus.ask(membershipContract, 'members', 'query', {});
  expect(view).toMatchObject({ ok: true, value: { body: { signaling: 'none', members: [{ peer: kernel.value.self.peer }] } } });
  await clock.finish(kernel.value.stop());
  expect(reports).toEqual(['info: No protocol binding is listed: the network manager was unloaded and this tab runs alone.']);
});

test('two tabs of the site meet through the directory, and one that leaves is gone from the other at once', async () => {
  const clock = new VirtualClock();
  const net = new MemoryNetwork(clock, seededRandom('net'));
  const meeting = new MemoryDirectory(clock, seededRandom('directory'));
  const boot = async (name: string) => {
    const made = testPlatform({ name, clock, transport: net.transport(), directory: meeting.directory() });
    const kernel = await clock.finish(startKernel(made.platform, { bootDocument: siteDocument, network: 'public' }));
    if (!kernel.ok) throw new Error(kernel.fault.message);
    return { ...kernel.value, reports: made.reports };
  };
  const ada = await boot('ada');
  const bob = await boot('bob');
  const members = async () => {
    const view = await ada.bus.ask(membershipContract, 'members', 'query', {});
    return view.ok ? view.value.body.members.map(({ peer }) => peer) : [];
  };
  await clock.until(async () => (await members()).length === 2, 5_000, 'that they meet');
  expect(await members()).toEqual([ada.self.peer, bob.self.peer]);
  expect(ada.self.group()).toBe(bob.self.group());
  await clock.finish(bob.stop());
  await clock.until(async () => (await members()).length === 1, 1_000, 'that the one who left is gone');
  await clock.finish(ada.stop());
  expect([...ada.reports, ...bob.reports].filter(({ level }) => level === 'bug')).toEqual([]);
});

test('a browser whose driver does not start still gives a tab that works, and says what is missing', async () => {
  const { clock, platform } = setUp();
  const transport = {
    start: () => Promise.resolve(failure('refused', 'This browser cannot connect tabs.')),
    dial: () => Promise.resolve(failure('unreachable', 'none')),
    introduces: () => false,
    dialThrough: () => Promise.resolve(failure('unreachable', 'none')),
    answer: () => Promise.resolve(failure('unreachable', 'none')),
    stop: () => undefined,
  };
  const directory = { start: () => undefined, stop: () => undefined };
  const kernel = await clock.finish(startKernel({ ...platform, transport, directory }, { bootDocument: siteDocument, network: 'public' }));
  if (!kernel.ok) throw new Error(kernel.fault.message);
  await clock.advance(10);
  expect(kernel.value.networkNotice()).toBe('This browser cannot connect tabs.');
  await clock.finish(kernel.value.stop());
});
