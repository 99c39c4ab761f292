import { describe, expect, it } from 'vitest';
import { recordId } from '../../lib/ids.ts';
import { unwrap } from '../../lib/outcome.ts';
import { holdersLostMs } from '../../limits.ts';
import { Cluster, type Tab } from '../../testing/queue-cluster.ts';
import { AskedInVain, goneSaidMs, vanishedMs, type InVain } from './asked-in-vain.ts';

const id = recordId('ab'.repeat(32));

describe('a function that was asked for in vain', () => {
  const untils = (how: InVain, fraction: number) => {
    const inVain = new AskedInVain();
    return Array.from({ length: 8 }, () => {
      inVain.failed(id, how, false, 0, fraction);
      let ms = 0;
      while (inVain.waits(id, ms)) ms += 50;
      return ms;
    });
  };

  it('is left alone for longer each time, up to a bound, and by each claimant for a time of its own', () => {
    expect(untils('out-of-reach', 1)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(untils('out-of-reach', 0)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    expect(untils('contended', 1)).toEqual([400, 800, 1_600, 3_200, 3_200, 3_200, 3_200, 3_200]);
    expect(untils('contended', 0)).toEqual([0, 400, 800, 1_600, 1_600, 1_600, 1_600, 1_600]);
  });

  it('is lost when no majority answered for long enough, until a holder is back or it was had', () => {
    const failing = () => {
      const inVain = new AskedInVain();
      inVain.failed(id, 'out-of-reach', false, 0, 1);
      expect(inVain.isLost(id, holdersLostMs)).toBe(false);
      inVain.failed(id, 'out-of-reach', false, holdersLostMs, 1);
      expect(inVain.isLost(id, holdersLostMs)).toBe(true);
      return inVain;
    };
    const back = failing();
    back.holdersBack(holdersLostMs, (other) => other !== id);
    expect(back.isLost(id, holdersLostMs)).toBe(true);
    back.holdersBack(holdersLostMs, (other) => other === id);
    expect([back.isLost(id, holdersLostMs), back.waits(id, holdersLostMs)]).toEqual([false, false]);
    const had = failing();
    had.forget(id);
    expect(had.isLost(id, holdersLostMs)).toBe(false);
    const owned = failing();
    owned.failed(id, 'contended', false, holdersLostMs, 1);
    expect(owned.isLost(id, holdersLostMs)).toBe(false);
  });
});

describe('a function that holders without it leave no majority for', () => {
  it('has vanished when that was so for longer than an append may be on its way', () => {
    const inVain = new AskedInVain();
    const failed = (gone: boolean | undefined, now: number) => {
      inVain.failed(id, 'out-of-reach', gone, now, 1);
      return inVain.hasVanished(id, now);
    };
    expect([failed(true, 0), failed(true, vanishedMs / 2), failed(true, vanishedMs)]).toEqual([false, false, true]);
    expect([failed(false, vanishedMs), failed(true, vanishedMs), failed(true, 2 * vanishedMs)]).toEqual([false, false, true]);
  });

  it('has not vanished for what was said of it long ago', () => {
    const inVain = new AskedInVain();
    inVain.failed(id, 'out-of-reach', true, 0, 1);
    inVain.failed(id, 'contended', undefined, goneSaidMs + 1, 1);
    expect(inVain.hasVanished(id, goneSaidMs + 1)).toBe(false);
    inVain.failed(id, 'out-of-reach', true, goneSaidMs + 2, 1);
    expect(inVain.hasVanished(id, goneSaidMs + 2)).toBe(false);
  });

  it('has vanished too where too few had answered in between to tell', () => {
    const inVain = new AskedInVain();
    const failed = (gone: boolean | undefined, now: number) => {
      inVain.failed(id, gone === true ? 'out-of-reach' : 'contended', gone, now, 1);
      return inVain.hasVanished(id, now);
    };
    expect([failed(undefined, 0), failed(true, 0), failed(undefined, vanishedMs / 2), failed(true, vanishedMs)]).toEqual([
      false,
      false,
      false,
      true,
    ]);
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
    await forgetRecords(cluster, cluster.tabs.slice(3));
    const [a] = cluster.tabs;
    await claimFor(cluster, [a!], a!, 2 * holdersLostMs);
    expect(await cluster.views(a!)).toEqual([]);
    expect(cluster.bugs).toEqual([]);
  });

  it('give up at once, if they are no holders, what most holders have forgotten: each asks every holder once', async () => {
    const cluster = await Cluster.of('abcdefgh');
    const { holders } = unwrap(await cluster.append(cluster.tabs[0]!, [[0, 10]])).body;
    await cluster.clock.advance(100);
    const isHolder = (tab: Tab) => holders.includes(tab.storage.store);
    await forgetRecords(cluster, cluster.tabs.filter(isHolder).slice(0, 4));
    const others = cluster.tabs.filter((tab) => tab.alive && !isHolder(tab));
    expect(others).toHaveLength(2);
    cluster.sent.clear();
    expect(await Promise.all(others.map((tab) => cluster.claim(tab)))).toEqual([null, null]);
    expect(await Promise.all(others.map((tab) => cluster.views(tab)))).toEqual([[], []]);
    expect(cluster.sent.get('locks create')).toBe(others.length * holders.length);
    expect(cluster.bugs).toEqual([]);
  });
});

/** Each comes back with the store it had, without what it kept of functions. */
async function forgetRecords(cluster: Cluster, tabs: readonly Tab[]): Promise<void> {
  for (const tab of tabs) {
    await cluster.kill(tab);
    for (const table of ['records', 'locks'] as const)
      await tab.storage.write(unwrap(await tab.storage.keys(table, '')).map((key) => ({ table, key, delete: true })));
    await cluster.add(tab.name, tab.storage);
  }
  await cluster.seeEachOther();
}
