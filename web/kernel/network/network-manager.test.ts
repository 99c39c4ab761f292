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

test('buffers arrive byte for byte, empty ones too, in both directions', async () => {
  const { clock, kernels } = await tabs(['ada', 'bob']);
  const { ada, bob } = kernels as { ada: TestKernel; bob: TestKernel };
  const peer = bob.self.peer;
  const put = await clock.finish(
    ada.bus.ask(shelfContract, 'things', 'insert', { data: [0, 1, 2, 3] }, { peer, buffers: [pattern(0), pattern(3_000_000), pattern(0), pattern(70_000)] }),
  );
  expect(put).toMatchObject({ ok: true, value: { body: { lengths: [0, 3_000_000, 0, 70_000] } } });
  const got = await clock.finish(ada.bus.ask(shelfContract, 'things', 'get', { bytes: 2_500_001 }, { peer }));
  expect(got.ok && Buffer.compare(got.value.buffers[0]!, pattern(2_500_001))).toBe(0);
  expect(await clock.finish(ada.bus.ask(shelfContract, 'things', 'insert', { data: [0] }, { peer, buffers: [pattern(0)] }))).toMatchObject({ ok: true, value: { body: { lengths: [0] } } });
});
