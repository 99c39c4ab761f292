// Several groups of whole kernels on the virtual clock: bridges, their re-election, and groups that merge and split under a running job.
import { describe, expect, test } from 'vitest';
import { bridgesPerNeighbour } from './limits.ts';
import { unwrap } from './lib/outcome.ts';
import { encodeValue } from './lib/value-codec.ts';
import type { GroupId, JobId, PeerId } from './lib/ids.ts';
import { groupsContract, type GroupsView, type Neighbour } from './protocol/contracts/groups.ts';
import { membershipContract } from './protocol/contracts/membership.ts';
import { networkContract } from './protocol/contracts/network.ts';
import { TestGroup, type TestPeer } from './testing/test-group.ts';

const groupPeersMax = 5;

class Town extends TestGroup {
  readonly peers: TestPeer[] = [];

  constructor(seed: string, itemMs = 200, peersMax = groupPeersMax) {
    super({ seed, directory: { groupPeersMax: peersMax }, script: (index) => ({ ms: itemMs, value: index * index }) });
  }

  async open(count: number): Promise<TestPeer[]> {
    const opened: TestPeer[] = [];
    for (let i = 0; i < count; i++) opened.push(await this.start(`tab ${this.peers.length + i}`));
    this.peers.push(...opened);
    await this.clock.until(() => opened.every(({ kernel }) => this.directory.groups().has(kernel.self.group())), 5_000, 'their groups');
    return opened;
  }

  async gone(peer: TestPeer): Promise<void> {
    this.peers.splice(this.peers.indexOf(peer), 1);
    await this.crash(peer);
  }

  async view(peer: TestPeer): Promise<GroupsView> {
    return unwrap(await peer.kernel.bus.ask(groupsContract, 'neighbours', 'query', {})).body;
  }

  inGroup(group: GroupId): TestPeer[] {
    return this.peers.filter(({ kernel }) => kernel.self.group() === group);
  }

  get groups(): GroupId[] {
    return [...new Set(this.peers.map(({ kernel }) => kernel.self.group()))];
  }

  /** What all tabs see of all their neighbours. */
  async neighbours(): Promise<{ readonly peer: TestPeer; readonly view: GroupsView; readonly neighbour: Neighbour }[]> {
    const seen = await Promise.all(this.peers.map(async (peer) => ({ peer, view: await this.view(peer) })));
    return seen.flatMap(({ peer, view }) => view.neighbours.map((neighbour) => ({ peer, view, neighbour })));
  }

  /** Until every tab sees every other group up, with as many bridges as are due, and knows all of its members. Answers how long it took. */
  async bridged(withinMs: number): Promise<number> {
    const since = this.clock.now();
    const complete = async () => {
      const { groups } = this;
      const all = await this.neighbours();
      if (all.length !== this.peers.length * (groups.length - 1)) return false;
      return all.every(({ view, neighbour }) => {
        const heres = new Set(neighbour.bridges.map(({ here }) => here));
        const due = Math.min(bridgesPerNeighbour, this.inGroup(view.group).length);
        return heres.size >= due && neighbour.members.length === this.inGroup(neighbour.group).length;
      });
    };
    await this.clock.until(complete, withinMs, 'bridges between all groups');
    return this.clock.now() - since;
  }

  /** Kills a bridge of `group`; until all that is left of it sees two others in its place. Answers how long it took. */
  async replaced(group: GroupId, withinMs: number): Promise<number> {
    const since = this.clock.now();
    const { neighbours } = await this.view(this.inGroup(group)[0]!);
    const { here } = neighbours[0]!.bridges[0]!;
    await this.gone(this.peers.find(({ kernel }) => kernel.self.peer === here)!);
    const complete = async () => {
      const all = (await this.neighbours()).filter(({ view }) => view.group === group);
      return all.every(({ neighbour }) => {
        const heres = new Set(neighbour.bridges.map((bridge) => bridge.here));
        return !heres.has(here) && heres.size >= bridgesPerNeighbour;
      });
    };
    await this.clock.until(complete, withinMs, 'another bridge');
    return this.clock.now() - since;
  }

  linksOf(peer: TestPeer): Promise<PeerId[]> {
    return peer.kernel.bus.ask(networkContract, 'links', 'query', {}).then((answer) => unwrap(answer).body.links.map((link) => link.peer));
  }

  async members(peer: TestPeer): Promise<PeerId[]> {
    const { members } = unwrap(await peer.kernel.bus.ask(membershipContract, 'members', 'query', {})).body;
    return members.map((member) => member.peer);
  }
}

const bugsOf = (town: Town) => town.peers.flatMap(({ bugs }) => bugs);

describe('three groups of five', () => {
  test('have bridges between all of them within seconds, every member knows of them, and there are few', async () => {
    const town = new Town('three groups');
    await town.open(15);
    expect(town.groups).toHaveLength(3);
    const tookMs = await town.bridged(12_000);
    console.info(`bridges between three groups of five after ${tookMs} ms`);
    // Who stood in meanwhile gives way, and two bridges end at two tabs.
    const atTwo = (ends: readonly PeerId[]) => new Set(ends).size === bridgesPerNeighbour;
    const tidy = async () =>
      (await town.neighbours()).every(
        ({ neighbour: { bridges } }) => atTwo(bridges.map(({ here }) => here)) && atTwo(bridges.map(({ there }) => there)),
      );
    await town.clock.until(tidy, 60_000, 'two bridges between two groups');
    await town.clock.advance(60_000);
    for (const { view } of await town.neighbours()) expect(view.answersFor).toEqual([view.group]);
    for (const peer of town.peers) {
      expect(await town.members(peer)).toHaveLength(groupPeersMax);
      // Links that no bridge uses are closed again.
      const foreign = (await town.linksOf(peer)).filter(
        (other) => !town.inGroup(peer.kernel.self.group()).some((is) => is.kernel.self.peer === other),
      );
      expect(foreign.length).toBeLessThanOrEqual(2 * bridgesPerNeighbour);
    }
    expect(bugsOf(town)).toEqual([]);
  }, 60_000);

  test('replace a bridge that is killed, and one more', async () => {
    const town = new Town('kill a bridge');
    await town.open(15);
    await town.bridged(12_000);
    for (let times = 0; times < 2; times++) {
      const [group] = town.groups;
      const tookMs = await town.replaced(group!, 10_000);
      console.info(`a bridge was replaced after ${tookMs} ms`);
    }
    expect(bugsOf(town)).toEqual([]);
  }, 60_000);

  test('keep their view and replace bridges while signaling is away', async () => {
    const town = new Town('signaling away');
    await town.open(15);
    await town.bridged(12_000);
    town.directory.down();
    // Nor does anybody meet anybody but through members and bridges.
    town.network.introduce(false);
    await town.clock.advance(30_000);
    await town.bridged(1_000);
    for (let times = 0; times < 2; times++)
      console.info(`without signaling a bridge was replaced after ${await town.replaced(town.groups[0]!, 15_000)} ms`);
    town.network.introduce(true);
    town.directory.up();
    await town.clock.advance(10_000);
    await town.bridged(20_000);
    expect(town.groups).toHaveLength(3);
    expect(bugsOf(town)).toEqual([]);
  }, 60_000);
});

describe('a job goes on', () => {
  const items = 300;
  const squares = Array.from({ length: items }, (_, index) => encodeValue(index * index));

  /** All tabs donate; one of the last group submits. Until a tenth is done. */
  const underWay = async (town: Town): Promise<{ readonly submitter: TestPeer; readonly job: JobId }> => {
    for (const peer of town.peers) await town.donate(peer);
    await town.clock.advance(4_000);
    const submitter = town.peers.at(-1)!;
    const job = await town.submit(submitter, items);
    const begun = async () => ((await town.summary(submitter, job))?.committed ?? 0) > items / 10;
    await town.clock.until(begun, 60_000, 'a tenth of the job');
    expect((await town.summary(submitter, job))!.state).toBe('running');
    return { submitter, job };
  };

  const finished = async (town: Town, submitter: TestPeer, job: JobId) => {
    const summary = await town.ended(submitter, job, 180_000);
    expect(summary.state).toBe('done');
    expect(await town.results(submitter, job)).toEqual(squares);
    expect(bugsOf(town)).toEqual([]);
  };

  test('when its group is merged into another, which then answers for it', async () => {
    const town = new Town('merge', 100);
    await town.open(groupPeersMax + 3);
    const { submitter, job } = await underWay(town);
    const [large, small] = [town.peers[0]!.kernel.self.group(), submitter.kernel.self.group()];
    expect(large).not.toBe(small);
    town.directory.merge(small, large);
    const knows = async (peer: TestPeer) => (await town.view(peer)).answersFor.join() === [large, small].join();
    const one = async () => {
      const all = await Promise.all(
        town.peers.map(async (peer) => (await knows(peer)) && (await town.members(peer)).length === town.peers.length),
      );
      return all.every(Boolean);
    };
    await town.clock.until(one, 10_000, 'one group');
    await finished(town, submitter, job);
    const everywhere = async () =>
      (await Promise.all(town.peers.map(async (peer) => (await town.summary(peer, job))?.state === 'done'))).every(Boolean);
    await town.clock.until(everywhere, 20_000, 'its end known to all');
  }, 120_000);

  test('when its group is split, in either half', async () => {
    const town = new Town('split', 100, 10);
    await town.open(8);
    const { submitter, job } = await underWay(town);
    const group = submitter.kernel.self.group();
    const half = town.directory.split(group);
    const apart = async () => (await Promise.all(town.peers.map((peer) => town.members(peer)))).every((members) => members.length === 4);
    await town.clock.until(apart, 10_000, 'two halves');
    expect([town.inGroup(group).length, town.inGroup(half).length]).toEqual([4, 4]);
    await town.bridged(20_000);
    await finished(town, submitter, job);
  }, 120_000);

  test('when its group is merged while signaling goes away at once after it', async () => {
    const town = new Town('merge and dark', 100);
    await town.open(groupPeersMax + 3);
    const { submitter, job } = await underWay(town);
    town.directory.merge(submitter.kernel.self.group(), town.peers[0]!.kernel.self.group());
    await town.clock.advance(2);
    town.directory.down();
    await finished(town, submitter, job);
  }, 120_000);
});

test('a job submitted while its tab was alone is at home in the group that the tab comes to', async () => {
  const town = new Town('alone first', 100);
  await town.open(3);
  for (const peer of town.peers) await town.donate(peer);
  await town.clock.advance(3_000);
  town.directory.down();
  const alone = await town.start('alone');
  await town.donate(alone);
  const job = await town.submit(alone, 400, undefined, false);
  town.directory.up();
  const others = [...town.peers];
  town.peers.push(alone);
  await town.clock.until(() => town.groups.length === 1, 20_000, 'one group');
  const home = async () =>
    (await Promise.all(others.map((peer) => town.summary(peer, job)))).every((known) => known?.home === town.groups[0]);
  await town.clock.until(home, 10_000, 'its home');
  // Alone it would have taken 40 s.
  const since = town.clock.now();
  expect((await town.ended(alone, job, 60_000)).state).toBe('done');
  expect(town.clock.now() - since).toBeLessThan(25_000);
  expect(bugsOf(town)).toEqual([]);
}, 60_000);

test('who is not told of what a group absorbed by the directory hears it from its members', async () => {
  const town = new Town('forgetful directory');
  await town.open(groupPeersMax + 1);
  const [large, small] = [town.peers[0]!.kernel.self.group(), town.peers.at(-1)!.kernel.self.group()];
  town.directory.merge(small, large);
  await town.clock.advance(3_000);
  await town.gone(town.peers[0]!);
  await town.gone(town.peers[0]!);
  town.directory.down({ forget: true });
  await town.clock.advance(1_000);
  town.directory.up();
  await town.clock.advance(3_000);
  const [late] = await town.open(1);
  await town.clock.advance(15_000);
  expect(late!.kernel.self.group()).toBe(large);
  expect((await town.view(late!)).answersFor).toEqual([large, small]);
});

test.each([
  ['the submitter', true],
  ['the donor', false],
])(
  'a job goes on where two groups shrink to a tab each and %s moves to the other, though the two lose their link for a while',
  async (_, submitterMoves) => {
    const items = 240;
    const town = new Town(`shrunk ${submitterMoves}`, 400, 4);
    const [last, ...others] = await town.open(4);
    const [submitter, donor] = await town.open(2);
    for (const peer of [last!, ...others, donor!]) await town.donate(peer);
    await town.bridged(30_000);
    const job = await town.submit(submitter!, items);
    const committed = async () => (await town.summary(submitter!, job))?.committed ?? 0;
    await town.clock.until(async () => (await committed()) >= 5, 20_000, 'some of it');
    for (const peer of [...others, donor!]) await town.gone(peer);
    await town.clock.advance(30_000);
    town.network.cut(submitter!.kernel.self.peer, last!.kernel.self.peer);
    await town.clock.advance(10_000);
    const [from, into] = submitterMoves ? [submitter!, last!] : [last!, submitter!];
    town.directory.merge(from.kernel.self.group(), into.kernel.self.group());
    await town.clock.advance(10_000);
    town.network.heal();
    const atMerge = await committed();
    expect(atMerge).toBeLessThan(items - 40);
    // One worker has the rest to do, and 400 ms for each.
    expect(await town.ended(submitter!, job, (items - atMerge) * 400 + 30_000)).toMatchObject({ state: 'done', committed: items });
    expect(bugsOf(town)).toEqual([]);
  },
  60_000,
);
