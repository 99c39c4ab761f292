// People's lines at home: a megabyte takes ten seconds, and an answer a third of one.
import { createHash } from 'node:crypto';
import type { Page } from 'playwright';
import { collect, expect, submitRange, test, waitingCode } from './harness/cluster.ts';
import { lineBytes } from './harness/line-bytes.ts';
import { tabBehind } from './harness/line.ts';
import { digestOf, noise, putNoise } from './harness/objects.ts';
import { donate, seesMembers } from './harness/profile.ts';

const MiB = 1024 * 1024;
const line = { latencyMs: 80, bytesPerSecond: 100_000 };

test('a file goes over slow lines once and arrives, nobody is given up meanwhile, and a job runs beside it @soak', async ({ cluster }) => {
  test.setTimeout(240_000);
  const profiles = await Promise.all([cluster.profile(), cluster.profile(), cluster.profile()]);
  const [from, keeper, reader] = (await Promise.all(profiles.map((profile) => tabBehind(profile, line, cluster.server.url)))) as [
    Page,
    Page,
    Page,
  ];
  await donate(keeper);
  for (const page of [from, keeper, reader]) await seesMembers(page, 3, 60_000);
  const pages = [from, keeper, reader];
  await Promise.all(pages.map(watchOthers));

  const putting = putNoise(from, 3 * MiB);
  const job = await submitRange(from, 'beside', waitingCode(100), 40);
  const { object } = await putting;
  expect(await collect(from, job)).toMatchObject({ state: 'done' });
  // Where packets are lost a connection stands still for a second or two, and who is silent is doubted; nobody is given up.
  for (const seen of await Promise.all(pages.map(othersSeen))) {
    console.log(`doubted in ${((100 * seen.doubted) / seen.looks).toFixed(1)} % of looks at two others`);
    expect(seen).toMatchObject({ missing: 0 });
    expect(seen.looks).toBeGreaterThan(100);
  }

  // What was put is with others when `put` says so.
  await profiles[0]!.kill();
  const before = await lineBytes(reader);
  const wanted = {
    size: 3 * MiB,
    sha256: createHash('sha256')
      .update(noise(3 * MiB))
      .digest('hex'),
  };
  expect(await digestOf(reader, object)).toEqual(wanted);
  const came = ((await lineBytes(reader)) - before) / (3 * MiB);
  console.log(`${came.toFixed(2)} times the file went over the line of who read it`);
  // Lost packets are sent again; a segment read twice would be a third more, and every one of them twice as much.
  expect(came).toBeLessThan(1.5);
});

declare global {
  // oxlint-disable-next-line no-var -- a global can only be declared so
  var seen: { looks: number; doubted: number; missing: number };
}

const watchOthers = (page: Page) =>
  page.evaluate(() => {
    globalThis.seen = { looks: 0, doubted: 0, missing: 0 };
    setInterval(() => {
      const peers = globalThis.lull.peers();
      globalThis.seen.looks++;
      globalThis.seen.missing += 3 - peers.length;
      globalThis.seen.doubted += peers.filter(({ status }) => status !== 'alive').length;
    }, 50);
  });

const othersSeen = (page: Page) => page.evaluate(() => globalThis.seen);
