// The escapes of attacks.spec.ts in Firefox as it is: another engine, another sandbox.
import { expect, test } from '@playwright/test';
import type { Page } from 'puppeteer-core';
import { attacks } from './attacks/attacks.ts';
import { attempt, type RangePage } from './attacks/attempt.ts';
import { expectKnownGlobals } from './attacks/globals.ts';
import { keepSecrets } from './attacks/witness.ts';
import { attackSite, type AttackSite } from './harness/attack-site.ts';
import { startFirefox, type Firefox } from './harness/firefox.ts';

let site: AttackSite;
let firefox: Firefox;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  site = await attackSite();
  firefox = await startFirefox();
});
test.afterAll(async () => {
  await firefox?.close();
  await site?.close();
});

const rangePage = (page: Page): RangePage => ({ evaluate: (run, argument) => page.evaluate(run as never, argument as never) as never });

async function openRange(): Promise<Page> {
  const page = await firefox.browser.newPage();
  await page.goto(`${site.origin}/`);
  await page.waitForFunction('window.range !== undefined');
  return page;
}

test('in Firefox no escape that works in a plain Worker works in a job', { tag: '@soak' }, async () => {
  test.setTimeout(300_000);
  const [page, witness] = [rangePage(await openRange()), rangePage(await openRange())];
  const secret = Math.random().toString(36).slice(2).padEnd(12, 'x');
  await witness.evaluate(keepSecrets, { secret, site: site.origin });
  const rows: { name: string; control: boolean; job: boolean }[] = [];
  const quiet: (() => boolean)[] = [];
  for (const [at, attack] of attacks.entries()) {
    const control = await attempt(site, attack, 'control', at, page, witness, secret);
    const job = await attempt(site, attack, 'job', at, page, witness, secret);
    if (!job.worked) quiet.push(job.stillQuiet);
    rows.push({ name: attack.name, control: control.worked, job: job.worked });
  }
  const counted = rows.filter(({ control }) => control);
  console.log(
    `${await firefox.browser.version()}: ${counted.length} of ${rows.length} work in a plain Worker; of these ${counted.filter(({ job }) => job).length} in a job.`,
  );
  console.log(
    `What it does not have: ${rows
      .filter(({ control }) => !control)
      .map(({ name }) => name)
      .join(', ')}.`,
  );
  expect(rows.filter(({ job }) => job).map(({ name }) => name)).toEqual([]);
  expect(counted.length).toBeGreaterThanOrEqual(40);
  expect(
    quiet.every((still) => still()),
    'nothing reached a judge late',
  ).toBe(true);
});

test('a Firefox that brings something new into the scope of Workers is noticed', { tag: '@soak' }, async () => {
  await expectKnownGlobals(rangePage(await openRange()));
});
