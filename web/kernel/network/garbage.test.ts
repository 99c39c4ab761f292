// Whatever a stranger sends after a good handshake: no throw, no bug report, no effect on other links.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PeerId } from '../lib/ids.ts';
import { encodeWire } from '../lib/wire-codec.ts';
import { encodeChunk, pieceLast, pieceMore } from '../protocol/frame.ts';
import { networkContract } from '../protocol/contracts/network.ts';
import { MemoryNetwork } from '../testing/memory-transport.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { stranger, type Stranger } from '../testing/stranger.ts';
import { testKernel } from '../testing/test-kernel.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';

/** A kernel `ada` with an honest neighbour, and a proven link of somebody who speaks the handshake and then anything. */
async function setUp() {
  const clock = new VirtualClock();
  const net = new MemoryNetwork(clock, seededRandom('garbage'));
  const ada = await clock.finish(testKernel({ name: 'ada', clock, transport: net.transport() }));
  const bob = await clock.finish(testKernel({ name: 'bob', clock, transport: net.transport() }));
  const linked = await clock.finish(bob.bus.ask(networkContract, 'links', 'insert', { peer: ada.self.peer }));
  if (!linked.ok) throw new Error(linked.fault.message);
  let mallories = 0;
  const mallory = () => stranger(`mallory ${mallories++}`, clock, net, ada.self);
  const linksOfAda = async (): Promise<PeerId[]> => {
    const answer = await ada.bus.ask(networkContract, 'links', 'query', {});
    return answer.ok ? answer.value.body.links.map(({ peer }) => peer) : [];
  };
  const honestWorks = async () => {
    const answer = await clock.finish(bob.bus.ask(networkContract, 'clock', 'get', {}, { peer: ada.self.peer }));
    expect(answer.ok).toBe(true);
    expect([...ada.reports, ...bob.reports].filter(({ level }) => level === 'bug')).toEqual([]);
  };
  return { clock, ada, bob, mallory, linksOfAda, honestWorks };
}

const piece = (tree: unknown) => Uint8Array.from([pieceLast, ...encodeWire(tree)]);

const number = fc.oneof(fc.integer({ min: 0, max: 10 }), fc.constant(0xffff_ffff), fc.constant(2 ** 40), fc.constant(-1), fc.double());
const word = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom('network/links', 'lull://g/self/network/links', '0'.repeat(16), 'get', 'query'),
);
const tag = fc.constantFrom(
  'request',
  'answer',
  'fault',
  'cancel',
  'admit',
  'abort',
  'neighbours',
  'relay',
  'unrelayed',
  'bye',
  'hello',
  'other',
);
const nearly = fc.record(
  {
    t: tag,
    id: number,
    re: number,
    to: word,
    from: word,
    verb: word,
    deadline: number,
    trace: word,
    body: fc.anything({ maxDepth: 2 }),
    buffers: fc.array(number, { maxLength: 5 }),
    transfer: number,
    go: fc.boolean(),
    peers: fc.array(word, { maxLength: 3 }),
    counter: number,
    code: fc.constantFrom('refused', 'internal', 'leaving', 'nonsense'),
    message: word,
    sentence: word,
  },
  { requiredKeys: ['t'] },
);
const encodable = nearly.filter((tree) => {
  try {
    encodeWire(tree);
    return true;
  } catch {
    return false;
  }
});
const controlMessage = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  encodable.map(piece),
  fc.tuple(fc.constantFrom(pieceMore, pieceLast), fc.uint8Array({ maxLength: 50 })).map(([kind, rest]) => Uint8Array.from([kind, ...rest])),
);
const dataMessage = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .tuple(
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 70 }),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.uint8Array({ maxLength: 50 }),
    )
    .map(([transfer, buffer, offset, payload]) => encodeChunk({ transfer, buffer, offset, payload })),
);

test('random messages on both channels end at most their own link', async () => {
  const { clock, bob, mallory, linksOfAda, honestWorks } = await setUp();
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          controlMessage.map((bytes) => ['control', bytes] as const),
          dataMessage.map((bytes) => ['data', bytes] as const),
        ),
        { maxLength: 20 },
      ),
      async (messages) => {
        const { link } = await mallory();
        for (const [plane, bytes] of messages) link[plane].send(bytes);
        await clock.advance(20);
        await honestWorks();
        link.close();
        await clock.advance(10);
        expect(await linksOfAda()).toEqual([bob.self.peer]);
      },
    ),
    { numRuns: 150, seed: 7 },
  );
}, 60_000);

test('a request that cannot be read, but whose id can, is answered malformed and the link lives', async () => {
  const { clock, mallory, linksOfAda, honestWorks } = await setUp();
  const { send, request, peer, heard } = await mallory();
  send({ t: 'request', id: 5, to: 'network/links', verb: 'steal' });
  send(request({ id: 6, from: 'lull://g/self/x' }));
  send(request({ id: 7, to: 'http://elsewhere' }));
  send(request({ id: 8, buffers: [64 * 1024 * 1024 + 1], transfer: 1 }));
  send(request({ id: 9 }));
  await clock.advance(10);
  const answers = heard().flatMap(({ t, re, code }) => (t === 'fault' || t === 'answer' ? [[re, code ?? 'answered']] : []));
  expect(answers.toSorted(([a], [b]) => Number(a) - Number(b))).toEqual([
    [5, 'malformed'],
    [6, 'malformed'],
    [7, 'malformed'],
    [8, 'too-large'],
    [9, 'answered'],
  ]);
  expect(await linksOfAda()).toContain(peer);
  await honestWorks();
});

test.each<[string, string, (mallory: Stranger) => void]>([
  [
    'more chunks ahead of their announcement than agreed',
    'malformed',
    ({ link }) => {
      for (let i = 0; i < 20; i++)
        link.data.send(encodeChunk({ transfer: 1, buffer: 0, offset: i * 60_000, payload: new Uint8Array(60_000) }));
    },
  ],
  [
    'a chunk beyond its buffer',
    'malformed',
    ({ link, send, request }) => {
      send(request({ buffers: [100], transfer: 1 }));
      link.data.send(encodeChunk({ transfer: 1, buffer: 0, offset: 0, payload: new Uint8Array(101) }));
    },
  ],
  [
    'a chunk out of its turn',
    'malformed',
    ({ link, send, request }) => {
      send(request({ buffers: [100], transfer: 1 }));
      link.data.send(encodeChunk({ transfer: 1, buffer: 0, offset: 50, payload: new Uint8Array(50) }));
    },
  ],
  [
    'a control message that never ends',
    'malformed',
    ({ link }) => {
      for (let i = 0; i < 40; i++) link.control.send(Uint8Array.from([pieceMore, ...new Uint8Array(130_000)]));
    },
  ],
  [
    'a transfer announced twice',
    'malformed',
    ({ send, request }) => {
      send(request({ buffers: [100], transfer: 1 }));
      send(request({ id: 2, buffers: [100], transfer: 1 }));
    },
  ],
  ['buffers without a transfer', 'malformed', ({ send, request }) => send(request({ buffers: [100] }))],
  [
    'a flood of frames',
    'overloaded',
    ({ send }) => {
      for (let i = 0; i < 20_100; i++) send({ t: 'cancel', re: 1 });
    },
  ],
])('%s ends the link with the reason', async (_, code, misbehave) => {
  const { clock, mallory, linksOfAda, honestWorks, bob, ada } = await setUp();
  const stray = await mallory();
  expect(await linksOfAda()).toContain(stray.peer);
  misbehave(stray);
  await clock.advance(50);
  expect(await linksOfAda()).toEqual([bob.self.peer]);
  expect(stray.heard().at(-1)).toMatchObject({ t: 'bye', code });
  expect(ada.reports.some(({ level, message }) => level === 'warning' && message.includes('was closed'))).toBe(true);
  await honestWorks();
});

test('an announced buffer that never comes frees its room at the deadline', async () => {
  const { clock, mallory, honestWorks } = await setUp();
  const { send, request, heard } = await mallory();
  const big = { buffers: [60 * 1024 * 1024] };
  const codes = () => heard().flatMap(({ t, re, code }) => (t === 'fault' ? [[re, code]] : []));
  for (const id of [1, 2, 3]) send(request({ ...big, id, transfer: id }));
  await clock.advance(10);
  expect(codes()).toEqual([[3, 'overloaded']]);
  await clock.advance(1_100);
  expect(codes()).toEqual([
    [3, 'overloaded'],
    [1, 'too-late'],
    [2, 'too-late'],
  ]);
  send(request({ ...big, id: 4, transfer: 4 }));
  await clock.advance(10);
  expect(codes()).toHaveLength(3);
  await honestWorks();
});
