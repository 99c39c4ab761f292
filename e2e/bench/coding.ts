// The erasure code in a real Worker: gigabytes of data a second, beside a package and a copy of the same bytes, in alternating pairs.
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright';
import { build } from 'vite';
import { startServer } from '../../signaling/server.ts';
import { Profile } from '../harness/profile.ts';
import type { Coding } from './coding/page.ts';
import type { Direction } from './coding/worker.ts';
import { intervalText, report } from './report.ts';
import { bootstrapMedian, median } from './statistics.ts';

declare global {
  // oxlint-disable-next-line no-var -- a global can only be declared so
  var coding: Coding;
}

const codes = [
  [4, 6],
  [8, 12],
  [10, 16],
  [4, 16],
] as const;
const pairs = 12;
/** Of one measurement: many calls, and short enough that both of a pair meet the same weather. */
const windowMs = 80;

export async function coding(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lull-coding-'));
  const profile = await Profile.open();
  await build({
    configFile: false,
    root: fileURLToPath(new URL('coding', import.meta.url)),
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
    worker: { format: 'es' },
  });
  // The site's own server, so that its policy is in force.
  const server = await startServer({
    port: 0,
    host: 'localhost',
    tls: null,
    siteDirectory: folder,
    iceServers: [],
    trustProxy: false,
    origins: [],
    report: () => undefined,
  });
  try {
    const page = await profile.context.newPage();
    await page.goto(server.url);
    await page.waitForFunction(() => globalThis.coding !== undefined);
    const rival = await readFile(createRequire(import.meta.url).resolve('@digitaldefiance/reed-solomon-erasure.wasm/wasm'));
    await page.evaluate((bytes) => globalThis.coding.setUp(bytes), [...rival]);
    for (const [k, n] of codes) for (const direction of ['encode', 'decode'] as const) await compare(page, direction, k, n);
    for (const direction of ['encode', 'decode'] as const) for (const atOnce of [1, 4]) await throughPort(page, direction, atOnce);
    console.log(`         coded by: ${await page.evaluate(() => globalThis.coding.method())}`);
  } finally {
    await profile.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A segment of data, and one of the size of a function's record. */
async function throughPort(page: Page, direction: Direction, atOnce: number): Promise<void> {
  const rateOf = async (bytes: number) => {
    const rates: number[] = [];
    for (let run = 0; run < pairs; run++)
      rates.push(
        await page.evaluate(([way, size, calls, ms]) => globalThis.coding.portRate(way, 4, 6, size, calls, ms), [
          direction,
          bytes,
          atOnce,
          2 * windowMs,
        ] as const),
      );
    return rates;
  };
  const large = (await rateOf(2 ** 20)).map((rate) => (rate * 2 ** 20) / 1e9);
  const small = (await rateOf(300)).map((rate) => 1e6 / rate);
  console.log(
    `         ${direction} 4+2 through the port, ${atOnce} at once: ${intervalText(bootstrapMedian(large))} GB/s of data; 300 bytes in ${intervalText(bootstrapMedian(small))} us a call`,
  );
}

async function compare(page: Page, direction: Direction, k: number, n: number): Promise<void> {
  const rates = { ours: [] as number[], xors: [] as number[], copy: [] as number[], package: [] as number[] };
  for (let pair = 0; pair < pairs; pair++)
    for (const subject of ['ours', 'copy', 'package', 'xors'] as const) {
      const rate = await page.evaluate(([what, way, of, all, ms]) => globalThis.coding.rate(what, way, of, all, ms), [
        subject,
        direction,
        k,
        n,
        windowMs,
      ] as const);
      if (rate !== null) rates[subject].push(rate);
    }
  const ratioTo = (other: readonly number[]) => bootstrapMedian(rates.ours.map((rate, pair) => rate / other[pair]!));
  const title = `${direction} ${k}+${n - k}`;
  const copied = `a copy of the data ${median(rates.copy).toFixed(1)}, ours to it ${intervalText(ratioTo(rates.copy))}; the XORs alone ${median(rates.xors).toFixed(1)}`;
  report(`${title}, GB/s of data, buffer to buffer`, bootstrapMedian(rates.ours), 4, copied);
  if (rates.package.length === 0) console.log(`         ${title}: the package refuses it`);
  else report(`${title}, times the package`, ratioTo(rates.package), 10, `the package ${median(rates.package).toFixed(3)} GB/s`);
}
