// The Data page in real tabs: put by drag and drop, watched as it spreads, opened by its link in a browser that never had it.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright';
import { expect, test } from './harness/cluster.ts';

test.use({ browsers: 'shared' });

const MiB = 1024 * 1024;

/** Bytes that no coding gets right by chance, made alike in the tab and here. */
function noise(bytes: number): Buffer {
  const words = new Uint32Array(bytes / 4);
  for (let i = 0, x = 7; i < words.length; i++) words[i] = x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
  return Buffer.from(words.buffer);
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Drops a file of noise onto the page, as a hand would that let it go anywhere. */
const dropNoise = (page: Page, name: string, bytes: number) =>
  page.evaluate(
    ([fileName, size]) => {
      const words = new Uint32Array(size / 4);
      for (let i = 0, x = 7; i < words.length; i++) words[i] = x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([words], fileName, { type: 'application/octet-stream' }));
      const target = document.querySelector('[aria-label="My objects"]')!;
      for (const type of ['dragenter', 'dragover', 'drop'])
        target.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer }));
    },
    [name, bytes] as const,
  );

const goTo = async (page: Page, name: string) => {
  await page.getByRole('link', { name, exact: true }).click();
  await expect(page).toHaveTitle(`${name} · Lull`);
};

test('a dropped file spreads to two donors, and a browser that never had it gets it byte-exact by the link', async ({ cluster }) => {
  const { submitter } = await cluster.donorsAndSubmitter(2);
  const { page, profile } = submitter;
  await profile.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await goTo(page, 'Data');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('You have put nothing here yet');
  const size = 5 * MiB + 4;
  await dropNoise(page, 'tide table.bin', size);

  // Every cell it should have is online: at the least one for each donor.
  const row = page.getByRole('table', { name: 'My objects' }).getByRole('row').filter({ hasText: 'tide table.bin' });
  await expect(row.getByRole('button', { name: /^Health: (All \d+|Both) (slices|copies) are online/ })).toBeVisible({ timeout: 40_000 });
  await expect(row.locator('.cells b:not(.online)')).toHaveCount(0);
  expect(await row.locator('.cells .online').count()).toBeGreaterThanOrEqual(2);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Your object is well kept');
  await row.getByRole('button', { name: 'Copy link' }).click();
  await expect(row.getByText('Copied')).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toMatch(new RegExp(`^${cluster.server.url}/data/[0-9a-f]{64}$`));

  const other = await cluster.join(new URL(link).pathname);
  await expect(other.page.getByRole('heading', { name: 'tide table.bin' })).toBeVisible();
  await expect(other.page.getByText(/(\d+ of \d+|All \d+|Both) (slices|copies) are online/)).toBeVisible();
  const download = other.page.waitForEvent('download');
  await other.page.getByRole('button', { name: 'Get' }).click();
  const saved = await download;
  expect(saved.suggestedFilename()).toBe('tide table.bin');
  const bytes = await readFile((await saved.path())!);
  expect({ size: bytes.length, sha256: sha256(bytes) }).toEqual({ size, sha256: sha256(noise(size)) });

  // The bare id, opened from the field, leads to the same place.
  await goTo(other.page, 'Data');
  await other.page.getByLabel('Open a reference').fill(`look: ${link.split('/').at(-1)}`);
  await other.page.getByRole('button', { name: 'Open', exact: true }).click();
  await expect(other.page).toHaveURL(link);
});

test('a small text is shown when it is got, an empty file is an object too, and what nobody has is said to be so', async ({ cluster }) => {
  const { page } = await cluster.join('/data');
  await page.getByLabel('Put a file').setInputFiles([
    { name: 'hello.txt', mimeType: 'text/plain', buffer: Buffer.from('The tide came in at six. <b>Not bold.</b>') },
    { name: 'empty.dat', mimeType: '', buffer: Buffer.alloc(0) },
  ]);
  const table = page.getByRole('table', { name: 'My objects' });
  const row = (name: string) => table.getByRole('row').filter({ hasText: name });
  await expect(row('hello.txt')).toBeVisible({ timeout: 20_000 });
  for (const [name, size] of [
    ['hello.txt', 41],
    ['empty.dat', 0],
  ] as const) {
    const download = page.waitForEvent('download');
    await row(name).getByRole('button', { name: 'Get' }).click();
    expect((await readFile((await (await download).path())!)).length).toBe(size);
    if (name === 'hello.txt') await expect(page.getByRole('figure', { name: /hello/ })).toContainText('<b>Not bold.</b>');
  }
  await page.getByLabel('Open a reference').fill('ab'.repeat(32));
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('This object cannot be found now', { timeout: 30_000 });
});

test('a file larger than the space allowed is refused in a sentence, before anything is sent', async ({ cluster }) => {
  const { page } = await cluster.join('/data');
  await page.evaluate(() => globalThis.lull.donate(false, { storageMiB: 4 }));
  await expect(page.getByText('of 4 MB allowed')).toBeVisible();
  await dropNoise(page, 'too much.bin', 6 * MiB);
  await expect(page.getByRole('alert')).toHaveText(
    'too much.bin has 6 MB, more than the 4 MB this browser is allowed to use: allow more on the Donate page, or put a smaller file.',
  );
  await expect(page.getByRole('table', { name: 'My objects' })).toHaveCount(0);
});

test('the browser is asked to keep the data when a file is put or donating starts, and not before', async ({ cluster }) => {
  const profile = await cluster.profile();
  await profile.context.addInitScript(() => {
    const asked = { times: 0 };
    Object.assign(globalThis, { asked });
    StorageManager.prototype.persist = () => {
      asked.times++;
      return Promise.resolve(asked.times > 1);
    };
  });
  const times = (page: Page) => page.evaluate(() => (globalThis as unknown as { asked: { times: number } }).asked.times);
  const page = await profile.tab(`${cluster.server.url}/data`);
  await expect(page.getByText('The browser may clear this when space runs short.')).toBeVisible();
  expect(await times(page)).toBe(0);
  await dropNoise(page, 'a.bin', 1024);
  await expect(page.getByText('it was asked not to, and said no')).toBeVisible();
  expect(await times(page)).toBe(1);
  await page.getByRole('button', { name: 'Ask again' }).click();
  await expect(page.getByText('Kept until you remove it.')).toBeVisible();

  const donor = await profile.tab(cluster.server.url);
  await page.close();
  expect(await times(donor)).toBe(0);
  await donor.getByRole('button', { name: 'Start donating' }).click();
  await expect.poll(() => times(donor)).toBe(1);
});

test('a full disk, a private window and a store cleared under the page are each said in a sentence, and the page goes on', async ({
  cluster,
}) => {
  const files = [{ name: 'a.bin', mimeType: '', buffer: noise(256 * 1024) }];

  const full = await cluster.profile();
  await full.context.addInitScript(() => {
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...args: Parameters<typeof put>) {
      if (args[0] instanceof Uint8Array && args[0].length > 10_000) throw new DOMException('', 'QuotaExceededError');
      return put.apply(this, args);
    };
  });
  const fullPage = await full.tab(`${cluster.server.url}/data`);
  await fullPage.getByLabel('Put a file').setInputFiles(files);
  await expect(fullPage.getByRole('alert')).toContainText('a.bin: ');
  await expect(fullPage.getByRole('alert')).toContainText(/no more room|are full/);

  const secret = await cluster.profile();
  await secret.context.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('', 'SecurityError');
    };
  });
  const secretPage = await secret.tab(`${cluster.server.url}/data`);
  await expect(
    secretPage.getByText('This browser does not let the site keep data (a private window, or cookies are blocked).'),
  ).toBeVisible();
  await secretPage.getByLabel('Put a file').setInputFiles(files);
  await expect(secretPage.getByRole('table', { name: 'My objects' })).toContainText('a.bin');

  const { page } = await cluster.join('/data');
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin: cluster.server.url, storageTypes: 'all' });
  await expect(page.getByRole('alert')).toContainText('Reload the page to go on');
  await page.getByRole('button', { name: 'Reload' }).click();
  await expect(page.getByText('Reload the page to go on')).toHaveCount(0);
  await page.getByLabel('Put a file').setInputFiles(files);
  await expect(page.getByRole('table', { name: 'My objects' })).toContainText('a.bin');
});
