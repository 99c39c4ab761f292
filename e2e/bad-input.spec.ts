// What goes wrong ends in a sentence a person understands, and in no lost or doubled item.
import { collect, committed, expect, submitRange, test, busyCode } from './harness/cluster.ts';
import { writeCode } from './harness/code-field.ts';
import { donate, seesMembers } from './harness/profile.ts';

test.use({ browsers: 'shared' });

test('code that cannot be loaded fails the job with the reason', async ({ cluster }) => {
  const { submitter } = await cluster.donorsAndSubmitter(2);
  for (const [code, reason] of [
    ['export default (item => item', /SyntaxError|Unexpected|missing/i],
    ['throw new Error("not today"); export default (item) => item;', /not today/],
    ['export const run = (item) => item;', /default/i],
  ] as const) {
    const job = await submitRange(submitter.page, 'Cannot be loaded', code, 20);
    const state = await submitter.page.evaluate((id) => globalThis.lull.job(id)!.done, job);
    expect(state).toBe('failed');
    expect(await submitter.page.evaluate((id) => globalThis.lull.job(id)!.reason, job)).toMatch(reason);
  }
});

test('items that throw, hang, or answer with what cannot be sent fail one by one, with input, message and stack; the others are kept', async ({
  cluster,
}) => {
  const { submitter } = await cluster.donorsAndSubmitter(2);
  const code = `export default function strange(item) {
    if (item === 13) throw new TypeError('thirteen is unlucky');
    if (item === 21) for (;;);
    if (item === 34) return () => item;
    if (item === 55) return new Uint8Array(20 * 1024 * 1024);
    if (item === 57) return { secret: Symbol('no') };
    return item;
  }`;
  const job = await submitter.page.evaluate(
    async (text) => (await globalThis.lull.submit({ name: 'Strange', code: text, inputs: { range: [0, 60] }, limits: { itemMs: 700 } })).id,
    code,
  );
  const { state, results } = await collect(submitter.page, job);
  expect(state).toBe('done');
  expect(results.map(({ index }) => index)).toEqual(Array.from({ length: 60 }, (_, index) => index));
  const failed = new Map(results.flatMap((result) => ('error' in result ? [[result.index, result.error] as const] : [])));
  expect([...failed.keys()]).toEqual([13, 21, 34, 55, 57]);
  expect(failed.get(13)).toMatchObject({ message: 'thirteen is unlucky', input: 13 });
  expect(failed.get(13)!.stack).toContain('strange');
  expect(failed.get(21)!.message).toMatch(/longer than|too long|time/i);
  expect(failed.get(34)!.message).toMatch(/function/i);
  expect(failed.get(55)!.message).toMatch(/large|MiB|bytes/i);
  for (const result of results) if ('value' in result) expect(result.value).toBe(result.index);
  expect(await submitter.page.evaluate((id) => globalThis.lull.job(id)!.progress.failed, job)).toBe(5);
  await expect(submitter.page.evaluate((id) => globalThis.lull.job(id)!.values(), job)).rejects.toThrow(/5 of 60 items failed/);
});

test('a job fails when more items failed than it allows', async ({ cluster }) => {
  const { submitter } = await cluster.donorsAndSubmitter(2);
  const job = await submitter.page.evaluate(async () => {
    const code = 'export default (item) => { if (item % 2 === 1) throw new Error("odd"); return item; };';
    return (await globalThis.lull.submit({ name: 'Odd', code, inputs: { range: [0, 40] }, failuresMax: 5 })).id;
  });
  expect(await submitter.page.evaluate((id) => globalThis.lull.job(id)!.done, job)).toBe('failed');
});

test('the form says what is wrong with its input', async ({ cluster }) => {
  const { page } = await cluster.join('/jobs/new');
  const submit = page.getByRole('button', { name: 'Submit job' });
  await page.getByRole('button', { name: /^Word count/ }).click();
  await page.getByLabel('Input file').setInputFiles({ name: 'empty.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) });
  await submit.click();
  await expect(page.getByText(/empty/i).first()).toBeVisible();
  await page
    .getByLabel('Input file')
    .setInputFiles({ name: 'picture.txt', mimeType: 'text/plain', buffer: Buffer.from([0x89, 0x50, 0, 0, 0, 1, 2, 3]) });
  await submit.click();
  await expect(page.getByText(/not (look like )?text|NUL|binary/i).first()).toBeVisible();
  // In the middle of a long file, where the page has not looked.
  const buffer = Buffer.from(`${'a line\n'.repeat(50_000)}\xe4\nmore\n`, 'latin1');
  await page.getByLabel('Input file').setInputFiles({ name: 'old.txt', mimeType: 'text/plain', buffer });
  await submit.click();
  await expect(page.getByText('Line 50,001 of the file is not text in UTF-8')).toBeVisible();
  await writeCode(page, '');
  await submit.click();
  await expect(page.getByText(/no code|code is empty|code/i).first()).toBeVisible();
  expect(await page.evaluate(() => globalThis.lull.jobs().length)).toBe(0);
});

test('a tab alone computes its own job', async ({ cluster }) => {
  const { page } = await cluster.join();
  await donate(page);
  const job = await submitRange(page, 'Alone', busyCode(2), 200);
  const { state, results } = await collect(page, job);
  expect(state).toBe('done');
  expect(results.map((result) => ('value' in result ? result.value : 'failed'))).toEqual(Array.from({ length: 200 }, (_, i) => i * 2));
});

test('without IndexedDB the tab still works, and says that it keeps nothing', async ({ cluster }) => {
  const donor = await cluster.join();
  await donate(donor.page);
  const profile = await cluster.profile();
  await profile.context.addInitScript(() => {
    Object.defineProperty(IDBFactory.prototype, 'open', {
      value: () => {
        throw new DOMException('The operation is insecure.', 'SecurityError');
      },
    });
  });
  const page = await profile.tab(`${cluster.server.url}/`);
  await expect(page.getByText(/keep/i).first()).toBeVisible();
  await seesMembers(page, 2);
  const job = await submitRange(page, 'Nothing kept', busyCode(2), 100);
  const { state, results } = await collect(page, job);
  expect(state).toBe('done');
  expect(results).toHaveLength(100);
});

test('a full disk loses nothing: the donor says so and the job ends', { tag: '@soak' }, async ({ cluster }) => {
  const { submitter } = await cluster.donorsAndSubmitter(2);
  // Before the first visit: the browser remembers how much room it found there.
  const profile = await cluster.profile({ browser: 'own' });
  const blank = await profile.context.newPage();
  const session = await profile.context.newCDPSession(blank);
  await session.send('Storage.overrideQuotaForOrigin', { origin: cluster.server.url, quotaSize: 400_000 });
  const full = await profile.tab(`${cluster.server.url}/`);
  await donate(full);
  await seesMembers(submitter.page, 4);
  // It is said while it is so: room is made again.
  const said = full
    .getByText(/full|no more room|no room/i)
    .first()
    .waitFor({ timeout: 60_000 })
    .then(
      () => true,
      () => false,
    );
  const job = await submitter.page.evaluate(async () => {
    const code = 'export default (item) => new Uint8Array(50000).fill(item);';
    return (await globalThis.lull.submit({ name: 'Large results', code, inputs: { range: [0, 200] } })).id;
  });
  const { state, results } = await collect(submitter.page, job);
  expect(state).toBe('done');
  expect(results).toHaveLength(200);
  expect(await said).toBe(true);
});

test('a browser without WebRTC is told what is missing and what to do', async ({ cluster }) => {
  const profile = await cluster.profile();
  await profile.context.addInitScript(() => {
    Object.defineProperty(globalThis, 'RTCPeerConnection', { value: undefined });
  });
  const page = await profile.context.newPage();
  await page.goto(cluster.server.url);
  await expect(page.getByText('This browser has no WebRTC')).toBeVisible();
});

test('a second tab of a profile gives nothing while the first does, and takes over when it goes', async ({ cluster }) => {
  const { profile, page: first } = await cluster.join();
  await donate(first);
  const second = await profile.context.newPage();
  await second.goto(cluster.server.url);
  await second.evaluate(() => globalThis.lull.ready);
  await expect(second.getByText(/other tab|another tab/i).first()).toBeVisible();
  const store = await first.evaluate(() => globalThis.lull.peers().find((peer) => peer.self)!.store);
  expect(await second.evaluate(() => globalThis.lull.peers().find((peer) => peer.self)!.store)).toBeNull();
  await first.close();
  await second.waitForFunction((wanted) => globalThis.lull.peers().find((peer) => peer.self)?.store === wanted, store, { timeout: 20_000 });
  await second.waitForFunction(() => globalThis.lull.metrics().resources.donating, undefined, { timeout: 20_000 });
});

test('a tab closed in the middle of handing over leaves no half job behind', async ({ cluster }) => {
  const { submitter, donors } = await cluster.donorsAndSubmitter(2, { submitter: true });
  void submitter.page
    .evaluate(async () => {
      const lines = await globalThis.lull.put(new Blob([new Uint8Array(48 * 1024 * 1024).fill(10)]), { name: 'large' });
      await globalThis.lull.submit({ name: 'Never handed over', code: 'export default (line) => line;', inputs: { lines } });
    })
    .catch(() => undefined);
  await submitter.page.waitForFunction(() => globalThis.lull.peers().length === 3);
  await submitter.profile.kill();
  const { page } = donors[0]!;
  const job = await submitRange(page, 'Goes on', busyCode(2), 50);
  await committed(page, job, 50);
  const { results } = await collect(page, job);
  expect(results).toHaveLength(50);
});
