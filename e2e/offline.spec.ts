// Without the server the site still opens, and shows what this browser holds.
import { expect, test } from './harness/cluster.ts';

test(
  'with the server gone, a page that was opened before opens again with its data, and joins when the server is back',
  { tag: '@soak' },
  async ({ cluster }) => {
    const { page, profile } = await cluster.join('/jobs/new');
    await expect(page.getByLabel('Code')).toHaveAttribute('contenteditable', 'true');
    await page.evaluate(async () => {
      await globalThis.lull.put('the tide comes in', { name: 'tide.txt', type: 'text/plain' });
      // Every part of the site is kept once it is there.
      await navigator.serviceWorker.ready;
    });
    await page.close();
    await cluster.server.kill();

    const again = await profile.tab(`${cluster.server.url}/data`);
    await expect(again.getByRole('link', { name: 'tide.txt' })).toBeVisible();
    await expect(again.getByText('No other tab can be reached')).toBeVisible();
    // Parts that are fetched only when they are needed are there as well.
    await again.getByRole('link', { name: 'Jobs', exact: true }).click();
    await again.getByRole('button', { name: 'New job' }).click();
    await expect(again.getByLabel('Code')).toHaveAttribute('contenteditable', 'true');
    await cluster.server.restart();
    await expect(again.getByText('No other tab can be reached')).toHaveCount(0, { timeout: 40_000 });
  },
);
