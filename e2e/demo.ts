// npm run demo: the whole thing on one terminal. A server, three headless donors, a fourth tab that submits a fractal and a
// word count; live progress; the finished picture and counts in demo-output/.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright';
import { fractal, type FractalArgs, type Tile } from '../web/samples/fractal.ts';
import { wordCount, type WordCounts } from '../web/samples/word-count.ts';
import { pngOf } from './harness/picture.ts';
import { donate, Profile, seesMembers } from './harness/profile.ts';
import { startServer } from './harness/server.ts';

const output = fileURLToPath(new URL('../demo-output/', import.meta.url));
const publicFolder = fileURLToPath(new URL('../public', import.meta.url));
const donorCount = 3;
const began = Date.now();
const say = (line: string) => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);

await mkdir(output, { recursive: true });
const server = await startServer();
const profiles: Profile[] = [];
let failed = false;
try {
  say(`the server is at ${server.url}; it only introduces tabs to each other`);
  for (let i = 0; i <= donorCount; i++) profiles.push(await Profile.open());
  const pages = await Promise.all(profiles.map((profile) => profile.tab(server.url)));
  const [submitter, ...donors] = pages as [Page, ...Page[]];
  await Promise.all(donors.map((page) => donate(page)));
  await Promise.all(pages.map((page) => seesMembers(page, donorCount + 1)));
  const names = await Promise.all(donors.map((page) => page.evaluate(() => globalThis.lull.self.name)));
  say(`donating: ${names.join(', ')}`);
  await drawFractal(submitter);
  await countWords(submitter);
  say('both jobs are done');
} catch (error) {
  failed = true;
  console.error(error);
} finally {
  await Promise.allSettled(profiles.map((profile) => profile.close()));
  await server.stop();
}
process.exit(failed ? 1 : 0);

async function drawFractal(page: Page): Promise<void> {
  const args = fractal.args as FractalArgs;
  const { code } = fractal;
  if (fractal.input.kind !== 'range') throw new Error('the fractal maps over a range');
  const { range } = fractal.input;
  const id = await page.evaluate((spec) => globalThis.lull.submit(spec).then((job) => job.id), {
    name: 'Fractal',
    code,
    args,
    inputs: { range },
  });
  await follow(page, 'Fractal', id);
  // Pixels leave the tab as text: the protocol between the two processes is JSON.
  const tiles = await page.evaluate(async (job) => {
    const values = (await globalThis.lull.job(job)!.values()) as Tile[];
    return values.map((tile) => ({ ...tile, rgba: btoa(Array.from(tile.rgba, (byte) => String.fromCharCode(byte)).join('')) }));
  }, id);
  const picture = new Uint8Array(4 * args.width * args.height);
  for (const { x, y, width, height, rgba } of tiles) {
    const pixels = Buffer.from(rgba, 'base64');
    for (let row = 0; row < height; row++)
      picture.set(pixels.subarray(4 * width * row, 4 * width * (row + 1)), 4 * ((y + row) * args.width + x));
  }
  await write('fractal.png', pngOf(args.width, args.height, picture));
}

async function countWords(page: Page): Promise<void> {
  const { code, reduce, input } = wordCount;
  if (input.kind !== 'file') throw new Error('the word count maps over a file');
  const text = await readFile(publicFolder + input.path, 'utf8');
  const id = await page.evaluate(
    async ({ content, name, ...spec }) => {
      const lines = await globalThis.lull.put(content, { name, type: 'text/plain' });
      return (await globalThis.lull.submit({ ...spec, name: 'Word count', inputs: { lines } })).id;
    },
    { content: text, name: input.fileName, code, reduce: reduce ?? '' },
  );
  await follow(page, 'Word count', id);
  const counts = (await page.evaluate((job) => globalThis.lull.job(job)!.reduced(), id)) as WordCounts;
  await write('word-count.json', JSON.stringify(counts, null, 1));
  const top = counts.words.slice(0, 8).map(([word, times]) => `${word} ${times}`);
  say(`${counts.totalWords} words, ${counts.distinctWords} of them distinct; most frequent: ${top.join(', ')}`);
}

/** Prints progress until the job has ended. @throws Error unless it is done with every item */
async function follow(page: Page, name: string, id: string): Promise<void> {
  let before = '';
  const donorsSeen = () =>
    page.evaluate(async (job) => (await globalThis.lull.job(job)!.overview()).contributors.map((who) => `${who.name} ${who.items}`), id);
  for (;;) {
    const { state, progress, reason } = await page.evaluate((job) => {
      const handle = globalThis.lull.job(job)!;
      return { state: handle.state, progress: handle.progress, reason: handle.reason };
    }, id);
    const line = `${name}: ${bar(progress.committed / Math.max(1, progress.items))} ${progress.committed} of ${progress.items} items, ${progress.ratePerSecond.toFixed(0)}/s`;
    if (line !== before) say(line);
    before = line;
    if (state === 'done' && progress.committed === progress.items) break;
    if (state === 'failed' || state === 'cancelled' || state === 'done') throw new Error(`${name} ended ${state}: ${reason}`);
    // Half a second, or the end of the job, whichever is first.
    await page.evaluate((job) => Promise.race([globalThis.lull.job(job)!.done, new Promise((resolve) => setTimeout(resolve, 500))]), id);
  }
  say(`${name}: done by ${(await donorsSeen()).join(', ')}`);
}

function bar(share: number): string {
  return '#'.repeat(Math.round(share * 24)).padEnd(24, '.');
}

async function write(name: string, content: string | Buffer): Promise<void> {
  await writeFile(output + name, content);
  say(`wrote ${relative(process.cwd(), output + name)}`);
}
