// Dispatchers joined by an in-test remote: what a service's tests need of a network, without links or handshakes. Bodies are
// encoded and decoded on the way, so a service that leans on shared objects fails here too.
import { Dispatcher, type Remote } from '../dispatcher.ts';
import { hexOf } from '../lib/bytes.ts';
import { groupId, makePeerId, storeId, type GroupId, type PeerId } from '../lib/ids.ts';
import { failure, success } from '../lib/outcome.ts';
import { decodeWire, encodeWire } from '../lib/wire-codec.ts';
import { memoryStorage } from '../memory-storage.ts';
import type { Platform, Random, Storage } from '../platform.ts';
import type { Message, Reply } from '../protocol/message.ts';
import { SecurityManager } from '../security-manager.ts';
import type { Bus, Self, Service, ServiceFactory } from '../service.ts';
import type { Contract } from '../protocol/contract.ts';
import { seededRandom } from './seeded-random.ts';
import { testCoder } from './test-coder.ts';
import { testDigest, testSigner } from './test-crypto.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface TabOptions {
  /** Tabs of one identity share it; default the tab's name. */
  readonly identity?: string;
  readonly storage?: Storage;
  readonly directory?: Platform['directory'];
  readonly online?: boolean;
}

export interface JoinedTab {
  readonly name: string;
  readonly self: Self & { group(): GroupId };
  readonly platform: Platform;
  readonly dispatcher: Dispatcher;
  readonly bus: Bus;
  readonly storage: Storage;
  /** Messages this tab sent, by 'service/resource verb'. */
  readonly sent: Map<string, number>;
  /** What it reported, newest last. */
  readonly reports: string[];
  group: GroupId;
  /** 'dead' answers nothing and is not there; 'frozen' takes messages in and answers none. */
  state: 'live' | 'frozen' | 'dead';
  serve<C extends Contract>(factory: ServiceFactory<C>): Service<C>;
}

export class JoinedTabs {
  readonly tabs = new Map<PeerId, JoinedTab>();
  readonly random: Random;
  /** One way. */
  delayMs = 2;
  lossShare = 0;
  /** True where a message from `a` does not reach `b`. */
  cut: (a: JoinedTab, b: JoinedTab) => boolean = () => false;

  constructor(
    readonly clock: VirtualClock,
    seed: string,
  ) {
    this.random = seededRandom(seed);
  }

  add(name: string, options: TabOptions = {}): JoinedTab {
    const random = seededRandom(hexOf(this.random.bytes(8)));
    const signer = testSigner(options.identity ?? name);
    const { identity } = signer;
    const peer = makePeerId(identity, random.bytes(8));
    const reports: string[] = [];
    const storage = options.storage ?? memoryStorage(random, { durable: true });
    const off = () => undefined;
    const none = failure('unreachable', 'No transport here.');
    const platform: Platform = {
      clock: this.clock,
      random,
      digest: testDigest,
      coder: testCoder,
      signer,
      storage,
      transport: {
        start: async () => success(undefined),
        dial: async () => none,
        introduces: () => false,
        dialThrough: async () => none,
        answer: async () => none,
        stop: off,
      },
      directory: options.directory ?? { start: off, stop: off },
      sandbox: { open: async () => failure('overloaded', 'No sandbox here.'), warm: off },
      machine: { cores: 4, memoryMiB: null, watch: () => off, visible: () => true },
      report: (level, message) => void reports.push(`${level}: ${message}`),
    };
    const self: Self = { peer, identity, network: 'public', group: () => tab.group };
    const dispatcher = new Dispatcher(platform, new SecurityManager(identity), self);
    const tab: JoinedTab = {
      name,
      self,
      platform,
      dispatcher,
      bus: dispatcher.bus('test'),
      storage,
      sent: new Map(),
      reports,
      group: groupId(hexOf(random.bytes(16))),
      state: 'live',
      serve: (factory) => {
        const service = factory(dispatcher.contextOf('unnamed') as never);
        // The factory does not act, so the context may be made again under the right name.
        const named = factory(dispatcher.context(service.contract));
        const registered = dispatcher.register(named as unknown as Service);
        if (!registered.ok) throw new Error(registered.fault.message);
        return named;
      },
    };
    const remote: Remote = {
      send: (to, message) => this.#send(tab, to, message),
      anyPeer: () => [...this.tabs.values()].find((other) => other !== tab && other.state === 'live')?.self.peer,
    };
    dispatcher.connect(remote);
    this.tabs.set(peer, tab);
    return tab;
  }

  #send(from: JoinedTab, peer: PeerId, message: Message): Promise<Reply> {
    const { deadline } = message.header;
    const kind = `${message.header.to.split('/').slice(4).join('/')} ${message.header.verb}`;
    from.sent.set(kind, (from.sent.get(kind) ?? 0) + 1);
    return new Promise((resolve) => {
      const to = this.tabs.get(peer);
      const late = this.clock.after(deadline, () => resolve(failure('too-late', 'No answer in time.')));
      const settle = (reply: Reply) => {
        late();
        resolve(reply);
      };
      if (to === undefined || to.state === 'dead' || from.state !== 'live') {
        if (from.state === 'live') this.clock.after(this.delayMs, () => settle(failure('unreachable', 'There is no such tab.')));
        return;
      }
      if (this.#lost(from, to)) return;
      const header = { ...message.header, buffers: message.header.buffers.map((buffer) => ({ ...buffer, bytes: buffer.bytes.slice() })) };
      const arrived = { header, body: decodeWire(encodeWire(message.body)) };
      this.clock.after(this.delayMs, () => {
        if (to.state !== 'live') return;
        void to.dispatcher.receive(arrived, { peer: from.self.peer, identity: from.self.identity, local: false }).then((reply) => {
          if (to.state !== 'live' || this.#lost(to, from)) return;
          const back: Reply = reply.ok
            ? success({ body: decodeWire(encodeWire(reply.value.body)), buffers: reply.value.buffers.map((buffer) => buffer.slice()) })
            : reply;
          this.clock.after(this.delayMs, () => settle(back));
        });
      });
    });
  }

  #lost(from: JoinedTab, to: JoinedTab): boolean {
    return this.cut(from, to) || (this.lossShare > 0 && this.random.fraction() < this.lossShare);
  }
}

/** A store id for tests that name strangers. */
export const strangerStore = (digit: string) => storeId(digit.repeat(32));
