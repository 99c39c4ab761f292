// Clusters of queues over an in-test network (web/kernel/testing/queue-cluster.ts).
import { describe, expect, it } from 'vitest';
import type { RecordId } from '../../lib/ids.ts';
import { failure, unwrap } from '../../lib/outcome.ts';
import { holdersLostMs, leaseMs, leaseOwnerShare, leaseRenewEveryMs } from '../../limits.ts';
import { memoryStorage } from '../../memory-storage.ts';
import type { Storage } from '../../platform.ts';
import { queueContract, type Claim } from '../../protocol/contracts/queue.ts';
import { Cluster, group, offer, singles, theJob, type Tab } from '../../testing/queue-cluster.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { testDigest } from '../../testing/test-crypto.ts';
import { rendezvousRank } from '../../lib/rendezvous.ts';
import { turnMs, turnsMax } from './claim-order.ts';
import { sealRecord } from './slices.ts';

/** One function that everybody may ask for, its first holder, and another tab that is not the first in its ranking. */
async function contended() {
  const cluster = await Cluster.of('abcdef');
  unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 1)));
  const { record, holders } = (await cluster.views(cluster.tabs[0]!))[0]!;
  await cluster.clock.advance(turnsMax * turnMs + 1_000);
  const first = cluster.tabs.find(({ storage }) => storage.store === holders[0])!;
  const peers = cluster.tabs.map(({ peer }) => peer);
  const claimant = cluster.tabs.find((tab) => tab !== first && rendezvousRank(record, tab.peer, peers) > 0)!;
  return { cluster, first, claimant, record };
}

/** The answers of those holders that were not needed any more are there by then. */
const lateMs = 50;

describe('the queue of a lone tab', () => {
  it('hands out functions exactly in order, and each once', async () => {
    const cluster = await Cluster.of('a');
    const [a] = cluster.tabs;
    unwrap(await cluster.append(a!, singles(0, 5)));
    for (let i = 0; i < 5; i++) expect((await cluster.claim(a!))?.range).toEqual([i, i + 1]);
    expect(await cluster.claim(a!)).toBeNull();
  });

  it('gives a released function again, after the time it was to be avoided', async () => {
    const cluster = await Cluster.of('a');
    const [a] = cluster.tabs;
    unwrap(await cluster.append(a!, singles(0, 1)));
    const first = (await cluster.claim(a!))!;
    await cluster.end(a!, first, 'release', 1_000);
    expect(await cluster.claim(a!)).toBeNull();
    await cluster.clock.advance(1_000);
    expect((await cluster.claim(a!))!.fence).toBe(first.fence + 1);
  });

  it('takes the sound functions of a message, and says how many it refused and why', async () => {
    const cluster = await Cluster.of('a');
    const [a] = cluster.tabs;
    const store = a!.storage.store;
    const head = { job: theJob, lineage: 'x.1', round: 0, k: 1, holders: [store] };
    const sealed = async (range: [number, number]) => {
      const { id, slices } = await sealRecord(testDigest, { ...head, range }, new Uint8Array(16));
      return { record: id, range, slice: slices[0]! };
    };
    const [good, pastTheEnd, overlapping, next] = await Promise.all(
      [
        [0, 10],
        [0, 2_000_000],
        [5, 15],
        [10, 20],
      ].map((range) => sealed(range as [number, number])),
    );
    const insert = (labels: object, functions: readonly unknown[]) =>
      a!.dispatcher.bus('test').ask(queueContract, 'records', 'insert', { ...head, ...labels, functions: [...functions] } as never);
    const forged = { ...next!, slice: next!.slice.toReversed() };
    expect(unwrap(await insert({}, [good, pastTheEnd, overlapping, forged])).body).toEqual({
      kept: 1,
      refused: 3,
      why: 'The job has no such items.',
    });
    expect(unwrap(await insert({}, [good, next])).body).toMatchObject({ kept: 2, refused: 0 });
    expect((await cluster.views(a!)).map(({ range }) => range)).toEqual([good!.range, next!.range]);
    expect(unwrap(await insert({ lineage: 'x.2', holders: [store, store] }, [good])).body.kept).toBe(1);
    const other = await sealed([20, 30]);
    expect(unwrap(await insert({ lineage: 'x.2', holders: [store, store] }, [other])).body).toMatchObject({ refused: 1 });
    expect(unwrap(await insert({ lineage: 'x.3', k: 2 }, [other])).body).toMatchObject({ refused: 1 });
  });
});

describe('a tab without a store to speak for', () => {
  it('alone keeps its own functions for as long as its page lives', async () => {
    for (const role of ['speaker', 'second'] as const) {
      const cluster = new Cluster(`storeless ${role}`);
      const storage = memoryStorage(seededRandom('store'), { durable: role === 'second' });
      const tab = await cluster.add('a', storage, role);
      const member = {
        peer: tab.peer,
        identity: tab.dispatcher.self.identity,
        store: null,
        status: 'alive' as const,
        rttMs: null,
        offer: { ...offer, storage: { keeps: false, usedMiB: 0, allowedMiB: 0 } },
      };
      tab.membership.publish('view', { group, groupName: '', signaling: 'none', signalingReason: '', members: [member] });
      await cluster.clock.advance(50);
      expect(unwrap(await cluster.append(tab, singles(0, 2))).body.acknowledged).toBe(1);
      expect((await cluster.claim(tab))?.range).toEqual([0, 1]);
      // The profile's store is left to the tab that speaks for it.
      expect(unwrap(await storage.keys('records', ''))).toHaveLength(role === 'second' ? 0 : 2);
    }
  });
});

describe('claims of many', () => {
  it('give each function one owner, and none is forgotten', async () => {
    const cluster = await Cluster.of('abcdef');
    cluster.jitterMs = 15;
    unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 40)));
    const owners = new Map<RecordId, string>();
    for (let round = 0; round < 40 && owners.size < 40; round++) {
      const claims = await Promise.all(
        cluster.tabs.map(async (tab) => ({
          tab,
          reply: await cluster.clock.finish(
            tab.dispatcher.bus('test').ask(queueContract, 'claims', 'create', { jobs: [theJob] }, { timeoutMs: 30_000 }),
          ),
        })),
      );
      for (const { tab, reply } of claims) {
        const { claim } = unwrap(reply).body;
        if (claim === null) continue;
        expect(owners.has(claim.record)).toBe(false);
        owners.set(claim.record, tab.name);
      }
      await cluster.clock.advance(200);
    }
    expect(owners.size).toBe(40);
    expect(new Set(owners.values()).size).toBe(6);
    expect(cluster.bugs).toEqual([]);
  });

  it('resolve split votes for a single function, with one owner at last', async () => {
    for (let seed = 0; seed < 8; seed++) {
      const cluster = await Cluster.of('abcdef', `split ${seed}`);
      cluster.jitterMs = 40;
      unwrap(await cluster.append(cluster.tabs[0]!, [[0, 100]]));
      const won: string[] = [];
      for (let round = 0; round < 20 && won.length === 0; round++) {
        const replies = await cluster.clock.finish(
          Promise.all(
            cluster.tabs.map((tab) =>
              tab.dispatcher.bus('test').ask(queueContract, 'claims', 'create', { jobs: [theJob] }, { timeoutMs: 30_000 }),
            ),
          ),
        );
        replies.forEach((reply, i) => reply.ok && reply.value.body.claim !== null && won.push(cluster.tabs[i]!.name));
        await cluster.clock.advance(100);
      }
      expect(won).toHaveLength(1);
    }
  });

  it('learn from one holder each that somebody has what they ask for', async () => {
    const cluster = await Cluster.of('abcdef');
    unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 1)));
    // Free for so long that everybody may ask.
    for (const tab of cluster.tabs) await cluster.views(tab);
    await cluster.clock.advance(turnsMax * turnMs + 1_000);
    cluster.delayMs = 20;
    const claims = (await Promise.all(cluster.tabs.map((tab) => cluster.claim(tab)))).filter((one) => one !== null);
    expect(claims).toHaveLength(1);
    const others = cluster.tabs.length - 1;
    expect(cluster.sent.get('locks create')).toBeLessThanOrEqual(others + 2 * others);
  });

  it('go on to the others when the first holder is silent', async () => {
    const { cluster, first, claimant } = await contended();
    await cluster.kill(first);
    expect(await cluster.claim(claimant)).not.toBeNull();
  });

  it('ask another holder first the next time, when the first says that somebody has it', async () => {
    const { cluster, first, claimant, record } = await contended();
    const other = cluster.tabs.find((tab) => tab !== first && tab !== claimant)!;
    const asked = other.dispatcher.bus('test').ask(queueContract, 'locks', 'create', { record }, { peer: first.peer });
    expect(unwrap(await cluster.clock.finish(asked)).body).toMatchObject({ granted: true });
    let claim = await cluster.claim(claimant);
    for (let tries = 1; claim === null && tries < 3; tries++) {
      await cluster.clock.advance(500);
      claim = await cluster.claim(claimant);
    }
    expect(claim).not.toBeNull();
    expect((await cluster.views(claimant)).map(({ owner }) => owner)).toEqual([claimant.peer]);
  });

  it('never have two live owners under loss and delay, and all work is still handed out', async () => {
    for (let seed = 0; seed < 6; seed++) {
      const cluster = await Cluster.of('abcde', `loss ${seed}`);
      unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 12)));
      cluster.loss = 0.15;
      cluster.jitterMs = 120;
      const done = new Set<RecordId>();
      const owned = new Map<RecordId, { tab: Tab; stopAt: number }>();
      for (let round = 0; round < 200 && done.size < 12; round++) {
        const replies = await cluster.clock.finish(
          Promise.all(
            cluster.tabs.map((tab) =>
              tab.dispatcher.bus('test').ask(queueContract, 'claims', 'create', { jobs: [theJob] }, { timeoutMs: 60_000 }),
            ),
          ),
          120_000,
        );
        for (const [i, reply] of replies.entries()) {
          if (!reply.ok || reply.value.body.claim === null) continue;
          const { record, stopAt, range } = reply.value.body.claim;
          const tab = cluster.tabs[i]!;
          const other = owned.get(record);
          const before =
            other === undefined || other.tab === tab
              ? []
              : unwrap(await other.tab.dispatcher.bus('test').ask(queueContract, 'claims', 'query', {})).body.claims;
          expect(before.map((claim) => claim.record)).not.toContain(record);
          owned.set(record, { tab, stopAt });
          if (cluster.random.fraction() < 0.5) {
            await cluster.decide([range[0], range[1]]);
            done.add(record);
            await cluster.end(tab, reply.value.body.claim, 'done');
          }
        }
        await cluster.clock.advance(cluster.random.fraction() * 3_000);
        for (const [record, { tab }] of owned)
          if (!done.has(record) && cluster.random.fraction() < 0.3) await cluster.end(tab, { record } as Claim, 'release');
      }
      expect(done.size).toBe(12);
      expect(cluster.bugs).toEqual([]);
    }
  });
});

describe('an owner', () => {
  it('keeps its claim for as long as it renews', async () => {
    const cluster = await Cluster.of('abcd');
    const [a, b] = cluster.tabs;
    unwrap(await cluster.append(a!, singles(0, 1)));
    const claim = (await cluster.claim(a!))!;
    await cluster.clock.advance(5 * leaseMs);
    expect(a!.lost).toEqual([]);
    expect(await cluster.claim(b!)).toBeNull();
    const [mine] = unwrap(await a!.dispatcher.bus('test').ask(queueContract, 'claims', 'query', {})).body.claims;
    expect(mine!.record).toBe(claim.record);
    expect(mine!.stopAt).toBeGreaterThan(cluster.clock.now());
    expect((await cluster.views(b!))[0]).toMatchObject({ state: 'claimed', owner: a!.peer });
  });

  it('that dies loses it early when it is suspected', async () => {
    const cluster = await Cluster.of('abcd');
    const [a, b] = cluster.tabs;
    unwrap(await cluster.append(b!, singles(0, 1)));
    const claim = (await cluster.claim(a!))!;
    await cluster.kill(a!);
    await cluster.clock.advance(2_000);
    await cluster.seeEachOther([a!]);
    const again = await cluster.claim(b!);
    expect(again?.record).toBe(claim.record);
  });

  it('that dies loses it to the lease where nobody suspects it', async () => {
    const cluster = await Cluster.of('abcdefg');
    unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 1)));
    const probe = (await cluster.claim(cluster.tabs[0]!))!;
    const holders = await cluster.holdersOf(probe);
    const owner = cluster.tabs.find((tab) => !holders.includes(tab))!;
    const other = cluster.tabs.find((tab) => tab !== owner)!;
    await cluster.end(cluster.tabs[0]!, probe, 'release');
    expect((await cluster.claim(owner))?.record).toBe(probe.record);
    await cluster.kill(owner);
    await cluster.clock.advance(leaseMs / 2);
    expect(await cluster.claim(other)).toBeNull();
    await cluster.clock.advance(leaseMs);
    expect((await cluster.claim(other))?.record).toBe(probe.record);
  });

  it('cut off from its holders is told to stop before any lease ends', async () => {
    const cluster = await Cluster.of('abcdefg');
    unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 1)));
    const probe = (await cluster.claim(cluster.tabs[0]!))!;
    const holders = await cluster.holdersOf(probe);
    const owner = cluster.tabs.find((tab) => !holders.includes(tab))!;
    await cluster.end(cluster.tabs[0]!, probe, 'release');
    const claim = (await cluster.claim(owner))!;
    cluster.loss = 1;
    await cluster.clock.advance(leaseMs * leaseOwnerShare + leaseRenewEveryMs + 100);
    expect(owner.lost).toEqual([claim.record]);
  });

  it('superseded may neither delete nor release, and is told that it lost', async () => {
    const cluster = await Cluster.of('abcd');
    const [a, b] = cluster.tabs;
    unwrap(await cluster.append(a!, singles(0, 1)));
    const claim = (await cluster.claim(a!))!;
    const [holder] = (await cluster.holdersOf(claim)).filter((tab) => tab !== a && tab !== b);
    // Everybody but a itself wrongly suspects a.
    await cluster.seeEachOther([a!]);
    const taken = (await cluster.claim(b!))!;
    expect(taken.record).toBe(claim.record);
    const late = await cluster.clock.finish(
      a!.dispatcher.bus('test').ask(queueContract, 'records', 'delete', { record: claim.record, fence: 1 }, { peer: holder!.peer }),
    );
    expect(late).toMatchObject({ ok: false, fault: { code: 'conflict' } });
    await cluster.clock.advance(leaseRenewEveryMs + 100);
    expect(a!.lost).toEqual([claim.record]);
    expect(b!.lost).toEqual([]);
  });

  it('ends a function for everybody when it is done', async () => {
    const cluster = await Cluster.of('abcd');
    const [a] = cluster.tabs;
    unwrap(await cluster.append(a!, singles(0, 2)));
    const claim = (await cluster.claim(a!))!;
    await cluster.end(a!, claim, 'done');
    for (const tab of cluster.tabs) expect((await cluster.views(tab)).map(({ record }) => record)).not.toContain(claim.record);
    for (const tab of cluster.tabs) expect(unwrap(await tab.storage.keys('locks', ''))).not.toContain(claim.record);
  });
});

describe('a holder', () => {
  it('that comes back keeps its promise and its numbers', async () => {
    const cluster = await Cluster.of('abcd');
    unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 1)));
    const owner = cluster.tabs[0]!;
    const claim = (await cluster.claim(owner))!;
    await cluster.clock.advance(lateMs);
    const holder = (await cluster.holdersOf(claim)).find((tab) => tab !== owner)!;
    await cluster.kill(holder);
    const back = await cluster.add(holder.name, holder.storage);
    await cluster.seeEachOther();
    await cluster.clock.advance(3 * leaseRenewEveryMs);
    expect(owner.lost).toEqual([]);
    const other = cluster.tabs.find((tab) => tab.alive && tab !== owner && tab !== back)!;
    const asked = (tab: Tab) =>
      cluster.clock.finish(tab.dispatcher.bus('test').ask(queueContract, 'locks', 'create', { record: claim.record }, { peer: back.peer }));
    expect(unwrap(await asked(other)).body).toMatchObject({ granted: false, why: 'leased', owner: owner.peer });
    await cluster.end(owner, claim, 'release');
    expect(unwrap(await asked(other)).body).toMatchObject({ granted: true, fence: 2 });
  });

  it('drops by itself what was decided, and keeps what is decided in part', async () => {
    const cluster = await Cluster.of('abc');
    const [a, b] = cluster.tabs;
    unwrap(
      await cluster.append(a!, [
        [0, 10],
        [10, 20],
        [20, 30],
      ]),
    );
    await cluster.decide([0, 10], [10, 15]);
    expect((await cluster.views(b!)).map(({ range }) => range[0])).toEqual([10, 20]);
    await cluster.decide([15, 20]);
    expect((await cluster.views(b!)).map(({ range }) => range[0])).toEqual([20]);
    for (const tab of cluster.tabs) expect(unwrap(await tab.storage.keys('records', ''))).toHaveLength(1);
  });

  it('drops everything of an ended job, and its owners stop at once', async () => {
    const cluster = await Cluster.of('abc');
    const [a, b] = cluster.tabs;
    unwrap(await cluster.append(a!, singles(0, 4)));
    const claim = (await cluster.claim(b!))!;
    for (const tab of cluster.tabs) tab.ledger.publish('decided', { job: theJob, ranges: [], ended: true });
    await cluster.clock.advance(30);
    expect(b!.lost).toEqual([claim.record]);
    expect(await cluster.views(a!)).toEqual([]);
    expect(unwrap(await a!.storage.keys('records', ''))).toEqual([]);
  });

  it('deletes what was decided as soon as its store, which refused, takes it', async () => {
    const cluster = new Cluster('abc');
    const inner = memoryStorage(seededRandom('refusing'), { durable: true });
    let refuses = false;
    const refusing: Storage = {
      ...inner,
      write: (ops) => (refuses ? Promise.resolve(failure('storage', 'The transaction was aborted.')) : inner.write(ops)),
    };
    const a = await cluster.add('a', refusing);
    await cluster.seeEachOther();
    unwrap(await cluster.append(a, singles(0, 1)));
    unwrap(await cluster.append(a, singles(1, 1)));
    refuses = true;
    await cluster.decide([0, 1]);
    expect(unwrap(await inner.keys('records', ''))).toHaveLength(2);
    refuses = false;
    await cluster.clock.advance(6_000);
    expect(unwrap(await inner.keys('records', ''))).toHaveLength(1);
  });

  it('drops on its return what was decided meanwhile', async () => {
    const cluster = await Cluster.of('abc');
    const [a, , c] = cluster.tabs;
    unwrap(await cluster.append(a!, singles(0, 3)));
    await cluster.kill(c!);
    await cluster.decide([0, 3]);
    const back = await cluster.add('c', c!.storage);
    await cluster.seeEachOther();
    await cluster.clock.advance(6_000);
    expect(unwrap(await back.storage.keys('records', ''))).toEqual([]);
  });

  it('that cannot write grants nothing, and no number of it is reused', async () => {
    const cluster = new Cluster('full');
    const storage = memoryStorage(seededRandom('full'), { durable: true, quotaBytes: 3_000 });
    const a = await cluster.add('a', storage);
    await cluster.seeEachOther();
    unwrap(await cluster.append(a, singles(0, 1)));
    const { usedBytes, quotaBytes } = await storage.estimate();
    const rest = new Uint8Array(Math.floor(quotaBytes - usedBytes - 40));
    unwrap(await storage.write([{ table: 'meta', key: 'rest', value: rest }]));
    expect(await cluster.claim(a)).toBeNull();
    unwrap(await storage.write([{ table: 'meta', key: 'rest', delete: true }]));
    await cluster.clock.advance(2_000);
    expect((await cluster.claim(a))!.fence).toBeGreaterThan(1);
  });
});

describe('records', () => {
  it('reach a member that joins later', async () => {
    const cluster = await Cluster.of('abc');
    unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 900)));
    const late = await cluster.add('d');
    await cluster.seeEachOther();
    await cluster.clock.advance(3_000);
    expect(await cluster.views(late)).toHaveLength(900);
    expect(await cluster.claim(late)).not.toBeNull();
  });

  it('are lost when no majority of their holders has been alive for a while, and not before', async () => {
    const cluster = await Cluster.of('abcdefg');
    unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 1)));
    const [view] = await cluster.views(cluster.tabs[0]!);
    const holders = cluster.tabs.filter(({ storage }) => view!.holders.includes(storage.store));
    const watcher = cluster.tabs.find((tab) => !holders.includes(tab))!;
    for (const holder of holders.slice(0, 3)) await cluster.kill(holder);
    await cluster.seeEachOther();
    expect((await cluster.views(watcher))[0]!.state).toBe('waiting');
    await cluster.clock.advance(holdersLostMs);
    expect((await cluster.views(watcher))[0]!.state).toBe('lost');
    await cluster.add(holders[0]!.name, holders[0]!.storage);
    await cluster.seeEachOther();
    expect((await cluster.views(watcher))[0]!.state).toBe('waiting');
  });

  it('go to other holders when those chosen first do not answer', async () => {
    const cluster = await Cluster.of('abcdefgh');
    const [a, ...others] = cluster.tabs;
    for (const tab of others.slice(0, 4)) tab.alive = false; // dead, and nobody knows yet
    const appended = unwrap(await cluster.append(a!, singles(0, 3))).body;
    const silent = others.slice(0, 4).map(({ storage }) => storage.store);
    expect(2 * appended.acknowledged).toBeGreaterThan(appended.holders.length);
    expect(2 * appended.holders.filter((store) => silent.includes(store)).length).toBeLessThan(appended.holders.length);
  });

  it('are told to be claimable, so that nobody need poll', async () => {
    const cluster = await Cluster.of('ab');
    const waiting: number[] = [];
    cluster.tabs[1]!.dispatcher.bus('test').watch(queueContract, 'changed', (change) => waiting.push(change.waiting));
    unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 3)));
    await cluster.clock.advance(100);
    expect(waiting.at(-1)).toBe(3);
  });
});

describe('a foreign member', () => {
  it('may not touch the claims of this tab', async () => {
    const cluster = await Cluster.of('ab');
    const [a, b] = cluster.tabs;
    const reply = await cluster.clock.finish(b!.dispatcher.bus('test').ask(queueContract, 'claims', 'query', {}, { peer: a!.peer }));
    expect(reply).toMatchObject({ ok: false, fault: { code: 'refused' } });
  });

  it('cannot end on its word a function that somebody else owns, nor one held here', async () => {
    const cluster = await Cluster.of('abcde');
    const [a] = cluster.tabs;
    unwrap(await cluster.append(a!, singles(0, 1)));
    const claim = (await cluster.claim(a!))!;
    await cluster.clock.advance(50);
    const liar = cluster.tabs.find((tab) => tab !== a)!;
    for (const tab of cluster.tabs) {
      await cluster.clock.finish(
        liar.dispatcher
          .bus('test')
          .ask(queueContract, 'hints', 'update', { owned: [], released: [], ended: [claim.record] }, { peer: tab.peer }),
      );
      expect(await cluster.views(tab)).toHaveLength(1);
    }
  });
});
