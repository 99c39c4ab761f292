// A machine so busy that the browser takes long to open the site's data: the tab begins without it, and begins anew with it.
import type { Page } from '@playwright/test';
import { expect, test } from './harness/cluster.ts';
import { get, put } from './harness/objects.ts';

test.use({ browsers: 'shared' });

const openMs = 9_000;
const notice = 'takes long to open';

/** The next time that the page is loaded, and only then. */
async function slowOnce(page: Page): Promise<void> {
  await page.addInitScript((ms) => {
    if (sessionStorage.getItem('slow') === null) return;
    sessionStorage.removeItem('slow');
    const open = indexedDB.open.bind(indexedDB);
    indexedDB.open = (name, version) => {
      const request = open(name, version);
      if (name !== 'lull') return request;
      const listen = request.addEventListener.bind(request);
      request.addEventListener = (type: string, heard: EventListenerOrEventListenerObject) => {
        listen(type, (event) => {
          const tell = () => (typeof heard === 'function' ? heard.call(request, event) : heard.handleEvent(event));
          if (type === 'success') setTimeout(tell, ms);
          else tell();
        });
      };
      return request;
    };
  }, openMs);
  await page.evaluate(() => sessionStorage.setItem('slow', 'yes'));
}

test(
  'a tab whose data opens late has it without being loaded anew, and what it was given meanwhile',
  { tag: '@soak' },
  async ({ cluster }) => {
    const { page } = await cluster.join();
    const before = await put(page, 'from before');
    await slowOnce(page);
    await page.reload();
    await page.evaluate(() => globalThis.lull.ready);
    await expect(page.getByText(notice)).toBeVisible();
    const meanwhile = await put(page, 'meanwhile');
    expect([await get(page, before), await get(page, meanwhile)]).toEqual(['not here', 'meanwhile']);
    await expect(page.getByText(notice)).toBeHidden({ timeout: 2 * openMs });
    await expect.poll(() => get(page, before)).toBe('from before');
    expect(await get(page, meanwhile)).toBe('meanwhile');
    await page.reload();
    await page.evaluate(() => globalThis.lull.ready);
    expect([await get(page, before), await get(page, meanwhile)]).toEqual(['from before', 'meanwhile']);
  },
);
