// Very many tabs in one process: each the whole kernel of a tab, over ports that cost little. A tab is a person with a store, who has a process now or
// has none.
import { startKernel, type Kernel } from '../../kernel/kernel.ts';
import type { PeerId } from '../../kernel/lib/ids.ts';
import { memoryStorage } from '../../kernel/memory-storage.ts';
import type { Outcome } from '../../kernel/lib/outcome.ts';
import type { Platform, Storage } from '../../kernel/platform.ts';
import { resourcesContract } from '../../kernel/protocol/contracts/resources.ts';
import { scriptedSandbox, type Scripted } from '../../kernel/testing/scripted-sandbox.ts';
import { seededRandom } from '../../kernel/testing/seeded-random.ts';
import { testCoder } from '../../kernel/testing/test-coder.ts';
import { testDigest, testSigner } from '../../kernel/testing/test-crypto.ts';
import { bootDocument as bootDocumentOfTabs } from '../boot-document.ts';
import { Draw } from '../draw.ts';
import { EventLog } from '../event-log.ts';
import { Violations } from '../watch.ts';
import { ObjectBinding } from './object-binding.ts';
import { ScaleDirectory, type Change } from './scale-directory.ts';
import { ScaleNetwork, type Crossing } from './scale-network.ts';
import type { ScaleOptions, ScalePlan } from './scale-plan.ts';
import { gather, inOrderOfStart, oneShard, shardsOfTabs, type Shards } from './shards.ts';
import { Traffic } from './traffic.ts';
import { ProcessClock, WheelClock } from './wheel-clock.ts';

/** The boot document of tabs, with the binding of this process in the place of theirs. */
const bootDocument = bootDocumentOfTabs.replace('<binding name="msgpack"/>', '<binding name="objects"/>');
export const networkName = 'sim';
/** Of a message, at least. */
const networkDelayMs = 5;
/** To a tab of another shard: most of what goes there goes to another group, and those are further away. */
const crossingMs = 20;
/** They send enough for a smaller share of it to be as good a sample. */
const manyPeers = 2_000;
const quotaBytes = 64 * 1024 * 1024;
const machine = { cores: 1, memoryMiB: null, visible: () => true, watch: () => () => undefined };

export interface ScaleProcess {
  readonly tab: ScaleTab;
  readonly kernel: Kernel;
  readonly clock: ProcessClock;
}

export interface ScaleTab {
  readonly number: number;
  /** How many started before it. */
  readonly rank: number;
  /** Processes that it had. */
  lives: number;
  /** Who it is: another person comes with another. */
  person: number;
  store: Storage;
  process: ScaleProcess | undefined;
  starting: boolean;
}

export class ScaleWorld {
  readonly clock = new WheelClock();
  readonly traffic: Traffic;
  readonly log = new EventLog();
  readonly violations: Violations;
  readonly network: ScaleNetwork;
  readonly directory: ScaleDirectory;
  /** Of this shard. */
  readonly tabs: readonly ScaleTab[];
  readonly #byNumber: ReadonlyMap<number, ScaleTab>;
  readonly #binding: ObjectBinding;
  readonly #byPeer = new Map<PeerId, ScaleProcess>();

  constructor(
    readonly options: ScaleOptions,
    plan: Pick<ScalePlan, 'startMs'>,
    private readonly script: (offset: number, index: number) => Scripted,
    readonly shards: Shards = oneShard,
  ) {
    const { seed, peers, groups } = options;
    const { index, count } = shards;
    const groupPeersMax = Math.ceil(peers / groups);
    this.traffic = new Traffic(peers < manyPeers ? 32 : 256);
    this.violations = new Violations(this.log, () => this.clock.now());
    this.#binding = new ObjectBinding(this.traffic, options.freezes ?? false);
    this.network = new ScaleNetwork(this.clock, seededRandom(`${seed} network ${index}`), this.traffic, {
      delayMs: networkDelayMs,
      crossingMs,
      jitterMs: 10,
      lossShare: options.lossShare ?? 0.05,
      retransmitMs: 200,
      noticeMs: 3_000,
      frames: this.#binding,
      shard: index,
      shards: count,
    });
    this.directory = new ScaleDirectory(
      this.clock,
      seededRandom(`${seed} directory ${index}`),
      { groupPeersMax, delayMs: crossingMs, verify: testSigner('directory').verify },
      count > 1,
    );
    const shardOf = shardsOfTabs(plan.startMs, groupPeersMax, count);
    this.tabs = inOrderOfStart(plan.startMs)
      .flatMap((number, rank): ScaleTab[] => {
        if (shardOf[number] !== index) return [];
        return [
          { number, rank, lives: 0, person: number, store: this.#newStore(`${seed} store ${number}`), process: undefined, starting: false },
        ];
      })
      .toSorted((a, b) => a.number - b.number);
    this.#byNumber = new Map(this.tabs.map((tab) => [tab.number, tab]));
    // What is said between two shards is under way for longer than they go without hearing of each other.
    if (count > 1) this.clock.pause(crossingMs, () => this.#exchange());
  }

  /** undefined: it is of another shard. */
  tabAt(number: number): ScaleTab | undefined {
    return this.#byNumber.get(number);
  }

  /** What every shard says, in their order; all must be at the same point, `what`. */
  gather<T>(what: string, mine: T): readonly T[] {
    return gather(this.shards, what, mine);
  }

  /** Those that are open now. */
  get live(): ScaleProcess[] {
    return this.tabs.flatMap(({ process }) => process ?? []);
  }

  processAt(peer: PeerId): ScaleProcess | undefined {
    return this.#byPeer.get(peer);
  }

  /** Opens the tab; nothing where it is open. */
  async start(tab: ScaleTab): Promise<void> {
    if (tab.process !== undefined || tab.starting) return;
    tab.starting = true;
    const life = `${this.options.seed} ${tab.number} life ${tab.lives++}`;
    const draw = new Draw(life);
    const clock = new ProcessClock(this.clock, draw.int(0, 1_000_000), draw.chance(0.1) ? draw.int(-60_000, 60_000) : 0);
    const platform: Platform = {
      clock,
      random: seededRandom(life),
      digest: testDigest,
      coder: testCoder,
      signer: testSigner(`${this.options.seed} person ${tab.person}`),
      storage: whileAlive(tab.store, clock),
      transport: this.network.transport(),
      directory: this.directory.directory(tab.rank),
      sandbox: scriptedSandbox(clock, (index, span) => this.script(span.offset, index)),
      machine,
      report: (level, message, detail) => {
        if (level !== 'bug' || !clock.alive) return;
        const text = detail instanceof Error ? (detail.stack ?? detail.message) : String(detail);
        this.violations.add('S12', `tab ${tab.number}: ${message}: ${text}`);
      },
    };
    const started = await startKernel(platform, { bootDocument, network: networkName, bindings: [this.#binding] });
    tab.starting = false;
    if (!started.ok) {
      clock.alive = false;
      this.violations.add('S12', `tab ${tab.number} did not start: ${started.fault.message}`);
      return;
    }
    const kernel = started.value;
    tab.process = { tab, kernel, clock };
    this.#byPeer.set(kernel.self.peer, tab.process);
    await kernel.bus.ask(resourcesContract, 'limits', 'update', { cores: 1, idleAfterSeconds: 0, whenBusy: 'ignore' });
    await kernel.bus.ask(resourcesContract, 'consent', 'replace', { donating: true });
  }

  /** The process ends without a good-bye. */
  crash(tab: ScaleTab): void {
    const { process } = tab;
    if (process === undefined) return;
    const { peer } = process.kernel.self;
    tab.process = undefined;
    process.clock.alive = false;
    this.#byPeer.delete(peer);
    this.network.crash(peer);
    this.directory.crash(peer);
  }

  /** It says good-bye, then ends. */
  async leave(tab: ScaleTab): Promise<void> {
    const { process } = tab;
    if (process === undefined) return;
    await Promise.race([process.kernel.stop(), new Promise<void>((resolve) => void this.clock.after(1_000, resolve))]);
    if (tab.process === process) this.crash(tab);
  }

  /** Its person is gone with the store, and another has come. */
  replace(tab: ScaleTab): void {
    tab.person += this.options.peers;
    tab.store = this.#newStore(`${this.options.seed} store ${tab.person}`);
  }

  #exchange(): void {
    const { index, count } = this.shards;
    const crossings = Array.from({ length: count }, (_, shard) => (shard === index ? [] : this.network.takeCrossings(shard)));
    const all = this.gather<{ readonly crossings: readonly (readonly Crossing[])[]; readonly changes: readonly Change[] }>('a pause', {
      crossings,
      changes: this.directory.takeChanges(),
    });
    all.forEach((said, shard) => {
      this.directory.changed(said.changes);
      if (shard !== index) this.network.crossed(shard, said.crossings[index] ?? []);
    });
  }

  #newStore(seed: string): Storage {
    return memoryStorage(seededRandom(seed), { durable: true, quotaBytes });
  }
}

/** The store outlives the process: the dead neither read nor write. */
function whileAlive(store: Storage, life: { readonly alive: boolean }): Storage {
  const never = <T>() => new Promise<Outcome<T>>(() => undefined);
  return {
    store: store.store,
    durable: store.durable,
    get: (table, key) => (life.alive ? store.get(table, key) : never()),
    entries: (table, prefix) => (life.alive ? store.entries(table, prefix) : never()),
    keys: (table, prefix) => (life.alive ? store.keys(table, prefix) : never()),
    write: (ops) => (life.alive ? store.write(ops) : never()),
    estimate: () => store.estimate(),
    close: () => undefined,
  };
}
