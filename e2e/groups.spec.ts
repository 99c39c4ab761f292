// Several groups of real tabs: bridges between them, seen on the Network page; and what happens to them.
import type { Page } from 'playwright';
import { expect, openCluster, type Cluster, type Peer } from './harness/cluster.ts';
import { cut, heal, mayBeCut } from './harness/cut.ts';
import { donate } from './harness/profile.ts';
import { test } from '@playwright/test';

const groupPeersMax = 5;

interface Town {
  readonly cluster: Cluster;
  readonly peers: Peer[];
  readonly groups: readonly [Peer[], Peer[]];
}

/** Ten tabs in two groups, all donating, each on the Network page. */
async function twoGroups(cluster: Cluster): Promise<Town> {
  const open = async (): Promise<Peer> => {
    const profile = await cluster.profile();
    await mayBeCut(profile);
    return { profile, page: await profile.tab(`${cluster.server.url}/network`) };
  };
  const one = await Promise.all(Array.from({ length: groupPeersMax }, open));
  const other = await Promise.all(Array.from({ length: groupPeersMax }, open));
  const peers = [...one, ...other];
  await Promise.all(peers.map(({ page }) => donate(page)));
  for (const { page } of peers)
    await page.waitForFunction((wanted) => globalThis.lull.peers().length === wanted, groupPeersMax, { timeout: 40_000 });
  const ids = await Promise.all(peers.map(({ page }) => page.evaluate(() => globalThis.lull.self.group)));
  expect(new Set(ids.slice(0, groupPeersMax)).size).toBe(1);
  expect(new Set(ids).size).toBe(2);
  return { cluster, peers, groups: [one, other] };
}

const neighbours = (page: Page) => page.getByRole('region', { name: 'Neighbouring groups' });
const connected = (page: Page, timeout = 30_000) =>
  expect(neighbours(page)).toContainText(`connected${groupPeersMax} tabs, reached over 2 bridges.`.slice(9), { timeout });

test('ten tabs in two groups keep bridges; one that is killed is replaced; a cut is seen by all and heals', async () => {
  test.setTimeout(240_000);
  const { cluster, close } = await openCluster({ GROUP_PEERS_MAX: String(groupPeersMax) });
  try {
    const { peers, groups } = await twoGroups(cluster);
    const beganAt = performance.now();
    for (const { page } of peers) await connected(page);
    console.log(`two bridges seen by all ten tabs after ${((performance.now() - beganAt) / 1000).toFixed(1)} s more`);
    const [watcher] = groups[0] as [Peer];
    await expect(watcher.page.locator('.bridge-line')).not.toHaveCount(0);
    await expect(watcher.page.getByRole('group', { name: /5 peers, 1 neighbouring group/ })).toBeVisible();

    // A click on somebody of the other group: what it runs and holds, asked of itself.
    const stranger = await groups[1][0]!.page.evaluate(() => globalThis.lull.self.name);
    await watcher.page.getByRole('button', { name: new RegExp(`^${stranger} of `) }).click();
    const card = watcher.page.getByRole('region', { name: 'Selected peer' });
    await expect(card).toContainText(stranger);
    await expect(card).toContainText('nothing now');

    // The link between the groups is cut: both say so, and go on.
    await cut(
      groups[0].map(({ page }) => page),
      groups[1].map(({ page }) => page),
    );
    for (const { page } of peers) await expect(neighbours(page)).toContainText('cut off', { timeout: 30_000 });
    await heal(peers.map(({ page }) => page));
    const healedAt = performance.now();
    for (const { page } of peers) await connected(page, 90_000);
    console.log(`bridges again ${((performance.now() - healedAt) / 1000).toFixed(1)} s after the cut was healed`);

    // A bridge dies: another takes its place.
    const titles = await watcher.page.locator('.bridge-line title').allTextContents();
    const bridgeNames = new Set(titles.map((title) => /from (\S+) to/.exec(title)![1]!));
    const named = await Promise.all(
      groups[0].map(async (peer) => ({ peer, name: await peer.page.evaluate(() => globalThis.lull.self.name) })),
    );
    const dead = named.find(({ peer, name }) => peer !== watcher && bridgeNames.has(name))!;
    await dead.peer.profile.kill();
    const killedAt = performance.now();
    const rest = groups[0].filter((peer) => peer !== dead.peer);
    for (const { page } of rest) {
      await page.waitForFunction(
        (gone) => {
          const heres = [...document.querySelectorAll('.bridge-line title')].map(
            ({ textContent }) => /from (\S+) to/.exec(textContent)![1]!,
          );
          return new Set(heres.filter((name) => name !== gone)).size >= 2 && !heres.includes(gone);
        },
        dead.name,
        { timeout: 30_000 },
      );
    }
    console.log(`another bridge ${((performance.now() - killedAt) / 1000).toFixed(1)} s after one was killed`);
  } finally {
    await close();
  }
});
