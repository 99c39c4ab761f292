// What a tab costs that donates while there is nothing to do: processor time of all processes of its browser, beside the same browser with an empty page,
// and what its line carries.
import { donate, Profile, seesMembers } from '../harness/profile.ts';
import type { Server } from '../harness/server.ts';
import { computed } from './computed.ts';
import { countLine, lineBytes } from '../harness/line-bytes.ts';
import { intervalText, report } from './report.ts';
import { bootstrapMedian } from './statistics.ts';

const windows = 6;
const windowMs = 10_000;
/** Since a group came together, until its links stand and its members have heard of each other. */
const settleMs = 15_000;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Shares of a core, of one browser on average, one a window. */
async function shares(profiles: readonly Profile[]): Promise<number[]> {
  const all = async () => (await Promise.all(profiles.map(({ context }) => computed(context)))).reduce((sum, each) => sum + each, 0);
  const found: number[] = [];
  for (let i = 0; i < windows; i++) {
    const [before, began] = [await all(), performance.now()];
    await pause(windowMs);
    const seconds = (await all()) - before;
    found.push(seconds / profiles.length / ((performance.now() - began) / 1_000));
  }
  return found;
}

export async function idle(server: Server): Promise<void> {
  for (const [tabs, target] of [
    [1, 0.03],
    [4, 0.05],
  ] as const) {
    const profiles = await Promise.all(Array.from({ length: tabs }, () => Profile.open()));
    try {
      for (const { context } of profiles) for (const page of context.pages()) await countLine(page);
      const pages = await Promise.all(profiles.map((profile) => profile.tab(server.url)));
      for (const page of pages) await donate(page);
      for (const page of pages) await seesMembers(page, tabs);
      await pause(settleMs);
      const [carried, began] = [await Promise.all(pages.map(lineBytes)), performance.now()];
      const donating = await shares(profiles);
      const seconds = (performance.now() - began) / 1_000;
      const rates = (await Promise.all(pages.map(lineBytes))).map((bytes, at) => (bytes - carried[at]!) / seconds / 1_000);
      if (tabs > 1) console.log(`idle: the line of each of ${tabs} donors carries ${intervalText(bootstrapMedian(rates))} kB/s, both ways`);
      for (const page of pages) await page.goto('about:blank');
      await pause(windowMs);
      const empty = bootstrapMedian(await shares(profiles)).middle;
      const extra = donating.map((share) => share - empty);
      const whose = tabs === 1 ? 'a donor alone' : `each of ${tabs} donors of a group`;
      report(
        `idle: of a core, by ${whose} with nothing to do`,
        bootstrapMedian(extra),
        target,
        `an empty page ${empty.toFixed(3)}`,
        'at most',
      );
    } finally {
      await Promise.allSettled(profiles.map((profile) => profile.close()));
    }
  }
}
