// Tabs that run blocks alone, their membership told by the test.
import type { IdentityId } from '../lib/ids.ts';
import { unwrap } from '../lib/outcome.ts';
import type { Storage } from '../platform.ts';
import { blocksContract } from '../protocol/contracts/blocks.ts';
import { membershipContract, type GroupView } from '../protocol/contracts/membership.ts';
import { resourcesContract, type ResourceState } from '../protocol/contracts/resources.ts';
import type { PublicationOf } from '../protocol/contract.ts';
import type { Service } from '../service.ts';
import { blocksService } from '../services/blocks/service.ts';
import { JoinedTabs, type JoinedTab } from './joined-tabs.ts';
import { madeUpResources } from './made-up-resources.ts';
import { seededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

export const day = 24 * 3_600_000;

type Usage = PublicationOf<typeof blocksContract, 'usage'>;

export interface Keeper {
  readonly tab: JoinedTab;
  readonly service: Service<typeof blocksContract>;
  donating: boolean;
  storageMiB: number;
  suspect: boolean;
  publishState(): void;
  problem(): string;
  usedBytes(): number;
  usage(): Usage | undefined;
}

/** Tabs whose membership is told by the test. */
export class BlocksWorld {
  readonly clock = new VirtualClock();
  readonly tabs: JoinedTabs;
  readonly keepers: Keeper[] = [];

  constructor(seed: string) {
    this.tabs = new JoinedTabs(this.clock, seed);
  }

  async add(
    name: string,
    options: { donating?: boolean; storageMiB?: number; storage?: Storage; identity?: string } = {},
  ): Promise<Keeper> {
    const tab = this.tabs.add(name, options);
    const resources = tab.dispatcher.context(resourcesContract);
    const service = tab.serve(blocksService);
    let usage: Usage | undefined;
    tab.bus.watch(blocksContract, 'usage', (next) => void (usage = next));
    const keeper: Keeper = {
      tab,
      service: service as unknown as Service<typeof blocksContract>,
      donating: options.donating ?? true,
      storageMiB: options.storageMiB ?? 100,
      suspect: false,
      publishState: () => resources.publish('state', stateOf(keeper)),
      problem: () => usage?.problem ?? '',
      usedBytes: () => usage?.usedBytes ?? 0,
      usage: () => usage,
    };
    this.keepers.push(keeper);
    keeper.publishState();
    await this.clock.finish(Promise.resolve(service.start()));
    this.view();
    await this.clock.advance(1);
    return keeper;
  }

  /** So many tabs that keep data for others, each of another person. */
  async group(count: number): Promise<Keeper[]> {
    const group: Keeper[] = [];
    for (let i = 0; i < count; i++) group.push(await this.add(`tab ${i}`));
    return group;
  }

  /** Everybody is told who is here. */
  view(): void {
    const here = this.keepers.filter(({ tab }) => tab.state !== 'dead');
    for (const { tab } of here) {
      const others = here.filter((other) => other.tab !== tab);
      const members = [here.find((other) => other.tab === tab)!, ...others].map(memberOf);
      const view: GroupView = { group: tab.group, groupName: 'tern-01', signaling: 'up', signalingReason: '', members };
      tab.dispatcher.context(membershipContract).publish('view', view);
    }
  }

  kill(keeper: Keeper, told = true): void {
    keeper.tab.state = 'dead';
    void keeper.service.stop();
    if (told) this.view();
  }

  /** `coded`: a small one, too. */
  async put(keeper: Keeper, segments: readonly Uint8Array[], owner?: IdentityId, coded = false) {
    const expires = this.clock.wall() + day;
    const put = keeper.tab.bus.ask(
      blocksContract,
      'objects',
      'insert',
      {
        name: 'n',
        type: 't',
        expires,
        segments: segments.map((_, i) => i),
        ...(owner === undefined ? {} : { owner }),
        ...(coded && { coded }),
      },
      { buffers: segments, timeoutMs: 60_000 },
    );
    return this.clock.finish(put.then((answer) => unwrap(answer).body));
  }

  async get(keeper: Keeper, object: Awaited<ReturnType<BlocksWorld['put']>>['id'], segment = 0, pin = false): Promise<Uint8Array> {
    const got = keeper.tab.bus.ask(blocksContract, 'segments', 'get', { object, segment, pin }, { timeoutMs: 60_000 });
    const answer = unwrap(await this.clock.finish(got));
    return answer.buffers[answer.body.data]!;
  }

  async manifest(keeper: Keeper, id: Awaited<ReturnType<BlocksWorld['put']>>['id']) {
    return unwrap(await this.clock.finish(keeper.tab.bus.ask(blocksContract, 'objects', 'get', { id }))).body.manifest;
  }

  async health(keeper: Keeper, id: Awaited<ReturnType<BlocksWorld['put']>>['id']) {
    return unwrap(await this.clock.finish(keeper.tab.bus.ask(blocksContract, 'objects', 'lookup', { id }))).body;
  }

  async copies(keeper: Keeper, id: Awaited<ReturnType<BlocksWorld['put']>>['id']): Promise<number> {
    return unwrap(await this.clock.finish(keeper.tab.bus.ask(blocksContract, 'objects', 'lookup', { id }))).body.copies;
  }

  /** Who has the only slice of a one-segment object in store. */
  async holders(hash: string): Promise<Keeper[]> {
    const having = await Promise.all(this.keepers.map(async (keeper) => ((await slicesOf(keeper)).includes(hash) ? keeper : undefined)));
    return having.filter((keeper) => keeper !== undefined);
  }
}

export const slicesOf = async (keeper: Keeper) =>
  unwrap(await keeper.tab.storage.keys('meta', 'slice/')).map((key) => key.slice('slice/'.length));
const memberOf = ({ tab, donating, storageMiB, suspect }: Keeper) => ({
  peer: tab.self.peer,
  identity: tab.self.identity,
  store: tab.storage.durable ? tab.storage.store : null,
  status: suspect ? ('suspect' as const) : ('alive' as const),
  rttMs: 4,
  offer: {
    state: 'idle' as const,
    reason: '',
    machine: { cores: 2, memoryMiB: null },
    sandbox: { workersAllowed: 1, workersRunning: 0, claimed: 0, itemsPerSecond: 0 },
    storage: { keeps: donating && tab.storage.durable, usedMiB: 0, allowedMiB: storageMiB },
  },
});
const stateOf = ({ donating, storageMiB }: Keeper): ResourceState =>
  madeUpResources({ donating, consent: donating, state: donating ? 'idle' : 'off', workersAllowed: 1, limits: { storageMiB } });
export const bytesOf = (length: number, seed = 'bytes') => seededRandom(`${seed} ${length}`).bytes(length);
