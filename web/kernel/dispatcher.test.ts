import * as v from 'valibot';
import { expect, test } from 'vitest';
import { Dispatcher, pendingPerServiceMax, subscriptionsPerPeerMax, type Caller, type Remote } from './dispatcher.ts';
import { groupId, makePeerId, type PeerId } from './lib/ids.ts';
import { failure, FaultError, success, type Outcome } from './lib/outcome.ts';
import { contract, operation } from './protocol/contract.ts';
import type { Message } from './protocol/message.ts';
import { bufferIndex, empty, natural } from './protocol/schemas.ts';
import { makeUri } from './protocol/uri.ts';
import { SecurityManager } from './security-manager.ts';
import { WithBuffers, type Service } from './service.ts';
import { MemoryNetwork } from './testing/memory-transport.ts';
import { seededRandom } from './testing/seeded-random.ts';
import { testSigner } from './testing/test-crypto.ts';
import { testPlatform } from './testing/test-kernel.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

const deskContract = contract({
  name: 'desk',
  resources: {
    papers: {
      get: operation('member', v.strictObject({ data: bufferIndex }), v.strictObject({ data: bufferIndex })),
      query: operation('member', v.strictObject({ n: natural }), v.strictObject({ n: natural })),
      lookup: operation('member', empty, empty),
      delete: operation('local', empty, empty),
      drop: operation('member', empty, empty),
      submit: operation('member', empty, empty),
    },
  },
  publishes: { count: v.strictObject({ n: natural }) },
});

function setUp() {
  const clock = new VirtualClock();
  const { platform, reports } = testPlatform({ name: 'ada', clock, transport: new MemoryNetwork(clock, seededRandom('none')).transport() });
  const { identity } = platform.signer;
  const self = { identity, network: 'public', peer: makePeerId(identity, new Uint8Array(8)), group: () => groupId('0'.repeat(32)) };
  const security = new SecurityManager(identity);
  const dispatcher = new Dispatcher(platform, security, self);
  const bus = dispatcher.bus('test');
  const context = dispatcher.context(deskContract);
  const desk: Service<typeof deskContract> = {
    contract: deskContract,
    handlers: {
      papers: {
        get: ({ data }, call) => new WithBuffers({ data: 0 }, [call.buffers[data]!]),
        query: ({ n }) => ({ n: n + 1 }),
        lookup: () => new Promise(() => undefined),
        delete: () => ({}),
        drop: () => {
          throw new FaultError('conflict', 'Somebody else owns it.');
        },
        submit: () => {
          throw new Error('a bug');
        },
      },
    },
    start: () => undefined,
    stop: () => undefined,
  };
  const registered = dispatcher.register(desk);
  const signer = testSigner('bob');
  const bob: Caller = { peer: makePeerId(signer.identity, new Uint8Array(8)), identity: signer.identity, local: false };
  const message = (more: Partial<Message['header']> = {}, body: unknown = { n: 1 }): Message => ({
    header: {
      id: 1,
      to: makeUri('g', self.peer, 'desk', 'papers'),
      from: makeUri('g', bob.peer, 'test'),
      verb: 'query',
      binding: 'msgpack',
      buffers: [],
      deadline: 1_000,
      trace: '0'.repeat(16),
      ...more,
    },
    body,
  });
  return { clock, reports, self, security, dispatcher, bus, context, desk, registered, bob, message };
}

const codeOf = (outcome: Outcome<unknown>) => (outcome.ok ? 'ok' : outcome.fault.code);

test('two services of one tab exchange 64 MiB without a copy: it is the same memory', async () => {
  const { bus } = setUp();
  const large = new Uint8Array(64 * 1024 * 1024);
  const answer = await bus.ask(deskContract, 'papers', 'get', { data: 0 }, { buffers: [large] });
  if (!answer.ok) throw new Error(answer.fault.message);
  expect(answer.value.buffers[0]).toBe(large);
  expect(answer.value.buffers[0]!.buffer === large.buffer).toBe(true);
});

test('every way to fail at home is a typed answer', async () => {
  const { clock, bus, dispatcher, reports } = setUp();
  expect(codeOf(await bus.ask({ ...deskContract, name: 'attic' as 'desk' }, 'papers', 'query', { n: 1 }))).toBe('unknown-uri');
  expect(codeOf(await bus.ask(deskContract, 'drawers' as 'papers', 'query', { n: 1 }))).toBe('unknown-uri');
  expect(codeOf(await bus.ask(deskContract, 'papers', 'upsert' as 'query', { n: 1 }))).toBe('unknown-uri');
  expect(codeOf(await bus.ask(deskContract, 'toString' as 'papers', 'query', { n: 1 }))).toBe('unknown-uri');
  expect(codeOf(await bus.ask(deskContract, 'papers', 'drop', {}))).toBe('conflict');
  expect(codeOf(await clock.finish(bus.ask(deskContract, 'papers', 'lookup', {}, { timeoutMs: 100 })))).toBe('too-late');
  expect(
    codeOf(await bus.ask(deskContract, 'papers', 'get', { data: 0 }, { buffers: Array.from({ length: 65 }, () => new Uint8Array(1)) })),
  ).toBe('too-large');
  expect(
    codeOf(await bus.ask(deskContract, 'papers', 'query', { n: 1 }, { peer: makePeerId(testSigner('x').identity, new Uint8Array(8)) })),
  ).toBe('unreachable');
  expect(reports).toEqual([]);
  expect(codeOf(await bus.ask(deskContract, 'papers', 'submit', {}))).toBe('internal');
  expect(reports).toMatchObject([{ level: 'bug' }]);
  expect(codeOf(await bus.ask(deskContract, 'papers', 'query', { n: 1 }))).toBe('ok');
  expect(dispatcher.uris.names()).toEqual(['desk']);
});

test('a message from outside is parsed at the edge, and may do what a member may', async () => {
  const { dispatcher, bob, message, self, security } = setUp();
  const receive = async (more?: Partial<Message['header']>, body?: unknown) => codeOf(await dispatcher.receive(message(more, body), bob));
  expect(await receive()).toBe('ok');
  expect(await receive({}, { n: -1 })).toBe('malformed');
  expect(await receive({}, { n: 1, more: true })).toBe('malformed');
  expect(await receive({}, null)).toBe('malformed');
  expect(await receive({ to: 'lull://g' as never })).toBe('malformed');
  expect(await receive({ to: `http://g/${self.peer}/desk` as never })).toBe('malformed');
  expect(await receive({ to: makeUri('g', bob.peer, 'desk', 'papers') })).toBe('unknown-uri');
  expect(await receive({ to: makeUri('g', self.peer, 'desk') })).toBe('unknown-uri');
  expect(await receive({ to: makeUri('g', self.peer, 'desk', '__proto__') })).toBe('unknown-uri');
  expect(await receive({ to: makeUri('g', 'group', 'desk', 'papers') })).toBe('ok');
  expect(await receive({ verb: 'delete' }, {})).toBe('refused');
  security.grant(bob.identity, []);
  expect(await receive()).toBe('refused');
});

test('a service with more to answer than its bound refuses, and takes up again', async () => {
  const { clock, bus } = setUp();
  const waiting = Array.from({ length: pendingPerServiceMax }, () => bus.ask(deskContract, 'papers', 'lookup', {}, { timeoutMs: 100 }));
  expect(codeOf(await bus.ask(deskContract, 'papers', 'query', { n: 1 }))).toBe('overloaded');
  await clock.finish(Promise.all(waiting));
});

test('whoever watches gets the latest first, then each change, and nothing after the cancel', async () => {
  const { clock, bus, context } = setUp();
  context.publish('count', { n: 1 });
  context.publish('count', { n: 2 });
  const seen: number[] = [];
  const cancel = bus.watch(deskContract, 'count', ({ n }) => seen.push(n));
  await clock.advance(0);
  context.publish('count', { n: 3 });
  expect(seen).toEqual([2]);
  await clock.advance(0);
  context.publish('count', { n: 4 });
  cancel();
  await clock.advance(0);
  expect(seen).toEqual([2, 3]);
});

test('a watcher that throws harms nobody and is reported', async () => {
  const { clock, bus, context, reports } = setUp();
  const seen: number[] = [];
  bus.watch(deskContract, 'count', () => {
    throw new Error('mine');
  });
  bus.watch(deskContract, 'count', ({ n }) => seen.push(n));
  context.publish('count', { n: 1 });
  await clock.advance(0);
  expect(seen).toEqual([1]);
  expect(reports).toMatchObject([{ level: 'bug' }]);
});

test('a subscription from outside is pushed until the subscriber is gone', async () => {
  const { clock, dispatcher, context, bob, message, self } = setUp();
  const pushed: unknown[] = [];
  let reply: Outcome<never> | ReturnType<typeof success> = success({ body: {}, buffers: [] });
  const remote: Remote = {
    send: (_, push) => {
      pushed.push(push.body);
      return Promise.resolve(reply as never);
    },
    anyPeer: () => undefined,
  };
  dispatcher.connect(remote);
  const subscribe = (verb: 'subscribe' | 'unsubscribe', publication: string, notify: string) =>
    dispatcher.receive(message({ verb, to: makeUri('g', self.peer, 'desk', publication) }, { notify }), bob);
  expect(codeOf(await subscribe('subscribe', 'rumours', '1'))).toBe('unknown-uri');
  expect(codeOf(await subscribe('subscribe', 'count', '../1'))).toBe('malformed');
  expect(codeOf(await subscribe('subscribe', 'count', '1'))).toBe('ok');
  context.publish('count', { n: 1 });
  await clock.advance(0);
  expect(pushed).toEqual([{ n: 1 }]);
  reply = failure('unreachable', 'gone');
  context.publish('count', { n: 2 });
  await clock.advance(0);
  context.publish('count', { n: 3 });
  await clock.advance(0);
  expect(pushed).toEqual([{ n: 1 }, { n: 2 }]);
  reply = success({ body: {}, buffers: [] });
  for (let i = 0; i < subscriptionsPerPeerMax; i++) expect(codeOf(await subscribe('subscribe', 'count', `${i}`))).toBe('ok');
  expect(codeOf(await subscribe('subscribe', 'count', '999999'))).toBe('overloaded');
  expect(codeOf(await subscribe('subscribe', 'count', '5'))).toBe('ok');
  expect(codeOf(await subscribe('unsubscribe', 'count', '5'))).toBe('ok');
  expect(codeOf(await subscribe('subscribe', 'count', '999999'))).toBe('ok');
});

test('self and group stand for this tab and for whoever offers the service', async () => {
  const { bus, dispatcher, bob } = setUp();
  const asked: PeerId[] = [];
  expect(codeOf(await bus.ask(deskContract, 'papers', 'query', { n: 1 }, { peer: 'self' }))).toBe('ok');
  expect(codeOf(await bus.ask(deskContract, 'papers', 'query', { n: 1 }, { peer: 'group' }))).toBe('ok');
  const attic = { ...deskContract, name: 'attic' as 'desk' };
  expect(codeOf(await bus.ask(attic, 'papers', 'query', { n: 1 }, { peer: 'group' }))).toBe('unreachable');
  dispatcher.connect({
    send: (peer) => {
      asked.push(peer);
      return Promise.resolve(success({ body: { n: 2 }, buffers: [] }));
    },
    anyPeer: () => bob.peer,
  });
  expect(codeOf(await bus.ask(attic, 'papers', 'query', { n: 1 }, { peer: 'group' }))).toBe('ok');
  expect(asked).toEqual([bob.peer]);
});

test('an answer from outside that does not fit the contract is malformed, not trusted', async () => {
  const { bus, dispatcher, bob } = setUp();
  dispatcher.connect({ send: () => Promise.resolve(success({ body: { n: 'many' }, buffers: [] })), anyPeer: () => undefined });
  expect(codeOf(await bus.ask(deskContract, 'papers', 'query', { n: 1 }, { peer: bob.peer }))).toBe('malformed');
});

test('only the tab registers services, each name once, and never a name of the kernel', () => {
  const { dispatcher, desk, registered, bob, security } = setUp();
  expect(registered).toMatchObject({ ok: true, value: { name: 'desk' } });
  expect(codeOf(dispatcher.register(desk))).toBe('conflict');
  const named = (name: string) => ({ ...desk, contract: { ...deskContract, name: name as 'desk' } });
  for (const name of ['network', 'kernel', 'self', 'group', 'notify']) expect(codeOf(dispatcher.register(named(name)))).toBe('refused');
  expect(codeOf(dispatcher.registerOwn(named('network')))).toBe('ok');
  for (const name of ['', 'Desk', '../desk', 'a'.repeat(65)]) expect(codeOf(dispatcher.register(named(name)))).toBe('malformed');
  expect(codeOf(dispatcher.uris.register(bob, 'spy', () => Promise.resolve(success({ body: {}, buffers: [] }))))).toBe('refused');
  const unnamed = dispatcher.uris.register({ ...bob, local: true }, undefined, () => Promise.resolve(success({ body: {}, buffers: [] })));
  expect(unnamed.ok && unnamed.value.name).toMatch(/^service-\d+$/);
  if (registered.ok) registered.value.remove();
  expect(codeOf(dispatcher.register(desk))).toBe('ok');
  expect(codeOf(security.approveJob(bob.identity))).toBe('ok');
  security.grant(bob.identity, ['join']);
  expect(codeOf(security.approveJob(bob.identity))).toBe('refused');
});
