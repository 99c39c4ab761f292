import { describe, expect, it } from 'vitest';
import type { RecordId } from '../../lib/ids.ts';
import { unwrap } from '../../lib/outcome.ts';
import { leaseMs, suspectAfterMs } from '../../limits.ts';
import { queueContract } from '../../protocol/contracts/queue.ts';
import { Cluster, type Tab } from '../../testing/queue-cluster.ts';

/** Virtual milliseconds until `by` is granted the function at this holder. */
async function grantedAfter(cluster: Cluster, by: Tab, at: Tab, record: RecordId): Promise<number> {
  const began = cluster.clock.now();
  const ask = () => by.dispatcher.bus('test').ask(queueContract, 'locks', 'create', { record }, { peer: at.peer });
  while (!unwrap(await cluster.clock.finish(ask())).body.granted) await cluster.clock.advance(100);
  return cluster.clock.now() - began;
}

async function claimed() {
  const cluster = await Cluster.of('abcdef');
  const [owner, other, holder] = cluster.tabs as [Tab, Tab, Tab];
  unwrap(await cluster.append(owner, [[0, 10]]));
  const claim = (await cluster.claim(owner))!;
  await cluster.clock.advance(100);
  return { cluster, owner, other, holder, claim };
}

describe('a lease given back while its holder is away', () => {
  it('ends there soon after the holder is back, and not when it runs out', async () => {
    const { cluster, owner, other, holder, claim } = await claimed();
    await cluster.kill(holder);
    await cluster.end(owner, claim, 'release');
    await cluster.clock.advance(leaseMs / 2);
    const back = await cluster.add(holder.name, holder.storage);
    await cluster.seeEachOther();
    expect(await grantedAfter(cluster, other, back, claim.record)).toBeLessThan(leaseMs / 4);
    expect(cluster.bugs).toEqual([]);
  });

  it('is not what its owner was granted there since', async () => {
    const { cluster, owner, other, holder, claim } = await claimed();
    await cluster.kill(holder);
    await cluster.end(owner, claim, 'release');
    const again = (await cluster.claim(owner))!;
    const back = await cluster.add(holder.name, holder.storage);
    await cluster.seeEachOther();
    expect(await grantedAfter(cluster, owner, back, claim.record)).toBeLessThan(100);
    await cluster.clock.advance(leaseMs / 2);
    const asked = other.dispatcher.bus('test').ask(queueContract, 'locks', 'create', { record: again.record }, { peer: back.peer });
    expect(unwrap(await cluster.clock.finish(asked)).body).toMatchObject({ granted: false, owner: owner.peer });
  });
});

describe('a holder loaded anew', () => {
  it('keeps what it had while its ledger is still being read, and not for long where that knows nothing of the job', async () => {
    const { cluster, holder, claim } = await claimed();
    await cluster.kill(holder);
    const back = await cluster.add(holder.name, holder.storage, 'speaker', false);
    await cluster.seeEachOther();
    const kept = async () => unwrap(await back.storage.keys('records', ''));
    await cluster.clock.advance(180_000);
    expect(await kept()).toEqual([claim.record]);
    back.ledger.publish('jobs', { jobs: [] });
    await cluster.clock.advance(180_000);
    expect(await kept()).toEqual([]);
  });

  it('gives away what was had by somebody who went meanwhile as soon as it would have met them', async () => {
    const { cluster, owner, other, holder, claim } = await claimed();
    await cluster.kill(owner);
    await cluster.kill(holder);
    const back = await cluster.add(holder.name, holder.storage);
    await cluster.seeEachOther();
    const took = await grantedAfter(cluster, other, back, claim.record);
    expect(took).toBeGreaterThan(suspectAfterMs / 2);
    expect(took).toBeLessThan(2 * suspectAfterMs);
  });

  it('is not kept from what it had itself before it was loaded anew', async () => {
    const { cluster, owner, claim } = await claimed();
    await cluster.kill(owner);
    const back = await cluster.add(owner.name, owner.storage);
    await cluster.seeEachOther();
    expect(back.peer).not.toBe(owner.peer);
    expect(await grantedAfter(cluster, back, back, claim.record)).toBeLessThan(100);
    // And once more: it is the last page that counts, not the first.
    await cluster.kill(back);
    const again = await cluster.add(owner.name, owner.storage);
    await cluster.seeEachOther();
    expect(await grantedAfter(cluster, again, again, claim.record)).toBeLessThan(100);
  });

  it('nor from what a page had before the last one, which took nothing', async () => {
    const { cluster, owner, claim } = await claimed();
    await cluster.kill(owner);
    await cluster.kill(await cluster.add(owner.name, owner.storage));
    const last = await cluster.add(owner.name, owner.storage);
    await cluster.seeEachOther();
    expect(await grantedAfter(cluster, last, last, claim.record)).toBeLessThan(100);
  });

  it('keeps what somebody has who is here', async () => {
    const { cluster, owner, other, holder, claim } = await claimed();
    await cluster.kill(holder);
    const back = await cluster.add(holder.name, holder.storage);
    await cluster.seeEachOther();
    await cluster.clock.advance(3 * suspectAfterMs);
    const asked = other.dispatcher.bus('test').ask(queueContract, 'locks', 'create', { record: claim.record }, { peer: back.peer });
    expect(unwrap(await cluster.clock.finish(asked)).body).toMatchObject({ granted: false, owner: owner.peer });
  });
});
