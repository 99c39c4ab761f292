import { describe, expect, it } from 'vitest';
import { recordId } from '../../lib/ids.ts';
import { unwrap } from '../../lib/outcome.ts';
import { holdersLostMs } from '../../limits.ts';
import { Cluster, type Tab } from '../../testing/queue-cluster.ts';
import { OutOfReach, outOfReachMsMax } from './out-of-reach.ts';

const id = recordId('ab'.repeat(32));

describe('a function that nobody can have', () => {
  it('is left alone for longer each time, up to a bound, and each claimant for a time of its own', () => {
    const out = new OutOfReach();
    const waits = [0, 1, 2, 3, 4, 5, 6, 7].map((at) => out.failed(id, at, 1));
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, outOfReachMsMax, outOfReachMsMax, outOfReachMsMax]);
    expect(new OutOfReach().failed(id, 0, 0)).toBe(500);
  });

  it('is lost when it was asked for in vain for long enough, until a holder is back or it was had', () => {
    const out = new OutOfReach();
    out.failed(id, 0, 1);
    expect(out.isLost(id, holdersLostMs)).toBe(false);
    out.failed(id, holdersLostMs, 1);
    expect(out.isLost(id, holdersLostMs)).toBe(true);
    expect(out.clear()).toEqual([id]);
    expect(out.isLost(id, holdersLostMs)).toBe(false);
    out.failed(id, 0, 1);
    out.failed(id, holdersLostMs, 1);
    out.reached(id);
    expect(out.isLost(id, holdersLostMs)).toBe(false);
  });
});

/** Claims over and over, as a donor with nothing to do; answers how often `holder` granted meanwhile. */
async function claimFor(cluster: Cluster, claimants: readonly Tab[], holder: Tab, ms: number): Promise<number> {
  const { storage } = holder;
  let grants = 0;
  const write = storage.write.bind(storage);
  storage.write = (ops) => {
    grants += ops.filter((op) => op.table === 'locks' && 'value' in op && (op.value as { owner: unknown }).owner !== null).length;
    return write(ops);
  };
  for (const until = cluster.clock.now() + ms; cluster.clock.now() < until;) {
    for (const tab of claimants) expect(await cluster.claim(tab)).toBeNull();
    await cluster.clock.advance(100);
  }
  storage.write = write;
  return grants;
}

describe('donors cut off from a majority of holders', () => {
  it('do not wear out the disks of those they reach, and go on as soon as a holder is back', async () => {
    const cluster = await Cluster.of('abcdef');
    unwrap(await cluster.append(cluster.tabs[0]!, [[0, 10]]));
    const away = cluster.tabs.slice(3);
    for (const tab of away) await cluster.kill(tab);
    await cluster.seeEachOther();
    const here = cluster.tabs.slice(0, 3);
    expect(await claimFor(cluster, here, here[0]!, 60_000)).toBeLessThan(30);
    await cluster.add(away[0]!.name, away[0]!.storage);
    await cluster.seeEachOther();
    expect(await cluster.claim(here[0]!)).not.toBeNull();
    expect(cluster.bugs).toEqual([]);
  });

  it('give up a function that half of its holders have forgotten, so that it is appended anew', async () => {
    const cluster = await Cluster.of('abcdef');
    unwrap(await cluster.append(cluster.tabs[0]!, [[0, 10]]));
    for (const tab of cluster.tabs.slice(3)) {
      await cluster.kill(tab);
      for (const table of ['records', 'locks'] as const)
        await tab.storage.write(unwrap(await tab.storage.keys(table, '')).map((key) => ({ table, key, delete: true })));
      await cluster.add(tab.name, tab.storage);
    }
    await cluster.seeEachOther();
    const [a] = cluster.tabs;
    await claimFor(cluster, [a!], a!, 2 * holdersLostMs);
    expect(await cluster.views(a!)).toEqual([]);
    expect(cluster.bugs).toEqual([]);
  });
});
