// axe finds nothing on any page, by day and by night; no page is wider than a phone.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright';
import { expect, test } from './harness/cluster.ts';
import { donate } from './harness/profile.ts';

test.use({ browsers: 'shared' });

const code = `export default (n, task) => {
  if (n === 3) { task.log('about to fail'); throw new RangeError('No room at ' + n); }
  if (n === 5) throw new TypeError('Of another kind');
  return { n, root: Math.sqrt(n) };
};`;
const reduce = `export default (values) => ({
  heatmap: { x: [0, 1], y: [0, 1], values: [[0, 1], [1, 0]], xLabel: 'across', yLabel: 'up' },
  lines: { x: values.map((v) => v.n), series: [{ name: 'root', y: values.map((v) => v.root) }], xLabel: 'n', yLabel: 'root' },
});`;

/** Within the page, as a link does. */
const goTo = (page: Page, path: string) =>
  page.evaluate((to) => {
    history.pushState(null, '', to);
    dispatchEvent(new PopStateEvent('popstate'));
  }, path);

/** By night only what may differ from day: colours. */
async function violations(page: Page, where: string, all: boolean): Promise<string[]> {
  const builder = new AxeBuilder({ page }).setLegacyMode(true).exclude('iframe');
  const { violations: found } = await (all ? builder : builder.withRules(['color-contrast', 'link-in-text-block'])).analyze();
  return found.map(
    ({ id, nodes }) =>
      `${where}: ${id}: ${nodes
        .map(({ target }) => target.join(' '))
        .slice(0, 3)
        .join(' ; ')}`,
  );
}

// Twelve seconds where nobody else wants the processor; axe looks at every element of every page, and slow machines have few.
test.setTimeout(180_000);

test('axe finds nothing wrong on any page, light or dark, and nothing is wider than a phone', async ({ cluster }) => {
  const { page } = await cluster.join();
  const wrong: string[] = [];
  const look = async (where: string) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      wrong.push(...(await violations(page, `${where} (${colorScheme})`, colorScheme === 'light')));
    }
    await page.setViewportSize({ width: 390, height: 844 });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (over > 0) wrong.push(`${where}: ${over} px wider than 390`);
    await page.setViewportSize({ width: 1360, height: 860 });
  };
  // Before anybody said yes, and after.
  await expect(page.getByRole('button', { name: 'Start donating' })).toBeVisible();
  await look('/ for a newcomer');
  await donate(page);
  const ids = await page.evaluate(
    async (spec) => {
      const failing = await globalThis.lull.submit({ name: 'Some fail', code: spec.code, inputs: { range: [0, 40] } });
      const whole = await globalThis.lull.submit({
        name: 'Drawn',
        code: spec.code.replaceAll('n === ', 'n < 0 && n === '),
        reduce: spec.reduce,
        inputs: { range: [0, 40] },
      });
      const text = await globalThis.lull.put('some text', { name: 'a.txt', type: 'text/plain' });
      await Promise.all([failing.done, whole.done]);
      return [failing.id, whole.id, text.object];
    },
    { code, reduce },
  );
  for (const path of ['/', '/jobs', '/samples', '/examples', '/network', '/data', '/usage', '/settings', '/no/such/page']) {
    await goTo(page, path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await look(path);
  }
  await goTo(page, `/data/${ids[2]}`);
  await expect(page.getByRole('heading', { name: 'a.txt' })).toBeVisible();
  await look('an object');
  await goTo(page, '/jobs/new');
  await page.getByRole('button', { name: 'Monte Carlo' }).click();
  await expect(page.getByLabel('Reduce')).toHaveAttribute('contenteditable', 'true');
  await look('/jobs/new');
  await goTo(page, `/jobs/${ids[0]}`);
  await expect(page.getByText('failed: No room at 3')).toBeVisible();
  await page.getByText('The code that runs, and its arguments').click();
  await expect(page.getByText('Of another kind').first()).toBeVisible();
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('row').getByRole('button', { name: '0', exact: true }).click();
  await expect(page.getByLabel('Item 0')).toBeVisible();
  await look('a job with failures');
  await goTo(page, `/jobs/${ids[1]}`);
  await expect(page.getByRole('img', { name: /^up by across/ })).toBeVisible();
  await page.getByRole('tab', { name: 'Histogram' }).click();
  await expect(page.getByRole('img', { name: /how large/ })).toBeVisible();
  await look('a job that is drawn');
  await goTo(page, '/');
  await page.getByRole('button', { name: 'Look at Some fail' }).click();
  await expect(page.getByRole('dialog').getByText('export default')).toBeVisible();
  await look('what runs here, looked at');
  expect(wrong).toEqual([]);
});
