// Somebody types into an animated page while a donor of the same machine computes: what frames and keys lose by it.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright';
import { busyCode, submitRange } from '../harness/cluster.ts';
import { Profile } from '../harness/profile.ts';
import type { Server } from '../harness/server.ts';
import { report } from './report.ts';
import { bootstrapMedian, median } from './statistics.ts';

const pairs = 10;
const lengthMs = 20_000;
const keyEveryMs = 120;
const frameMsMax = 2;
const inputMsMax = 5;

const html = `<!doctype html><title>somebody works here</title><style>div { width: 60px; height: 60px; background: teal; }</style><div></div><textarea></textarea><script>
  const box = document.querySelector('div'); let last = 0; let seen = { frames: [], keys: [] };
  const frame = (now) => { if (last > 0) seen.frames.push(now - last); last = now; box.style.transform = 'translateX(' + (now / 4 % 300) + 'px)'; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  document.querySelector('textarea').addEventListener('keydown', (event) => seen.keys.push(performance.now() - event.timeStamp));
  function take() { const taken = seen; seen = { frames: [], keys: [] }; return taken; }
</script>`;

interface Felt {
  readonly frameMs: number;
  readonly inputMs: number;
}

const p99 = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)]!;

async function work(page: Page): Promise<Felt> {
  const take = () => page.evaluate('take()') as Promise<{ frames: number[]; keys: number[] }>;
  await page.locator('textarea').focus();
  await take();
  const end = Date.now() + lengthMs;
  while (Date.now() < end) {
    await page.keyboard.press('a');
    await page.waitForTimeout(keyEveryMs);
  }
  const { frames, keys } = await take();
  return { frameMs: p99(frames), inputMs: p99(keys) };
}

/** In another program: a page of Lull itself stops at the first key. */
export async function frames(server: Server): Promise<void> {
  const site = createServer((_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end(html));
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  const [donor, person] = [await Profile.open(), await Profile.open()];
  try {
    const page = await donor.tab(server.url);
    const desk = await person.context.newPage();
    await desk.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
    const donate = (on: boolean) => page.evaluate((wanted) => globalThis.lull.donate(wanted, { idleAfterSeconds: 0.5 }), on);
    await donate(true);
    const job = await submitRange(page, 'beside', busyCode(20), 5_000_000);
    const beside: Felt[] = [];
    const idle: Felt[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      await donate(true);
      await page.waitForFunction(() => globalThis.lull.metrics().running.some(({ phase }) => phase === 'running'), undefined, {
        timeout: 60_000,
      });
      beside.push(await work(desk));
      await donate(false);
      idle.push(await work(desk));
    }
    const more = (of: (felt: Felt) => number) => bootstrapMedian(beside.map((felt, i) => of(felt) - of(idle[i]!)));
    const plain = (of: (felt: Felt) => number) => `${median(beside.map(of)).toFixed(1)} against ${median(idle.map(of)).toFixed(1)} ms`;
    report(
      `frame time p99 beside Lull, ms more, ${pairs} pairs of ${lengthMs / 1_000} s`,
      more(({ frameMs }) => frameMs),
      frameMsMax,
      plain(({ frameMs }) => frameMs),
      'at most',
    );
    report(
      'input delay p99 beside Lull, ms more',
      more(({ inputMs }) => inputMs),
      inputMsMax,
      plain(({ inputMs }) => inputMs),
      'at most',
    );
    await page.evaluate((id) => globalThis.lull.job(id)!.cancel(), job);
  } finally {
    await Promise.allSettled([donor.close(), person.close()]);
    site.close();
  }
}
