// The boot document decides what a tab is.
import { busyCode, collect, expect, submitRange, test } from './harness/cluster.ts';
import { donate } from './harness/profile.ts';
import { readFile } from 'node:fs/promises';

test.use({ browsers: 'shared' });

const boot = new URL('../public/boot.xml', import.meta.url);

test('without a binding the tab runs alone, and everything works locally', async ({ cluster }) => {
  const profile = await cluster.profile();
  const document = (await readFile(boot, 'utf8')).replace(/<binding [^>]*\/>/, '');
  await profile.context.route('**/boot.xml', (route) => route.fulfill({ contentType: 'application/xml', body: document }));
  const page = await profile.tab(cluster.server.url);
  expect(await page.evaluate(() => globalThis.lull.peers().length)).toBe(1);
  await donate(page);
  const job = await submitRange(page, 'Local', busyCode(1), 50);
  const { state, results } = await collect(page, job);
  expect(state).toBe('done');
  expect(results).toHaveLength(50);
});

test('a broken boot document is refused with its line and the reason, and the page says so', async ({ cluster }) => {
  const profile = await cluster.profile();
  await profile.context.route('**/boot.xml', (route) =>
    route.fulfill({ contentType: 'application/xml', body: '<?xml version="1.0"?>\n<lull version="1">\n  <security-manager>\n</lull>' }),
  );
  const page = await profile.context.newPage();
  await page.goto(cluster.server.url);
  await expect(page.getByText(/line 4/i).first()).toBeVisible();
});
