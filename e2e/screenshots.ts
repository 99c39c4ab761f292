// node e2e/run.mjs screenshots.ts: the pictures of README.md and docs/GUIDE.md, of a real site with real donors at work, into docs/images/.
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright';
import { fractal, type FractalArgs } from '../web/samples/fractal.ts';
import { monteCarlo } from '../web/samples/monte-carlo.ts';
import type { Sample } from '../web/samples/sample.ts';
import { donate, Profile, seesMembers, type ProfileOptions } from './harness/profile.ts';
import { startServer } from './harness/server.ts';

const folder = fileURLToPath(new URL('../docs/images/', import.meta.url));
const donorCount = 3;
const desk: ProfileOptions = { viewport: { width: 1360, height: 800 } };
const phone: ProfileOptions = { viewport: { width: 390, height: 760 } };

await mkdir(folder, { recursive: true });
const server = await startServer();
const profiles: Profile[] = [];
const open = async (options: ProfileOptions) => {
  const profile = await Profile.open(options);
  profiles.push(profile);
  return profile.tab(server.url);
};
let failed = false;
try {
  const donors = await Promise.all([open(desk), open(desk), open(phone)]);
  await Promise.all(donors.map((page) => donate(page)));
  const submitter = await open({ ...desk, colorScheme: 'dark' });
  await Promise.all([submitter, ...donors].map((page) => seesMembers(page, donorCount + 1)));
  const long = await submit(submitter, { ...monteCarlo, input: { kind: 'range', range: [0, 100_000] } });
  await hasCommitted(submitter, long, 60);
  await take(submitter, 'network-dark', '/network', 'main h1');
  await take(donors[0]!, 'donate', '/', 'main h1');
  await take(donors[2]!, 'donate-phone', '/', 'main h1');
  await submitter.evaluate((job) => globalThis.lull.job(job)!.cancel(), long);

  await submitter.emulateMedia({ colorScheme: 'light' });
  await goTo(submitter, '/jobs/new');
  await submitter.getByRole('button', { name: 'Word count' }).click();
  await take(submitter, 'new-job', '/jobs/new', 'main h1');

  // With more to do a tile, so that it is not done before its picture is taken.
  const picture = await submit(submitter, { ...fractal, args: { ...(fractal.args as FractalArgs), iterations: 5_000 } });
  await goTo(submitter, `/jobs/${picture}`);
  await hasCommitted(submitter, picture, 60);
  await take(submitter, 'job-running', `/jobs/${picture}`, 'main canvas');
  await submitter.evaluate(async () => {
    for (const [file, bytes] of [
      ['measurements.csv', 3_000_000],
      ['photo.raw', 5_000_000],
    ] as const)
      await globalThis.lull.put(new Uint8Array(bytes), { name: file });
  });
  await take(submitter, 'data', '/data', 'main table');
} catch (error) {
  failed = true;
  console.error(error);
} finally {
  await Promise.allSettled(profiles.map((profile) => profile.close()));
  await server.stop();
}
process.exit(failed ? 1 : 0);

async function submit(page: Page, { name, code, args, input }: Sample): Promise<string> {
  if (input.kind !== 'range') throw new Error(`${name} maps over no range`);
  const spec = { name, code, args, inputs: { range: input.range } };
  return page.evaluate(async (job) => (await globalThis.lull.submit(job)).id, spec);
}

async function hasCommitted(page: Page, id: string, items: number): Promise<void> {
  await page.waitForFunction(([job, count]) => globalThis.lull.job(job)!.progress.committed >= count, [id, items] as const, {
    timeout: 60_000,
    polling: 50,
  });
}

/** Within the page, as its links go: a page that is loaded anew leaves the group for a moment. */
async function goTo(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState(null, '', to);
    dispatchEvent(new PopStateEvent('popstate'));
  }, path);
}

/** Of `path`, a moment after `shown` is there. */
async function take(page: Page, name: string, path: string, shown: string): Promise<void> {
  if (new URL(page.url()).pathname !== path) await goTo(page, path);
  await page.bringToFront();
  await page.locator(shown).first().waitFor();
  // The first answers that a page asks for.
  await page.waitForTimeout(1_000);
  await page.screenshot({ path: `${folder}${name}.png`, animations: 'disabled' });
  console.log(`docs/images/${name}.png`);
}
