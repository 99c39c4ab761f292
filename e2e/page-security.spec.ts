// What a page of the site would do with markup, scripts and addresses that came from somebody else: nothing.
import { busyCode, collect, expect, submitRange, test } from './harness/cluster.ts';
import { donate } from './harness/profile.ts';

test.use({ browsers: 'shared' });

test('no text becomes markup or script in a page of the site, and no Worker is started from elsewhere', async ({ cluster }) => {
  const { page } = await cluster.join();
  const tried = await page.evaluate(async () => {
    const refusals: string[] = [];
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => refusals.push(effectiveDirective));
    const box = document.createElement('div');
    const attempt = (run: () => unknown) => {
      try {
        run();
        return 'done';
      } catch (error) {
        return (error as Error).name;
      }
    };
    const made = {
      markup: attempt(() => (box.innerHTML = '<img src=x onerror="globalThis.owned = true">')),
      worker: attempt(() => new Worker('https://elsewhere.example/x.js')),
      blobWorker: attempt(() => new Worker(URL.createObjectURL(new Blob(['1'])))),
      handler: attempt(() => box.setAttribute('onclick', 'globalThis.owned = true')),
      policy: attempt(() =>
        (globalThis as unknown as { trustedTypes: { createPolicy(name: string, rules: object): void } }).trustedTypes.createPolicy(
          'mine',
          {},
        ),
      ),
    };
    const script = document.createElement('script');
    attempt(() => (script.text = 'globalThis.owned = true'));
    document.body.append(script, box);
    box.click();
    await new Promise((settled) => setTimeout(settled, 200));
    return { made, owned: 'owned' in globalThis, refusals: refusals.length };
  });
  expect(tried.owned).toBe(false);
  expect(tried.made.markup).toBe('TypeError');
  expect(tried.made.worker).toBe('TypeError');
  expect(tried.made.blobWorker).toBe('TypeError');
  expect(tried.made.policy).toBe('TypeError');
  expect(tried.refusals).toBeGreaterThan(0);

  // What a peer names and makes is shown as the text that it is; and with all this in force a job still runs from end to end.
  await donate(page);
  const name = '<img src=x onerror="globalThis.owned = true">';
  const job = await submitRange(page, name, busyCode(1), 20);
  expect((await collect(page, job)).state).toBe('done');
  await page.goto(`${cluster.server.url}/jobs/${job}`);
  await expect(page.getByRole('heading', { name })).toBeVisible();
  expect(await page.evaluate(() => 'owned' in globalThis)).toBe(false);
});
