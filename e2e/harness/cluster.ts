// A server, some donors and a submitter, each a Chromium of its own, for one test.
import { test as base, type Page } from '@playwright/test';
import { donate, Profile, seesMembers, type ProfileOptions } from './profile.ts';
import { startServer, type Server } from './server.ts';

export interface Peer {
  readonly profile: Profile;
  page: Page;
}

export interface Cluster {
  readonly server: Server;
  /** A tab of a new profile, joined. */
  join(path?: string, options?: ProfileOptions): Promise<Peer>;
  /** A profile without a tab yet. */
  profile(options?: ProfileOptions): Promise<Profile>;
  /** `count` tabs that donate one core each and see each other, and a submitter that sees them all. */
  donorsAndSubmitter(count: number): Promise<{ donors: Peer[]; submitter: Peer }>;
}

/** For the tests of a whole file that do not disturb each other; `close` ends all of it. `env` is the server's. */
export async function openCluster(env: Record<string, string> = {}): Promise<{ readonly cluster: Cluster; close(): Promise<void> }> {
  const server = await startServer(env);
  const profiles: Profile[] = [];
  const profile = async (options: ProfileOptions = {}) => {
    const opened = await Profile.open(options);
    profiles.push(opened);
    return opened;
  };
  const join = async (path = '/', options: ProfileOptions = {}) => {
    const opened = await profile(options);
    return { profile: opened, page: await opened.tab(server.url + path) };
  };
  const cluster: Cluster = {
    server,
    join,
    profile,
    donorsAndSubmitter: async (count) => {
      const peers = await Promise.all(Array.from({ length: count + 1 }, () => join()));
      const [submitter, ...donors] = peers as [Peer, ...Peer[]];
      await Promise.all(donors.map(({ page }) => donate(page)));
      await Promise.all(peers.map(({ page }) => seesMembers(page, count + 1)));
      return { donors, submitter };
    },
  };
  return {
    cluster,
    async close() {
      await Promise.allSettled(profiles.map((opened) => opened.close()));
      await server.stop();
    },
  };
}

export const test = base.extend<{ cluster: Cluster }>({
  // oxlint-disable-next-line no-empty-pattern -- Playwright reads the pattern to learn what a fixture needs
  cluster: async ({}, use) => {
    const { cluster, close } = await openCluster();
    await use(cluster);
    await close();
  },
});
export { expect } from '@playwright/test';

/** Code whose items each keep a core busy for `ms` and answer with the item doubled. */
export const busyCode = (ms: number) => `export default (item) => {
  const end = performance.now() + ${ms};
  while (performance.now() < end);
  return item * 2;
};`;

/** Submits a job over the range [0, items) and answers with its id as soon as the tab may be closed. */
export function submitRange(page: Page, name: string, code: string, items: number): Promise<string> {
  return page.evaluate(async (spec) => (await globalThis.lull.submit(spec)).id, {
    name,
    code,
    inputs: { range: [0, items] as [number, number] },
  });
}

/** Waits until at least `count` items of the job are committed, as `page` sees it. */
export async function committed(page: Page, job: string, count: number, timeout = 60_000): Promise<void> {
  await page.waitForFunction(([id, wanted]) => (globalThis.lull.job(id)?.progress.committed ?? 0) >= wanted, [job, count] as const, {
    timeout,
    polling: 50,
  });
}

/** The job's final state and every result, in the order the job gives them. */
export function collect(page: Page, job: string) {
  return page.evaluate(async (id) => {
    const found = await globalThis.lull.find(id);
    const state = await found.done;
    const results = await found.results();
    return { state, results };
  }, job);
}
