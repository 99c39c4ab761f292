// A donor's tab that can be hidden as a person hides it. Playwright keeps each of its pages visible and focused, so this browser is
// driven by puppeteer-core, without the arguments that it adds by itself.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch, type Page } from 'puppeteer-core';
import { findBrowser } from '../browser.mjs';
import { chromiumArgs } from './profile.ts';

export interface HideableTab {
  readonly page: Page;
  /** Another tab comes to the front. */
  hide(): Promise<void>;
  show(): Promise<void>;
  close(): Promise<void>;
}

export async function hideableTab(url: string): Promise<HideableTab> {
  const folder = await mkdtemp(join(tmpdir(), 'lull-hideable-'));
  const browser = await launch({
    executablePath: findBrowser()!,
    ignoreDefaultArgs: true,
    args: ['--headless', '--remote-debugging-port=0', `--user-data-dir=${folder}`, ...chromiumArgs, 'about:blank'],
  });
  const [page] = await browser.pages();
  if (page === undefined) throw new Error('the browser opened no tab');
  await page.goto(url);
  await page.evaluate(() => globalThis.lull.ready);
  const other = await browser.newPage();
  await page.bringToFront();
  return {
    page,
    hide: () => other.bringToFront(),
    show: () => page.bringToFront(),
    close: async () => {
      await browser.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
