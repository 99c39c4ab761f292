import * as v from 'valibot';
import { expect, test } from 'vitest';
import type { PeerId } from '../lib/ids.ts';
import { contract, operation } from '../protocol/contract.ts';
import { networkContract } from '../protocol/contracts/network.ts';
import { bufferIndex, empty, listOf, natural } from '../protocol/schemas.ts';
import { WithBuffers, type ServiceFactory } from '../service.ts';
import { MemoryNetwork, type MemoryNetworkOptions } from '../testing/memory-transport.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { testKernel, type TestKernel } from '../testing/test-kernel.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';

/** Keeps what it is given, says what it is told, and may take its time. */
const shelfContract = contract({
  name: 'shelf',
  resources: {
    things: {
      insert: operation('member', v.strictObject({ data: listOf(bufferIndex, 64) }), v.strictObject({ lengths: listOf(natural, 64) })),
      get: operation('member', v.strictObject({ bytes: natural }), v.strictObject({ data: bufferIndex })),
      query: operation('member', v.strictObject({ text: v.string() }), v.strictObject({ text: v.string() })),
      /** Never answers. */
      lookup: operation('member', empty, empty),
    },
    secrets: { get: operation('local', empty, empty) },
    news: { insert: operation('local', v.strictObject({ text: v.string() }), empty) },
  },
  publishes: { news: v.strictObject({ text: v.string() }) },
});

const shelf: ServiceFactory<typeof shelfContract> = (context) => ({
  contract: shelfContract,
  handlers: {
    things: {
      insert: (_, call) => ({ lengths: call.buffers.map((buffer) => buffer.length) }),
      get: ({ bytes }) => new WithBuffers({ data: 0 }, [pattern(bytes)]),
      query: ({ text }) => ({ text }),
      lookup: () => new Promise(() => undefined),
    },
    secrets: { get: () => ({}) },
    news: {
      insert: ({ text }) => {
        context.publish('news', { text });
        return {};
      },
    },
  },
  start: () => undefined,
  stop: () => undefined,
});

const pattern = (bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8)) & 255);

async function tabs(names: readonly string[], options: MemoryNetworkOptions = {}) {
  const clock = new VirtualClock();
  const net = new MemoryNetwork(clock, seededRandom('network'), options);
  const kernels: Record<string, TestKernel> = {};
  for (const name of names) {
    kernels[name] = await clock.finish(testKernel({ name, clock, transport: net.transport(), services: { shelf } }));
  }
  const link = async (a: string, b: string) => {
    const outcome = await clock.finish(kernels[a]!.bus.ask(networkContract, 'links', 'insert', { peer: kernels[b]!.self.peer }));
    if (!outcome.ok) throw new Error(outcome.fault.message);
    await clock.advance(50);
  };
  const linksOf = async (name: string): Promise<PeerId[]> => {
    const outcome = await kernels[name]!.bus.ask(networkContract, 'links', 'query', {});
    return outcome.ok ? outcome.value.body.links.map(({ peer }) => peer) : [];
  };
  return { clock, net, kernels, link, linksOf };
}

test('a service of one tab is used from another by URI alone, as it would be used at home', async () => {
  const { clock, kernels } = await tabs(['ada', 'bob']);
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  const ask = (peer?: PeerId) => ada.bus.ask(shelfContract, 'things', 'query', { text: 'hello' }, peer === undefined ? {} : { peer });
  expect(await clock.finish(ask(bob.self.peer))).toEqual(await clock.finish(ask()));
  const time = await clock.finish(ada.bus.ask(networkContract, 'clock', 'get', {}, { peer: bob.self.peer }));
  expect(time.ok && time.value.body.nowMs).toBeGreaterThan(1_000);
  const heard: string[] = [];
  const cancel = ada.bus.watch(shelfContract, 'news', ({ text }) => heard.push(text), { peer: bob.self.peer });
  await clock.advance(100);
  await bob.bus.ask(shelfContract, 'news', 'insert', { text: 'one' });
  await bob.bus.ask(shelfContract, 'news', 'insert', { text: 'two' });
  await clock.advance(100);
  cancel();
  await bob.bus.ask(shelfContract, 'news', 'insert', { text: 'three' });
  await clock.advance(100);
  expect(heard).toEqual(['one', 'two']);
});

test('what is told arrives and is not answered, by a hop too, and not even where it is refused', async () => {
  const { clock, kernels, link } = await tabs(['ada', 'bob', 'cy']);
  const { ada, bob, cy } = kernels as { ada: TestKernel; bob: TestKernel; cy: TestKernel };
  await link('ada', 'bob');
  await link('bob', 'cy');
  await clock.advance(1_000);
  const bytesOf = async (of: TestKernel) => {
    const links = await of.bus.ask(networkContract, 'links', 'query', {});
    return links.ok ? links.value.body.links.map(({ bytesIn, bytesOut }) => ({ in: bytesIn, out: bytesOut }))[0]! : { in: 0, out: 0 };
  };
  const before = { ada: await bytesOf(ada), cy: await bytesOf(cy) };
  ada.bus.tell(shelfContract, 'things', 'query', { text: 'hello' }, bob.self.peer);
  ada.bus.tell(shelfContract, 'secrets', 'get', {}, bob.self.peer);
  ada.bus.tell(shelfContract, 'things', 'query', { text: 'hello' }, cy.self.peer);
  await clock.advance(10_000);
  const after = { ada: await bytesOf(ada), cy: await bytesOf(cy) };
  expect(after.ada.out).toBeGreaterThan(before.ada.out);
  expect(after.ada.in).toBe(before.ada.in);
  expect(after.cy.in).toBeGreaterThan(before.cy.in);
  expect(after.cy.out).toBe(before.cy.out);
});

test('buffers arrive byte for byte, empty ones too, in both directions', async () => {
  const { clock, kernels } = await tabs(['ada', 'bob']);
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  const peer = bob.self.peer;
  const put = await clock.finish(
    ada.bus.ask(
      shelfContract,
      'things',
      'insert',
      { data: [0, 1, 2, 3] },
      { peer, buffers: [pattern(0), pattern(3_000_000), pattern(0), pattern(70_000)] },
    ),
  );
  expect(put).toMatchObject({ ok: true, value: { body: { lengths: [0, 3_000_000, 0, 70_000] } } });
  const got = await clock.finish(ada.bus.ask(shelfContract, 'things', 'get', { bytes: 2_500_001 }, { peer }));
  expect(got.ok && Buffer.compare(got.value.buffers[0]!, pattern(2_500_001))).toBe(0);
  expect(await clock.finish(ada.bus.ask(shelfContract, 'things', 'insert', { data: [0] }, { peer, buffers: [pattern(0)] }))).toMatchObject({
    ok: true,
    value: { body: { lengths: [0] } },
  });
});

test('unknown names, refusals, bad requests and missed deadlines are typed answers, and the tab goes on working', async () => {
  const { clock, kernels } = await tabs(['ada', 'bob']);
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  const peer = bob.self.peer;
  const nowhere = contract({ ...shelfContract, name: 'nowhere' });
  const code = async (work: Promise<{ ok: boolean; fault?: { code: string } }>) => (await clock.finish(work)).fault?.code;
  expect(await code(ada.bus.ask(nowhere, 'things', 'query', { text: '' }, { peer }))).toBe('unknown-uri');
  expect(await code(ada.bus.ask(shelfContract, 'secrets', 'get', {}, { peer }))).toBe('refused');
  expect(await code(ada.bus.ask(shelfContract, 'things', 'query', { text: 7 as never }, { peer }))).toBe('malformed');
  expect(await code(ada.bus.ask(shelfContract, 'things', 'lookup', {}, { peer, timeoutMs: 300 }))).toBe('too-late');
  expect(await code(ada.bus.ask(shelfContract, 'things', 'query', { text: 'x'.repeat(5_000_000) }, { peer }))).toBe('too-large');
  expect(await code(ada.bus.ask(shelfContract, 'things', 'query', { text: (() => 1) as never }, { peer }))).toBe('malformed');
  expect(
    await code(ada.bus.ask(shelfContract, 'things', 'insert', { data: [] }, { peer, buffers: [new Uint8Array(64 * 1024 * 1024 + 1)] })),
  ).toBe('too-large');
  expect(await code(ada.bus.ask(shelfContract, 'things', 'query', { text: 'still here' }, { peer }))).toBeUndefined();
  expect([...ada.reports, ...bob.reports].filter(({ level }) => level === 'bug')).toEqual([]);
});

test('a body larger than one message of the channel goes in pieces and arrives whole', async () => {
  const { clock, kernels } = await tabs(['ada', 'bob'], { messageBytesMax: 64 * 1024, bytesPerMs: 10_000 });
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  const text = 'abcdefgh'.repeat(400_000);
  const answers = await clock.finish(
    Promise.all(
      ['before', text, 'after'].map((one) => ada.bus.ask(shelfContract, 'things', 'query', { text: one }, { peer: bob.self.peer })),
    ),
  );
  expect(answers.map((answer) => answer.ok && answer.value.body.text.length)).toEqual([6, text.length, 5]);
});

test('requests past the bound are refused at once, and answered ones make room', async () => {
  const { clock, kernels } = await tabs(['ada', 'bob']);
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  const peer = bob.self.peer;
  await clock.finish(ada.bus.ask(shelfContract, 'things', 'query', { text: '' }, { peer }));
  const many = Array.from({ length: 600 }, () => ada.bus.ask(shelfContract, 'things', 'lookup', {}, { peer, timeoutMs: 1_000 }));
  const codes = (await clock.finish(Promise.all(many))).map((answer) => (answer.ok ? 'ok' : answer.fault.code));
  expect(codes.filter((code) => code === 'too-late')).toHaveLength(512);
  expect(codes.filter((code) => code === 'overloaded')).toHaveLength(88);
  expect(await clock.finish(ada.bus.ask(shelfContract, 'things', 'query', { text: 'room' }, { peer }))).toMatchObject({ ok: true });
});

test('when a link closes, what waits on it is answered unreachable at once', async () => {
  const { clock, kernels, net } = await tabs(['ada', 'bob'], { noticeMs: 200 });
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  const peer = bob.self.peer;
  await clock.finish(ada.bus.ask(shelfContract, 'things', 'query', { text: '' }, { peer }));
  const startedAt = clock.now();
  const waiting = ada.bus.ask(shelfContract, 'things', 'lookup', {}, { peer, timeoutMs: 60_000 });
  net.crash(peer);
  expect(await clock.finish(waiting)).toMatchObject({ ok: false, fault: { code: 'unreachable' } });
  expect(clock.now() - startedAt).toBeLessThan(300);
  expect(await clock.finish(ada.bus.ask(shelfContract, 'things', 'query', { text: '' }, { peer, timeoutMs: 1_000 }))).toMatchObject({
    ok: false,
    fault: { code: 'unreachable' },
  });
});

test('a leaving tab says so, and nobody is alarmed', async () => {
  const { clock, kernels, linksOf, link } = await tabs(['ada', 'bob']);
  await link('ada', 'bob');
  await clock.finish(kernels['bob']!.stop());
  await clock.advance(500);
  expect(await linksOf('ada')).toEqual([]);
  expect(kernels['ada']!.reports).toEqual([]);
});

test('8 MiB over a slow link stay mostly here: the channel never holds more than its bound, and small buffers overtake', async () => {
  const { clock, kernels, net } = await tabs(['ada', 'bob'], { bytesPerMs: 4_000 });
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  const peer = bob.self.peer;
  await clock.finish(ada.bus.ask(shelfContract, 'things', 'query', { text: '' }, { peer }));
  let most = 0;
  const watching = clock.after(0, function look() {
    most = Math.max(most, net.bufferedBytes());
    clock.after(5, look);
  });
  const order: string[] = [];
  const large = ada.bus.ask(
    shelfContract,
    'things',
    'insert',
    { data: [0] },
    { peer, buffers: [pattern(8 * 1024 * 1024)], timeoutMs: 30_000 },
  );
  void large.then(() => order.push('large'));
  await clock.advance(50);
  const small = ada.bus.ask(shelfContract, 'things', 'insert', { data: [0] }, { peer, buffers: [pattern(1_000)], timeoutMs: 30_000 });
  void small.then(() => order.push('small'));
  expect(await clock.finish(large)).toMatchObject({ ok: true, value: { body: { lengths: [8 * 1024 * 1024] } } });
  watching();
  expect(order).toEqual(['small', 'large']);
  expect(most).toBeGreaterThan(256 * 1024);
  expect(most).toBeLessThan(1024 * 1024 + 2 * 64 * 1024);
});

test('buffers that keep moving are waited for, either way and several at once, however long they take', async () => {
  const { clock, kernels } = await tabs(['ada', 'bob'], { bytesPerMs: 100 });
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  const options = { peer: bob.self.peer, timeoutMs: 2_000 };
  const bytes = pattern(1024 * 1024);
  const put = () => ada.bus.ask(shelfContract, 'things', 'insert', { data: [0] }, { ...options, buffers: [bytes] });
  const get = () => ada.bus.ask(shelfContract, 'things', 'get', { bytes: bytes.length }, options);
  const answers = await clock.finish(Promise.all([put(), get(), put(), get(), put(), get()]), 60_000);
  expect(answers.map(({ ok }) => ok)).toEqual(Array.from({ length: 6 }, () => true));
  const got = answers[5]!;
  expect(got.ok && got.value.buffers[0]).toEqual(bytes);
  // Thirty seconds' worth each way.
  expect(clock.now()).toBeGreaterThan(30_000);
});

test('once its buffers are through, a call is waited for no longer than any other, whatever else moves on the link', async () => {
  const { clock, kernels } = await tabs(['ada', 'bob'], { bytesPerMs: 100 });
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  const peer = bob.self.peer;
  const unanswered = ada.bus.ask(shelfContract, 'things', 'lookup', {}, { peer, buffers: [pattern(200_000)], timeoutMs: 2_000 });
  const other = ada.bus.ask(
    shelfContract,
    'things',
    'insert',
    { data: [0] },
    { peer, buffers: [pattern(2 * 1024 * 1024)], timeoutMs: 2_000 },
  );
  expect(await clock.finish(unanswered)).toMatchObject({ ok: false, fault: { code: 'too-late' } });
  expect(clock.now()).toBeLessThan(10_000);
  expect(await clock.finish(other)).toMatchObject({ ok: true });
  expect(clock.now()).toBeGreaterThan(20_000);
});

test('what trickles is silence', async () => {
  const { clock, kernels } = await tabs(['ada', 'bob'], { bytesPerMs: 0.5, messageBytesMax: 65_536 });
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  const options = { peer: bob.self.peer, timeoutMs: 40_000, buffers: [pattern(1024 * 1024)] };
  const put = ada.bus.ask(shelfContract, 'things', 'insert', { data: [0] }, options);
  const startedAt = clock.now();
  expect(await clock.finish(put, 200_000)).toMatchObject({ ok: false, fault: { code: 'too-late' } });
  expect(clock.now() - startedAt).toBeLessThan(90_000);
});

test('a transfer whose asker gave up is stopped, and the link serves on', async () => {
  const { clock, kernels, net } = await tabs(['ada', 'bob'], { bytesPerMs: 1_000 });
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  const peer = bob.self.peer;
  const getting = ada.bus.ask(shelfContract, 'things', 'get', { bytes: 16 * 1024 * 1024 }, { peer, timeoutMs: 2_000 });
  await clock.advance(1_000);
  net.cut(peer, ada.self.peer, 'one-way');
  expect(await clock.finish(getting)).toMatchObject({ ok: false, fault: { code: 'too-late' } });
  net.heal();
  const startedAt = clock.now();
  expect(await clock.finish(ada.bus.ask(shelfContract, 'things', 'get', { bytes: 100_000 }, { peer }))).toMatchObject({ ok: true });
  expect(clock.now() - startedAt).toBeLessThan(3_000);
});

test('buffers beyond what a link may have in assembly are refused, and later ones are welcome', async () => {
  const { clock, kernels } = await tabs(['ada', 'bob'], { bytesPerMs: 100_000 });
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  const peer = bob.self.peer;
  const block = new Uint8Array(60 * 1024 * 1024);
  const put = () => ada.bus.ask(shelfContract, 'things', 'insert', { data: [0] }, { peer, buffers: [block], timeoutMs: 60_000 });
  const answers = await clock.finish(Promise.all([put(), put(), put()]), 120_000);
  expect(answers.map((answer) => (answer.ok ? 'ok' : answer.fault.code)).toSorted()).toEqual(['ok', 'ok', 'overloaded']);
  expect(await clock.finish(put(), 120_000)).toMatchObject({ ok: true });
});

test('tabs without a link of their own reach each other through a common neighbour, buffers and all', async () => {
  const { clock, kernels, net, link, linksOf } = await tabs(['ada', 'bob', 'cyd']);
  const { ada, bob, cyd } = kernels as { ada: TestKernel; bob: TestKernel; cyd: TestKernel };
  await link('ada', 'bob');
  await link('bob', 'cyd');
  net.cut(ada.self.peer, cyd.self.peer);
  const peer = cyd.self.peer;
  const first = await clock.finish(ada.bus.ask(shelfContract, 'things', 'query', { text: 'over bob' }, { peer }));
  expect(first).toMatchObject({ ok: true, value: { body: { text: 'over bob' } } });
  const put = await clock.finish(
    ada.bus.ask(shelfContract, 'things', 'insert', { data: [0, 1] }, { peer, buffers: [pattern(30_000), pattern(0)] }),
  );
  expect(put).toMatchObject({ ok: true, value: { body: { lengths: [30_000, 0] } } });
  const got = await clock.finish(ada.bus.ask(shelfContract, 'things', 'get', { bytes: 700_000 }, { peer }));
  expect(got.ok && Buffer.compare(got.value.buffers[0]!, pattern(700_000))).toBe(0);
  // Large ones want a link of their own first; where none comes up they go through the neighbour too.
  const large = ada.bus.ask(shelfContract, 'things', 'insert', { data: [0] }, { peer, buffers: [pattern(200_000)], timeoutMs: 20_000 });
  expect(await clock.finish(large)).toMatchObject({ ok: true, value: { body: { lengths: [200_000] } } });
  expect(await linksOf('ada')).toEqual([bob.self.peer]);
  const heard: string[] = [];
  ada.bus.watch(shelfContract, 'news', ({ text }) => heard.push(text), { peer });
  await clock.advance(100);
  await cyd.bus.ask(shelfContract, 'news', 'insert', { text: 'through bob' });
  await clock.advance(100);
  expect(heard).toEqual(['through bob']);
});

test('where the neighbour cannot pass a message on, the asker hears so at once', async () => {
  const { clock, kernels, net, link } = await tabs(['ada', 'bob', 'cyd']);
  const { ada, bob, cyd } = kernels as { ada: TestKernel; bob: TestKernel; cyd: TestKernel };
  await link('ada', 'bob');
  await link('bob', 'cyd');
  net.cut(ada.self.peer, cyd.self.peer);
  // Bob loses cyd, and ada has not heard of it yet.
  await bob.bus.ask(networkContract, 'links', 'delete', { peer: cyd.self.peer });
  const startedAt = clock.now();
  const answer = await clock.finish(ada.bus.ask(shelfContract, 'things', 'query', { text: '' }, { peer: cyd.self.peer, timeoutMs: 5_000 }));
  expect(answer).toMatchObject({ ok: false, fault: { code: 'unreachable' } });
  expect(clock.now() - startedAt).toBeLessThan(100);
});

test('a tab that is sent something large is dialled, though a neighbour could pass it on', async () => {
  const { clock, kernels, link, linksOf } = await tabs(['ada', 'bob', 'cyd']);
  const { ada, cyd } = kernels as { ada: TestKernel; cyd: TestKernel };
  await link('ada', 'bob');
  await link('bob', 'cyd');
  expect(
    await clock.finish(ada.bus.ask(shelfContract, 'things', 'insert', { data: [0] }, { peer: cyd.self.peer, buffers: [pattern(200_000)] })),
  ).toMatchObject({ ok: true });
  expect(await linksOf('ada')).toContain(cyd.self.peer);
});

test('two tabs that dial each other at once keep one and the same link, and no message is lost', async () => {
  const { clock, kernels, net, linksOf } = await tabs(['ada', 'bob']);
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  const asks = [
    ...Array.from({ length: 20 }, (_, i) => ada.bus.ask(shelfContract, 'things', 'query', { text: `${i}` }, { peer: bob.self.peer })),
    ...Array.from({ length: 20 }, (_, i) => bob.bus.ask(shelfContract, 'things', 'query', { text: `${i}` }, { peer: ada.self.peer })),
  ];
  const answers = await clock.finish(Promise.all(asks));
  expect(answers.every((answer) => answer.ok)).toBe(true);
  expect(net.openLinks).toBe(2);
  const more = ada.bus.ask(shelfContract, 'things', 'get', { bytes: 3_000_000 }, { peer: bob.self.peer });
  expect(await clock.finish(more)).toMatchObject({ ok: true });
  await clock.advance(10_000);
  expect(net.openLinks).toBe(1);
  expect(await linksOf('ada')).toEqual([bob.self.peer]);
  expect(await linksOf('bob')).toEqual([ada.self.peer]);
  expect(await clock.finish(bob.bus.ask(shelfContract, 'things', 'query', { text: 'still' }, { peer: ada.self.peer }))).toMatchObject({
    ok: true,
  });
  expect([...ada.reports, ...bob.reports]).toEqual([]);
});

test('a subscription outlives its link: when the two meet again it is asked for anew', async () => {
  const { clock, kernels, link } = await tabs(['ada', 'bob']);
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  await link('ada', 'bob');
  const heard: string[] = [];
  ada.bus.watch(shelfContract, 'news', ({ text }) => heard.push(text), { peer: bob.self.peer });
  await clock.advance(50);
  await bob.bus.ask(networkContract, 'links', 'delete', { peer: ada.self.peer });
  await clock.advance(2_000);
  await link('bob', 'ada');
  await bob.bus.ask(shelfContract, 'news', 'insert', { text: 'again' });
  await clock.advance(100);
  expect(heard.at(-1)).toBe('again');
});

test("the name network is the kernel's, and its links are published on every change", async () => {
  const { clock, kernels, link } = await tabs(['ada', 'bob']);
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  const seen: number[] = [];
  ada.bus.watch(networkContract, 'links', ({ links }) => seen.push(links.length));
  await link('ada', 'bob');
  await ada.bus.ask(networkContract, 'links', 'delete', { peer: bob.self.peer });
  await clock.advance(1_000);
  expect(seen).toEqual([1, 0]);
  expect(await clock.finish(ada.bus.ask(networkContract, 'links', 'query', {}, { peer: bob.self.peer }))).toMatchObject({
    ok: false,
    fault: { code: 'refused' },
  });
  const group = 'a'.repeat(32) as never;
  await ada.bus.ask(networkContract, 'group', 'replace', { group });
  expect(ada.self.group()).toBe(group);
});
