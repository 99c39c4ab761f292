// Tabs with nothing but a ledger, joined by a network that may lose, double and reorder: for the ledger's tests.
import { Dispatcher } from '../dispatcher.ts';
import { groupId, makePeerId, type GroupId, type JobId, type PeerId } from '../lib/ids.ts';
import { failure, unwrap, type Outcome } from '../lib/outcome.ts';
import { decodeWire, encodeWire } from '../lib/wire-codec.ts';
import { memoryStorage } from '../memory-storage.ts';
import type { Clock, Platform, Storage } from '../platform.ts';
import { groupsContract } from '../protocol/contracts/groups.ts';
import { ledgerContract, type JobSummary } from '../protocol/contracts/ledger.ts';
import { membershipContract, type Member } from '../protocol/contracts/membership.ts';
import type { EventBody } from '../protocol/event.ts';
import type { JobManifest } from '../protocol/job-manifest.ts';
import type { Message, Reply } from '../protocol/message.ts';
import { SecurityManager } from '../security-manager.ts';
import type { Bus, Service, ServiceContext } from '../service.ts';
import { seededRandom } from './seeded-random.ts';
import { testDigest, testSigner } from './test-crypto.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { ledgerService } from '../services/ledger/service.ts';
import { manifestOf } from './made-up-jobs.ts';

export const ownGroup = groupId('ab'.repeat(16));

export interface Tab {
  readonly name: string;
  readonly peer: PeerId;
  readonly platform: Platform;
  readonly storage: Storage;
  readonly dispatcher: Dispatcher;
  readonly bus: Bus;
  readonly ledger: Service;
  readonly membership: ServiceContext<typeof membershipContract>;
  readonly reports: string[];
  alive: boolean;
  readonly group: GroupId;
  readonly groups: ServiceContext<typeof groupsContract>;
}

export interface Sent {
  readonly from: string;
  readonly to: string;
  readonly what: string;
  readonly bytes: number;
}

export class Cluster {
  readonly random;
  readonly tabs: Tab[] = [];
  readonly sent: Sent[] = [];
  lossShare = 0;
  doubleShare = 0;
  jitterMs = 0;
  /** True where a message does not pass. */
  cut: (from: Tab, to: Tab) => boolean = () => false;

  constructor(
    readonly clock: VirtualClock,
    private readonly seed: string,
  ) {
    this.random = seededRandom(seed);
  }

  /** A tab of the person `name`, whose clock is so far ahead; `storage` where it comes back to its profile. It is not yet seen by others. */
  async add(name: string, storage?: Storage, group = ownGroup, wallAheadMs = 0): Promise<Tab> {
    const random = seededRandom(`${this.seed} ${name} ${this.tabs.length}`);
    const signer = testSigner(name);
    const peer = makePeerId(signer.identity, random.bytes(8));
    const kept = storage ?? memoryStorage(random, { durable: true });
    const reports: string[] = [];
    const report = (level: string, message: string, detail: unknown) => void reports.push(`${level}: ${message} ${String(detail)}`);
    const clock: Clock = {
      now: () => this.clock.now(),
      wall: () => this.clock.wall() + wallAheadMs,
      after: (ms, run) => this.clock.after(ms, run),
    };
    const platform = { clock, random, digest: testDigest, signer, storage: kept, report } as unknown as Platform;
    const dispatcher = new Dispatcher(platform, new SecurityManager(signer.identity), {
      peer,
      identity: signer.identity,
      network: 'public',
      group: () => group,
    });
    const ledger = ledgerService(dispatcher.context(ledgerContract)) as unknown as Service;
    const membership = dispatcher.context(membershipContract);
    const tab: Tab = {
      name,
      peer,
      platform,
      storage: kept,
      dispatcher,
      bus: dispatcher.bus('test'),
      ledger,
      membership,
      reports,
      alive: true,
      group,
      groups: dispatcher.context(groupsContract),
    };
    unwrap(dispatcher.register(ledger));
    unwrap(
      dispatcher.register({
        contract: membershipContract,
        handlers: {},
        start: () => undefined,
        stop: () => undefined,
      } as unknown as Service),
    );
    dispatcher.connect({ send: (to, message) => this.#send(tab, to, message), anyPeer: () => undefined });
    this.tabs.push(tab);
    await ledger.start();
    return tab;
  }

  async of(...names: string[]): Promise<Tab[]> {
    const tabs: Tab[] = [];
    for (const name of names) tabs.push(await this.add(name));
    await this.meet();
    return tabs;
  }

  /** All live tabs see each other. */
  async meet(): Promise<void> {
    const memberOf = (tab: Tab): Member => ({
      peer: tab.peer,
      identity: tab.platform.signer.identity,
      store: tab.storage.store,
      status: 'alive',
      rttMs: 1,
      offer: null,
    });
    for (const { group, membership } of this.#live()) {
      const members = this.#live()
        .filter((tab) => tab.group === group)
        .map(memberOf);
      membership.publish('view', { group, groupName: 'a group', signaling: 'up', signalingReason: '', members });
    }
    await this.clock.advance(20);
  }

  /** Each group is told of these pairs of bridges to its neighbours. */
  async bridge(...pairs: (readonly [Tab, Tab])[]): Promise<void> {
    const both = pairs.flatMap(([a, b]) => [[a, b] as const, [b, a] as const]);
    for (const tab of this.#live()) {
      const mine = both.filter(([here]) => here.group === tab.group);
      const neighbours = [...new Set(mine.map(([, there]) => there.group))].toSorted().map((group) => ({
        group,
        name: `Group ${group.slice(0, 2)}`,
        answersFor: [group],
        members: this.#live()
          .filter((other) => other.group === group)
          .map(({ peer, platform, storage }) => ({ peer, identity: platform.signer.identity, store: storage.store })),
        states: [],
        bridges: mine
          .filter(([, there]) => there.group === group)
          .map(([here, there]) => ({ here: here.peer, there: there.peer, since: 0 })),
        up: true,
        heardMsAgo: 0,
        spareWorkers: 0,
        waitingFunctions: 0,
      }));
      const load = { spareWorkers: 0, waitingFunctions: 0 };
      tab.groups.publish('view', { group: tab.group, answersFor: [tab.group], load, neighbours });
    }
    await this.clock.advance(20);
  }

  async leave(tab: Tab): Promise<void> {
    tab.alive = false;
    await tab.ledger.stop();
    await this.meet();
  }

  async stop(): Promise<void> {
    for (const tab of this.tabs) await tab.ledger.stop();
  }

  async createJob(tab: Tab, items: number, changes: Partial<JobManifest> = {}): Promise<JobId> {
    const nonce = Array.from(this.random.bytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('');
    const now = this.clock.wall();
    const manifest = manifestOf(items, {
      home: tab.group,
      submitter: tab.platform.signer.identity,
      nonce,
      createdAt: now,
      expires: now + 3_600_000,
      ...changes,
    });
    return unwrap(await this.clock.finish(tab.bus.ask(ledgerContract, 'jobs', 'create', { manifest }))).body.job;
  }

  write(tab: Tab, job: JobId, body: EventBody): Promise<Outcome<{ body: { event: string; acknowledged: number } }>> {
    return tab.bus.ask(ledgerContract, 'events', 'create', { job, body });
  }

  async summary(tab: Tab, job: JobId): Promise<JobSummary | undefined> {
    const { jobs } = unwrap(await tab.bus.ask(ledgerContract, 'jobs', 'query', {})).body;
    return jobs.find((known) => known.id === job);
  }

  /** All that the fold of `job` says at `tab`, with its clock and its digest. */
  async picture(tab: Tab, job: JobId): Promise<unknown> {
    const summary = await this.summary(tab, job);
    if (summary === undefined) return 'unknown';
    const { spans } = unwrap(await tab.bus.ask(ledgerContract, 'decisions', 'query', { job, from: 0, max: 10_000 })).body;
    const detail = unwrap(await tab.bus.ask(ledgerContract, 'decisions', 'get', { job })).body;
    const named = unwrap(
      await tab.bus.ask(ledgerContract, 'clocks', 'query', {
        jobsKnown: '0'.repeat(64),
        window: { after: null, until: null },
        clocks: [{ job, clock: {}, digest: 'f'.repeat(64) }],
        over: [],
      }),
    ).body;
    const { state, reason, committed, failed, priority, events } = summary;
    return { state, reason, committed, failed, priority, events, spans, detail, digest: named.clocks[0]?.digest };
  }

  /** True where all live tabs hold and fold the same of `jobs`. */
  async agree(jobs: readonly JobId[]): Promise<boolean> {
    for (const job of jobs) {
      const [first, ...rest] = await Promise.all(this.#live().map(async (tab) => JSON.stringify(await this.picture(tab, job))));
      if (first === '"unknown"' || rest.some((other) => other !== first)) return false;
    }
    return true;
  }

  #live(): Tab[] {
    return this.tabs.filter((tab) => tab.alive);
  }

  #send(from: Tab, peer: PeerId, message: Message): Promise<Reply> {
    const to = this.tabs.find((tab) => tab.peer === peer);
    const { deadline } = message.header;
    const bytes = encodeWire(message.body);
    const what = `${message.header.to.split('/').slice(5).join('/')} ${message.header.verb}`;
    this.sent.push({ from: from.name, to: to?.name ?? '', what, bytes: bytes.length });
    return new Promise((resolve) => {
      const cancel = this.clock.after(deadline, () => resolve(failure('too-late', 'No answer in time.')));
      const settle = (reply: Reply) => {
        cancel();
        resolve(reply);
      };
      if (to === undefined || !to.alive || !from.alive) {
        this.clock.after(1, () => settle(failure('unreachable', 'There is no such tab.')));
        return;
      }
      const arrive = () => {
        if (!to.alive) return;
        const caller = { peer: from.peer, identity: from.platform.signer.identity, local: false };
        void to.dispatcher.receive({ header: message.header, body: decodeWire(bytes) }, caller).then((reply) => {
          const back: Reply = reply.ok ? { ok: true, value: { body: decodeWire(encodeWire(reply.value.body)), buffers: [] } } : reply;
          this.#pass(to, from, () => settle(back));
        });
      };
      this.#pass(from, to, arrive);
    });
  }

  #pass(from: Tab, to: Tab, arrive: () => void): void {
    const times = this.random.fraction() < this.doubleShare ? 2 : 1;
    for (let i = 0; i < times; i++) {
      const lost = this.cut(from, to) || this.random.fraction() < this.lossShare;
      const delay = 1 + this.random.fraction() * this.jitterMs;
      if (!lost) this.clock.after(delay, arrive);
    }
  }
}
