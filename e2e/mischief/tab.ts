// One of the four: a browser of its own with a donating tab, that is used, hidden, closed and killed like any other.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CDPSession, Page } from 'puppeteer-core';
import type { Random } from '../../web/kernel/platform.ts';
import { hideableTab, type HideableTab } from '../harness/hideable.ts';

/** Bombs stay small enough for the machine that tests. */
const extraArgs = ['--js-flags=--max-old-space-size=256'];
const pages = ['Donate', 'Jobs', 'Network', 'Data', 'Thanks', 'Settings'];
/** None of them presses what has the focus. */
const keys = ['Tab', 'ArrowDown', 'ArrowUp', 'PageDown', 'Home', 'End', 'Escape', 'a', 'z', '5'] as const;

export interface HeapReading {
  readonly heapMiB: number;
  readonly nodes: number;
}

export class MischiefTab {
  private open: HideableTab | undefined;
  private devtools: CDPSession | undefined;
  private hidden = false;
  /** What no tab may do, whatever is done to it: crash, or throw what nobody catches. */
  readonly complaints: string[] = [];

  private constructor(
    readonly name: string,
    private readonly url: string,
    private readonly folder: string,
  ) {}

  static async start(name: string, url: string): Promise<MischiefTab> {
    const tab = new MischiefTab(name, url, await mkdtemp(join(tmpdir(), 'lull-mischief-')));
    await tab.reopen();
    return tab;
  }

  get alive(): boolean {
    return this.open !== undefined;
  }

  /** @throws {Error} where it was killed */
  get page(): Page {
    if (this.open === undefined) throw new Error(`${this.name} is not open`);
    return this.open.page;
  }

  async reopen(): Promise<void> {
    this.open = await hideableTab(this.url, {
      folder: this.folder,
      extraArgs,
      onPage: (page) => {
        page.on('error', (error) => this.complaints.push(`${this.name} crashed: ${error.message}`));
        page.on('pageerror', (error) =>
          this.complaints.push(`${this.name}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`),
        );
      },
    });
    this.hidden = false;
    this.devtools = await this.page.createCDPSession();
    await this.donate();
  }

  /** Several donors of one machine are foreign load to each other, so they ignore it. */
  async donate(): Promise<void> {
    await this.page.evaluate(() => globalThis.lull.donate(true, { cores: 1, idleAfterSeconds: 0.3, whenBusy: 'ignore' }));
  }

  async kill(): Promise<void> {
    const { open } = this;
    this.open = undefined;
    await open?.kill();
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.page.evaluate(() => globalThis.lull.ready);
    await this.donate();
  }

  async close(): Promise<void> {
    await this.open?.close();
    this.open = undefined;
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Nobody touches what nobody sees. */
  async show(): Promise<void> {
    if (this.hidden) await this.open?.show();
    this.hidden = false;
  }

  async hide(): Promise<void> {
    await this.open?.hide();
    this.hidden = true;
  }

  /** Some keys, movements and clicks, wherever they fall; only never on what would take a job back. */
  async touch(random: Random): Promise<void> {
    await this.show();
    const { page } = this;
    const [x, y] = [random.fraction() * 1_360, random.fraction() * 860];
    await page.mouse.move(x, y, { steps: 3 });
    await page.keyboard.press(keys[Math.floor(random.fraction() * keys.length)]!);
    await page.mouse.wheel({ deltaY: (random.fraction() - 0.5) * 1_000 });
    const harmless = await page.evaluate(
      (left, top) => document.elementFromPoint(left, top)?.closest('a, button, input, select, textarea, label, summary, [role]') === null,
      x,
      y,
    );
    if (harmless) await page.mouse.click(x, y);
  }

  async visit(random: Random): Promise<void> {
    await this.show();
    await this.press(`nav ::-p-text(${pages[Math.floor(random.fraction() * pages.length)]!})`);
  }

  /** On the Donate page: whichever of the two buttons is there. */
  async startOrStop(): Promise<void> {
    await this.show();
    await this.press('nav ::-p-text(Donate)');
    await this.press('::-p-aria([name="Stop donating"][role="button"]), ::-p-aria([name="Start donating"][role="button"])');
  }

  private async press(selector: string): Promise<void> {
    const found = await this.page.waitForSelector(selector, { visible: true, timeout: 20_000 });
    await found!.click();
    await found!.dispose();
  }

  /** What is live in the page's own heap: garbage is collected first. */
  async heap(): Promise<HeapReading> {
    const devtools = this.devtools!;
    for (let i = 0; i < 2; i++) await devtools.send('HeapProfiler.collectGarbage');
    const { usedSize } = await devtools.send('Runtime.getHeapUsage');
    const { nodes } = await devtools.send('Memory.getDOMCounters');
    return { heapMiB: usedSize / 2 ** 20, nodes };
  }
}
