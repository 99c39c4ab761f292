// The simulated world: one clock, one network, one directory, and the tabs on them, each a whole kernel over ports of its own. A tab is a
// profile (its store and identity) that has a process now, or has none.
import { readFileSync } from 'node:fs';
import { startKernel, type Kernel } from '../kernel/kernel.ts';
import { equalBytes } from '../kernel/lib/bytes.ts';
import type { PeerId, StoreId } from '../kernel/lib/ids.ts';
import { decodeWire } from '../kernel/lib/wire-codec.ts';
import { groupPeersMax } from '../kernel/limits.ts';
import { carryOver } from '../kernel/carry-over.ts';
import { memoryStorage } from '../kernel/memory-storage.ts';
import type { Machine, Platform, Storage, WriteOp } from '../kernel/platform.ts';
import type { AnyServiceFactory } from '../kernel/service-catalogue.ts';
import { resourcesContract } from '../kernel/protocol/contracts/resources.ts';
import type { ObjectManifest } from '../kernel/protocol/object.ts';
import type { SandboxSpan } from '../kernel/protocol/sandbox.ts';
import { MemoryDirectory } from '../kernel/testing/memory-directory.ts';
import { MemoryNetwork } from '../kernel/testing/memory-transport.ts';
import { scriptedSandbox, type Scripted } from '../kernel/testing/scripted-sandbox.ts';
import { seededRandom } from '../kernel/testing/seeded-random.ts';
import { testCoder } from '../kernel/testing/test-coder.ts';
import { testDigest, testSigner } from '../kernel/testing/test-crypto.ts';
import { VirtualClock } from '../kernel/testing/virtual-clock.ts';
import { Draw } from './draw.ts';
import { EventLog } from './event-log.ts';
import { forging } from './forger.ts';
import { ForgeryWatch } from './forgery-watch.ts';
import { LedgerWatch } from './ledger-watch.ts';
import type { Plan, TabPlan } from './plan.ts';
import { QueueWatch } from './queue-watch.ts';
import { TabClock } from './tab-clock.ts';
import { TabStorage, type StorageFaults } from './tab-storage.ts';
import { TabTransport } from './tab-transport.ts';
import { Violations } from './watch.ts';
import { watchedServices } from './watched-services.ts';

/** A bug planted from outside, for the tests of the checkers: what it changes of a tab's ports and services. */
export interface Plant {
  readonly service?: (
    name: string,
    factory: AnyServiceFactory,
    tab: { readonly storage: Storage; readonly draw: Draw },
  ) => AnyServiceFactory;
  readonly storage?: (storage: Storage, draw: Draw) => Storage;
}

export interface WorldOptions {
  readonly trace?: (line: string) => void;
  readonly plant?: Plant;
}

/** One life of a tab, from its start to its end. */
export interface Process {
  /** Of its tab. */
  readonly number: number;
  readonly kernel: Kernel;
  readonly clock: TabClock;
  readonly storage: TabStorage;
  readonly transport: TabTransport;
  readonly input: () => void;
  /** How many functions it takes itself to own now. */
  readonly owns: () => number;
  /** The next item takes every sandbox of the tab down, without an event. */
  sandboxDies: boolean;
  /** Some of what it sends has a wrong bit. */
  junk: boolean;
  leaving: boolean;
  readonly living: { alive: boolean };
  /** What it keeps where its tab's database has not opened yet: it ends with the page. */
  readonly memory: Storage | undefined;
}

export interface Tab {
  readonly number: number;
  readonly plan: TabPlan;
  readonly faults: StorageFaults;
  store: Storage;
  process: Process | undefined;
  /** A second tab of the same browser: the same person, who keeps nothing past that page. */
  twin: Process | undefined;
  /** Its store is gone for good, and its person with it. */
  lost: boolean;
  starting: boolean;
}

const bootDocument = readFileSync(new URL('../../public/boot.xml', import.meta.url), 'utf8');
const quotaBytes = 64 * 1024 * 1024;
const junkShare = 0.01;
/** A tab waits so long for its database, and begins without it then. */
const databaseWaitMs = 3_000;
const noStorageFaults: StorageFaults = { refuse: 0, full: false, writeMsMax: 0 };

export class World {
  readonly clock = new VirtualClock(undefined, 'microtasks');
  readonly log: EventLog;
  readonly violations: Violations;
  readonly network: MemoryNetwork;
  readonly directory: MemoryDirectory;
  readonly tabs: readonly Tab[];
  readonly queueWatch: QueueWatch;
  readonly ledgerWatch: LedgerWatch;
  readonly forgeryWatch: ForgeryWatch;
  readonly #stores = new Map<StoreId, Storage>();
  readonly #storeOf = new Map<PeerId, StoreId>();
  readonly #tabOf = new Map<PeerId, number>();
  readonly #openingTwins = new Set<Tab>();
  #processes = 0;

  constructor(
    readonly seed: string,
    readonly plan: Plan,
    private readonly options: WorldOptions,
    /** What item `index` of a span does. */
    private readonly script: (index: number, span: SandboxSpan) => Scripted,
  ) {
    this.log = new EventLog(options.trace);
    this.violations = new Violations(this.log, () => this.clock.now());
    const draw = new Draw(`${seed} network`);
    const bytes = seededRandom(`${seed} bindings`);
    const fraction = () => (plan.heavy ? draw.heavyTail(8) : draw.fraction());
    this.network = new MemoryNetwork(
      this.clock,
      { bytes: (length) => bytes.bytes(length), fraction },
      { delayMs: plan.delayMs, jitterMs: plan.heavy ? 100 : plan.jitterMs, noticeMs: plan.noticeMs },
    );
    this.directory = new MemoryDirectory(this.clock, seededRandom(`${seed} directory`), {
      groupPeersMax: Math.max(groupPeersMax, plan.tabs.length),
    });
    this.queueWatch = new QueueWatch(this.violations, this.#stores);
    this.ledgerWatch = new LedgerWatch(this.violations);
    const identityOf = (tab: number) => testSigner(`${seed} ${tab}`).identity;
    const garbled = plan.faults.flatMap(([, fault]) => (fault.kind === 'junk' ? [identityOf(fault.tab)] : []));
    this.forgeryWatch = new ForgeryWatch(this.violations, plan.forger === null ? undefined : identityOf(plan.forger), new Set(garbled));
    this.tabs = plan.tabs.map((tab, number) => ({
      number,
      plan: tab,
      faults: { refuse: 0, full: false, writeMsMax: tab.writeMsMax },
      store: this.#newStore(`${seed} store ${number}`),
      process: undefined,
      twin: undefined,
      lost: false,
      starting: false,
    }));
  }

  get live(): Tab[] {
    return this.tabs.filter(({ process }) => process !== undefined);
  }

  note(what: string): void {
    this.log.note(`${this.clock.now().toFixed(3)} ${what}`);
  }

  later(ms: number, run: () => void): void {
    this.clock.after(ms, run);
  }

  /** Opens the tab; nothing where it is open. It begins without its database where that opens only after so long, and begins anew with it. */
  async start(tab: Tab, databaseMs = 0): Promise<void> {
    if (tab.process !== undefined || tab.starting || tab.lost) return;
    tab.starting = true;
    const life = `${this.seed} tab ${tab.number} life ${this.#processes++}`;
    const memory = databaseMs > databaseWaitMs ? this.#memory(life) : undefined;
    if (memory !== undefined) {
      this.note(`tab ${tab.number} begins without its database`);
      this.later(databaseMs, () => void this.openLate(tab, memory));
    }
    tab.process = await this.#open(tab, life, memory, 'speaker');
    tab.starting = false;
    if (tab.process === undefined) return;
    const { kernel } = tab.process;
    this.note(`tab ${tab.number} is ${kernel.self.peer}`);
    await kernel.bus.ask(resourcesContract, 'limits', 'update', { cores: tab.plan.cores, idleAfterSeconds: 1, whenBusy: 'ignore' });
    await this.consent(tab, tab.plan.donates);
  }

  /** undefined where it cannot start: the person sees why, and opens the tab again later. */
  async #open(tab: Tab, life: string, memory: Storage | undefined, profileRole: 'speaker' | 'second'): Promise<Process | undefined> {
    const own = memory ?? tab.store;
    const draw = new Draw(`${life} ports`);
    const random = seededRandom(life);
    const clock = new TabClock(this.clock, { originMs: draw.int(0, 1_000_000), wallOffMs: tab.plan.wallOffMs, rate: tab.plan.rate });
    const storage = new TabStorage(own, clock, draw, memory === undefined ? tab.faults : noStorageFaults, {
      writing: (ops) => this.queueWatch.forgetting(own.store, ops),
      written: (ops) => this.#written(tab, own.store, ops),
    });
    const planted = this.options.plant?.storage?.(storage, draw) ?? storage;
    const transport = new TabTransport(
      this.network.transport(),
      (to, message) => this.log.message(this.clock.now(), tab.number, this.#tabOf.get(to) ?? -1, message),
      (message) =>
        tab.process?.transport === transport && tab.process.junk && draw.chance(junkShare) ? withWrongBit(message, draw) : message,
    );
    let listener: Parameters<Machine['watch']>[0] | undefined;
    const living = { alive: true };
    const platform: Platform = {
      clock,
      random,
      digest: testDigest,
      coder: testCoder,
      signer: testSigner(`${this.seed} ${tab.number}`),
      storage: planted,
      profileRole,
      transport,
      directory: this.directory.directory(),
      sandbox: scriptedSandbox(clock, (index, span) => this.#item(tab, index, span)),
      machine: {
        cores: tab.plan.cores,
        memoryMiB: null,
        visible: () => true,
        watch: (given) => {
          listener = given;
          return () => (listener = undefined);
        },
      },
      report: (level, message, detail) => {
        this.note(`tab ${tab.number} ${level}: ${message}`);
        if (level === 'bug' && living.alive)
          this.violations.add(
            'S12',
            `tab ${tab.number}: ${message}: ${detail instanceof Error ? (detail.stack ?? detail.message) : String(detail)}`,
          );
      },
    };
    const catalogue = watchedServices({
      queue: this.queueWatch,
      ledger: this.ledgerWatch,
      store: own.store,
      clock,
      alive: () => living.alive,
      named: (peer) => {
        this.#storeOf.set(peer, own.store);
        this.#tabOf.set(peer, tab.number);
      },
      storeOf: (peer) => this.#storeOf.get(peer),
      forgery: this.forgeryWatch,
      plant: (name, factory) => {
        const made = this.options.plant?.service?.(name, factory, { storage: planted, draw }) ?? factory;
        return this.plan.forger === tab.number ? forging(name, made, this.forgeryWatch) : made;
      },
    });
    const started = await startKernel(platform, { bootDocument, network: 'sim', catalogue });
    if (!started.ok) {
      this.note(`tab ${tab.number} did not start: ${started.fault.message}`);
      clock.die();
      storage.die();
      living.alive = false;
      return undefined;
    }
    const kernel = started.value;
    return {
      number: tab.number,
      living,
      kernel,
      clock,
      storage,
      transport,
      input: () => listener?.input(),
      owns: () => this.queueWatch.ownedBy(kernel.self.peer),
      sandboxDies: false,
      junk: false,
      leaving: false,
      memory,
    };
  }

  /** Nothing where there is no first tab, or is a second one already. */
  async openTwin(tab: Tab): Promise<void> {
    if (tab.process === undefined || tab.twin !== undefined || tab.lost || this.#openingTwins.has(tab)) return;
    this.#openingTwins.add(tab);
    const life = `${this.seed} tab ${tab.number} life ${this.#processes++}`;
    const twin = await this.#open(tab, life, this.#memory(life), 'second');
    // Closed meanwhile, or its browser was.
    if (!this.#openingTwins.delete(tab) && twin !== undefined) this.#end(twin);
    else tab.twin = twin;
    if (tab.twin !== undefined) this.note(`a second tab of ${tab.number} is ${tab.twin.kernel.self.peer}`);
  }

  closeTwin(tab: Tab): void {
    this.#openingTwins.delete(tab);
    const { twin } = tab;
    tab.twin = undefined;
    if (twin === undefined) return;
    this.note(`the second tab of ${tab.number} is closed`);
    this.#end(twin);
  }

  /** The first tab is closed, and the second begins anew with the store, and with what it had in memory. */
  async takeOver(tab: Tab): Promise<void> {
    const { twin } = tab;
    const memory = twin?.memory;
    if (twin === undefined || memory === undefined || tab.starting || tab.lost) return this.closeTwin(tab);
    tab.twin = undefined;
    this.crash(tab);
    this.note(`the second tab of ${tab.number} takes over`);
    tab.starting = true;
    await this.#stopped(twin);
    this.#end(twin);
    await this.#carryOver(tab, memory);
    tab.starting = false;
    await this.start(tab);
  }

  /** Of a life that keeps nothing past its page. */
  #memory(life: string): Storage {
    const memory = memoryStorage(seededRandom(`${life} memory`));
    this.#stores.set(memory.store, memory);
    return memory;
  }

  /** The database of a tab that began without it, this `memory` if given, is there: it begins anew, with what it had in memory. */
  async openLate(tab: Tab, memory = tab.process?.memory): Promise<void> {
    if (memory === undefined || tab.process?.memory !== memory || tab.process.leaving) return;
    this.note(`the database of tab ${tab.number} has opened`);
    await this.leave(tab);
    if (tab.process !== undefined || tab.starting || tab.lost) return;
    tab.starting = true;
    await this.#carryOver(tab, memory);
    tab.starting = false;
    await this.start(tab);
  }

  async #carryOver(tab: Tab, memory: Storage): Promise<void> {
    const { store } = tab.store;
    await carryOver(memory, {
      ...tab.store,
      write: (ops) => {
        this.#written(tab, store, ops);
        return tab.store.write(ops);
      },
    });
  }

  #written(tab: Tab, store: StoreId, ops: readonly WriteOp[]): void {
    for (const op of ops) this.note(`tab ${tab.number} ${'delete' in op ? 'drops' : 'keeps'} ${op.table} ${op.key}`);
    this.queueWatch.written(store, ops);
    this.ledgerWatch.written(store, ops);
  }

  async consent(tab: Tab, donating: boolean): Promise<void> {
    await tab.process?.kernel.bus.ask(resourcesContract, 'consent', 'replace', { donating });
  }

  /** The tab ends without a good-bye, and a second one of the same browser with it. */
  crash(tab: Tab): void {
    const { process } = tab;
    this.closeTwin(tab);
    if (process === undefined) return;
    this.note(`tab ${tab.number} crashes`);
    tab.process = undefined;
    this.#end(process);
  }

  /** Nothing of it runs, writes or is heard any more. */
  #end(process: Process): void {
    process.living.alive = false;
    process.clock.die();
    process.storage.die();
    this.network.crash(process.kernel.self.peer);
    this.directory.crash(process.kernel.self.peer);
  }

  /** What the closed tab's store kept of functions is gone. */
  async forgetRecords({ number, store }: Tab): Promise<void> {
    for (const table of ['records', 'locks'] as const) {
      const kept = await store.keys(table, '');
      const ops = (kept.ok ? kept.value : []).map((key) => ({ table, key, delete: true as const }));
      this.queueWatch.forgetting(store.store, ops);
      await store.write(ops);
      this.queueWatch.written(store.store, ops);
    }
    this.note(`tab ${number} forgets its records`);
  }

  /**
   * One bit of one stored slice is no longer what it was. The last copy of a segment stays whole: what nobody has any more cannot be read.
   */
  async flip({ number, store }: Tab, which: number): Promise<void> {
    const kept = await store.entries('slices', '');
    if (!kept.ok || kept.value.length === 0) return;
    const [key, value] = kept.value[which % kept.value.length]!;
    if (!(value instanceof Uint8Array) || value.length === 0 || (await this.#isLastCopy(store, key, value))) return;
    const damaged = value.slice();
    damaged[which % damaged.length]! ^= 1 << (which % 8);
    await store.write([{ table: 'slices', key, value: damaged }]);
    this.note(`tab ${number} has a wrong bit in ${key}`);
  }

  /** Whether these are of a whole segment, and no other store that stays has the same bytes. A coded slice may be lost: the others make up for it. */
  async #isLastCopy(store: Storage, key: string, bytes: Uint8Array): Promise<boolean> {
    const objects = await store.entries('objects', '');
    const hash = key.split('/')[0]!;
    const isSegment = ([, document]: readonly [string, unknown]) =>
      document instanceof Uint8Array && (decodeWire(document) as ObjectManifest).segments.some((segment) => segment.hash === hash);
    if (!objects.ok || !objects.value.some(isSegment)) return false;
    const going = new Set(this.plan.faults.flatMap(([, fault]) => (fault.kind === 'lost' ? [fault.tab] : [])));
    const others = this.tabs.filter((tab) => tab.store !== store && !going.has(tab.number));
    const found = await Promise.all(others.map((tab) => tab.store.get('slices', key)));
    return !found.some((copy) => copy.ok && copy.value instanceof Uint8Array && equalBytes(copy.value, bytes));
  }

  /** The tab says good-bye, then ends. */
  async leave(tab: Tab): Promise<void> {
    const { process } = tab;
    if (process === undefined) return;
    this.note(`tab ${tab.number} leaves`);
    process.leaving = true;
    await this.#stopped(process);
    if (tab.process === process) this.crash(tab);
  }

  #stopped({ kernel }: Process): Promise<void> {
    return Promise.race([kernel.stop(), new Promise<void>((resolve) => this.later(1_000, resolve))]);
  }

  /** Who speaks for the store now: not a tab that began without it. */
  speakerOf(store: StoreId): PeerId | undefined {
    const process = this.tabs.find((tab) => tab.store.store === store)?.process;
    return process?.memory === undefined ? process?.kernel.self.peer : undefined;
  }

  /** Surviving stores, the lost ones left out. */
  stores(): Storage[] {
    return this.tabs.filter(({ lost }) => !lost).map(({ store }) => store);
  }

  peersOf(numbers: readonly number[]): PeerId[] {
    return numbers.flatMap((number) => this.tabs[number]?.process?.kernel.self.peer ?? []);
  }

  #newStore(seed: string): Storage {
    const store = memoryStorage(seededRandom(seed), { durable: true, quotaBytes });
    this.#stores.set(store.store, store);
    return store;
  }

  #item(tab: Tab, index: number, span: SandboxSpan): Scripted {
    const { process } = tab;
    if (process?.sandboxDies === true) {
      process.sandboxDies = false;
      return 'die';
    }
    return this.script(index, span);
  }
}

function withWrongBit(message: Uint8Array, draw: Draw): Uint8Array {
  const damaged = message.slice();
  if (damaged.length > 0) damaged[draw.int(0, damaged.length - 1)]! ^= 1 << draw.int(0, 7);
  return damaged;
}
