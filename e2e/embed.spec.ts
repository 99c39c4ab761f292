// The SDK from a page of another origin: /sdk.js, and the site's /embed page in a hidden frame.
import { randomBytes } from 'node:crypto';
import type { Page } from '@playwright/test';
import type { Net } from '../web/sdk/remote/net.ts';
import type { Job } from '../web/sdk/types.ts';
import { busyCode, test as base, expect, openCluster, submitRange, type Cluster } from './harness/cluster.ts';
import { followInvite } from './harness/invite.ts';
import { otherSite, type OtherSite } from './harness/other-site.ts';
import { donate, seesMembers, storageForEmbedded, type Profile } from './harness/profile.ts';

interface InPage {
  importFrom(url: string): Promise<{ connect(url?: string, options?: object): Promise<Net> }>;
  net: Net;
  job: Job;
}

const test = base.extend<{ other: OtherSite }>({
  // oxlint-disable-next-line no-empty-pattern -- Playwright reads the pattern to learn what a fixture needs
  other: async ({}, use) => {
    const site = await otherSite();
    await use(site);
    await site.close();
  },
});

let cluster: Cluster;
let closeCluster: () => Promise<void>;
/** Of whoever visits the other sites. Each test has a site of its own, and so an identity of its own. */
let profile: Profile;
const donorCount = 2;

test.beforeAll(async () => {
  ({ cluster, close: closeCluster } = await openCluster({}, 'shared'));
  const [visitor, ...donors] = await Promise.all([
    cluster.profile({ extraArgs: storageForEmbedded }),
    ...Array.from({ length: donorCount }, () => cluster.join()),
  ]);
  profile = visitor;
  await Promise.all(donors.map(({ page }) => donate(page)));
  await Promise.all(donors.map(({ page }) => seesMembers(page, donorCount)));
});

test.afterEach(async () => {
  // One stays: a browser without tabs ends.
  const [, ...pages] = profile.context.pages();
  await Promise.all(pages.map((page) => page.close()));
});

test.afterAll(() => closeCluster());

/** A page of the other origin, with `net` connected to the site, that sees the donors. */
async function embedding(origin: string, visitor: Profile = profile): Promise<Page> {
  const page = await visitor.context.newPage();
  page.on('pageerror', (error) => console.error(`page error: ${error.message}`));
  await page.goto(`${origin}/`);
  await connect(page);
  const members = () => (globalThis as unknown as InPage).net.peers().length;
  await expect.poll(() => page.evaluate(members), { timeout: 20_000 }).toBeGreaterThan(donorCount);
  return page;
}

async function connect(page: Page): Promise<void> {
  await page.evaluate(async (site) => {
    const here = globalThis as unknown as InPage;
    const sdk = await here.importFrom(`${site}/sdk.js`);
    // Without an address: where the module came from.
    here.net = await sdk.connect();
  }, cluster.server.url);
}

test('a page of another origin maps 200 items over two donors: in order, as completed, and by folding', async ({ other }) => {
  const page = await embedding(other.origin);
  const seen = await page.evaluate(async () => {
    const { net } = globalThis as unknown as InPage;
    const items = Array.from({ length: 200 }, (_, index) => index);
    const job = net.map(
      (n: number) => {
        const until = performance.now() + 20;
        while (performance.now() < until);
        return n * 2;
      },
      items,
      { name: 'Doubles' },
    );
    const states = new Set([job.state]);
    let progressed = 0;
    job.subscribe(() => {
      states.add(job.state);
      progressed = Math.max(progressed, job.progress.committed);
    });
    const completed: number[] = [];
    const reading = (async () => {
      for await (const result of job.asCompleted()) completed.push(result.index);
    })();
    const inOrder: unknown[] = [];
    const by = new Set<string>();
    for await (const result of job) {
      inOrder.push('value' in result ? [result.index, result.value] : 'failed');
      by.add(result.by[0]!);
    }
    await reading;
    return {
      inOrder,
      completed: completed.length,
      distinct: new Set(completed).size,
      states: [...states],
      progressed,
      by: by.size,
      done: await job.done,
      sum: await job.reduce((sum, value) => sum + (value as number), 0),
      values: (await job.values()).length,
      listed: net.jobs().map(({ id, name }) => [id === job.id, name]),
    };
  });
  expect(seen.inOrder).toEqual(Array.from({ length: 200 }, (_, index) => [index, 2 * index]));
  expect([seen.completed, seen.distinct, seen.values]).toEqual([200, 200, 200]);
  expect(seen.states[0]).toBe('uploading');
  expect(seen.states).toContain('done');
  expect(seen).toMatchObject({ done: 'done', progressed: 200, sum: 199 * 200, listed: [[true, 'Doubles']] });
  expect(seen.by).toBe(donorCount);
});

test('an item that throws names itself and carries the stack of where it ran', async ({ other }) => {
  const page = await embedding(other.origin);
  const { result, thrown } = await page.evaluate(async () => {
    const { net } = globalThis as unknown as InPage;
    const job = net.map(
      function halves(n: number) {
        if (n === 3) throw new RangeError('three is no good');
        return n / 2;
      },
      { range: [0, 6] },
    );
    const results = await job.results();
    const failure = results.find((one) => 'error' in one);
    const error = (await job.values().catch((caught: unknown) => caught)) as AggregateError;
    const [item] = error.errors as (Error & { index: number })[];
    return { result: failure, thrown: { kind: error.name, message: item!.message, index: item!.index, stack: item!.stack } };
  });
  expect(result).toMatchObject({ index: 3, error: { name: 'RangeError', message: 'three is no good', input: 3 } });
  expect(thrown).toMatchObject({ kind: 'AggregateError', index: 3, message: 'Item 3: three is no good' });
  expect(thrown.stack).toContain('halves');
  expect(thrown.stack).toContain('three is no good');
});

test('a signal calls a job off; a broken spec is refused with a sentence; bytes and open jobs go through', async ({ other }) => {
  const page = await embedding(other.origin);
  const seen = await page.evaluate(async (code) => {
    const { net } = globalThis as unknown as InPage;
    const abort = new AbortController();
    const long = net.map(code, { range: [0, 100_000] }, { name: 'Long', signal: abort.signal });
    await long.ready;
    for await (const _ of long) break;
    abort.abort();
    const cancelled = await long.done;
    const late = new AbortController();
    late.abort();
    const codeOf = (promise: Promise<unknown>) => promise.then(() => 'fine').catch((error: { code: string; message: string }) => error);
    const plain = ({ code: kind, message }: { code: string; message: string }) => [kind, message];
    const refusals = [
      await codeOf(net.map('x', { range: [0, 2] }, { signal: late.signal }).ready),
      await codeOf(net.map('x', []).ready),
      await codeOf(net.map('x', 'abc' as never).ready),
      await codeOf(net.map('x', [() => 1]).ready),
      await codeOf(net.map('x', [1], { redundancy: 3 as never }).ready),
      await codeOf(net.find('f'.repeat(64))),
    ].map((error) => (typeof error === 'string' ? error : plain(error)));
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    const ref = await net.put(bytes, { name: 'noise.bin' });
    const back = new Uint8Array(await (await net.get(ref)).arrayBuffer());
    const text = await net.put('one\ntwo\nthree\n', { type: 'text/plain' });
    const lines = net.map(
      (line: string) => line.length,
      { lines: text },
      {
        open: true,
        args: { by: '-' },
        reduce: 'export default (all, { args }) => all.join(args.by)',
      },
    );
    await lines.append(['fourth']);
    await lines.close();
    return {
      cancelled,
      refusals,
      same: back.length === bytes.length && back.every((byte, i) => byte === bytes[i]),
      reduced: await lines.reduced(),
      inputs: await lines.inputs(0, 4),
      peeked: (await lines.peek(1, 2)).map((result) => 'value' in result && result.value),
      contributors: (await lines.overview()).contributors.reduce((sum, { items }) => sum + items, 0),
    };
  }, busyCode(30));
  expect(seen.cancelled).toBe('cancelled');
  expect(seen.refusals).toEqual([
    ['aborted', 'It was called off.'],
    ['bad-input', 'The input is empty: there is nothing to run.'],
    ['bad-input', expect.stringContaining('Inputs are a list')],
    ['bad-input', expect.stringContaining('Items from 0 on')],
    ['not-built', expect.stringContaining('Redundancy')],
    ['not-found', expect.stringContaining('Nobody')],
  ]);
  expect(seen).toMatchObject({
    same: true,
    reduced: '3-3-5-6',
    inputs: ['one', 'two', 'three', 'fourth'],
    peeked: [3, 5],
    contributors: 4,
  });
});

test('after a reload the page finds its job by id, with its results', async ({ other }) => {
  const page = await embedding(other.origin);
  const before = await page.evaluate(async (code) => {
    const { net } = globalThis as unknown as InPage;
    const job = await net.submit({ name: 'Kept', code, inputs: { range: [0, 60] } });
    return { id: job.id, identity: net.self.identity, kept: net.kept };
  }, busyCode(40));
  expect(before.kept).toBe(true);
  await page.reload();
  await connect(page);
  const after = await page.evaluate(async (id) => {
    const { net } = globalThis as unknown as InPage;
    const job = await net.find(id);
    const values = await job.values();
    return { identity: net.self.identity, name: job.name, values, known: net.job(id) === job };
  }, before.id);
  expect(after).toEqual({ identity: before.identity, name: 'Kept', values: Array.from({ length: 60 }, (_, n) => 2 * n), known: true });
});

test('where the browser keeps nothing for embedded pages, all works until the page is left, and it says so', async ({ other }) => {
  const page = await embedding(other.origin, await cluster.profile());
  const seen = await page.evaluate(async () => {
    const { net } = globalThis as unknown as InPage;
    return { kept: net.kept, values: await net.map((n: number) => n + 1, [1, 2, 3]).values() };
  });
  expect(seen).toEqual({ kept: false, values: [2, 3, 4] });
});

test('only /embed may be framed', async ({ other }) => {
  const page = await profile.context.newPage();
  await page.goto(`${other.origin}/`);
  const framed = async (path: string) => {
    const refused = page.waitForEvent('console', { predicate: (message) => message.text().includes('frame'), timeout: 5_000 }).then(
      () => 'refused',
      () => 'framed',
    );
    await page.evaluate((url) => {
      const frame = document.createElement('iframe');
      frame.src = url;
      document.body.append(frame);
    }, cluster.server.url + path);
    return refused;
  };
  for (const path of ['/', '/jobs', '/embed.html', '/sandbox.html']) expect([path, await framed(path)]).toEqual([path, 'refused']);
  await page.evaluate((url) => {
    const frame = document.createElement('iframe');
    frame.src = url;
    document.body.append(frame);
  }, `${cluster.server.url}/embed`);
  await expect(page.frameLocator(`iframe[src$="/embed"]`).getByText('Pages of other sites')).toBeAttached();
});

test('a page that embeds cannot donate, and reads neither the jobs of the person nor those of another embedding site', async ({
  other,
}) => {
  const own = await profile.context.newPage();
  await own.goto(cluster.server.url);
  await own.evaluate(() => globalThis.lull.ready);
  const theirs = await submitRange(own, 'The person’s own', busyCode(1), 10);
  const page = await embedding(other.origin);
  const seen = await page.evaluate(async (foreign) => {
    const { net } = globalThis as unknown as InPage;
    const codeOf = (promise: Promise<unknown>) => promise.then(() => 'fine').catch((error: { code: string }) => error.code);
    const waiting = net.map((n: number) => n, { range: [0, 3] });
    await waiting.ready;
    return {
      donate: await codeOf(net.donate(true)),
      foreign: await codeOf(net.find(foreign)),
      jobs: net.jobs().length,
      donating: net.metrics().resources.donating,
      signals: Object.values(net.metrics().resources.signals).filter((signal) => signal !== null && signal !== false),
      identity: net.self.identity,
    };
  }, theirs);
  const ownIdentity = await own.evaluate(() => globalThis.lull.self.identity);
  expect(seen).toMatchObject({ donate: 'refused', foreign: 'refused', jobs: 1, donating: false, signals: [] });
  expect(seen.identity).not.toBe(ownIdentity);

  // The words of the port, without the SDK in between: what is no word ends the connection, and nothing has been given.
  const answered = await page.evaluate(async (site) => {
    const said: unknown[] = [];
    const frame = document.createElement('iframe');
    frame.src = `${site}/embed`;
    const { port1, port2 } = new MessageChannel();
    const refused = new Promise((resolve) => {
      port1.onmessage = ({ data }: MessageEvent<{ t: string }>) => {
        if (data.t === 'up') port1.postMessage({ t: 'call', id: 1, method: 'donate', job: null, args: [true] });
        if (data.t !== 'state') said.push(data.t);
        if (data.t === 'refused') resolve(undefined);
      };
    });
    addEventListener('message', ({ source, data }: MessageEvent<{ lull?: string; version?: number }>) => {
      if (source === frame.contentWindow && data.lull === 'up')
        frame.contentWindow!.postMessage({ lull: 'open', version: data.version, identity: null, network: null }, site, [port2]);
    });
    document.body.append(frame);
    await refused;
    return said;
  }, cluster.server.url);
  expect(answered).toEqual(['up', 'refused']);

  // Another port is another origin, but the same site to a browser that partitions storage: the names keep them apart.
  const second = await otherSite();
  try {
    const neighbour = await embedding(second.origin);
    const there = await neighbour.evaluate(() => {
      const { net } = globalThis as unknown as InPage;
      return { identity: net.self.identity, jobs: net.jobs().length };
    });
    expect(there.jobs).toBe(0);
    expect([seen.identity, ownIdentity]).not.toContain(there.identity);
    const frame = neighbour.frames().find((one) => one.url().endsWith('/embed'))!;
    const names = (await frame.evaluate(() => indexedDB.databases())).map(({ name }) => name);
    for (const origin of [other.origin, second.origin])
      expect(names).toEqual(expect.arrayContaining([`lull-identity@${origin}`, `lull@${origin}`]));
    // The person's own.
    for (const name of ['lull', 'lull-identity']) expect(names).not.toContain(name);
  } finally {
    await second.close();
  }
});

test('an identity goes from one embedding site to another by its secret', async ({ other }) => {
  const page = await embedding(other.origin);
  const { secret, id } = await page.evaluate(async () => {
    const { net } = globalThis as unknown as InPage;
    const job = await net.submit({ name: 'Moves', code: 'export default (n) => n + 1', inputs: { range: [0, 5] } });
    await job.values();
    return { secret: await net.exportIdentity(), id: job.id };
  });
  const second = await otherSite();
  try {
    const there = await profile.context.newPage();
    await there.goto(`${second.origin}/`);
    const values = await there.evaluate(
      async ([site, identity, job]) => {
        const sdk = await (globalThis as unknown as InPage).importFrom(`${site}/sdk.js`);
        const net = await sdk.connect(site, { identity });
        return (await net.find(job)).values();
      },
      [cluster.server.url, secret, id] as const,
    );
    expect(values).toEqual([1, 2, 3, 4, 5]);
  } finally {
    await second.close();
  }
});

test("on the site's own pages it is the person's own network, without a frame", async () => {
  const page = await profile.context.newPage();
  // The site's policy lets no script in but its own files.
  await (await profile.context.newCDPSession(page)).send('Page.setBypassCSP', { enabled: true });
  await page.goto(cluster.server.url);
  const content = `import { connect } from '/sdk.js';
const net = await connect();
globalThis.probed = {
  same: net.self.identity === lull.self.identity && net.jobs().length === lull.jobs().length,
  values: await net.map((n) => n * 3, [1, 2]).values(),
  donates: await net.donate(false).then(() => true),
  secret: await net.exportIdentity().catch(({ code }) => code),
  frames: document.querySelectorAll('iframe[src$="/embed"]').length,
};`;
  await page.addScriptTag({ type: 'module', content });
  await page.waitForFunction(() => 'probed' in globalThis, undefined, { timeout: 20_000 });
  const probed = await page.evaluate(() => (globalThis as unknown as { probed: unknown }).probed);
  expect(probed).toEqual({ same: true, values: [3, 6], donates: true, secret: 'refused', frames: 0 });
});

test('an invite link leads into its private network, and nobody of another network is met there', async ({ other }) => {
  const key = randomBytes(32).toString('hex');
  const link = `${cluster.server.url}/#join=${key}&name=Lab`;
  const donor = await followInvite(await cluster.profile(), link);
  await donate(donor);
  const page = await embedding(other.origin);
  const seen = await page.evaluate(
    async ([site, invite]) => {
      const here = globalThis as unknown as InPage;
      const sdk = await here.importFrom(`${site}/sdk.js`);
      const net = await sdk.connect(invite);
      const values = await net.map((n: number) => n + 1, [1, 2, 3]).values();
      const damaged = await sdk.connect(invite.replace(/&.*/, '').slice(0, -2)).catch(({ code }: { code: string }) => code);
      return { values, damaged, peers: net.peers().map(({ peer }) => peer), self: net.self, same: net === here.net, before: here.net.self };
    },
    [cluster.server.url, link] as const,
  );
  expect(seen).toMatchObject({ values: [2, 3, 4], damaged: 'bad-input', same: false });
  expect(seen.peers.toSorted()).toEqual([seen.self.peer, await donor.evaluate(() => globalThis.lull.self.peer)].toSorted());
  expect(seen.self.identity).toBe(seen.before.identity);
  expect(seen.self.group).not.toBe(seen.before.group);
});

test('where no Lull answers, connecting ends in time and with a sentence; closing ends what waits', async ({ other }) => {
  const page = await embedding(other.origin);
  const seen = await page.evaluate(
    async ([site, elsewhere]) => {
      const here = globalThis as unknown as InPage;
      const sdk = await here.importFrom(`${site}/sdk.js`);
      const failure = (promise: Promise<unknown>) =>
        promise.then(() => 'fine').catch(({ code, message }: { code: string; message: string }) => `${code}: ${message}`);
      const again = (await sdk.connect(site)) === here.net;
      const nobody = await failure(sdk.connect(elsewhere, { timeoutMs: 500 }));
      const noAddress = await failure(sdk.connect('mailto:nobody'));
      const job = here.net.map((n: number) => n, { range: [0, 3] });
      const waiting = failure(job.values());
      await job.ready;
      here.net.close();
      return { again, nobody, noAddress, closed: await waiting, frames: document.querySelectorAll('iframe').length };
    },
    [cluster.server.url, other.origin] as const,
  );
  expect(seen).toEqual({
    again: true,
    nobody: expect.stringContaining('did not answer'),
    noAddress: expect.stringContaining('bad-input'),
    closed: 'aborted: The connection was closed.',
    frames: 0,
  });
});
