// A team is a link: who opens it gives in its name, and all who have it see what they gave together, by what was signed.
import type { Page } from '@playwright/test';
import { collect, expect, submitRange, test } from './harness/cluster.ts';
import { donate, seesMembers } from './harness/profile.ts';

const team = (page: Page) => page.getByRole('region', { name: 'Team' });

test(
  'a team is made and joined by its link, shows what both gave together and nothing else, and is left again',
  { tag: '@soak' },
  async ({ cluster }) => {
    const [maker, stranger] = [await cluster.join('/usage'), await cluster.join()];
    await maker.profile.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await team(maker.page).getByLabel('Make a team').fill('Night owls');
    await team(maker.page).getByRole('button', { name: 'Make it' }).click();
    await expect(team(maker.page)).toContainText('Nothing was given in its name yet');
    await team(maker.page).getByRole('button', { name: 'Copy team link' }).click();
    const link = await maker.page.evaluate(() => navigator.clipboard.readText());

    const friend = await cluster.profile();
    const page = await friend.tab(link);
    // The key does not stay in the address.
    expect(new URL(page.url()).hash).toBe('');
    await expect(page.getByLabel('What you call it')).toHaveValue('Night owls');
    await page.getByRole('button', { name: 'Join the team' }).click();
    await expect(team(page)).toContainText('Your team: Night owls');

    const donors = [maker.page, page, stranger.page];
    await Promise.all(donors.map((each) => seesMembers(each, 3)));
    await Promise.all(donors.map((each) => donate(each)));
    const items = 300;
    const code = 'export default (n) => { const end = performance.now() + 30; while (performance.now() < end); return n; };';
    const job = await submitRange(stranger.page, 'For owls', code, items);
    expect((await collect(stranger.page, job)).state).toBe('done');

    // The same sums for both, and exactly what the ledger says of the two.
    const expected = await stranger.page.evaluate(
      async ([id, owls]) => {
        const { contributors } = await globalThis.lull.job(id)!.overview();
        return contributors.filter(({ identity }) => owls.includes(identity)).reduce((sum, each) => sum + each.items, 0);
      },
      [job, await Promise.all([maker.page, page].map((each) => each.evaluate(() => globalThis.lull.self.identity as string)))] as const,
    );
    expect(expected).toBeGreaterThan(0);
    expect(expected).toBeLessThan(items);
    for (const each of [maker.page, page]) {
      await expect(team(each)).toContainText(new RegExp(`Together you gave ${expected} items in \\d+ parts to 1 job\\.`));
      await expect(team(each).getByRole('row')).toHaveCount(3);
    }

    await team(page).getByRole('button', { name: 'Leave team' }).click();
    await expect(team(page)).toContainText('You left Night owls');
    const alone = await submitRange(stranger.page, 'For nobody', code, items);
    expect((await collect(stranger.page, alone)).state).toBe('done');
    await team(page).getByRole('button', { name: 'Undo' }).click();
    // What was given in between is in nobody's name but one's own.
    await expect(team(page).getByRole('row', { name: '(you)' }).getByRole('cell').last()).toHaveText('1');
    await expect(team(page)).toContainText(/to 2 jobs\./);
  },
);
