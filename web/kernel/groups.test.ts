// Several groups of whole kernels on the virtual clock: bridges, their re-election, and groups that merge and split under a running job.
import { describe, expect, test } from 'vitest';
import { bridgesPerNeighbour } from './limits.ts';
import { unwrap } from './lib/outcome.ts';
import type { GroupId, PeerId } from './lib/ids.ts';
import { groupsContract, type GroupsView, type Neighbour } from './protocol/contracts/groups.ts';
import { membershipContract } from './protocol/contracts/membership.ts';
import { networkContract } from './protocol/contracts/network.ts';
import { TestGroup, type TestPeer } from './testing/test-group.ts';

const groupPeersMax = 5;

class Town extends TestGroup {
  readonly peers: TestPeer[] = [];

  constructor(seed: string, itemMs = 200) {
    super({ seed, directory: { groupPeersMax }, script: (index) => ({ ms: itemMs, value: index * index }) });
  }

  async open(count: number): Promise<TestPeer[]> {
    const opened: TestPeer[] = [];
    for (let i = 0; i < count; i++) opened.push(await this.start(`tab ${this.peers.length + i}`));
    this.peers.push(...opened);
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
    await town.clock.until(() => town.groups.length === 3, 5_000, 'three groups');
    const tookMs = await town.bridged(12_000);
    console.info(`bridges between three groups of five after ${tookMs} ms`);
    await town.clock.advance(60_000);
    for (const { view, neighbour } of await town.neighbours()) {
      expect(view.answersFor).toEqual([view.group]);
      expect(new Set(neighbour.bridges.map(({ here }) => here)).size).toBe(bridgesPerNeighbour);
      // Two bridges end at two tabs.
      expect(new Set(neighbour.bridges.map(({ there }) => there)).size).toBe(bridgesPerNeighbour);
    }
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
    await town.clock.advance(30_000);
    await town.bridged(1_000);
    console.info(`without signaling a bridge was replaced after ${await town.replaced(town.groups[0]!, 15_000)} ms`);
    town.directory.up();
    await town.clock.advance(10_000);
    await town.bridged(20_000);
    expect(town.groups).toHaveLength(3);
    expect(bugsOf(town)).toEqual([]);
  }, 60_000);
});
