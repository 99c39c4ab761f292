// A group of whole kernels that keep each other's objects: put, get, see who holds what, and count what goes over the network.
import { concatBytes } from '../lib/bytes.ts';
import type { ObjectId } from '../lib/ids.ts';
import { unwrap } from '../lib/outcome.ts';
import { segmentBytes } from '../limits.ts';
import type { Channel, Link, Transport } from '../platform.ts';
import { blocksContract } from '../protocol/contracts/blocks.ts';
import type { PublicationOf, ReplyOf } from '../protocol/contract.ts';
import type { MemoryNetworkOptions } from './memory-transport.ts';
import { seededRandom } from './seeded-random.ts';
import { TestGroup, type TestPeer } from './test-group.ts';

export type Health = ReplyOf<typeof blocksContract, 'objects', 'lookup'>;
export type Usage = PublicationOf<typeof blocksContract, 'usage'>;

const day = 24 * 3_600_000;

export class DispersalGroup {
  readonly group: TestGroup;
  /** By name; crashed ones are out. */
  readonly live = new Map<string, TestPeer>();
  readonly usage = new Map<string, Usage>();
  readonly bugs: string[] = [];
  readonly #keeps = new Set<string>();
  readonly sent = { messages: 0, bytes: 0 };

  constructor(seed: string, lines: MemoryNetworkOptions = {}) {
    this.group = new TestGroup({ seed, script: () => ({ ms: 1, value: null }), network: lines });
    const { network } = this.group;
    const plain = network.transport.bind(network);
    network.transport = () =>
      counted(plain(), (bytes) => {
        this.sent.messages++;
        this.sent.bytes += bytes;
      });
  }

  get clock() {
    return this.group.clock;
  }

  get peers(): TestPeer[] {
    return [...this.live.values()];
  }

  /** Starts tabs that keep data for others, and waits until all who are here see each other so. */
  async start(...names: string[]): Promise<TestPeer[]> {
    const started: TestPeer[] = [];
    for (const name of names) {
      started.push(await this.open(name));
      // What a tab has consented to it remembers: only a new one is asked.
      if (!this.#keeps.has(name)) await this.group.donate(started.at(-1)!);
      this.#keeps.add(name);
    }
    await this.group.joined(this.peers, [...this.live.keys()].filter((name) => this.#keeps.has(name)).length, 60_000);
    return started;
  }

  /** Starts a tab that keeps nothing for others. */
  async open(name: string): Promise<TestPeer> {
    const peer = await this.group.start(name);
    this.live.set(name, peer);
    peer.kernel.bus.watch(blocksContract, 'usage', (usage) => this.usage.set(name, usage));
    await this.group.joined(this.peers, 0, 60_000);
    return peer;
  }

  async kill(...names: string[]): Promise<void> {
    for (const name of names) {
      const peer = this.live.get(name)!;
      this.live.delete(name);
      this.bugs.push(...peer.bugs);
      await this.group.crash(peer);
    }
  }

  async put(peer: TestPeer, bytes: Uint8Array, name = 'file', each = segmentBytes): Promise<ObjectId> {
    const { bus } = peer.kernel;
    const work = async () => {
      const settings = { name, type: '', expires: this.clock.wall() + day };
      const { put } = unwrap(await bus.ask(blocksContract, 'puts', 'create', settings)).body;
      for (let at = 0; at < bytes.length; at += each)
        unwrap(
          await bus.ask(blocksContract, 'puts', 'insert', { put, data: 0 }, { buffers: [bytes.slice(at, at + each)], timeoutMs: 60_000 }),
        );
      return unwrap(await bus.ask(blocksContract, 'puts', 'submit', { put }, { timeoutMs: 60_000 })).body.id;
    };
    return this.clock.finish(work(), 120_000);
  }

  /** In one message, as results are. */
  async putSmallSoon(peer: TestPeer, bytes: Uint8Array): Promise<ObjectId> {
    const settings = { name: '', type: '', expires: this.clock.wall() + day, segments: [0] };
    return unwrap(await peer.kernel.bus.ask(blocksContract, 'objects', 'insert', settings, { buffers: [bytes], timeoutMs: 60_000 })).body
      .id;
  }

  putSmall(peer: TestPeer, bytes: Uint8Array): Promise<ObjectId> {
    return this.clock.finish(this.putSmallSoon(peer, bytes));
  }

  /** @throws FaultError where it cannot be read */
  async get(peer: TestPeer, id: ObjectId): Promise<Uint8Array> {
    const { bus } = peer.kernel;
    const work = async () => {
      const { manifest } = unwrap(await bus.ask(blocksContract, 'objects', 'get', { id }, { timeoutMs: 30_000 })).body;
      const segments: Uint8Array[] = [];
      for (const segment of manifest.segments.keys()) {
        const answer = unwrap(await bus.ask(blocksContract, 'segments', 'get', { object: id, segment }, { timeoutMs: 60_000 }));
        segments.push(answer.buffers[answer.body.data]!);
      }
      return concatBytes(segments);
    };
    return this.clock.finish(work(), 240_000);
  }

  async health(peer: TestPeer, id: ObjectId): Promise<Health> {
    return unwrap(await this.clock.finish(peer.kernel.bus.ask(blocksContract, 'objects', 'lookup', { id }, { timeoutMs: 30_000 }))).body;
  }

  /** Until `peer` sees the object held like this. @returns virtual ms it took */
  async untilHealth(peer: TestPeer, id: ObjectId, is: (health: Health) => boolean, withinMs: number, what = 'health'): Promise<number> {
    const began = this.clock.now();
    let health: Health | undefined;
    while (this.clock.now() - began <= withinMs) {
      health = await this.health(peer, id);
      if (is(health)) return this.clock.now() - began;
      await this.clock.advance(250);
    }
    throw new Error(`${what} did not come within ${withinMs} virtual ms: ${JSON.stringify(health)}`);
  }

  /** Bytes of slices that repair has sent, all tabs together since each was loaded. */
  repairedBytes(): number {
    let sum = 0;
    for (const [name, { repair }] of this.usage) if (this.live.has(name)) sum += repair.doneBytes;
    return sum;
  }

  allBugs(): string[] {
    return [...this.bugs, ...this.peers.flatMap(({ bugs }) => bugs)];
  }
}

export const bytesOf = (length: number, seed = 'bytes') => seededRandom(`${seed} ${length}`).bytes(length);

function counted(transport: Transport, sent: (bytes: number) => void): Transport {
  const channel = (inner: Channel): Channel => ({
    messageBytesMax: inner.messageBytesMax,
    send: (message) => {
      sent(message.length);
      inner.send(message);
    },
    bufferedBytes: () => inner.bufferedBytes(),
    whenBelow: (low, run) => inner.whenBelow(low, run),
    onMessage: (listen) => inner.onMessage(listen),
  });
  const link = (inner: Link): Link => ({
    remote: inner.remote,
    dialled: inner.dialled,
    binding: inner.binding,
    control: channel(inner.control),
    data: channel(inner.data),
    close: () => inner.close(),
    onClose: (run) => inner.onClose(run),
  });
  return {
    start: (self, onLink) => transport.start(self, (opened) => onLink(link(opened))),
    dial: async (peer) => {
      const dialled = await transport.dial(peer);
      return dialled.ok ? { ok: true, value: link(dialled.value) } : dialled;
    },
    introduces: () => transport.introduces(),
    dialThrough: async (peer, carry) => {
      const dialled = await transport.dialThrough(peer, carry);
      return dialled.ok ? { ok: true, value: link(dialled.value) } : dialled;
    },
    answer: (peer, offer) => transport.answer(peer, offer),
    stop: () => transport.stop(),
  };
}
