import { expect, it } from 'vitest';
import { VirtualClock } from '../kernel/testing/virtual-clock.ts';
import type { Result } from '../sdk/types.ts';
import { Bucket } from './allowance.ts';
import { visitor } from './door.ts';
import { parseArgs, parseFrame } from './requests.ts';
import { ResultStream, roughBytes } from './result-stream.ts';
import { worldOf } from './world.ts';

it('each embedding origin has a world of its own, and each identity it brings another', () => {
  const names = [
    worldOf('https://a.example', null, null),
    worldOf('https://a.example:8443', null, null),
    worldOf('http://a.example', null, null),
    worldOf('https://a.example', 'ab'.repeat(32), null),
    worldOf('https://a.example', null, 'ab'.repeat(32)),
    worldOf('https://a.example', 'ab'.repeat(32), 'ab'.repeat(32)),
  ].map(({ store }) => store);
  expect(new Set(names).size).toBe(names.length);
  expect(names).not.toContain('lull');
});

it('a page without an origin, and an identity that was brought, leave nothing behind', () => {
  expect(worldOf('null', null, null)).toEqual({ store: null, identity: null });
  expect(worldOf('https://a.example', 'ab'.repeat(32), null).identity).toBeNull();
});

it('a bucket fills as time passes, to its burst and no further', async () => {
  const clock = new VirtualClock();
  const bucket = new Bucket({ perSecond: 10, burst: 3 }, clock);
  const taken = () => Array.from({ length: 5 }, () => bucket.take()).filter(Boolean).length;
  expect(taken()).toBe(3);
  await clock.advance(100);
  expect(taken()).toBe(1);
  await clock.advance(60_000);
  expect(taken()).toBe(3);
});

it.each([
  undefined,
  null,
  'call',
  [],
  { t: 'donate', on: true },
  { t: 'call', id: 1, method: 'donate', job: null, args: [] },
  { t: 'call', id: 1, method: 'constructor', job: null, args: [] },
  { t: 'call', id: -1, method: 'find', job: null, args: [] },
  { t: 'call', id: 1, method: 'find', job: null, args: [1, 2, 3, 4] },
  { t: 'open', id: 1, job: '../x', order: 'input' },
  { t: 'pull', id: 1, max: 1e9 },
  { t: 'ping', n: 1, more: 1 },
])('%j is no message', (data) => {
  expect(parseFrame(data)).toBeUndefined();
});

it('arguments are checked one by one, and what is wrong is said', () => {
  expect(parseArgs('peek', [0, 10])).toEqual({ ok: true, args: [0, 10] });
  expect(parseArgs('peek', [0, 1e9])).toEqual({ ok: false, message: expect.stringContaining('At most 2000 at once') });
  expect(parseArgs('start', [1, { name: 'x', code: 'y', inputs: { list: 1 }, limits: { cores: 8 } }])).toMatchObject({ ok: false });
  expect(parseArgs('put', [5, {}])).toEqual({ ok: false, message: expect.stringContaining('can be put') });
});

async function* resultsOf(count: number, value: unknown): AsyncGenerator<Result, void> {
  for (let index = 0; index < count; index++) yield { index, value, by: ['x'], tookMs: 1 };
}

it('results travel together: as many as were asked for, and not too many bytes', async () => {
  const clock = new VirtualClock();
  const small = new ResultStream(resultsOf(10, 1), clock);
  expect((await clock.finish(small.pull(4))).results.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
  expect(await clock.finish(small.pull(400))).toMatchObject({ over: true, results: { length: 6 } });
  const large = new ResultStream(resultsOf(5, new Uint8Array(600_000)), clock);
  expect((await clock.finish(large.pull(100))).results).toHaveLength(2);
  await clock.finish(large.shut());
});

it('a result that is late is not waited for, and comes with the next', async () => {
  const clock = new VirtualClock();
  async function* slow(): AsyncGenerator<Result, void> {
    yield* resultsOf(1, 1);
    await new Promise<void>((resolve) => clock.after(1_000, resolve));
    yield { index: 1, value: 2, by: [], tookMs: 0 };
  }
  const stream = new ResultStream(slow(), clock);
  expect(await clock.finish(stream.pull(10))).toMatchObject({ over: false, results: [{ index: 0 }] });
  expect(await clock.finish(stream.pull(10))).toMatchObject({ over: true, results: [{ index: 1 }] });
});

it('the size of a value is counted to a bound, whatever its form', () => {
  expect(roughBytes('x'.repeat(100), 1e6)).toBeGreaterThanOrEqual(100);
  expect(roughBytes({ a: [new Uint8Array(500), new Map([['k', 'v']])] }, 1e6)).toBeGreaterThanOrEqual(500);
  expect(roughBytes(Array(1e7).fill(0), 1_000)).toBe(1_000);
});

it('only the page that frames it opens the door, once, and who it is the browser says', async () => {
  const listeners: ((event: object) => void)[] = [];
  const told: unknown[] = [];
  const parent = { postMessage: (message: unknown) => told.push(message) };
  const frame = {
    parent,
    addEventListener: (_: string, listener: (event: object) => void) => listeners.push(listener),
    removeEventListener: () => listeners.splice(0),
  };
  const opened = visitor(frame as unknown as Window);
  expect(told).toEqual([{ lull: 'up', version: 1 }]);
  const event = {
    source: parent,
    origin: 'https://a.example',
    ports: ['port'],
    data: { lull: 'open', version: 1, identity: null, network: null },
  };
  for (const wrong of [
    { source: {} },
    { ports: [] },
    { data: null },
    { data: { ...event.data, version: 2 } },
    { data: { ...event.data, identity: 'x' } },
  ])
    listeners[0]!({ ...event, ...wrong, origin: 'https://evil.example' });
  listeners[0]!(event);
  expect(await opened).toEqual({ origin: 'https://a.example', port: 'port', identity: null, network: null });
  expect(listeners).toEqual([]);
});
