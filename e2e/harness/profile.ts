// A browser profile: one donor, or one submitter. Either a real Chromium of its own, whose process can be killed as a crash would, or a context
// of one that this program's profiles share.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright';
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

/** The pages that Chromium keeps ready behind each window's address bar: a third of what a window costs. */
const addressBar = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'WebUIOmniboxFullPopup'];

/** What Playwright turns off by itself and matters here, said again: the last such switch counts alone. */
const ofPlaywright = [
  'AimEnabled',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
  'PreconnectToSearch',
  'ThirdPartyStoragePartitioning',
];
const without = (features: readonly string[]) => `--disable-features=${features.join(',')}`;
const playwrightArgs = [...chromiumArgs, without([...addressBar, ...ofPlaywright])];

/**
 * Playwright turns off the partitioning of storage that people's browsers have, and then Chromium gives embedded pages no storage at all.
 * The last of these switches counts.
 */
export const storageForEmbedded = [without(addressBar)];

/**
 * 'own': a process that can be killed, and a folder that the next one finds again. 'shared': storage, locks and channels of its own in a Chromium
 * that others use too, which spares the start of one; killed are its tabs' processes, and its storage is in memory.
 */
export type BrowserKind = 'own' | 'shared';

export interface ProfileOptions {
  /** 'own' where nothing is said. */
  readonly browser?: BrowserKind;
  readonly colorScheme?: 'light' | 'dark';
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly extraArgs?: readonly string[];
  /** Runs on this processor alone, counted from 0, as on a machine that has no other. Linux only; for a browser of its own. */
  readonly processor?: number;
  /** SIGINT and the like are the program's to handle; otherwise they end the browser and the program. */
  readonly leavesSignals?: boolean;
}

export class Profile {
  private constructor(
    /** Of a browser of its own. */
    private readonly folder: string | undefined,
    private readonly options: ProfileOptions,
    public context: BrowserContext,
  ) {}

  static async open(options: ProfileOptions = {}): Promise<Profile> {
    if (options.browser === 'shared') {
      if (options.extraArgs !== undefined || options.processor !== undefined)
        throw new Error('arguments and a processor are for a browser of its own');
      return new Profile(undefined, options, await (await sharedBrowser()).newContext(contextOptions(options)));
    }
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

  /** Ends the browser's process at once, as a crash or a power cut would; where the browser is shared, those of the tabs. */
  async kill(): Promise<void> {
    if (this.folder === undefined) {
      await Promise.all(this.context.pages().map((page) => crash(page)));
      return;
    }
    const pid = await this.processId();
    const closed = new Promise<void>((resolve) => this.context.once('close', () => resolve()));
    process.kill(pid, 'SIGKILL');
    await closed;
  }

  async processId(): Promise<number> {
    if (this.folder === undefined) throw new Error('a shared browser is nobody’s own');
    const session = await this.context.browser()!.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    return processInfo.find((info) => info.type === 'browser')!.id;
  }

  /** The same profile, without tabs: in a new process, where it has its own. */
  async reopen(): Promise<void> {
    if (this.folder === undefined) {
      await Promise.all(this.context.pages().map((page) => page.close()));
      return;
    }
    await this.context.close().catch(() => undefined);
    this.context = await launch(this.folder, this.options);
  }

  async close(): Promise<void> {
    await this.context.close().catch(() => undefined);
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function crash(page: Page): Promise<void> {
  const crashed = new Promise<void>((resolve) => page.once('crash', () => resolve()));
  const devtools = await page.context().newCDPSession(page);
  // Never answered: the process is gone.
  void devtools.send('Page.crash').catch(() => undefined);
  await crashed;
}

const contextOptions = ({ viewport, colorScheme }: ProfileOptions) => ({
  viewport: viewport ?? { width: 1360, height: 860 },
  colorScheme: colorScheme ?? ('light' as const),
  acceptDownloads: true,
});

function executable(): string {
  const found = findBrowser();
  if (found === undefined) throw new Error('no Chromium found: npm test installs one or says how to');
  return found;
}

/** A program that starts the browser on one processor: what it starts stays there too. */
async function executableOn(processor: number, folder: string): Promise<string> {
  const path = join(folder, 'browser');
  await writeFile(path, `#!/bin/sh\nexec taskset --cpu-list ${processor} '${executable()}' "$@"\n`, { mode: 0o700 });
  return path;
}

async function launch(folder: string, options: ProfileOptions): Promise<BrowserContext> {
  const { processor } = options;
  return chromium.launchPersistentContext(folder, {
    executablePath: processor === undefined ? executable() : await executableOn(processor, folder),
    headless: true,
    args: [...playwrightArgs, ...(options.extraArgs ?? [])],
    ...contextOptions(options),
    ...(options.leavesSignals === true && { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false }),
  });
}

let shared: Promise<Browser> | undefined;

/** Started when first asked for. It ends with this program. */
async function sharedBrowser(): Promise<Browser> {
  const browser = await (shared ??= chromium.launch({ executablePath: executable(), headless: true, args: playwrightArgs }));
  if (browser.isConnected()) return browser;
  shared = undefined;
  return sharedBrowser();
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
