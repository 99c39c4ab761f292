// Whole kernels, as tabs run them, doing whole jobs over a network in memory. A failure prints its seed.
import { describe, expect, it } from 'vitest';
import { unwrap } from './lib/outcome.ts';
import { decodeValue } from './lib/value-codec.ts';
import { queueContract } from './protocol/contracts/queue.ts';
import { sealRecord } from './services/queue/slices.ts';
import { testDigest } from './testing/test-crypto.ts';
import { TestGroup, type TestPeer } from './testing/test-group.ts';

const quick = (index: number) => ({ ms: 20, value: index * 2 });
const doubled = (items: number) => Array.from({ length: items }, (_, index) => index * 2);
const valuesOf = (results: readonly (Uint8Array | string)[]) =>
  results.map((result) => (typeof result === 'string' ? result : decodeValue(result)));

async function groupOf(group: TestGroup, donors: number): Promise<{ submitter: TestPeer; donors: TestPeer[] }> {
  const submitter = await group.start('submitter');
  const givers: TestPeer[] = [];
  for (let i = 0; i < donors; i++) givers.push(await group.start(`donor ${i}`));
  for (const donor of givers) await group.donate(donor);
  await group.joined([submitter, ...givers], donors);
  return { submitter, donors: givers };
}

describe('a group of kernels', () => {
  it('runs a job submitted in one in the others, every item once', async () => {
    const group = new TestGroup({ seed: 'plain', script: quick });
    const { submitter, donors } = await groupOf(group, 3);
    const job = await group.submit(submitter, 400);
    const began = group.clock.now();
    const summary = await group.ended(submitter, job, 60_000);
    expect(summary.state).toBe('done');
    expect(valuesOf(await group.results(submitter, job))).toEqual(doubled(400));
    // 8 s of work on three cores.
    expect(group.clock.now() - began).toBeLessThan(6_000);
    expect([submitter, ...donors].flatMap((peer) => peer.bugs)).toEqual([]);
  });

  it('loses nothing when donors crash one after the other', async () => {
    const group = new TestGroup({ seed: 'crashes', script: quick });
    const { submitter, donors } = await groupOf(group, 4);
    const job = await group.submit(submitter, 1_000);
    for (const victim of donors.slice(0, 2)) {
      await group.clock.advance(1_500);
      await group.crash(victim);
    }
    const summary = await group.ended(submitter, job, 120_000);
    expect(summary.state).toBe('done');
    expect(valuesOf(await group.results(submitter, job))).toEqual(doubled(1_000));
  });

  it('goes on without its submitter, who collects when it is back', async () => {
    const group = new TestGroup({ seed: 'left alone', script: quick });
    const { submitter, donors } = await groupOf(group, 3);
    const job = await group.submit(submitter, 300);
    await group.crash(submitter);
    await group.ended(donors[0]!, job, 60_000);
    const again = await group.start('submitter');
    await group.ended(again, job, 30_000);
    expect(valuesOf(await group.results(again, job))).toEqual(doubled(300));
  });

  it('finishes after everybody went home and came back in another order', async () => {
    const group = new TestGroup({ seed: 'next day', script: quick });
    const { submitter, donors } = await groupOf(group, 3);
    const job = await group.submit(submitter, 600);
    await group.clock.advance(1_500);
    for (const peer of [submitter, ...donors]) await group.crash(peer);
    const back = [];
    for (const name of ['donor 2', 'submitter', 'donor 0', 'donor 1']) back.push(await group.start(name));
    const summary = await group.ended(back[1]!, job, 120_000);
    expect(summary.state).toBe('done');
    expect(valuesOf(await group.results(back[1]!, job))).toEqual(doubled(600));
  });

  it('tries an item that throws on others, then reports it, and keeps the rest', async () => {
    const group = new TestGroup({
      seed: 'thirteen',
      script: (index) => (index === 13 ? { ms: 5, error: 'unlucky' } : { ms: 5, value: index * 2 }),
    });
    const { submitter } = await groupOf(group, 3);
    const job = await group.submit(submitter, 60);
    const summary = await group.ended(submitter, job, 120_000);
    expect(summary).toMatchObject({ state: 'done', committed: 59, failed: 1 });
    expect(valuesOf(await group.results(submitter, job))[13]).toBe('unlucky');
  });

  it('goes on on both sides of a cut, and agrees when it heals', async () => {
    const group = new TestGroup({ seed: 'cut', script: quick });
    const { submitter, donors } = await groupOf(group, 5);
    const job = await group.submit(submitter, 2_000);
    await group.clock.advance(1_500);
    const peers = [submitter, ...donors].map((peer) => peer.kernel.self.peer);
    group.network.partition(peers.slice(0, 3), peers.slice(3));
    await group.clock.advance(8_000);
    group.network.heal();
    const summary = await group.ended(submitter, job, 120_000);
    expect(summary.state).toBe('done');
    for (const peer of [submitter, donors[4]!]) {
      await group.ended(peer, job, 30_000);
      expect(valuesOf(await group.results(peer, job))).toEqual(doubled(2_000));
    }
  });

  it('is slowed, not stopped, by a member who queues the whole job with itself as the only holder and lets nobody have it', async () => {
    const group = new TestGroup({ seed: 'hoarder', script: quick });
    const { submitter, donors } = await groupOf(group, 2);
    const hoarder = await group.start('hoarder');
    await group.joined([submitter, ...donors, hoarder], 2);
    const job = await group.submit(submitter, 200);
    const { bus, self } = hoarder.kernel;
    const label = { job, lineage: `${self.peer}.1`, round: 0, k: 1, holders: [hoarder.storage.store] };
    const { id: record, slices } = await sealRecord(testDigest, { ...label, range: [0, 200] }, new Uint8Array(16));
    const labels = { ...label, functions: [{ record, range: [0, 200] as [number, number], slice: slices[0]! }] };
    for (const peer of [self.peer, submitter.kernel.self.peer, ...donors.map((donor) => donor.kernel.self.peer)]) {
      const told = unwrap(await group.clock.finish(bus.ask(queueContract, 'records', 'insert', labels, { peer })));
      expect(told.body.refused).toBe(0);
    }
    const hold = () => {
      void bus.ask(queueContract, 'locks', 'create', { record });
      group.clock.after(2_000, hold);
    };
    hold();
    const began = group.clock.now();
    const summary = await group.ended(submitter, job, 300_000);
    expect(summary.state).toBe('done');
    expect(group.clock.now() - began).toBeGreaterThan(10_000);
    expect(valuesOf(await group.results(submitter, job))).toEqual(doubled(200));
  }, 60_000);
});
