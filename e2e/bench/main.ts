// npm run bench: the figures of docs/NUMBERS.md, as ratios of alternating pairs in one run. `-- efficiency noop return killed coding transfer million foreign frames idle` picks some.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import type { Page } from 'playwright';
import { donate, Profile, seesMembers } from '../harness/profile.ts';
import { startServer } from '../harness/server.ts';
import { coding } from './coding.ts';
import { foreign } from './foreign.ts';
import { frames } from './frames.ts';
import { idle } from './idle.ts';
import { million } from './million.ts';
import { report } from './report.ts';
import { bootstrapMedian, median } from './statistics.ts';
import { transfer } from './transfer.ts';

const figures = ['efficiency', 'noop', 'return', 'killed', 'coding', 'transfer', 'million', 'foreign', 'frames', 'idle'] as const;
const wanted = new Set(process.argv.slice(2));
const unknown = [...wanted].filter((name) => !(figures as readonly string[]).includes(name));
if (unknown.length > 0) {
  console.error(`There is no figure "${unknown[0]}": npm run bench -- ${figures.join(' ')}, or some of them.`);
  process.exit(2);
}
const runs = (name: (typeof figures)[number]) => wanted.size === 0 || wanted.has(name);
const pairs = 10;
const server = await startServer();
const profiles: Profile[] = [];
const open = async () => {
  const profile = await Profile.open();
  profiles.push(profile);
  return { profile, page: await profile.tab(server.url) };
};
console.log(`${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}, headless Chromium, 1 worker a donor`);
try {
  if (runs('efficiency')) await efficiency();
  if (runs('noop')) await noop();
  if (runs('return')) await returning();
  if (runs('killed')) await killed();
  if (runs('coding')) await coding();
  if (runs('transfer')) await transfer();
  if (runs('million')) await million(server);
  if (runs('foreign')) await foreign(server);
  if (runs('frames')) await frames(server);
  if (runs('idle')) await idle(server);
} finally {
  await Promise.allSettled(profiles.map((profile) => profile.close()));
  await server.stop();
}

/**
 * Work of a fixed number of steps, so that a slower place shows; the same text runs bare and in a job. Of 32-bit numbers with a sign: with others the
 * engine compiles it again and again, and runs it four times slower for seconds at a time, wherever it runs.
 */
function stepsCode(steps: number): string {
  return `export default (item) => { let x = item + 1; for (let i = 0; i < ${steps}; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0; return x; };`;
}

async function efficiency(): Promise<void> {
  const donor = await open();
  const submitter = await open();
  await donate(donor.page);
  await seesMembers(submitter.page, 2);
  const bare = await bareBrowser();
  const stepsPerMs = await bare.calibrate();
  for (const [ms, items, target] of [
    [100, 60, 0.985],
    [10, 600, 0.97],
    [1, 6_000, 0.92],
  ] as const) {
    const code = stepsCode(Math.round(stepsPerMs * ms));
    const ratios: number[] = [];
    const rates: number[] = [];
    await lullRate(submitter.page, code, items);
    for (let pair = 0; pair < pairs; pair++) {
      const lull = await lullRate(submitter.page, code, items);
      const alone = await bare.rate(code, items);
      ratios.push(lull / alone);
      rates.push(lull);
    }
    report(
      `efficiency at ${ms} ms an item (${items} items a run, end to end)`,
      bootstrapMedian(ratios),
      target,
      `median ${median(rates).toFixed(1)} items/s`,
    );
  }
  await bare.close();
}

/** Items a second from the tab being free to close until the job is done. */
async function lullRate(page: Page, code: string, items: number): Promise<number> {
  return page.evaluate(
    async ({ code: text, items: count }) => {
      const job = await globalThis.lull.submit({ name: 'bench', code: text, inputs: { range: [0, count] } });
      const began = performance.now();
      if ((await job.done) !== 'done') throw new Error(job.reason);
      return (1000 * count) / (performance.now() - began);
    },
    { code, items },
  );
}

/** A page of its own browser that runs the same module in a bare Worker. */
async function bareBrowser() {
  const site = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><title>bare</title>'));
  await new Promise<void>((resolve) => site.listen(0, 'localhost', resolve));
  const profile = await Profile.open();
  profiles.push(profile);
  const page = await profile.context.newPage();
  await page.goto(`http://localhost:${(site.address() as AddressInfo).port}/`);
  const rate = (code: string, items: number) =>
    page.evaluate(
      ([text, count]) =>
        new Promise<number>((resolve, reject) => {
          const source = `${text.replace('export default', 'const run =')}
            onmessage = ({ data }) => { const out = []; for (let i = 0; i < data; i++) out.push(run(i)); postMessage(out); };
            postMessage('ready');`;
          const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
          let began = 0;
          worker.addEventListener('error', (event) => reject(new Error(event.message)));
          worker.addEventListener('message', ({ data }) => {
            if (data === 'ready') {
              began = performance.now();
              worker.postMessage(count);
              return;
            }
            worker.terminate();
            resolve((1000 * count) / (performance.now() - began));
          });
        }),
      [code, items] as const,
    );
  return {
    rate,
    calibrate: async () => {
      const steps = 1_000_000;
      const tries: number[] = [];
      for (let i = 0; i < 5; i++) tries.push(await rate(stepsCode(steps), 100));
      return (median(tries) * steps) / 1000;
    },
    close: async () => {
      await profile.close();
      site.close();
    },
  };
}

async function noop(): Promise<void> {
  const { page } = await open();
  await donate(page);
  const rates: number[] = [];
  for (let run = 0; run < pairs; run++) rates.push(await lullRate(page, 'export default (item) => item;', 500_000));
  report('no-op items a second, one tab that submits and donates (500 000 items, end to end)', bootstrapMedian(rates), 50_000, '');
}

async function returning(): Promise<void> {
  const donor = await open();
  const submitter = await open();
  await donate(donor.page);
  await seesMembers(submitter.page, 2);
  const job = await submitter.page.evaluate(async () => {
    const code = 'export default (item) => { const end = performance.now() + 5; while (performance.now() < end); return item; };';
    return (await globalThis.lull.submit({ name: 'long', code, inputs: { range: [0, 1_000_000] } })).id;
  });
  const tookMs: number[] = [];
  for (let run = 0; run < pairs; run++) {
    await donor.page.goto('about:blank');
    // By the page's own clock: from the start of the navigation to its first committed part.
    await donor.page.goto(server.url, { waitUntil: 'commit' });
    await donor.page.waitForFunction(() => globalThis.lull !== undefined);
    tookMs.push(
      await donor.page.evaluate(async () => {
        await globalThis.lull.ready;
        while (globalThis.lull.metrics().given.parts === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        return performance.now();
      }),
    );
  }
  await submitter.page.evaluate((id) => globalThis.lull.job(id)!.cancel(), job);
  report('a returning donor: navigation to first committed part, ms', bootstrapMedian(tookMs), 700, '', 'at most');
}

async function killed(): Promise<void> {
  const tookMs: number[] = [];
  const submitter = await open();
  const keeper = await open();
  await donate(keeper.page);
  for (let run = 0; run < 5; run++) {
    const victim = await open();
    await donate(victim.page);
    await seesMembers(submitter.page, 3);
    const identity = await victim.page.evaluate(() => globalThis.lull.self.identity);
    const job = await submitter.page.evaluate(async () => {
      const code = 'export default (item) => { const end = performance.now() + 20; while (performance.now() < end); return item; };';
      return (await globalThis.lull.submit({ name: 'long', code, inputs: { range: [0, 100_000] } })).id;
    });
    await victim.page.waitForFunction(() => globalThis.lull.metrics().given.parts > 2, undefined, { timeout: 60_000 });
    const held = await submitter.page.evaluate(
      async ([id, by]) =>
        (await globalThis.lull.job(id)!.overview()).spans
          .filter((span) => span.state === 'claimed' && span.by === by)
          .map((span) => span.range),
      [job, identity] as const,
    );
    await victim.profile.kill();
    const began = Date.now();
    // Another owner, or a result, for every item the victim had claimed.
    await submitter.page.evaluate(
      async ([id, by, ranges]) => {
        for (;;) {
          const { spans } = await globalThis.lull.job(id)!.overview();
          const elsewhere = spans.filter((span) => span.state !== 'waiting' && !(span.state === 'claimed' && span.by === by));
          // Spans lie apart, and the items of one function may be in several.
          const left = ranges.map(([first, end]) =>
            elsewhere.reduce((items, { range }) => items - Math.max(0, Math.min(end, range[1]) - Math.max(first, range[0])), end - first),
          );
          if (left.every((items) => items === 0)) return;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      },
      [job, identity, held] as const,
    );
    tookMs.push(Date.now() - began);
    await submitter.page.evaluate((id) => globalThis.lull.job(id)!.cancel(), job);
  }
  report(
    `a killed donor's functions elsewhere (claimed by another, or done), ms, ${tookMs.length} kills`,
    bootstrapMedian(tookMs),
    1_000,
    '',
    'at most',
  );
}
