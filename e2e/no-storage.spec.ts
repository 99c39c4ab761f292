// A browser that lets sites keep nothing: the tab gives, computes and says what it cannot do.
import { expect, test } from './harness/cluster.ts';
import { donate } from './harness/profile.ts';

test(
  'where the browser throws at the mere name of databases and storage, a tab still gives and computes',
  { tag: '@soak' },
  async ({ cluster }) => {
    const profile = await cluster.profile();
    await profile.context.addInitScript(() => {
      for (const name of ['indexedDB', 'localStorage', 'sessionStorage'])
        Object.defineProperty(globalThis, name, {
          get() {
            throw new DOMException('The operation is insecure.', 'SecurityError');
          },
        });
    });
    const page = await profile.tab(cluster.server.url);
    await expect(page.getByText('This browser keeps no data for websites')).toBeVisible();
    await page.getByRole('button', { name: 'Start donating' }).click();
    await expect(page.getByRole('button', { name: 'Stop donating' })).toBeVisible();
    await donate(page);
    expect(await page.evaluate(() => globalThis.lull.map((n: number) => n * 2, [1, 2, 3]).values())).toEqual([2, 4, 6]);
    await page.getByRole('link', { name: 'Jobs', exact: true }).click();
    await page.getByRole('button', { name: 'New job' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Typed');
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Typed');
  },
);
