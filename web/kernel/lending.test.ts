// Two groups of whole kernels that share the work of one job.
import { describe, expect, test } from 'vitest';
import { unwrap } from './lib/outcome.ts';
import type { GroupId, JobId } from './lib/ids.ts';
import { encodeValue } from './lib/value-codec.ts';
import { groupsContract } from './protocol/contracts/groups.ts';
import { ledgerContract, type ClockRelationOfJob } from './protocol/contracts/ledger.ts';
import type { EventBody } from './protocol/event.ts';
import { TestGroup, type TestPeer } from './testing/test-group.ts';

const groupPeersMax = 5;

class TwoGroups extends TestGroup {
  readonly peers: TestPeer[] = [];

  constructor(seed: string, itemMs = 1_000) {
    super({ seed, directory: { groupPeersMax }, script: (index) => ({ ms: itemMs, value: index * 3 }) });
  }

  /** Ten tabs that donate, in two groups, with bridges; the last is the first one's person. */
  async open(): Promise<{ home: TestPeer[]; away: TestPeer[] }> {
    for (let i = 0; i < 2 * groupPeersMax; i++) {
      const peer = await this.start(`tab ${i}`, i === 2 * groupPeersMax - 1 ? { identityOf: 'tab 0' } : {});
      this.peers.push(peer);
      await this.donate(peer);
    }
    const bridged = async () =>
      (await Promise.all(this.peers.map((peer) => this.view(peer)))).every(
        ({ neighbours }) => neighbours.length === 1 && neighbours[0]!.bridges.length > 0 && neighbours[0]!.members.length === groupPeersMax,
      );
    await this.eventually(bridged, 60_000, 'bridges');
    const home = this.inGroup(this.peers[0]!.kernel.self.group());
    await this.joined(home, groupPeersMax);
    return { home, away: this.peers.filter((peer) => !home.includes(peer)) };
  }

  /** Looked at twice a second only: looking at ten kernels costs more than running them. */
  async eventually(check: () => Promise<boolean>, withinMs: number, what: string): Promise<void> {
    const deadline = this.clock.now() + withinMs;
    while (!(await this.clock.finish(check()))) {
      if (this.clock.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
      await this.clock.advance(500);
    }
  }

  async finished(peer: TestPeer, job: JobId, withinMs: number) {
    await this.eventually(async () => (await this.summary(peer, job))?.state === 'done', withinMs, 'the end of the job');
    return (await this.summary(peer, job))!;
  }

  inGroup(group: GroupId): TestPeer[] {
    return this.peers.filter(({ kernel }) => kernel.self.group() === group);
  }

  async view(peer: TestPeer) {
    return unwrap(await peer.kernel.bus.ask(groupsContract, 'neighbours', 'query', {})).body;
  }

  async bridgesOf(group: readonly TestPeer[]): Promise<TestPeer[]> {
    const { neighbours } = await this.view(group[0]!);
    const heres = new Set(neighbours.flatMap(({ bridges }) => bridges.map(({ here }) => here)));
    return group.filter(({ kernel }) => heres.has(kernel.self.peer));
  }

  async gone(peer: TestPeer): Promise<void> {
    this.peers.splice(this.peers.indexOf(peer), 1);
    await this.crash(peer);
  }

  async itemsBy(peer: TestPeer, job: JobId, group: readonly TestPeer[]): Promise<number> {
    const names = new Set(group.map(({ kernel }) => kernel.self.peer));
    const { spans } = unwrap(await peer.kernel.bus.ask(ledgerContract, 'decisions', 'query', { job, from: 0, max: 10_000 })).body;
    return spans.filter(({ actor }) => names.has(actor)).reduce((sum, { range: [first, end] }) => sum + end - first, 0);
  }

  /** What every live tab of these folds of the job, in short. */
  async pictures(peers: readonly TestPeer[], job: JobId): Promise<Set<string>> {
    const pictures = await Promise.all(
      peers.map(async ({ kernel: { bus } }) => {
        const { spans } = unwrap(await bus.ask(ledgerContract, 'decisions', 'query', { job, from: 0, max: 10_000 })).body;
        const { clock, surplusItems } = unwrap(await bus.ask(ledgerContract, 'decisions', 'get', { job })).body;
        return JSON.stringify({ spans, clock, surplusItems });
      }),
    );
    return new Set(pictures);
  }

  /** Every result's bytes as `peer` reads them, and as they should be. */
  async readAndRight(peer: TestPeer, job: JobId, items: number) {
    return { read: await this.results(peer, job), right: Array.from({ length: items }, (_, index) => encodeValue(index * 3)) };
  }

  write(peer: TestPeer, job: JobId, body: EventBody) {
    return this.clock.finish(peer.kernel.bus.ask(ledgerContract, 'events', 'create', { job, body }));
  }
}

const bugs = (town: TwoGroups) => town.peers.flatMap((peer) => peer.bugs);
const surplusOf = async (peer: TestPeer, job: JobId) =>
  unwrap(await peer.kernel.bus.ask(ledgerContract, 'decisions', 'get', { job })).body.surplusItems;

describe('a job larger than what one group can do soon', () => {
  test('uses both groups, nearly twice as fast, hardly anything twice, and all of its results come home', async () => {
    const town = new TwoGroups('both');
    const { home, away } = await town.open();
    const items = 300;
    const job = await town.submit(home[0]!, items);
    const began = town.clock.now();
    expect(await town.finished(home[1]!, job, 300_000)).toMatchObject({ state: 'done', committed: items });
    const tookMs = town.clock.now() - began;
    // One group of five workers: 60 s.
    expect(tookMs).toBeLessThan(48_000);
    expect(await town.itemsBy(home[0]!, job, away)).toBeGreaterThan(items / 4);
    expect(await surplusOf(home[0]!, job)).toBeLessThan(items / 20);
    await town.eventually(async () => (await town.pictures(town.peers, job)).size === 1, 20_000, 'one state everywhere');
    // The whole other group goes, and nothing is missing.
    await town.clock.advance(10_000);
    for (const peer of away) await town.gone(peer);
    const { read, right } = await town.readAndRight(home[2]!, job, items);
    expect(read).toEqual(right);
    expect(bugs(town)).toEqual([]);
  }, 300_000);

  test('goes on on both sides of a cut, with settings on both, and is one job again after it', async () => {
    const town = new TwoGroups('cut');
    const { home, away } = await town.open();
    const items = 450;
    const [submitter, twin] = [home.find(({ name }) => name === 'tab 0')!, away.find(({ name }) => name === 'tab 9')!];
    const job = await town.submit(submitter, items);
    await town.eventually(async () => (await town.itemsBy(home[0]!, job, away)) > 20, 60_000, 'both at work');
    const relations: ClockRelationOfJob[] = [];
    for (const { kernel } of town.peers) kernel.bus.watch(ledgerContract, 'relations', (now) => void relations.push(...now.relations));
    const before = { home: await town.itemsBy(home[0]!, job, home), away: await town.itemsBy(away[0]!, job, away) };
    const abroad = new Set(away.map(({ kernel }) => kernel.self.peer));
    const all = town.peers.map(({ kernel }) => kernel.self.peer);
    town.network.partition(
      all.filter((peer) => !abroad.has(peer)),
      [...abroad],
    );
    await town.clock.advance(10_000);
    unwrap(await town.write(submitter, job, { kind: 'setting', version: 1, priority: 5 }));
    unwrap(await town.write(twin, job, { kind: 'setting', version: 1, paused: true }));
    unwrap(await town.write(twin, job, { kind: 'setting', version: 1, paused: false }));
    const [foreign] = away;
    expect((await town.summary(foreign!, job))?.priority).toBe(0);
    await town.clock.advance(10_000);
    expect(await town.itemsBy(home[0]!, job, home)).toBeGreaterThan(before.home + 50);
    expect(await town.itemsBy(foreign!, job, away)).toBeGreaterThan(before.away + 20);
    town.network.heal();
    expect(await town.finished(home[1]!, job, 300_000)).toMatchObject({ state: 'done', committed: items, priority: 5 });
    await town.eventually(async () => (await town.pictures(town.peers, job)).size === 1, 30_000, 'one state everywhere');
    const seen = new Set(relations.flatMap(({ relation, history }) => [relation, ...history.map((past) => past.relation)]));
    expect(seen).toContain('concurrent');
    // The bridges hear of it with the next word of the other side.
    await town.eventually(() => Promise.resolve(relations.at(-1)?.relation === 'equal'), 10_000, 'equal clocks');
    const { read, right } = await town.readAndRight(home[3]!, job, items);
    expect(read).toEqual(right);
    expect(bugs(town)).toEqual([]);
  }, 300_000);

  for (const [who, whose] of [
    ['the bridges of the lender', 'home'],
    ['the bridges of the borrower', 'away'],
    ['the whole group that borrowed', 'all'],
  ] as const) {
    test(`is done, every item once, although ${who} died in the middle`, async () => {
      const town = new TwoGroups(`killed ${whose}`);
      const groups = await town.open();
      const items = 250;
      const job = await town.submit(groups.home[0]!, items);
      await town.eventually(async () => (await town.itemsBy(groups.home[0]!, job, groups.away)) > 10, 60_000, 'both at work');
      const doomed = whose === 'all' ? groups.away : await town.bridgesOf(groups[whose]);
      for (const peer of doomed) await town.gone(peer);
      const left = groups.home.find((peer) => town.peers.includes(peer))!;
      expect(await town.finished(left, job, 400_000)).toMatchObject({ state: 'done', committed: items });
      await town.eventually(async () => (await town.pictures(town.peers, job)).size === 1, 60_000, 'one state everywhere');
      await town.clock.advance(10_000);
      const { read, right } = await town.readAndRight(left, job, items);
      expect(read).toEqual(right);
      expect(bugs(town)).toEqual([]);
    }, 300_000);
  }
});

test('what two bridges lend to two neighbours in the same moment is done by both, and every item has one result', async () => {
  const items = 120;
  const town = new TestGroup({ seed: 'lent twice', directory: { groupPeersMax: 2 }, script: (index) => ({ ms: 500, value: index * 3 }) });
  const peers: TestPeer[] = [];
  for (let i = 0; i < 6; i++) {
    peers.push(await town.start(`tab ${i}`));
    await town.donate(peers[i]!);
  }
  const [one, two] = peers as [TestPeer, TestPeer];
  await town.clock.advance(15_000);
  const groups = [...new Set(peers.map(({ kernel }) => kernel.self.group()))];
  expect(groups).toHaveLength(3);
  const job = await town.submit(one, items);
  await town.clock.advance(1_000);
  const ranges: [number, number][] = [[90, 120]];
  const lend = ({ kernel }: TestPeer, to: GroupId) =>
    kernel.bus.ask(ledgerContract, 'events', 'create', { job, body: { kind: 'lent', ranges, round: 0, to } });
  const lent = await town.clock.finish(Promise.all([lend(one, groups[1]!), lend(two, groups[2]!)]));
  expect(lent.map(({ ok }) => ok)).toEqual([true, true]);
  expect((await town.ended(one, job, 120_000)).state).toBe('done');
  await town.clock.advance(5_000);
  expect(await surplusOf(one, job)).toBeGreaterThan(0);
  // Reading throws where an item has two results.
  expect(await town.results(two, job)).toEqual(Array.from({ length: items }, (_, index) => encodeValue(index * 3)));
  expect(peers.flatMap((peer) => peer.bugs)).toEqual([]);
}, 60_000);
