// Several groups of real tabs: bridges between them, seen on the Network page; and what happens to them.
import type { Page } from 'playwright';
import { collect, committed, expect, openCluster, submitRange, waitingCode, type Cluster, type Peer } from './harness/cluster.ts';
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

test('ten tabs in two groups keep bridges; one that is killed is replaced; a cut is seen by all and heals', { tag: '@soak' }, async () => {
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

/** Another browser becomes whoever submits, as a person does it. */
async function becomes(page: Page, submitter: Page): Promise<void> {
  await submitter.getByRole('link', { name: 'Settings' }).first().click();
  await submitter.getByRole('button', { name: 'Show the phrase' }).click();
  const words = submitter.getByRole('list', { name: 'The phrase' }).getByRole('listitem');
  await expect(words).toHaveCount(24);
  const phrase = (await words.allInnerTexts()).join(' ');
  const heading = (of: Page) => of.getByRole('heading', { level: 1, name: /^You are / });
  const name = /^You are ([^,]+)/.exec(await heading(submitter).innerText())![1]!;
  await submitter.getByRole('link', { name: 'Network' }).first().click();
  await page.getByRole('link', { name: 'Settings' }).first().click();
  await page.getByLabel('Phrase', { exact: true }).fill(phrase);
  await page.getByRole('button', { name: 'Bring in' }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^Become / })
    .click();
  // The page is loaded anew, as the other person's.
  await expect(heading(page)).toContainText(name, { timeout: 20_000 });
  await page.evaluate(() => globalThis.lull.ready);
  await page.getByRole('link', { name: 'Network' }).first().click();
}

const progressOf = (page: Page, job: string) => page.evaluate((id) => globalThis.lull.job(id)?.progress.committed ?? 0, job);
const stateOf = (page: Page, job: string) => page.evaluate((id) => globalThis.lull.job(id)?.state, job);
/** Who computed what is decided, as `page` knows it. */
const workersOf = (page: Page, job: string) =>
  page.evaluate(async (id) => [...new Set((await (await globalThis.lull.find(id)).results()).flatMap(({ by }) => by))], job);

test(
  'a job uses both groups; cut off for 20 s both work on and both take a setting; healed they agree, every item once',
  { tag: '@soak' },
  async ({ browserName: _browser }, info) => {
    test.setTimeout(400_000);
    const items = 900;
    const { cluster, close } = await openCluster({ GROUP_PEERS_MAX: String(groupPeersMax) });
    try {
      const { peers, groups } = await twoGroups(cluster);
      const [here, there] = groups.map((group) => group.map(({ page }) => page)) as [Page[], Page[]];
      const [submitter, twin] = [here[0]!, there[0]!];
      await becomes(twin, submitter);
      for (const page of [submitter, twin]) await page.evaluate(() => globalThis.lull.donate(false));
      for (const { page } of peers) await connected(page, 60_000);

      const job = await submitRange(submitter, 'Between groups', waitingCode(1_000), items);
      const row = (page: Page) => page.getByRole('region', { name: 'Jobs between groups' }).getByRole('row', { name: /Between groups/ });
      await committed(submitter, job, 20);
      for (const page of [submitter, twin]) await expect(row(page)).toBeVisible({ timeout: 60_000 });
      // Someone over there is at work on it.
      const runsThere = () => Promise.all(there.slice(1).map((page) => page.evaluate(() => globalThis.lull.metrics().running.length)));
      await expect.poll(async () => (await runsThere()).some((running) => running > 0), { timeout: 60_000 }).toBe(true);
      for (const page of [submitter, twin]) await page.getByRole('button', { name: 'Between groups' }).click();
      const clock = submitter.getByRole('group', { name: 'Clock of Between groups' });
      const clockThere = twin.getByRole('group', { name: 'Clock of Between groups' });
      await expect(clock).toContainText(/Its clock here: .* events?, written by/);
      await submitter.screenshot({ path: info.outputPath('both-at-work.png'), fullPage: true });

      await cut(here, there);
      const cutAt = performance.now();
      const before = await Promise.all([submitter, twin].map((page) => progressOf(page, job)));
      await submitter.evaluate((id) => globalThis.lull.job(id)!.setPriority(10), job);
      await twin.evaluate(async (id) => (await globalThis.lull.find(id)).pause(), job);
      await expect.poll(() => stateOf(twin, job)).toBe('paused');
      expect(await stateOf(submitter, job)).toBe('running');
      await twin.evaluate(async (id) => (await globalThis.lull.find(id)).resume(), job);
      await expect.poll(() => stateOf(twin, job)).not.toBe('paused');
      await expect(neighbours(submitter)).toContainText('cut off', { timeout: 20_000 });
      await submitter.screenshot({ path: info.outputPath('cut-off.png'), fullPage: true });
      let after = before;
      const wentOn = async () => {
        after = await Promise.all([submitter, twin].map((page) => progressOf(page, job)));
        return performance.now() - cutAt >= 20_000 && after.every((items, side) => items > before[side]!);
      };
      await expect.poll(wentOn, { timeout: 60_000 }).toBe(true);
      console.log(
        `while cut off the submitter's group went from ${before[0]} to ${after[0]} items, the other from ${before[1]} to ${after[1]}`,
      );

      await heal([...here, ...there]);
      const healedAt = performance.now();
      // Seen from one side and the other: what one is ahead of the other is behind.
      const seen = async () => (await Promise.all([clock, clockThere].map((words) => words.innerText()))).join(' ');
      await expect.poll(seen, { timeout: 90_000 }).toMatch(/concurrent[^]*, then equal/);
      await expect.poll(seen, { timeout: 30_000 }).toMatch(/behind/);
      console.log(
        `in step again ${((performance.now() - healedAt) / 1000).toFixed(1)} s after the cut was healed: ${await clock.innerText()}`,
      );
      await submitter.screenshot({ path: info.outputPath('in-step.png'), fullPage: true });
      // The settings of both sides are in both: neither undid the other.
      for (const page of [submitter, twin]) {
        await page.getByRole('link', { name: 'Jobs' }).first().click();
        await page.getByRole('link', { name: 'Between groups' }).first().click();
        await expect(page.locator('.menu select')).toHaveValue('10');
        expect(await stateOf(page, job)).toBe('running');
      }

      const [one, other] = await Promise.all([collect(submitter, job), collect(twin, job)]);
      expect(one.state).toBe('done');
      expect(other.state).toBe('done');
      expect(one.results.map(({ index }) => index)).toEqual(Array.from({ length: items }, (_, index) => index));
      expect(one.results.map((result) => ('value' in result ? result.value : result.error))).toEqual(
        Array.from({ length: items }, (_, index) => index * 2),
      );
      expect(other.results).toEqual(one.results);
      const identities = (pages: readonly Page[]) => Promise.all(pages.map((page) => page.evaluate(() => globalThis.lull.self.identity)));
      const by = new Set<string>(await workersOf(submitter, job));
      expect((await identities(here)).some((identity) => by.has(identity))).toBe(true);
      expect((await identities(there.slice(1))).some((identity) => by.has(identity))).toBe(true);
    } finally {
      await close();
    }
  },
);
