// Without the server the site still opens, and shows what this browser holds.
import { expect, test } from './harness/cluster.ts';
import { donate } from './harness/profile.ts';

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

test(
  'with the server gone, a tab that donates goes on running what it holds, each part in a new sandbox',
  { tag: '@soak' },
  async ({ cluster }) => {
    const { page } = await cluster.join();
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await donate(page);
    const run = (name: string) =>
      page.evaluate(async (what) => {
        const found = await globalThis.lull.map('export default (n) => n * 2;', { range: [0, 5] }, { name: what }).values();
        return JSON.stringify(found);
      }, name);
    const expected = JSON.stringify([0, 2, 4, 6, 8]);
    expect(await run('Before')).toBe(expected);
    await cluster.server.kill();
    // Nothing that was opened before is left.
    await page.evaluate(() => {
      for (const frame of document.querySelectorAll('iframe')) frame.remove();
    });
    expect(await run('Meanwhile')).toBe(expected);
    // The kept page has no origin either, though no attribute took it away.
    const frames = () => page.frames().filter((frame) => frame.url().endsWith('/sandbox.html'));
    await expect.poll(() => frames().length).toBeGreaterThan(0);
    for (const frame of frames()) expect(await frame.evaluate(() => window.origin)).toBe('null');
  },
);
