// What happens to functions held as coded slices when holders lie, leave or come back, and when many claim at once.
import { describe, expect, it } from 'vitest';
import { recordId, storeId, type RecordId, type StoreId } from '../../lib/ids.ts';
import { unwrap } from '../../lib/outcome.ts';
import { claimRetryMsMax, leaseMs } from '../../limits.ts';
import { queueContract, type Claim } from '../../protocol/contracts/queue.ts';
import type { Labels } from '../../protocol/record.ts';
import { Cluster, singles, theJob, type Tab } from '../../testing/queue-cluster.ts';
import { testDigest } from '../../testing/test-crypto.ts';
import { claimWindow } from './claim-order.ts';
import { labelsOf } from './appender.ts';
import { sealRecord } from './slices.ts';

const claimAll = async (cluster: Cluster, tabs: readonly Tab[]) => {
  const asked = tabs.map((tab) =>
    tab.dispatcher.bus('test').ask(queueContract, 'claims', 'create', { jobs: [theJob] }, { timeoutMs: 60_000 }),
  );
  const replies = await cluster.clock.finish(Promise.all(asked), 200_000);
  return replies.flatMap((reply, i) =>
    reply.ok && reply.value.body.claim !== null ? [{ tab: tabs[i]!, claim: reply.value.body.claim }] : [],
  );
};
const tell = (cluster: Cluster, from: Tab, to: Tab, labels: Labels) =>
  cluster.clock.finish(from.dispatcher.bus('test').ask(queueContract, 'records', 'insert', labels, { peer: to.peer }));
const keptBy = async (tab: Tab) => unwrap(await tab.storage.keys('records', ''));

describe('a function in a group of many', () => {
  it('is held by six, each with its slice only, and owned by who gathers two slices and a majority', async () => {
    const cluster = await Cluster.of('abcdefgh');
    const appended = unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 4))).body;
    expect(appended.holders).toHaveLength(6);
    for (const tab of cluster.tabs) expect(await keptBy(tab)).toHaveLength(appended.holders.includes(tab.storage.store) ? 4 : 0);
    const outsider = cluster.tabs.find(({ storage }) => !appended.holders.includes(storage.store))!;
    expect((await cluster.claim(outsider))?.lineage).toBe(appended.lineage);
  });

  it('goes on with any two holders away, and is lost with three', async () => {
    const cluster = await Cluster.of('abcdefgh');
    const { holders } = unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 2))).body;
    const held = cluster.tabs.filter(({ storage }) => holders.includes(storage.store));
    const outsider = cluster.tabs.find((tab) => !held.includes(tab))!;
    for (const tab of held.slice(0, 2)) await cluster.kill(tab);
    await cluster.seeEachOther();
    expect(await cluster.claim(outsider)).not.toBeNull();
    await cluster.kill(held[2]!);
    await cluster.seeEachOther();
    await cluster.clock.advance(12_000);
    expect(await cluster.claim(outsider)).toBeNull();
    expect((await cluster.views(outsider)).map(({ state }) => state)).toContain('lost');
  });

  it('is claimed although four of its six holders forge their slices, and they are named', async () => {
    const cluster = await Cluster.of('abcdefgh');
    const { holders } = unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 1))).body;
    const held = cluster.tabs.filter(({ storage }) => holders.includes(storage.store));
    const outsider = cluster.tabs.find((tab) => !held.includes(tab))!;
    const forgers = held.slice(1, 5);
    for (const tab of forgers) cluster.forging.add(tab);
    expect((await cluster.claim(outsider))?.range).toEqual([0, 1]);
    await cluster.clock.advance(100);
    expect(outsider.forgeries.map(({ what, store }) => `${what} ${store}`).toSorted()).toEqual(
      forgers.map(({ storage }) => `slice ${storage.store}`).toSorted(),
    );
    expect(outsider.forgeries.map(({ identity }) => identity).toSorted()).toEqual(
      forgers.map(({ dispatcher }) => dispatcher.self.identity).toSorted(),
    );
  });

  it('whose slices make no body is owned by nobody, and shown as lost, so that its items are appended anew', async () => {
    const cluster = await Cluster.of('abcdefgh');
    const { holders } = unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 1))).body;
    const held = cluster.tabs.filter(({ storage }) => holders.includes(storage.store));
    const outsider = cluster.tabs.find((tab) => !held.includes(tab))!;
    for (const tab of held.slice(1)) cluster.forging.add(tab);
    expect(await cluster.claim(outsider)).toBeNull();
    expect((await cluster.views(outsider))[0]!.state).toBe('lost');
    // What it was granted it gave back.
    await cluster.clock.advance(100);
    cluster.forging.clear();
    await cluster.clock.advance(leaseMs / 4);
    const other = cluster.tabs.find((tab) => !held.includes(tab) && tab !== outsider)!;
    expect(await cluster.claim(other)).not.toBeNull();
  });

  it('is believed by its slices, not by the label somebody told of it', async () => {
    const cluster = await Cluster.of('abcdefgh');
    const [a, , , , , , liar] = cluster.tabs;
    const { holders } = unwrap(await cluster.append(a!, singles(0, 1))).body;
    const record = (await cluster.views(a!))[0]!.record;
    const { lineage, round } = (await cluster.views(a!))[0]!;
    const late = await cluster.add('late');
    // Told before it can ask anybody: other items, the right holders.
    unwrap(
      await tell(cluster, liar!, late, {
        job: theJob,
        lineage,
        round,
        k: 2,
        holders,
        functions: [{ record, range: [500, 900], slice: null }],
      }),
    );
    await cluster.seeEachOther();
    expect((await cluster.views(late))[0]!.range).toEqual([500, 900]);
    const claim = (await cluster.claim(late))!;
    expect(claim.range).toEqual([0, 1]);
    expect(late.forgeries).toMatchObject([{ what: 'label', identity: liar!.dispatcher.self.identity, store: null, record, times: 1 }]);
    expect((await cluster.views(late)).map(({ range }) => range)).toEqual([[0, 1]]);
  });

  it('is had although one member filled the queue with functions that nobody holds', async () => {
    const cluster = await Cluster.of('abcdef');
    const [a, b, hostile] = cluster.tabs;
    const nowhere: StoreId[] = [1, 2, 3, 4, 5, 6].map((n) => storeId(n.toString(16).padStart(32, '0')));
    const junk = Array.from({ length: 900 }, (_, n) => ({
      id: recordId(n.toString(16).padStart(64, 'f')),
      record: { job: theJob, lineage: `${hostile!.peer}.${n % 9}`, round: 0, range: [n, n + 1] as const, k: 2, holders: nowhere },
      slice: null,
    }));
    for (const labels of labelsOf(junk)) for (const tab of [a!, b!]) unwrap(await tell(cluster, hostile!, tab, labels));
    unwrap(await cluster.append(cluster.tabs[3]!, singles(2_000, 20)));
    const had: Claim[] = [];
    for (let call = 0; call < 12; call++) for (const { claim } of await claimAll(cluster, [a!, b!])) had.push(claim);
    // At most a try in vain now and then.
    expect(had.length).toBeGreaterThanOrEqual(18);
    for (const { range } of had) expect(range[0]).toBeGreaterThanOrEqual(2_000);
  });
});

describe('a group that went home', () => {
  it('has all its functions again, in whatever order its tabs come back', async () => {
    for (let seed = 0; seed < 6; seed++) {
      const cluster = await Cluster.of('abcdefgh', `home ${seed}`);
      const appends = [0, 1, 2, 3].map((n) => singles(100 * n, 5));
      for (const [n, ranges] of appends.entries()) unwrap(await cluster.append(cluster.tabs[2 * n]!, ranges));
      const old = cluster.tabs.slice();
      for (const tab of old) await cluster.kill(tab);
      const order = old.toSorted(() => cluster.random.fraction() - 0.5);
      for (const tab of order) {
        await cluster.add(tab.name, tab.storage);
        await cluster.seeEachOther();
        await cluster.clock.advance(cluster.random.fraction() * 4_000);
      }
      await cluster.clock.advance(2_000);
      for (const tab of cluster.tabs.filter(({ alive }) => alive)) {
        const views = await cluster.views(tab);
        expect(views.map(({ range }) => range)).toEqual(appends.flat());
        expect(views.map(({ state }) => state)).toEqual(views.map(() => 'waiting'));
      }
      const had = new Set<RecordId>();
      const alive = cluster.tabs.filter((tab) => tab.alive);
      for (let call = 0; call < 40 && had.size < 20; call++) for (const { claim } of await claimAll(cluster, alive)) had.add(claim.record);
      expect(had.size).toBe(20);
      expect(cluster.bugs).toEqual([]);
    }
  });
});

describe('claims of two to eight at once', () => {
  it('make progress in a bounded number of tries, whatever the delays', async () => {
    // Each call of `claims create` tries up to six records: all of eight claimants for one record have one winner after so many calls.
    const callsMax = 12;
    for (let claimants = 2; claimants <= 8; claimants++) {
      for (let seed = 0; seed < 6; seed++) {
        const cluster = await Cluster.of('abcdefgh'.slice(0, claimants), `progress ${claimants} ${seed}`);
        cluster.delayMs = cluster.random.fraction() * 30;
        cluster.jitterMs = cluster.random.fraction() * 2 * claimRetryMsMax;
        unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 3)));
        await cluster.clock.advance(500);
        const had = new Map<RecordId, Tab>();
        let calls = 0;
        for (; calls < callsMax && had.size < 3; calls++) {
          for (const { tab, claim } of await claimAll(cluster, cluster.tabs)) {
            expect(had.get(claim.record)).toBeUndefined();
            had.set(claim.record, tab);
          }
          // A record that was refused is left alone for a while: a call that finds nothing else ends at once.
          await cluster.clock.advance(200);
        }
        expect(had.size, `${claimants} claimants, seed ${seed}`).toBe(3);
      }
    }
  });
});

describe('order', () => {
  it('is exact for one claimant, and within the window for many', async () => {
    const alone = await Cluster.of('abcdef', 'order of one');
    const [one] = alone.tabs;
    // The others lend their stores and claim nothing.
    alone.workers = 0;
    await alone.seeEachOther();
    unwrap(await alone.append(alone.tabs[3]!, singles(0, 30)));
    for (let n = 0; n < 30; n++) expect((await alone.claim(one!))?.range).toEqual([n, n + 1]);

    const many = await Cluster.of('abcdef', 'order of many');
    many.jitterMs = 10;
    unwrap(await many.append(many.tabs[0]!, singles(0, 60)));
    const open = new Set(Array.from({ length: 60 }, (_, n) => n));
    for (let call = 0; call < 60 && open.size > 0; call++) {
      const before = [...open].toSorted((a, b) => a - b);
      for (const { claim } of await claimAll(many, many.tabs)) {
        // All of this call ask at once: each may be as far down as the window and those that others have taken meanwhile.
        expect(before.indexOf(claim.range[0])).toBeLessThan(claimWindow(6) + 6 * 6);
        open.delete(claim.range[0]);
      }
    }
    expect(open.size).toBe(0);
  });
});

describe('an owner that dies', () => {
  it('has its function run elsewhere within five seconds of the end of its lease, and its late end is refused', async () => {
    const cluster = await Cluster.of('abcdefgh', 'dies');
    const { holders } = unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 1))).body;
    const held = cluster.tabs.filter(({ storage }) => holders.includes(storage.store));
    const [owner, other] = cluster.tabs.filter((tab) => !held.includes(tab));
    const claim = (await cluster.claim(owner!))!;
    // Frozen: nobody hears of it, nobody suspects it, and it wakes later.
    owner!.alive = false;
    const died = cluster.clock.now();
    let taken: Claim | null = null;
    while (taken === null && cluster.clock.now() - died < 60_000) {
      taken = await cluster.claim(other!);
      await cluster.clock.advance(500);
    }
    expect(taken?.record).toBe(claim.record);
    expect(cluster.clock.now() - died).toBeLessThan(leaseMs + 5_000);
    owner!.alive = true;
    for (const holder of held) {
      const late = await cluster.clock.finish(
        owner!.dispatcher
          .bus('test')
          .ask(queueContract, 'records', 'delete', { record: claim.record, fence: claim.fence }, { peer: holder.peer }),
      );
      if (late.ok) continue; // a holder that was not asked by the new owner, or too late: it has no say alone
      expect(late.fault.code).toBe('conflict');
    }
    expect((await cluster.views(other!)).map(({ record }) => record)).toEqual([claim.record]);
    expect(unwrap(await other!.dispatcher.bus('test').ask(queueContract, 'claims', 'query', {})).body.claims).toHaveLength(1);
  });
});

it('a label alone gives nobody a slice that passes', async () => {
  const cluster = await Cluster.of('abcdefgh');
  unwrap(await cluster.append(cluster.tabs[0]!, singles(0, 1)));
  const [view] = await cluster.views(cluster.tabs[0]!);
  const { id } = await sealRecord(
    testDigest,
    { job: theJob, lineage: view!.lineage, round: view!.round, range: view!.range, k: 2, holders: view!.holders },
    new Uint8Array(16),
  );
  expect(id).not.toBe(view!.record);
});
