// Foreign code tries to get out of the sandbox: by every way a plain Worker of our origin can, and by force. Servers and another
// tab judge what worked. Each attempt runs three times: in a plain Worker (the control: it must work there), in the frame
// without the scrub (what the policy stops by itself), and as a job gets it.
import { chromium, expect, test, type Browser, type Page } from '@playwright/test';
import { attacks, type Told } from './attacks/attacks.ts';
import { attempt, places, runInJob, settleMs, unscrubbedPage, type Place } from './attacks/attempt.ts';
import { expectKnownGlobals } from './attacks/globals.ts';
import { dosCases, hostileMessages, hostileResults } from './attacks/force.ts';
import type { RunOptions, RunReport } from './attacks/host.ts';
import { keepSecrets, makeVictim, readable, witnessed } from './attacks/witness.ts';
import { ensureBrowser } from './browser.mjs';
import { attackSite, type AttackSite } from './harness/attack-site.ts';
import { startServer } from './harness/server.ts';
import type {} from './harness/profile.ts';

const args = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

let site: AttackSite;
let browser: Browser;

test.beforeAll(async () => {
  site = await attackSite();
  browser = await chromium.launch({ executablePath: ensureBrowser(), args });
});
test.afterAll(async () => {
  await browser?.close();
  await site?.close();
});

async function openRange(from: Browser): Promise<Page> {
  const page = await (await from.newContext()).newPage();
  await page.goto(`${site.origin}/`);
  await page.waitForFunction('window.range !== undefined');
  return page;
}

test('no escape that works in a plain Worker works in a job', { tag: '@soak' }, async () => {
  test.setTimeout(300_000);
  const page = await openRange(browser);
  const witness = await page.context().newPage();
  await witness.goto(`${site.origin}/`);
  const secret = Math.random().toString(36).slice(2).padEnd(12, 'x');
  await witness.evaluate(keepSecrets, { secret, site: site.origin });
  const rows: { name: string; kind: string; worked: Record<Place, boolean> }[] = [];
  const quiet: (() => boolean)[] = [];
  for (const [at, attack] of attacks.entries()) {
    const worked: Record<Place, boolean> = { control: false, frame: false, job: false };
    for (const place of places) {
      const made = await attempt(site, attack, place, at, page, witness, secret);
      worked[place] = made.worked;
      if (place !== 'control' && !made.worked) quiet.push(made.stillQuiet);
    }
    rows.push({ name: attack.name, kind: attack.kind, worked });
  }
  const say = (works: boolean) => (works ? 'works' : '-').padEnd(13);
  console.log(`${'attempt'.padEnd(44)}${'on'.padEnd(13)}${'plain Worker'.padEnd(13)}${'frame alone'.padEnd(13)}job`);
  for (const { name, kind, worked } of rows)
    console.log(`${name.padEnd(44)}${kind.padEnd(13)}${say(worked.control)}${say(worked.frame)}${say(worked.job)}`);
  const counted = rows.filter(({ worked }) => worked.control);
  console.log(
    `${counted.length} of ${rows.length} work in a plain Worker; of these ${counted.filter(({ worked }) => worked.job).length} in a job.`,
  );

  expect(
    rows.filter(({ worked }) => !worked.control).map(({ name }) => name),
    'attempts whose control does not work prove nothing',
  ).toEqual([]);
  expect(counted.length).toBeGreaterThanOrEqual(60);
  expect(counted.filter(({ worked }) => worked.job).map(({ name }) => name)).toEqual([]);
  // The policy holds without the scrub, too: only what the machine is like is told by the browser itself.
  expect(counted.filter(({ kind, worked }) => worked.frame && kind !== 'the machine').map(({ name }) => name)).toEqual([]);
  expect(
    quiet.every((still) => still()),
    'nothing reached a judge late',
  ).toBe(true);
  await page.context().close();
});

test('a browser that brings something new into the scope of Workers is noticed', async () => {
  const page = await openRange(browser);
  await expectKnownGlobals(page);
  await page.context().close();
});

test('nor does any work in a job of the real site', async () => {
  test.setTimeout(120_000);
  const server = await startServer();
  try {
    const page = await (await browser.newContext()).newPage();
    await page.goto(server.url);
    const origin = new URL(server.url).origin;
    const secret = Math.random().toString(36).slice(2).padEnd(12, 'x');
    await page.evaluate(() => globalThis.lull.ready);
    await page.evaluate(keepSecrets, { secret, site: origin });
    const told: Told[] = [];
    for (const at of attacks.keys()) {
      const { port } = await site.udp();
      told.push({ mark: `real${at}-${secret.slice(0, 6)}`, site: origin, judge: site.judge, judgeSocket: site.judgeSocket, udpPort: port });
      await page.evaluate(makeVictim, told[at]!.mark);
    }
    const code = `const attempts = [${attacks.map(({ body }) => `async (a) => { ${body} }`).join(',\n')}];
      export default async (item, task) => { try { return { value: await attempts[item](task.args[item]) }; } catch (error) { return { refused: String(error) }; } };`;
    const values = await page.evaluate(
      async ([text, args]) => {
        await globalThis.lull.donate(true, { whenBusy: 'ignore', idleAfterSeconds: 0 });
        const job = await globalThis.lull.submit({
          name: 'attacks',
          code: text,
          inputs: { range: [0, args.length] },
          args,
          limits: { itemMs: 5_000 },
        });
        await job.done;
        return (await job.results()).map((result) => ('value' in result ? (result.value as { value?: unknown }) : {}));
      },
      [code, told] as const,
    );
    await page.waitForTimeout(settleMs);
    const worked: string[] = [];
    for (const [at, { name, seen }] of attacks.entries()) {
      const { mark } = told[at]!;
      const { value } = values[at]!;
      const text = typeof value === 'string' ? value : '';
      if (site.asked.some((path) => path.includes(mark)) || text.includes(secret) || text.startsWith(origin)) worked.push(name);
      if (seen.by === 'witness' && (await page.evaluate(witnessed, { look: seen.look, mark }))) worked.push(name);
      if (seen.by === 'value' && value !== undefined && value !== null) worked.push(name);
      if (seen.by === 'address' && text !== '' && (await page.evaluate(readable, text)) === mark) worked.push(name);
    }
    expect(values.length).toBe(attacks.length);
    expect(worked).toEqual([]);
    await page.context().close();
  } finally {
    await server.stop();
  }
});

test('what a job makes of its messages and results never reaches the page as more than data', async () => {
  test.setTimeout(180_000);
  const page = await openRange(browser);
  const uncaught: string[] = [];
  page.on('pageerror', (error) => uncaught.push(String(error)));
  for (const { name, code, ends } of hostileMessages) {
    const report = await runInJob(page, code, { page: unscrubbedPage, itemMs: 3_000, withinMs: 10_000 });
    expect(ends, name).toContain(report.ended);
  }
  for (const { name, code, error } of hostileResults) {
    const report = await runInJob(page, code, { itemMs: 5_000, withinMs: 10_000 });
    expect(report.ended, name).toBe('finished');
    if (error === undefined) expect(report.errors, name).toEqual([]);
    else expect(report.errors[0]?.message, name).toMatch(error);
  }
  // What the code leaves to nobody is told to its submitter, and not to the console of a donor.
  const careless = `export default async () => { Promise.reject(7); setTimeout(() => { throw 8; }); await new Promise((d) => setTimeout(d, 50)); }`;
  expect((await runInJob(page, careless, { itemMs: 5_000, withinMs: 10_000 })).ended).toBe('finished');
  expect(uncaught).toEqual([]);
  const state = await page.evaluate(() => ({
    polluted: Object.keys(Object.prototype).concat(Object.keys(Array.prototype)),
    stray: window.strayMessages.length,
    own: (window as unknown as { owned?: boolean }).owned,
    frames: document.querySelectorAll('iframe').length,
  }));
  expect(state).toEqual({ polluted: [], stray: 0, own: undefined, frames: 0 });
  await page.context().close();
});

test('code that takes all it can get is stopped, and the page hardly notices', { tag: ['@alone', '@long'] }, async () => {
  test.setTimeout(300_000);
  // A small heap, so that the bombs stay small.
  const small = await chromium.launch({ executablePath: ensureBrowser(), args: [...args, '--js-flags=--max-old-space-size=256'] });
  try {
    const page = await openRange(small);
    // Playwright calls the page crashed when only a frame's process died: so this speaks to the page itself.
    const devtools = await page.context().newCDPSession(page);
    const runHere = async (code: string, options: RunOptions): Promise<RunReport> => {
      const expression = `window.range.runInJob(${JSON.stringify(code)}, ${JSON.stringify(options)})`;
      const { result, exceptionDetails } = await devtools.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
      if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text);
      return result.value as RunReport;
    };
    const rows: string[] = [];
    const wrong: string[] = [];
    for (const { name, code, ends, options } of soak ? dosCases : dosCases.filter((each) => shortly.has(each.name))) {
      const tryOnce = () => runHere(code, { itemMs: 2_000, withinMs: 25_000, ...options });
      let report = await tryOnce();
      // Whatever else runs on this machine makes gaps, too, but hardly twice at the same case.
      if (report.gapMs > gapMsMax) report = await tryOnce();
      rows.push(
        `${name.padEnd(40)}${report.ended.padEnd(14)}page stood still ${report.gapMs.toFixed(0).padStart(4)} ms   verdict after ${report.runMs.toFixed(0).padStart(5)} ms   ${report.message}`,
      );
      // With a minute for an item, it has the time that it takes to fill the memory.
      if (report.runMs > verdictMsMax && (options?.itemMs ?? 0) <= verdictMsMax)
        wrong.push(`the verdict on ${name} took ${report.runMs.toFixed(0)} ms`);
      if (!ends.includes(report.ended)) wrong.push(`${name} ended ${report.ended}`);
      if (report.gapMs > gapMsMax) wrong.push(`${name} held the page up for ${report.gapMs.toFixed(0)} ms`);
      // The next job runs as if nothing had been.
      const after = await runHere('export default (i) => i + 1', { itemMs: 5_000 });
      if (after.readyMs + after.runMs > nextMsMax)
        wrong.push(`after ${name} the next job took ${(after.readyMs + after.runMs).toFixed(0)} ms`);
      if (after.ended !== 'finished' || after.first !== 1) wrong.push(`after ${name} a job ${after.ended}: ${after.message}`);
    }
    console.log(rows.join('\n'));
    expect(wrong).toEqual([]);
  } finally {
    await small.close();
  }
});

const soak = process.env['SOAK'] !== undefined;
/** One of each kind; `npm run soak` takes them all. */
const shortly = new Set([
  'endless loop',
  'endless microtasks',
  'heap bomb',
  'log flood',
  'errors outside of items without end',
  'message flood (regained postMessage)',
  'large message flood (regained)',
  'workers in workers (regained)',
]);
/** A flood straight to a page holds it for seconds. */
const gapMsMax = 500;
const verdictMsMax = 5_000;
const nextMsMax = 2_000;
