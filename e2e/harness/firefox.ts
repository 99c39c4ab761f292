// Firefox as it is, driven by WebDriver BiDi. Playwright would want a Firefox of its own making.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch, type Browser } from 'puppeteer-core';
import { ensureFirefox } from '../browser.mjs';

export interface Firefox {
  readonly browser: Browser;
  close(): Promise<void>;
}

export async function startFirefox(): Promise<Firefox> {
  const folder = await mkdtemp(join(tmpdir(), 'lull-firefox-'));
  const browser = await launch({
    browser: 'firefox',
    executablePath: ensureFirefox(),
    headless: true,
    userDataDir: folder,
    protocolTimeout: 60_000,
  });
  return {
    browser,
    close: async () => {
      await browser.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
