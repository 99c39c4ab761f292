// A server, some donors and a submitter, each a browser profile, for one test.
import { test as base, type Page } from '@playwright/test';
import { donate, Profile, seesMembers, type BrowserKind, type ProfileOptions } from './profile.ts';
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
  /**
   * `count` tabs that donate one core each and see each other, and a submitter that sees them all. Where browsers are shared, the submitter and the
   * first so many donors may have one of their `own` all the same, to lose it.
   */
  donorsAndSubmitter(
    count: number,
    own?: { readonly submitter?: boolean; readonly donors?: number },
  ): Promise<{ donors: Peer[]; submitter: Peer }>;
}

/** For the tests of a whole file that do not disturb each other; `close` ends all of it. `env` is the server's, `browser` its profiles'. */
export async function openCluster(
  env: Record<string, string> = {},
  browser: BrowserKind = 'own',
): Promise<{ readonly cluster: Cluster; close(): Promise<void> }> {
  const server = await startServer(env);
  const profiles: Profile[] = [];
  const profile = async (options: ProfileOptions = {}) => {
    const opened = await Profile.open({ browser: options.extraArgs === undefined ? browser : 'own', ...options });
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
    donorsAndSubmitter: async (count, own = {}) => {
      const isOwn = (at: number) => (at === 0 ? own.submitter === true : at <= (own.donors ?? 0));
      const peers = await Promise.all(Array.from({ length: count + 1 }, (_, at) => join('/', isOwn(at) ? { browser: 'own' } : {})));
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

/** `test.use({ browsers: 'shared' })` where nothing is measured and nothing must be found again on a disk: it spares much of the time. */
export const test = base.extend<{ browsers: BrowserKind; cluster: Cluster }>({
  browsers: ['own', { option: true }],
  cluster: async ({ browsers }, use) => {
    const { cluster, close } = await openCluster({}, browsers);
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

/** Code whose items each take `ms` without keeping a core busy, and answer with the item doubled: many tabs of one machine get on alike. */
export const waitingCode = (ms: number) => `export default async (item) => {
  await new Promise((passed) => setTimeout(passed, ${ms}));
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

/**
 * Waits until `page`, which submitted the job, says that it may be closed. Handing over ends without that where nobody is known to keep data,
 * as in the moment before what a donor allows has reached the submitter: the code is in one tab only then.
 */
export async function mayClose(page: Page, job: string): Promise<void> {
  await page.waitForFunction((id) => globalThis.lull.job(id)?.closable === true, job, { polling: 20 });
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
