// Every example of docs/SDK.md, run in real tabs: on a page of another origin, on the site, in a shell.
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Page } from '@playwright/test';
import { expect, openCluster, test, type Cluster } from './harness/cluster.ts';
import { examplesOf, printed, type Example } from './harness/examples.ts';
import { otherSite, type OtherSite } from './harness/other-site.ts';
import { donate, seesMembers, storageForEmbedded, type Profile } from './harness/profile.ts';

const examples = examplesOf(new URL('../docs/SDK.md', import.meta.url));
const program = fileURLToPath(new URL('lull.mjs', import.meta.url));
/** The site's name in the text. */
const named = 'https://lull.example';

let cluster: Cluster;
let closeCluster: () => Promise<void>;
let profile: Profile;
let site: OtherSite;
/** A page of another origin, where one module after the other is run, as cells of a notebook are. */
let elsewhere: Page;

test.beforeAll(async () => {
  ({ cluster, close: closeCluster } = await openCluster({}, 'shared'));
  const [visitor, ...donors] = await Promise.all([cluster.profile({ extraArgs: storageForEmbedded }), cluster.join(), cluster.join()]);
  profile = visitor;
  await Promise.all(donors.map(({ page }) => donate(page)));
  await Promise.all(donors.map(({ page }) => seesMembers(page, 2)));
  site = await otherSite();
  elsewhere = await profile.context.newPage();
  await elsewhere.goto(`${site.origin}/`);
  await listen(elsewhere);
});

test.afterAll(async () => {
  await closeCluster();
  await site.close();
});

const here = (text: string) => text.replaceAll(named, cluster.server.url);
/** What was printed, with the site by its name in the text. */
const told = (lines: readonly string[]) => lines.map((line) => line.replaceAll(cluster.server.url, named));
const where = ({ line }: Example) => `docs/SDK.md, line ${line}`;

/** From here on `printed` has what the page writes to its console, texts as they are and other values as JSON. */
async function listen(page: Page): Promise<void> {
  await page.evaluate(() => {
    const lines: string[] = [];
    Object.assign(globalThis, { printed: lines });
    console.log = (...parts: unknown[]) =>
      void lines.push(parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(' '));
  });
}
const linesOf = (page: Page) => page.evaluate(() => (globalThis as unknown as { printed: string[] }).printed.splice(0));

test('a page with nothing but its example', async () => {
  const [first] = examples.filter(({ language }) => language === 'html');
  const alone = await otherSite({ '/': here(first!.code) });
  try {
    const page = await profile.context.newPage();
    await page.goto(`${alone.origin}/`);
    await expect(page.locator('#squares')).toHaveText('1 4 9 16');
  } finally {
    await alone.close();
  }
});

for (const example of examples.filter(({ language, info }) => language === 'js' && info === '')) {
  test(`on a page of another origin: ${where(example)}`, async () => {
    const failure = await elsewhere.evaluate(async (code) => {
      const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
      const { importFrom } = globalThis as unknown as { importFrom(url: string): Promise<unknown> };
      return importFrom(url).then(
        () => '',
        (error: unknown) => String(error),
      );
    }, here(example.code));
    expect(failure).toBe('');
    expect(told(await linesOf(elsewhere))).toEqual(printed(example.code));
    // It shows what it does.
    expect(printed(example.code).length).toBeGreaterThan(0);
  });
}

test("the console of the site's own pages", async () => {
  const page = await profile.context.newPage();
  await page.goto(cluster.server.url);
  await listen(page);
  for (const example of examples.filter(({ language, info }) => language === 'js' && info === 'site')) {
    await page.evaluate(`(async () => { ${example.code} })()`);
    expect(await linesOf(page), where(example)).toEqual(printed(example.code));
  }
});

test('the commands', { tag: '@soak' }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lull-examples-'));
  try {
    // As npx finds it where the repository is.
    await writeFile(join(folder, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${program}" "$@"\n`);
    await chmod(join(folder, 'npx'), 0o755);
    const env = {
      ...process.env,
      PATH: `${folder}${delimiter}${process.env['PATH']}`,
      LULL_URL: cluster.server.url,
      LULL_IDENTITY: join(folder, 'identity'),
    };
    for (const { info, code } of examples) if (info.startsWith('file=')) await writeFile(join(folder, info.slice('file='.length)), code);
    const commands = examples.filter(({ language }) => language === 'sh');
    const outputs = await Promise.all(
      commands.map(async ({ code }) => (await promisify(execFile)('sh', ['-ec', code], { cwd: folder, env })).stdout),
    );
    for (const [at, example] of commands.entries()) expect(outputs[at], where(example)).toBe(example.output);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('every example is of a kind that is run here, or compiled by web/sdk/remote/declarations.test.ts', () => {
  const kinds = new Set(examples.map(({ language, info }) => `${language} ${info.replace(/=.*/, '')}`.trim()));
  expect(kinds).toEqual(new Set(['html', 'js', 'js site', 'js file', 'sh', 'ts']));
});
