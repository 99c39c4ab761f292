// The real adapters in a real Chromium: the contract suites, and what only several tabs, a reload or a full disk can show.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, expect, test, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { build } from 'vite';
import { startServer, type RunningServer } from '../signaling/server.ts';
import { findBrowser } from './browser.mjs';
import type { Adapters } from './fixtures/adapters/page.ts';

declare global {
  // oxlint-disable-next-line no-var -- a global can only be declared so
  var adapters: Adapters;
}

const chromiumArgs = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
];

let folder: string;
let server: RunningServer;
let browser: Browser;
let context: BrowserContext;

const serve = (port: number) =>
  startServer({
    port,
    host: 'localhost',
    tls: null,
    siteDirectory: folder,
    iceServers: [],
    trustProxy: false,
    origins: [],
    report: () => undefined,
  });

test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lull-adapters-'));
  await build({
    configFile: false,
    root: fileURLToPath(new URL('fixtures/adapters', import.meta.url)),
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  });
  server = await serve(0);
  browser = await chromium.launch({
    executablePath: findBrowser()!,
    args: chromiumArgs,
  });
});
test.afterAll(async () => {
  await browser?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});
test.beforeEach(async () => {
  context = await browser.newContext();
});
test.afterEach(async () => {
  await context.close();
});

async function tab(of = context): Promise<Page> {
  const page = await of.newPage();
  await page.goto(server.url);
  await page.waitForFunction(() => globalThis.adapters !== undefined);
  return page;
}

for (const port of ['clock', 'storage', 'transport']) {
  test(`the ${port} of a real page keeps the ${port} contract`, async () => {
    test.setTimeout(180_000);
    const page = await tab();
    const names = (await page.evaluate(() => globalThis.adapters.contractTests())).filter((name) => name.startsWith(`${port}: `));
    expect(names.length).toBeGreaterThan(5);
    for (const name of names)
      await test.step(name, async () => expect(await page.evaluate((each) => globalThis.adapters.runContract(each), name)).toBe(''));
    expect(await page.evaluate(() => globalThis.adapters.errors)).toEqual([]);
  });
}

test('the coder of a real page keeps the coder contract, compiled to SIMD in its Worker', async () => {
  const page = await tab();
  const names = (await page.evaluate(() => globalThis.adapters.contractTests())).filter((name) => name.startsWith('coder: '));
  expect(names.length).toBeGreaterThan(5);
  for (const name of names)
    await test.step(name, async () => expect(await page.evaluate((each) => globalThis.adapters.runContract(each), name)).toBe(''));
  expect(await page.evaluate(() => globalThis.adapters.codingMethod())).toBe('simd');
  expect(await page.evaluate(() => globalThis.adapters.errors)).toEqual([]);
});

/** The far one in a profile of its own, where that is given. */
async function linkedTabs(farProfile = context): Promise<{ near: Page; far: Page; binding: string }> {
  const [near, far] = [await tab(), await tab(farProfile)];
  const farPeer = await far.evaluate(() => globalThis.adapters.tab.start());
  await near.evaluate(() => globalThis.adapters.tab.start());
  const binding = await near.evaluate((peer) => globalThis.adapters.tab.dial(peer), farPeer);
  await far.waitForFunction(() => globalThis.adapters.tab.links.length === 1);
  return { near, far, binding };
}

test('two tabs link over the server, agree on the binding and talk on both planes', async () => {
  const { near, far, binding } = await linkedTabs();
  expect(binding).toMatch(/^[0-9a-f]{128}$/);
  expect(
    await far.evaluate(() => [...globalThis.adapters.tab.links[0]!.binding].map((byte) => byte.toString(16).padStart(2, '0')).join('')),
  ).toBe(binding);
  await near.evaluate(() => globalThis.adapters.tab.send('say hello'));
  await near.waitForFunction(() => globalThis.adapters.tab.heard.includes('hello'));
  const rate = await near.evaluate(() => globalThis.adapters.tab.pump(32));
  console.log(`  data plane between two tabs: ${rate.toFixed(1)} MB/s`);
  expect(rate).toBeGreaterThan(1);
});

test('links outlive the server, and new ones open when it is back', async () => {
  const { near, far } = await linkedTabs();
  const { port } = server;
  await server.close();
  await near.evaluate(() => globalThis.adapters.tab.send('say still here'));
  await near.waitForFunction(() => globalThis.adapters.tab.heard.includes('still here'));
  const farPeer = await far.evaluate(() => globalThis.adapters.tab.peer);
  await expect.poll(() => near.evaluate((peer) => globalThis.adapters.tab.dial(peer), farPeer)).toBe('unreachable');
  server = await serve(port);
  await expect
    .poll(() => near.evaluate((peer) => globalThis.adapters.tab.dial(peer), farPeer), { timeout: 40_000 })
    .toMatch(/^[0-9a-f]{128}$/);
  expect(await near.evaluate(() => globalThis.adapters.tab.closes)).toBe(0);
});

test('a tab that starts while the server is away is told so, and reached once it is back', async () => {
  const [late, other] = [await tab(), await tab()];
  const { port } = server;
  await server.close();
  const said = await late.evaluate(() => globalThis.adapters.tab.start().then(String, (error: Error) => error.message));
  expect(said).toContain('unreachable');
  server = await serve(port);
  await other.evaluate(() => globalThis.adapters.tab.start());
  const peer = await late.evaluate(() => globalThis.adapters.tab.peer);
  await expect
    .poll(() => other.evaluate((each) => globalThis.adapters.tab.dial(each), peer), { timeout: 60_000 })
    .toMatch(/^[0-9a-f]{128}$/);
});

test('a tab that closes is noticed by the other side', async () => {
  const { near, far } = await linkedTabs();
  const began = Date.now();
  await far.close();
  await near.waitForFunction(() => globalThis.adapters.tab.closes === 1, undefined, { timeout: 30_000 });
  console.log(`  a closed tab was noticed after ${Date.now() - began} ms`);
  expect(Date.now() - began).toBeLessThan(3_000);
});

test('a tab whose process dies is noticed by the transport alone, in bounded time', async () => {
  const { near, far } = await linkedTabs(await browser.newContext());
  const began = Date.now();
  const session = await far.context().newCDPSession(far);
  // Never answered: the process is gone.
  void session.send('Page.crash').catch(() => undefined);
  await near.waitForFunction(() => globalThis.adapters.tab.closes === 1, undefined, { timeout: 40_000 });
  console.log(`  a crashed tab was noticed after ${Date.now() - began} ms`);
  expect(Date.now() - began).toBeLessThan(30_000);
  await far.context().close();
});

test('a reload keeps the store and the identity, a deleted database comes back as another store', async () => {
  const page = await tab();
  const look = () => page.evaluate(async () => [await globalThis.adapters.openStore(), await globalThis.adapters.identity()] as const);
  const [before, who] = await look();
  expect(who).toMatchObject({ signs: true, kept: true, extractable: false });
  await page.reload();
  await page.waitForFunction(() => globalThis.adapters !== undefined);
  const [after, again] = await look();
  expect([after, again]).toEqual([before, who]);
  await page.reload();
  await page.waitForFunction(() => globalThis.adapters !== undefined);
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        indexedDB.deleteDatabase('lull').onsuccess = () => resolve();
      }),
  );
  const [evicted, still] = await look();
  expect(evicted).toHaveProperty('store');
  expect(evicted).not.toEqual(before);
  expect(still.identity).toBe(who.identity);
});

test('two tabs of one profile that open at once have one identity and one store', async () => {
  const tabs = await Promise.all([tab(), tab(), tab()]);
  const seen = await Promise.all(
    tabs.map((page) =>
      page.evaluate(async () => JSON.stringify([(await globalThis.adapters.identity()).identity, await globalThis.adapters.openStore()])),
    ),
  );
  expect(new Set(seen).size).toBe(1);
});

test('a full store says so in a sentence, still reads, and takes more once something is deleted', async () => {
  const page = await context.newPage();
  // Before the first write: the browser remembers for a while how much room it saw.
  const session = await context.newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(server.url).origin, quotaSize: 40 * 1024 * 1024 });
  await page.goto(server.url);
  await page.waitForFunction(() => globalThis.adapters !== undefined);
  const { fault, kept, stillReads, frees } = await page.evaluate(() => globalThis.adapters.fillStore());
  expect(fault).toBe('The browser gives this site no more room for data.');
  expect(kept).toBeGreaterThan(0);
  expect([stillReads, frees]).toEqual([true, true]);
  expect(await page.evaluate(() => globalThis.adapters.errors)).toEqual([]);
});

test('a browser that refuses to keep data is a sentence, not an exception', async () => {
  await context.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('denied', 'SecurityError');
    };
  });
  const page = await tab();
  expect(await page.evaluate(() => globalThis.adapters.openStore())).toEqual({
    fault: 'This browser does not let the site keep data (a private window, or cookies are blocked).',
  });
  expect(await page.evaluate(() => globalThis.adapters.errors)).toEqual([]);
});

test('a newer site in another tab closes this one’s database, and this tab says so', async () => {
  const [old, newer] = [await tab(), await tab()];
  await old.evaluate(() => globalThis.adapters.openStore());
  await newer.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.open('lull', 2);
        request.onsuccess = () => resolve();
        request.onblocked = () => reject(new Error('blocked'));
      }),
  );
  await old.waitForFunction(() => globalThis.adapters.reports.length > 0);
  expect(await old.evaluate(() => globalThis.adapters.reports)).toEqual(['A newer version of Lull runs in another tab.']);
  expect(await newer.evaluate(() => globalThis.adapters.openStore())).toEqual({
    fault: 'The data here was written by a newer version of Lull: reload the page.',
  });
});

test('writes that hold a promise are flushed to a real disk, and what that costs', async () => {
  // A profile on disk: contexts made by newContext keep their data in memory.
  const profile = await mkdtemp(join(tmpdir(), 'lull-disk-'));
  const onDisk = await chromium.launchPersistentContext(profile, { executablePath: findBrowser()!, args: chromiumArgs });
  try {
    const page = await tab(onDisk);
    const rates = await page.evaluate(() => globalThis.adapters.writeRates());
    for (const [what, ms] of Object.entries(rates)) console.log(`  ${what}: ${ms.toFixed(2)}`);
    expect(rates['ms per small event (strict)']).toBeLessThan(1_000);
  } finally {
    await onDisk.close();
    await rm(profile, { recursive: true, force: true });
  }
});

test('one tab of a profile speaks for it; when it goes another takes over', async () => {
  const [first, second, third] = [await tab(), await tab(), await tab()];
  const speaks = (page: Page) => page.evaluate(() => globalThis.adapters.speaks);
  await first.evaluate(() => globalThis.adapters.elect());
  await expect.poll(() => speaks(first)).toEqual(['elected']);
  await second.evaluate(() => globalThis.adapters.elect());
  await expect.poll(() => speaks(second)).toEqual(['waiting']);
  await third.evaluate(() => globalThis.adapters.elect());
  await expect.poll(() => speaks(third)).toEqual(['waiting']);
  await first.close();
  await expect.poll(() => speaks(second)).toEqual(['waiting', 'elected']);
  expect(await speaks(third)).toEqual(['waiting']);
  await second.evaluate(() => globalThis.adapters.resign());
  await expect.poll(() => speaks(third)).toEqual(['waiting', 'elected']);
});

test('timers tick from a Worker, also where the page’s own are throttled', async () => {
  const page = await tab();
  expect(await page.evaluate(() => globalThis.adapters.ticksFrom())).toBe('worker');
  const session = await context.newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: 1 });
  // Page timers as slow as in a tab that is hidden for long: whatever waits on them waits a minute.
  await page.evaluate(() => {
    const slow = globalThis.setTimeout;
    globalThis.setTimeout = ((run: () => void, ms = 0) => slow(run, ms + 60_000)) as typeof setTimeout;
  });
  const gaps = await page.evaluate(() => globalThis.adapters.tickGaps());
  const worst = gaps.toSorted((a, b) => a - b).at(-3)!;
  console.log(`  50 ms timers: median ${gaps.toSorted((a, b) => a - b)[20]!.toFixed(1)} ms, third worst ${worst.toFixed(1)} ms`);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50);
  expect(worst).toBeLessThan(500);
});

test('input is heard in the same event, in the tab itself and in the profile’s other tabs', async () => {
  const [typed, other] = [await tab(), await tab()];
  for (const page of [typed, other]) expect((await page.evaluate(() => globalThis.adapters.watchMachine())).cores).toBeGreaterThan(0);
  await typed.bringToFront();
  await typed.getByLabel('typing').press('a');
  await other.waitForFunction(() => globalThis.adapters.inputs.length > 0);
  // The key, and what it typed.
  await expect.poll(() => typed.evaluate(() => globalThis.adapters.inputs.length)).toBeGreaterThan(1);
  const heard = await typed.evaluate(() => globalThis.adapters.inputs);
  expect(Math.max(...heard)).toBeLessThan(100);
  await typed.mouse.move(50, 60);
  await expect.poll(() => typed.evaluate(() => globalThis.adapters.inputs.length)).toBeGreaterThan(heard.length);
  expect(await typed.evaluate(() => globalThis.adapters.errors)).toEqual([]);
});
