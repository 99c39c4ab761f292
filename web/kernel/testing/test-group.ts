// A group of whole kernels, as tabs run them, over the memory network: what a simulated job test starts from.
import { readFileSync } from 'node:fs';
import { startKernel, type Kernel } from '../kernel.ts';
import { encodeValue } from '../lib/value-codec.ts';
import { decodeResultBlob } from '../lib/result-blob.ts';
import type { JobId } from '../lib/ids.ts';
import { hexOf } from '../lib/bytes.ts';
import { unwrap } from '../lib/outcome.ts';
import { itemMsDefault } from '../limits.ts';
import { memoryStorage } from '../memory-storage.ts';
import type { Digest, OperatorDesk, Platform, Storage } from '../platform.ts';
import type { JobManifest } from '../protocol/job-manifest.ts';
import { blocksContract } from '../protocol/contracts/blocks.ts';
import { ledgerContract, type JobSummary } from '../protocol/contracts/ledger.ts';
import { membershipContract } from '../protocol/contracts/membership.ts';
import { queueContract } from '../protocol/contracts/queue.ts';
import { resourcesContract } from '../protocol/contracts/resources.ts';
import { schedulerContract } from '../protocol/contracts/scheduler.ts';
import { MemoryDirectory, type MemoryDirectoryOptions } from './memory-directory.ts';
import { MemoryNetwork, type MemoryNetworkOptions } from './memory-transport.ts';
import { scriptedSandbox, type Scripted } from './scripted-sandbox.ts';
import { seededRandom } from './seeded-random.ts';
import { testCoder } from './test-coder.ts';
import { testDigest, testSigner } from './test-crypto.ts';
import { VirtualClock } from './virtual-clock.ts';

const bootDocument = readFileSync(new URL('../../../public/boot.xml', import.meta.url), 'utf8');

export interface GroupOptions {
  readonly seed: string;
  readonly network?: MemoryNetworkOptions;
  readonly directory?: MemoryDirectoryOptions;
  /** What each item does. */
  readonly script: (index: number) => Scripted;
}

export interface StartOptions {
  /** 'test' unless given. */
  readonly network?: { readonly network: string; readonly networkKey?: Uint8Array };
  /** The tab whose identity it brings; its own unless given. */
  readonly identityOf?: string;
  /** For a tab that lies about hashes. */
  readonly digest?: Digest;
  readonly operator?: OperatorDesk;
  /** What its store is like in this life. */
  readonly storage?: (kept: Storage) => Storage;
}

export interface TestPeer {
  readonly name: string;
  readonly kernel: Kernel;
  readonly storage: Storage;
  readonly bugs: string[];
}

export class TestGroup {
  readonly clock = new VirtualClock();
  readonly network: MemoryNetwork;
  readonly directory: MemoryDirectory;
  readonly #storages = new Map<string, Storage>();
  #starts = 0;

  constructor(private readonly options: GroupOptions) {
    this.network = new MemoryNetwork(this.clock, seededRandom(`${options.seed} network`), options.network);
    this.directory = new MemoryDirectory(this.clock, seededRandom(`${options.seed} directory`), options.directory);
  }

  /** Starts a tab; one of a name that was started before comes back with its store and identity. */
  async start(name: string, options: StartOptions = {}): Promise<TestPeer> {
    const random = seededRandom(`${this.options.seed} ${name} ${this.#starts++}`);
    const storage = this.#storages.get(name) ?? memoryStorage(random, { durable: true });
    this.#storages.set(name, storage);
    const bugs: string[] = [];
    const platform: Platform = {
      clock: this.clock,
      random,
      digest: options.digest ?? testDigest,
      coder: testCoder,
      signer: testSigner(`${this.options.seed} ${options.identityOf ?? name}`),
      storage: options.storage?.(storage) ?? storage,
      transport: this.network.transport(),
      directory: this.directory.directory(),
      sandbox: scriptedSandbox(this.clock, this.options.script),
      ...(options.operator !== undefined && { operator: options.operator }),
      machine: { cores: 2, memoryMiB: null, watch: () => () => undefined, visible: () => true },
      report: (level, message, detail) => void (level === 'bug' && bugs.push(`${name}: ${message} ${String(detail)}`)),
    };
    const kernel = unwrap(await this.clock.finish(startKernel(platform, { bootDocument, network: 'test', ...options.network })));
    return { name, kernel, storage, bugs };
  }

  /** Without a good-bye: links go silent, timers of the dead kernel run on unheard. */
  async crash(peer: TestPeer): Promise<void> {
    this.network.crash(peer.kernel.self.peer);
    this.directory.crash(peer.kernel.self.peer);
    // The process is gone; only the store outlives it.
    await this.clock.finish(peer.kernel.stop());
  }

  async donate(peer: TestPeer, cores = 1): Promise<void> {
    const { bus } = peer.kernel;
    unwrap(await this.clock.finish(bus.ask(resourcesContract, 'limits', 'update', { cores, idleAfterSeconds: 0, whenBusy: 'ignore' })));
    unwrap(await this.clock.finish(bus.ask(resourcesContract, 'consent', 'replace', { donating: true })));
  }

  /** Until all of `peers` see each other, and `donors` of them as keeping data for others. */
  async joined(peers: readonly TestPeer[], donors: number, withinMs = 20_000): Promise<void> {
    const sees = async (peer: TestPeer) => {
      const { members } = unwrap(await peer.kernel.bus.ask(membershipContract, 'members', 'query', {})).body;
      return members.length >= peers.length && members.filter((member) => member.offer?.storage.keeps).length >= donors;
    };
    await this.clock.until(async () => (await Promise.all(peers.map(sees))).every(Boolean), withinMs, 'all members seen');
  }

  /** Hands over a job over the range [0, items); in `functions` where those are given, else as its steward cuts it; not before others keep its code, unless told so. */
  async submit(
    peer: TestPeer,
    items: number,
    functions?: [number, number][],
    keptElsewhere = true,
    changes: Partial<JobManifest> = {},
  ): Promise<JobId> {
    const { bus, self } = peer.kernel;
    const wall = this.clock.wall();
    const work = async () => {
      const code = encodeValue('code');
      const put = unwrap(
        await bus.ask(
          blocksContract,
          'objects',
          'insert',
          { name: 'code', type: '', expires: wall + 3_600_000, segments: [0] },
          { buffers: [code] },
        ),
      );
      // What lull.submit waits for before it says that the tab may be closed.
      while (keptElsewhere && unwrap(await bus.ask(blocksContract, 'objects', 'lookup', { id: put.body.id })).body.copies === 0)
        await new Promise<void>((resolve) => this.clock.after(200, resolve));
      const created = unwrap(
        await bus.ask(ledgerContract, 'jobs', 'create', {
          manifest: {
            v: 1,
            network: self.network,
            submitter: self.identity,
            home: self.group(),
            nonce: hexOf(seededRandom(`${this.options.seed} nonce ${items}`).bytes(16)),
            name: 'a job',
            createdAt: wall,
            expires: wall + 3_600_000,
            code: put.body.id,
            codeHash: hexOf(await testDigest.sha256(code)),
            reduce: null,
            args: encodeValue(undefined),
            input: { kind: 'range', items, offset: 0 },
            runtime: 'js',
            redundancy: 1,
            priority: 0,
            failuresMax: items,
            itemMs: itemMsDefault,
            ...changes,
          },
        }),
      );
      const { job } = created.body;
      if (functions !== undefined) unwrap(await bus.ask(queueContract, 'records', 'create', { job, round: 0, ranges: functions }));
      else unwrap(await bus.ask(schedulerContract, 'jobs', 'submit', { job }, { timeoutMs: 30_000 }));
      return created.body.job;
    };
    return this.clock.finish(work());
  }

  async summary(peer: TestPeer, job: JobId): Promise<JobSummary | undefined> {
    const { jobs } = unwrap(await peer.kernel.bus.ask(ledgerContract, 'jobs', 'query', {})).body;
    return jobs.find((known) => known.id === job);
  }

  /** Until `peer` sees the job ended. */
  async ended(peer: TestPeer, job: JobId, withinMs: number): Promise<JobSummary> {
    let summary: JobSummary | undefined;
    await this.clock.until(
      async () => {
        summary = await this.summary(peer, job);
        return summary !== undefined && ['done', 'failed', 'cancelled'].includes(summary.state);
      },
      withinMs,
      'the end of the job',
    );
    return summary!;
  }

  /** Each item's result bytes as `peer` reads them, by index; a failed item is its message. @throws Error on a doubled item */
  async results(peer: TestPeer, job: JobId): Promise<(Uint8Array | string)[]> {
    const { bus } = peer.kernel;
    const items: (Uint8Array | string)[] = [];
    const { spans } = unwrap(await bus.ask(ledgerContract, 'decisions', 'query', { job, from: 0, max: 10_000 })).body;
    for (const { range, result, outcome } of spans) {
      const answer = unwrap(
        await this.clock.finish(bus.ask(blocksContract, 'segments', 'get', { object: result, segment: 0 }, { timeoutMs: 30_000 })),
      );
      const blob = decodeResultBlob(answer.buffers[answer.body.data]!)!;
      for (let index = range[0]; index < range[1]; index++) {
        if (items[index] !== undefined) throw new Error(`item ${index} has two results`);
        const at = index - blob.first;
        const value = blob.values.bytes.subarray(at === 0 ? 0 : blob.values.ends[at - 1], blob.values.ends[at]);
        items[index] = outcome === 'ok' ? value : (blob.errors.find((error) => error.index === index)?.message ?? 'failed');
      }
    }
    return items;
  }
}
