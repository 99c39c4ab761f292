import { describe, expect, it } from 'vitest';
import { FaultError } from '../../lib/outcome.ts';
import type { PeerId } from '../../lib/ids.ts';
import { membershipContract, type GroupView } from '../../protocol/contracts/membership.ts';
import { networkContract, type LinkInfo } from '../../protocol/contracts/network.ts';
import type { Directory } from '../../platform.ts';
import type { Service, ServiceFactory } from '../../service.ts';
import { JoinedTabs, type JoinedTab } from '../../testing/joined-tabs.ts';
import { MemoryDirectory } from '../../testing/memory-directory.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { membershipService } from './service.ts';

interface Member {
  readonly tab: JoinedTab;
  readonly service: Service<typeof membershipContract>;
  view(): GroupView;
  views: GroupView[];
}

class Group {
  readonly clock = new VirtualClock();
  readonly tabs: JoinedTabs;
  readonly directory: MemoryDirectory;
  readonly links = new Map<PeerId, Set<PeerId>>();
  readonly publishers = new Map<PeerId, () => void>();
  readonly dials: string[] = [];

  constructor(seed: string, groupPeersMax?: number) {
    this.tabs = new JoinedTabs(this.clock, seed);
    this.directory = new MemoryDirectory(this.clock, this.tabs.random, groupPeersMax === undefined ? {} : { groupPeersMax });
  }

  /** Stands in for the network manager: links that open in 50 ms. */
  readonly network =
    (tab: JoinedTab): ServiceFactory<typeof networkContract> =>
    (context) => {
      const mine = new Set<PeerId>();
      const info = (peer: PeerId): LinkInfo => ({
        peer,
        identity: this.tabs.tabs.get(peer)!.self.identity,
        store: this.tabs.tabs.get(peer)!.storage.store,
        openedAt: 0,
        bytesIn: 0,
        bytesOut: 0,
      });
      const publish = () => context.publish('links', { links: [...mine].map(info) });
      this.links.set(tab.self.peer, mine);
      this.publishers.set(tab.self.peer, publish);
      const change = (peer: PeerId, open: boolean) => {
        for (const [a, b] of [
          [tab.self.peer, peer],
          [peer, tab.self.peer],
        ] as const) {
          if (open) this.links.get(a)?.add(b);
          else this.links.get(a)?.delete(b);
          this.publishers.get(a)?.();
        }
      };
      return {
        contract: networkContract,
        handlers: {
          links: {
            insert: async ({ peer }) => {
              if (!mine.has(peer)) this.dials.push(`${tab.name} ${peer}`);
              await new Promise<void>((resolve) => void this.clock.after(50, resolve));
              if (this.tabs.tabs.get(peer)?.state !== 'live' || !this.links.has(peer))
                throw new FaultError('unreachable', 'It does not answer.');
              change(peer, true);
              return info(peer);
            },
            delete: ({ peer }) => {
              change(peer, false);
              return {};
            },
            query: () => ({ links: [...mine].map(info) }),
          },
          transfers: { query: ({ peers }) => ({ links: peers.map(() => null), dataMsAgo: null, best: 0 }) },
          group: {
            replace: ({ group }) => {
              tab.group = group;
              return {};
            },
          },
          introductions: {
            query: () => ({ reaches: false }),
            create: () => {
              throw new FaultError('unreachable', 'Nobody is introduced here.');
            },
          },
          clock: { get: () => ({ nowMs: this.clock.now() }) },
        },
        start: () => undefined,
        stop: () => undefined,
      };
    };

  async open(
    name: string,
    options: { readonly network?: boolean; readonly identity?: string; readonly storage?: JoinedTab['storage'] } = {},
  ): Promise<Member> {
    // One session a start.
    let session = this.directory.directory();
    const directory: Directory = {
      start: (join, listener) => {
        session = this.directory.directory();
        session.start(join, listener);
      },
      stop: () => session.stop(),
    };
    const tab = this.tabs.add(name, { ...options, directory });
    if (options.network ?? true) {
      const service = this.network(tab)(tab.dispatcher.context(networkContract));
      tab.dispatcher.registerOwn(service as unknown as Service);
    }
    const service = tab.serve(membershipService);
    const views: GroupView[] = [];
    tab.bus.watch(membershipContract, 'view', (view) => void views.push(view));
    await this.clock.finish(Promise.resolve(service.start()));
    return { tab, service, views, view: () => views.at(-1)! };
  }

  crash(member: Member): void {
    member.tab.state = 'dead';
    void member.service.stop();
    this.links.delete(member.tab.self.peer);
  }
}

const peers = (view: GroupView) => view.members.map(({ peer }) => peer).toSorted();

describe('membership', () => {
  it('lets a tab without a network be a group of its own', async () => {
    const group = new Group('alone');
    const one = await group.open('one', { network: false });
    expect(one.view()).toMatchObject({ signaling: 'none', group: one.tab.group });
    expect(peers(one.view())).toEqual([one.tab.self.peer]);
    await group.clock.advance(10_000);
    expect(one.view().members).toHaveLength(1);
  });

  it('lets a tab whose server is away be alone until the server is back', async () => {
    const group = new Group('down');
    group.directory.down();
    const one = await group.open('one');
    const two = await group.open('two');
    await group.clock.advance(5_000);
    expect(one.view()).toMatchObject({ signaling: 'down' });
    expect(one.view().signalingReason).not.toBe('');
    group.directory.up();
    await group.clock.until(() => one.view().members.length === 2 && two.view().members.length === 2, 5_000, 'both seeing both');
    expect(one.view().group).toBe(two.view().group);
    expect(one.tab.group).toBe(one.view().group);
  });

  it('brings twelve tabs that open at once into one mesh, with hardly a pair dialled from both sides', async () => {
    const group = new Group('twelve');
    const members = await Promise.all(Array.from({ length: 12 }, (_, i) => group.open(`tab ${i}`)));
    await group.clock.until(() => members.every(({ view }) => view().members.length === 12), 3_000, 'everybody seeing everybody');
    await group.clock.until(() => members.every(({ tab }) => group.links.get(tab.self.peer)!.size === 11), 15_000, 'the full mesh');
    expect(new Set(group.dials).size).toBe(group.dials.length);
    expect(group.dials.length).toBeLessThanOrEqual(66 + 6);
    const measured = () => members[0]!.view().members.every(({ rttMs }, at) => at === 0 || (rttMs !== null && rttMs > 0));
    await group.clock.until(measured, 3_000, 'every round trip known');
  });

  it('shows a newcomer from its first link on', async () => {
    const group = new Group('first link');
    const old = await Promise.all(Array.from({ length: 6 }, (_, i) => group.open(`tab ${i}`)));
    await group.clock.advance(3_000);
    const at = group.clock.now();
    const late = await group.open('late');
    await group.clock.until(
      () => late.view().members.length === 7 && old.every(({ view }) => view().members.length === 7),
      1_000,
      'the newcomer known',
    );
    expect(group.clock.now() - at).toBeLessThan(500);
  });

  it('suspects a member at once when the directory sees it go, and loses it in 10 s', async () => {
    const group = new Group('crash');
    const members = await Promise.all(Array.from({ length: 5 }, (_, i) => group.open(`tab ${i}`)));
    await group.clock.advance(4_000);
    const [dead, ...others] = members as [Member, ...Member[]];
    const { peer } = dead.tab.self;
    group.crash(dead);
    group.directory.crash(peer);
    await group.clock.advance(50);
    for (const { view } of others) expect(view().members.find((member) => member.peer === peer)?.status).toBe('suspect');
    await group.clock.advance(10_500);
    for (const { view } of others) expect(peers(view())).not.toContain(peer);
  });

  it('says good-bye when it stops, and leaves no timer behind', async () => {
    const group = new Group('polite');
    const [one, two, three] = await Promise.all(['one', 'two', 'three'].map((name) => group.open(name)));
    await group.clock.advance(2_000);
    await group.clock.finish(Promise.resolve(two!.service.stop()));
    await group.clock.advance(20);
    for (const member of [one!, three!]) expect(peers(member.view())).not.toContain(two!.tab.self.peer);
    const sent = [...two!.tab.sent.values()].reduce((a, b) => a + b, 0);
    await group.clock.advance(20_000);
    expect([...two!.tab.sent.values()].reduce((a, b) => a + b, 0)).toBe(sent);
    await group.clock.finish(Promise.resolve(two!.service.start()));
    await group.clock.until(() => one!.view().members.length === 3 && two!.view().members.length === 3, 5_000, 'its return');
  });

  it('goes on while the directory is away, tells so, and takes new tabs in afterwards', async () => {
    const group = new Group('restart');
    const members = await Promise.all(Array.from({ length: 4 }, (_, i) => group.open(`tab ${i}`)));
    await group.clock.advance(3_000);
    const id = members[0]!.view().group;
    group.directory.down();
    await group.clock.advance(30_000);
    for (const { view } of members) expect(view()).toMatchObject({ signaling: 'down', group: id });
    for (const { view } of members) expect(view().members.every(({ status }) => status === 'alive')).toBe(true);
    group.directory.up();
    const late = await group.open('late');
    await group.clock.until(
      () => late.view().members.length === 5 && members.every(({ view }) => view().members.length === 5),
      15_000,
      'the newcomer known',
    );
  });

  it('returns a store to its group after a reload', async () => {
    const group = new Group('reload');
    const one = await group.open('one');
    const two = await group.open('two');
    await group.clock.advance(2_000);
    const before = one.view().group;
    group.crash(two);
    group.directory.crash(two.tab.self.peer);
    const again = await group.open('two again', { identity: 'two', storage: two.tab.storage });
    await group.clock.until(() => again.view().members.length >= 2, 3_000, 'its return');
    expect(again.view().group).toBe(before);
    expect(again.view().members[0]!.store).toBe(two.tab.storage.store);
  });

  it('spreads its offer, and tells of bursts of changes at most every 50 ms', async () => {
    const group = new Group('offer');
    const one = await group.open('one');
    const two = await group.open('two');
    await group.clock.advance(2_000);
    const seen = one.views.length;
    for (let cores = 1; cores <= 40; cores++) {
      const offer = {
        state: 'idle' as const,
        reason: '',
        machine: { cores, memoryMiB: null },
        sandbox: { workersAllowed: 1, workersRunning: 0, claimed: 0, itemsPerSecond: 0 },
        storage: { keeps: true, usedMiB: 0, allowedMiB: 1 },
      };
      await one.tab.bus.ask(membershipContract, 'offer', 'replace', offer);
      await group.clock.advance(5);
    }
    expect(one.views.length - seen).toBeLessThanOrEqual(8);
    await group.clock.until(() => two.view().members[1]?.offer?.machine.cores === 40, 2_000, 'the offer');
  });

  it('refuses probes of another group', async () => {
    const group = new Group('stranger');
    const one = await group.open('one');
    const stranger = group.tabs.add('stranger');
    await group.clock.advance(1_000);
    const answer = await group.clock.finish(
      stranger.bus.ask(
        membershipContract,
        'probes',
        'query',
        { group: stranger.group, rumours: [], seen: 0, view: 0 },
        { peer: one.tab.self.peer },
      ),
    );
    expect(answer).toMatchObject({ ok: false, fault: { code: 'conflict' } });
    expect(one.view().members).toHaveLength(1);
  });

  describe('with several groups', () => {
    /** Two groups of three, each complete in the eyes of its members. */
    const twoGroups = async (seed: string) => {
      const group = new Group(seed, 3);
      const members: Member[] = [];
      for (let i = 0; i < 6; i++) members.push(await group.open(`tab ${i}`));
      await group.clock.until(() => members.every(({ view }) => view().members.length === 3), 5_000, 'two groups');
      const [one, two] = [members.slice(0, 3), members.slice(3)] as [Member[], Member[]];
      return { group, members, one, two };
    };

    it('leaves a linked tab of another group alone, and counts its link for nothing', async () => {
      const { group, members, one, two } = await twoGroups('bridge');
      const seen = members.map(({ views }) => views.length);
      await group.clock.finish(one[0]!.tab.bus.ask(networkContract, 'links', 'insert', { peer: two[0]!.tab.self.peer }));
      await group.clock.advance(2_000);
      // Not for a moment is it taken for a member.
      for (const [i, { views }] of members.entries()) for (const view of views.slice(seen[i])) expect(view.members).toHaveLength(3);
      const sent = one[0]!.tab.sent.get(two[0]!.tab.self.peer) ?? 0;
      await group.clock.advance(20_000);
      expect((one[0]!.tab.sent.get(two[0]!.tab.self.peer) ?? 0) - sent).toBe(0);
      for (const { view } of members) expect(view().members).toHaveLength(3);
    });

    it('keeps those who move along in a merge as members without a break', async () => {
      const { group, members, one, two } = await twoGroups('merge');
      const views = one.map(({ views: seen }) => seen.length);
      group.directory.merge(one[0]!.view().group, two[0]!.view().group);
      await group.clock.until(() => members.every(({ view }) => view().members.length === 6), 5_000, 'one group');
      expect(new Set(members.map(({ tab }) => tab.group)).size).toBe(1);
      for (const [i, { views: seen }] of one.entries())
        for (const view of seen.slice(views[i]))
          for (const other of one) expect(view.members.find(({ peer }) => peer === other.tab.self.peer)?.status).toBe('alive');
      await group.clock.advance(15_000);
      for (const { view } of members) expect(view().members.every(({ status }) => status === 'alive')).toBe(true);
    });

    it('parts in a split at once, each half knowing only itself, the links between them left open', async () => {
      const { group, members, one, two } = await twoGroups('split');
      group.directory.merge(one[0]!.view().group, two[0]!.view().group);
      await group.clock.advance(10_000);
      const half = group.directory.split(two[0]!.view().group);
      await group.clock.advance(2_500);
      const [gone, stayed] = [members.filter(({ view }) => view().group === half), members.filter(({ view }) => view().group !== half)];
      expect([gone.length, stayed.length]).toEqual([3, 3]);
      for (const side of [gone, stayed])
        for (const { view } of side) expect(peers(view())).toEqual(side.map(({ tab }) => tab.self.peer).toSorted());
      expect(group.links.get(gone[0]!.tab.self.peer)!.size).toBe(5);
      await group.clock.advance(20_000);
      for (const { view } of members) expect(view().members).toHaveLength(3);
      // And they can become one again.
      group.directory.merge(half, stayed[0]!.view().group);
      await group.clock.until(() => members.every(({ view }) => view().members.length === 6), 5_000, 'one group again');
    });

    it('publishes what the directory says is around the group', async () => {
      const { group, one, two } = await twoGroups('around');
      const heard: unknown[] = [];
      one[0]!.tab.bus.watch(membershipContract, 'neighbourhood', (body) => void heard.push(body));
      await group.clock.advance(2_000);
      expect(heard.at(-1)).toEqual({
        group: one[0]!.view().group,
        absorbed: [],
        neighbours: [{ group: two[0]!.view().group, contacts: expect.any(Array) as unknown }],
      });
    });
  });
});
