// Groups of real tabs whose server goes away, and groups that shrink until they are one.
import { test } from '@playwright/test';
import type { Page } from 'playwright';
import { busyCode, collect, committed, expect, openCluster, submitRange, type Cluster, type Peer } from './harness/cluster.ts';
import { cut, heal, mayBeCut } from './harness/cut.ts';
import { donate } from './harness/profile.ts';

const groupOf = (page: Page) => page.evaluate(() => globalThis.lull.self.group);
const peerOf = (page: Page) => page.evaluate(() => globalThis.lull.self.peer);

/** So many tabs that fill a group of their own. */
async function groupOfTabs(cluster: Cluster, count: number): Promise<Peer[]> {
  const open = async (): Promise<Peer> => {
    const profile = await cluster.profile();
    await mayBeCut(profile);
    return { profile, page: await profile.tab(`${cluster.server.url}/network`) };
  };
  const peers = await Promise.all(Array.from({ length: count }, open));
  for (const { page } of peers)
    await page.waitForFunction((wanted) => globalThis.lull.peers().length === wanted, count, { timeout: 60_000 });
  return peers;
}

/** Who of its group holds links to the other one, as `page` knows it. */
const bridgesSeen = (page: Page): Promise<string[]> =>
  page.evaluate(() => [...new Set(globalThis.lull.groups()[1]?.bridges.map(({ here }) => here) ?? [])]);

const hasLink = (page: Page, to: string): Promise<boolean> =>
  page.evaluate((peer) => globalThis.lull.peers().some((other) => other.peer === peer && other.rttMs !== null), to);

test('with the server gone a bridge that dies is replaced, and a lost link comes back, through members', { tag: '@soak' }, async () => {
  test.setTimeout(400_000);
  const { cluster, close } = await openCluster({ GROUP_PEERS_MAX: '4' }, 'shared');
  try {
    const here = await groupOfTabs(cluster, 4);
    const there = await groupOfTabs(cluster, 4);
    expect(await groupOf(here[0]!.page)).not.toBe(await groupOf(there[0]!.page));
    for (const { page } of [...here, ...there])
      await expect.poll(async () => (await bridgesSeen(page)).length, { timeout: 90_000 }).toBeGreaterThanOrEqual(2);
    const [watcher] = here as [Peer];
    const ids = await Promise.all(here.map(({ page }) => peerOf(page)));
    const linked = () => Promise.all(ids.slice(1).map((peer) => hasLink(watcher.page, peer)));
    await expect.poll(linked, { timeout: 60_000 }).toEqual([true, true, true]);

    await cluster.server.kill();
    await expect(watcher.page.getByText(/^The server that introduces tabs cannot be reached/)).toBeVisible({ timeout: 60_000 });

    // A bridge dies: somebody else takes its place, with a link to the other group that nobody had before.
    const before = await bridgesSeen(watcher.page);
    const deadAt = ids.findIndex((peer, at) => at > 0 && before.includes(peer));
    await here[deadAt]!.profile.kill();
    const killedAt = performance.now();
    const replaced = async () => {
      const now = await bridgesSeen(watcher.page);
      return now.length >= 2 && !now.includes(ids[deadAt]!) && now.some((peer) => !before.includes(peer));
    };
    await expect.poll(replaced, { timeout: 120_000 }).toBe(true);
    console.log(`without the server another bridge ${((performance.now() - killedAt) / 1000).toFixed(1)} s after one was killed`);

    // Two members lose their link for a while: they meet again through the third.
    const otherAt = ids.findIndex((_, at) => at > 0 && at !== deadAt);
    await cut([watcher.page], [here[otherAt]!.page]);
    await expect.poll(() => hasLink(watcher.page, ids[otherAt]!), { timeout: 30_000 }).toBe(false);
    await heal([watcher.page, here[otherAt]!.page]);
    const healedAt = performance.now();
    await expect.poll(() => hasLink(watcher.page, ids[otherAt]!), { timeout: 120_000 }).toBe(true);
    console.log(`a link again ${((performance.now() - healedAt) / 1000).toFixed(1)} s after its cut was healed`);
  } finally {
    await close();
  }
});

test('two groups shrink, are made one, and a running job goes on in it', { tag: '@soak' }, async () => {
  test.setTimeout(400_000);
  const items = 320;
  const { cluster, close } = await openCluster({ GROUP_PEERS_MAX: '4' }, 'shared');
  try {
    const large = await groupOfTabs(cluster, 4);
    const small = await groupOfTabs(cluster, 2);
    const [submitter, donor] = small as [Peer, Peer];
    await Promise.all([...large, donor].map(({ page }) => donate(page)));
    const [groupBefore, other] = [await groupOf(submitter.page), await groupOf(large[0]!.page)];
    expect(groupBefore).not.toBe(other);
    const job = await submitRange(submitter.page, 'Merged', busyCode(400), items);
    await committed(submitter.page, job, 5, 120_000);
    // Of six tabs two are left, in two groups: the directory makes them one.
    await Promise.all([...large.slice(1), donor].map(({ profile }) => profile.kill()));
    const [last] = large as [Peer];
    await expect.poll(async () => (await groupOf(submitter.page)) === (await groupOf(last.page)), { timeout: 180_000 }).toBe(true);
    const atMerge = await submitter.page.evaluate((id) => globalThis.lull.job(id)!.progress.committed, job);
    console.log(`made one group with ${atMerge} of ${items} items done`);
    expect(atMerge).toBeLessThan(items);
    for (const { page } of [submitter, last])
      await page.waitForFunction(() => globalThis.lull.peers().length === 2, undefined, { timeout: 60_000 });
    await committed(submitter.page, job, items, 300_000).catch(async (error: unknown) => {
      console.log(JSON.stringify(await submitter.page.evaluate((id) => globalThis.lull.job(id)!.standing(), job)));
      throw error;
    });
    const { state, results } = await collect(submitter.page, job);
    expect(state).toBe('done');
    expect(results.map((result) => ('value' in result ? result.value : result.error))).toEqual(
      Array.from({ length: items }, (_, index) => index * 2),
    );
  } finally {
    await close();
  }
});
