// Queues of several tabs over a network in memory: bodies go through the wire codec, with loss and delay where a test asks. Ledger and membership
// are stand-ins that say what the test wants.
import { Dispatcher } from '../dispatcher.ts';
import { groupId, jobId, makePeerId, objectId, type PeerId, type RecordId } from '../lib/ids.ts';
import { failure, unwrap } from '../lib/outcome.ts';
import { decodeWire, encodeWire } from '../lib/wire-codec.ts';
import { memoryStorage } from '../memory-storage.ts';
import type { Platform, Storage } from '../platform.ts';
import { ledgerContract, type JobSummary } from '../protocol/contracts/ledger.ts';
import { membershipContract, type Member } from '../protocol/contracts/membership.ts';
import { queueContract, type Claim, type Forgery } from '../protocol/contracts/queue.ts';
import type { Message, Reply } from '../protocol/message.ts';
import type { Range } from '../protocol/schemas.ts';
import { SecurityManager } from '../security-manager.ts';
import type { Service, ServiceContext } from '../service.ts';
import { queueService } from '../services/queue/service.ts';
import { seededRandom } from './seeded-random.ts';
import { testDigest, testSigner } from './test-crypto.ts';
import { VirtualClock } from './virtual-clock.ts';

export const theJob = jobId('ab'.repeat(32));
export const group = groupId('cd'.repeat(16));

export interface Tab {
  readonly name: string;
  readonly peer: PeerId;
  readonly storage: Storage;
  readonly dispatcher: Dispatcher;
  readonly queue: Service;
  readonly membership: ServiceContext<typeof membershipContract>;
  readonly ledger: ServiceContext<typeof ledgerContract>;
  readonly lost: RecordId[];
  /** Whom it has caught with something false. */
  forgeries: readonly Forgery[];
  alive: boolean;
}

export class Cluster {
  readonly clock = new VirtualClock();
  readonly random;
  readonly tabs: Tab[] = [];
  readonly decided: Range[] = [];
  state: JobSummary['state'] = 'running';
  loss = 0;
  /** What each offers: with none it keeps data and claims nothing. */
  workers = 2;
  delayMs = 1;
  jitterMs = 0;
  /** Holders that give others slices with a byte changed. */
  readonly forging = new Set<Tab>();

  constructor(private readonly seed: string) {
    this.random = seededRandom(seed);
  }

  /** A donating tab; `storage` is given where it comes back to its profile. Not `informed`: its ledger has not said yet what jobs there are. */
  async add(name: string, storage?: Storage, role: 'speaker' | 'second' = 'speaker', informed = true): Promise<Tab> {
    const random = seededRandom(`${this.seed} ${name} ${this.tabs.length}`);
    const signer = testSigner(name);
    const peer = makePeerId(signer.identity, random.bytes(8));
    const kept = storage ?? memoryStorage(random, { durable: true });
    const platform = {
      clock: this.clock,
      random,
      digest: testDigest,
      signer,
      storage: kept,
      profileRole: role,
      report: (level: string, message: string, detail: unknown) => this.bug(level, message, detail),
    } as unknown as Platform;
    const dispatcher = new Dispatcher(platform, new SecurityManager(signer.identity), {
      peer,
      identity: signer.identity,
      network: 'public',
      group: () => group,
    });
    const queue = queueService(dispatcher.context(queueContract));
    const ledgerStandIn = {
      contract: ledgerContract,
      handlers: {
        decisions: {
          lookup: ({ from, end }: { from: number; end?: number }) => ({ undecided: this.undecided(from, end ?? 1_000_000), long: [] }),
        },
      },
    } as unknown as Service;
    for (const service of [queue, ledgerStandIn, { contract: membershipContract, handlers: {} } as unknown as Service])
      unwrap(dispatcher.register(service));
    const lost: RecordId[] = [];
    const tab: Tab = {
      name,
      peer,
      storage: kept,
      dispatcher,
      queue,
      lost,
      forgeries: [],
      alive: true,
      membership: dispatcher.context(membershipContract),
      ledger: dispatcher.context(ledgerContract),
    };
    dispatcher.connect({ send: (to, message) => this.send(tab, to, message), anyPeer: () => undefined });
    dispatcher.bus('test').watch(queueContract, 'lost', ({ records }) => lost.push(...records));
    dispatcher.bus('test').watch(queueContract, 'forgeries', ({ forgeries }) => (tab.forgeries = forgeries));
    this.tabs.push(tab);
    if (informed) tab.ledger.publish('jobs', { jobs: [this.summary()] });
    await queue.start();
    return tab;
  }

  static async of(names: string, seed = names): Promise<Cluster> {
    const cluster = new Cluster(seed);
    for (const name of names) await cluster.add(name);
    await cluster.seeEachOther();
    return cluster;
  }

  /** Requests between tabs so far, by resource and verb. */
  readonly sent = new Map<string, number>();
  bugs: string[] = [];
  bug(level: string, message: string, detail: unknown): void {
    if (level === 'bug') this.bugs.push(`${message}: ${String(detail)}`);
  }

  /** What membership would say now; `suspects` are not yet gone. */
  async seeEachOther(suspects: readonly Tab[] = []): Promise<void> {
    const members: Member[] = this.tabs.flatMap((tab) =>
      tab.alive || suspects.includes(tab)
        ? [
            {
              peer: tab.peer,
              identity: tab.dispatcher.self.identity,
              store: tab.storage.store,
              status: suspects.includes(tab) ? ('suspect' as const) : ('alive' as const),
              rttMs: 1,
              offer: { ...offer, sandbox: { ...offer.sandbox, workersAllowed: this.workers } },
            },
          ]
        : [],
    );
    for (const tab of this.tabs) {
      if (tab.alive) tab.membership.publish('view', { group, groupName: 'test group', signaling: 'up', signalingReason: '', members });
    }
    await this.clock.advance(50);
  }

  async kill(tab: Tab): Promise<void> {
    tab.alive = false;
    await tab.queue.stop();
  }

  async send(from: Tab, to: PeerId, message: Message): Promise<Reply> {
    const target = this.tabs.find(({ peer }) => peer === to);
    const kind = `${message.header.to.split('/')[5]} ${message.header.verb}`;
    this.sent.set(kind, (this.sent.get(kind) ?? 0) + 1);
    const pass = () =>
      new Promise<boolean>(
        (resolve) =>
          void this.clock.after(this.delayMs + this.random.fraction() * this.jitterMs, () => resolve(this.random.fraction() >= this.loss)),
      );
    const answered = (async (): Promise<Reply> => {
      const arrived = await pass();
      if (!arrived || target === undefined || !target.alive || !from.alive) return new Promise(() => undefined);
      const body = decodeWire(encodeWire(message.body));
      const reply = await target.dispatcher.receive(
        { header: message.header, body },
        { peer: from.peer, identity: from.dispatcher.self.identity, local: false },
      );
      if (!(await pass()) || !from.alive || !target.alive) return new Promise(() => undefined);
      if (!reply.ok) return reply;
      const answer = decodeWire(encodeWire(reply.value.body)) as { slice?: Uint8Array };
      if (this.forging.has(target) && answer.slice !== undefined) answer.slice[7]! ^= 1;
      return { ok: true, value: { body: answer, buffers: [] } };
    })();
    const late = new Promise<Reply>(
      (resolve) => void this.clock.after(message.header.deadline, () => resolve(failure('too-late', 'No answer.'))),
    );
    return Promise.race([answered, late]);
  }

  undecided(from: number, end: number): { range: Range; round: number; failedBy: never[] }[] {
    const free: Range[] = [];
    let at = from;
    for (const [first, last] of this.decided.toSorted((a, b) => a[0] - b[0])) {
      if (first >= end) break;
      if (first > at) free.push([at, first]);
      at = Math.max(at, last);
    }
    if (at < end) free.push([at, end]);
    return free.map((range) => ({ range, round: 0, failedBy: [] }));
  }

  async decide(...ranges: [number, number][]): Promise<void> {
    this.decided.push(...ranges);
    for (const tab of this.tabs) if (tab.alive) tab.ledger.publish('decided', { job: theJob, ranges, ended: false });
    await this.clock.advance(30);
  }

  summary(): JobSummary {
    const id = objectId('ef'.repeat(32));
    const input = { kind: 'range' as const, items: 1_000_000, offset: 0 };
    const manifest = {
      v: 1 as const,
      network: 'public',
      submitter: testSigner('submitter').identity,
      home: group,
      nonce: '0'.repeat(32),
      name: 'test',
      createdAt: 0,
      expires: 1e15,
      code: id,
      codeHash: id as string,
      reduce: null,
      args: new Uint8Array(),
      input,
      runtime: 'js' as const,
      redundancy: 1 as const,
      priority: 0,
      failuresMax: 10,
      itemMs: 1_000,
    };
    return {
      id: theJob,
      manifest,
      state: this.state,
      reason: '',
      items: 1_000_000,
      open: false,
      parts: 1,
      tail: null,
      committed: 0,
      failed: 0,
      priority: 0,
      home: group,
      ratePerSecond: 0,
      endedAt: null,
      events: 0,
    };
  }

  /** Waits until those who hold nothing have been told too. */
  async append(tab: Tab, ranges: [number, number][]) {
    const reply = await this.clock.finish(
      tab.dispatcher.bus('test').ask(queueContract, 'records', 'create', { job: theJob, round: 0, ranges }, { timeoutMs: 30_000 }),
    );
    await this.clock.advance(10 + this.jitterMs);
    return reply;
  }

  async claim(tab: Tab): Promise<Claim | null> {
    const reply = await this.clock.finish(
      tab.dispatcher.bus('test').ask(queueContract, 'claims', 'create', { jobs: [theJob] }, { timeoutMs: 30_000 }),
    );
    return unwrap(reply).body.claim;
  }

  async end(tab: Tab, claim: Claim, how: 'done' | 'release', avoidMs?: number): Promise<void> {
    unwrap(
      await tab.dispatcher
        .bus('test')
        .ask(queueContract, 'claims', 'delete', { record: claim.record, how, ...(avoidMs === undefined ? {} : { avoidMs }) }),
    );
    await this.clock.advance(60);
  }

  async views(tab: Tab) {
    return unwrap(await tab.dispatcher.bus('test').ask(queueContract, 'records', 'query', { job: theJob })).body.records;
  }

  holdersOf(claim: Claim): Promise<Tab[]> {
    return this.views(this.tabs.find(({ alive }) => alive)!).then((views) => {
      const { holders } = views.find(({ record }) => record === claim.record)!;
      return this.tabs.filter(({ storage }) => holders.includes(storage.store));
    });
  }
}

export const offer = {
  state: 'idle' as const,
  reason: '',
  machine: { cores: 4, memoryMiB: null },
  sandbox: { workersAllowed: 2, workersRunning: 0, claimed: 0, itemsPerSecond: 0 },
  storage: { keeps: true, usedMiB: 0, allowedMiB: 500 },
};
export const singles = (from: number, count: number): [number, number][] =>
  Array.from({ length: count }, (_, i) => [from + i, from + i + 1]);
