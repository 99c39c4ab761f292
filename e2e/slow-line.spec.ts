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

test('a file goes over slow lines once and arrives, nobody is doubted meanwhile, and a job runs beside it @soak', async ({ cluster }) => {
  test.setTimeout(240_000);
  const profiles = await Promise.all([cluster.profile(), cluster.profile(), cluster.profile()]);
  const [from, keeper, reader] = (await Promise.all(profiles.map((profile) => tabBehind(profile, line, cluster.server.url)))) as [
    Page,
    Page,
    Page,
  ];
  await donate(keeper);
  for (const page of [from, keeper, reader]) await seesMembers(page, 3, 60_000);
  await Promise.all(
    [from, keeper, reader].map((page) =>
      page.evaluate(() => {
        const doubted = new Set<string>();
        Object.assign(globalThis, { doubted });
        setInterval(() => {
          for (const { peer, status } of globalThis.lull.peers()) if (status !== 'alive') doubted.add(peer);
        }, 50);
      }),
    ),
  );
  const putting = putNoise(from, 3 * MiB);
  const job = await submitRange(from, 'beside', waitingCode(100), 40);
  const { object } = await putting;
  expect(await collect(from, job)).toMatchObject({ state: 'done' });
  for (const page of [from, keeper, reader]) expect(await doubtedBy(page)).toEqual([]);

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
  expect(came).toBeLessThan(1.25);
});

const doubtedBy = (page: Page) => page.evaluate(() => [...(globalThis as unknown as { doubted: Set<string> }).doubted]);
