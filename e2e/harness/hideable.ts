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
  /** Ends the browser's process at once, as a crash or a power cut would. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

export interface HideableOptions {
  /** Where the profile is kept: it outlives the browser. Where nothing is said, what it kept is gone when it closes. */
  readonly folder?: string;
  readonly extraArgs?: readonly string[];
  /** Before the site is opened. */
  readonly onPage?: (page: Page) => void;
}

export async function hideableTab(url: string, { folder, extraArgs = [], onPage }: HideableOptions = {}): Promise<HideableTab> {
  const place = folder ?? (await mkdtemp(join(tmpdir(), 'lull-hideable-')));
  const browser = await launch({
    executablePath: findBrowser()!,
    ignoreDefaultArgs: true,
    args: ['--headless', '--remote-debugging-port=0', `--user-data-dir=${place}`, ...chromiumArgs, ...extraArgs, 'about:blank'],
    defaultViewport: { width: 1360, height: 860 },
  });
  const ended = new Promise<void>((resolve) => browser.once('disconnected', () => resolve()));
  const [page] = await browser.pages();
  if (page === undefined) throw new Error('the browser opened no tab');
  onPage?.(page);
  await page.goto(url);
  await page.evaluate(() => globalThis.lull.ready);
  const other = await browser.newPage();
  await page.bringToFront();
  return {
    page,
    hide: () => other.bringToFront(),
    show: () => page.bringToFront(),
    kill: async () => {
      browser.process()!.kill('SIGKILL');
      await ended;
    },
    close: async () => {
      await browser.close();
      if (folder === undefined) await rm(place, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
