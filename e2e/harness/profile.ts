// A real Chromium with a profile of its own: one donor, or one submitter. Its process can be killed as a crash would.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright';
import { findBrowser } from '../browser.mjs';
import type { Limits, Lull } from '../../web/sdk/types.ts';

declare global {
  // oxlint-disable-next-line no-var -- a global can only be declared so
  var lull: Lull;
}

export const chromiumArgs = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
];

/**
 * Playwright turns off the partitioning of storage that people's browsers have, and then Chromium gives embedded pages no storage at all.
 * The last of these switches counts.
 */
export const storageForEmbedded = ['--disable-features=Translate'];

export interface ProfileOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly extraArgs?: readonly string[];
  /** SIGINT and the like are the program's to handle; otherwise they end the browser and the program. */
  readonly leavesSignals?: boolean;
}

export class Profile {
  private constructor(
    private readonly folder: string,
    private readonly options: ProfileOptions,
    public context: BrowserContext,
  ) {}

  static async open(options: ProfileOptions = {}): Promise<Profile> {
    const folder = await mkdtemp(join(tmpdir(), 'lull-profile-'));
    return new Profile(folder, options, await launch(folder, options));
  }

  /** A tab of this profile on `url`, its kernel started. */
  async tab(url: string): Promise<Page> {
    const page = this.context.pages().find((open) => open.url() === 'about:blank') ?? (await this.context.newPage());
    page.on('pageerror', (error) => console.error(`page error: ${error.message}`));
    page.on('console', (message) => {
      // A server that was killed on purpose is no news.
      const wanted =
        process.env['VERBOSE'] !== undefined || (message.type() === 'error' && !message.text().includes('ERR_CONNECTION_REFUSED'));
      if (wanted) console.error(`[tab] ${message.text()}`);
    });
    await page.goto(url);
    await page.evaluate(() => globalThis.lull.ready);
    return page;
  }

  /** Ends the browser's process at once, as a crash or a power cut would. */
  async kill(): Promise<void> {
    const pid = await this.processId();
    const closed = new Promise<void>((resolve) => this.context.once('close', () => resolve()));
    process.kill(pid, 'SIGKILL');
    await closed;
  }

  async processId(): Promise<number> {
    const session = await this.context.browser()!.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    return processInfo.find((info) => info.type === 'browser')!.id;
  }

  /** The same profile in a new process. */
  async reopen(): Promise<void> {
    await this.context.close().catch(() => undefined);
    this.context = await launch(this.folder, this.options);
  }

  async close(): Promise<void> {
    await this.context.close().catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function launch(folder: string, options: ProfileOptions): Promise<BrowserContext> {
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error('no Chromium found: npm test installs one or says how to');
  return chromium.launchPersistentContext(folder, {
    executablePath,
    headless: true,
    args: [...chromiumArgs, ...(options.extraArgs ?? [])],
    viewport: options.viewport ?? { width: 1360, height: 860 },
    colorScheme: options.colorScheme ?? 'light',
    acceptDownloads: true,
    ...(options.leavesSignals === true && { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false }),
  });
}

/** Starts donating; several donors of one machine are foreign load to each other, so they ignore it. */
export async function donate(page: Page, limits: Partial<Limits> = {}): Promise<void> {
  await page.evaluate((wanted) => globalThis.lull.donate(true, wanted), {
    cores: 1,
    idleAfterSeconds: 0,
    whenBusy: 'ignore' as const,
    ...limits,
  });
}

/** Waits until `page` sees `count` members, itself among them. */
export async function seesMembers(page: Page, count: number, timeout = 20_000): Promise<void> {
  await page.waitForFunction((wanted) => globalThis.lull.peers().length >= wanted, count, { timeout, polling: 100 });
}
