// The life of a job in real tabs of separate browsers: through the form, past killed donors, a submitter that leaves, a server that dies.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { busyCode, collect, committed, expect, mayClose, submitRange, test, waitingCode } from './harness/cluster.ts';
import { donate, seesMembers } from './harness/profile.ts';
import { plainCounts } from './harness/word-counts.ts';
import type { WordCounts } from '../web/samples/word-count.ts';

test.use({ browsers: 'shared' });

const text = fileURLToPath(new URL('../public/samples/genesis-to-samuel.txt', import.meta.url));

const doubles = (items: number) => Array.from({ length: items }, (_, index) => ({ index, value: index * 2 }));

test('a word count over 1 MB, submitted through the form, runs in three other browsers and equals a plain count', async ({ cluster }) => {
  const { submitter, donors } = await cluster.donorsAndSubmitter(3);
  const { page } = submitter;
  await page.getByRole('link', { name: 'Jobs', exact: true }).click();
  await page
    .getByRole('link', { name: 'New job' })
    .or(page.getByRole('button', { name: 'New job' }))
    .first()
    .click();
  await page.getByRole('button', { name: /^Word count/ }).click();
  await page.getByLabel('Name').fill('Words of a long text');
  await page.getByLabel('Input file').setInputFiles(text);
  await page.getByRole('button', { name: 'Submit job' }).click();
  await expect(page.getByText('You can close this tab')).toBeVisible();

  // Progress moves: the bar is seen at several places on its way.
  const bar = page.getByRole('progressbar').first();
  const seen = new Set<string>();
  await expect(async () => {
    seen.add((await bar.getAttribute('aria-valuenow')) ?? '');
    await expect(page.getByRole('status').filter({ hasText: 'done' }).first()).toBeVisible({ timeout: 50 });
  }).toPass({ timeout: 60_000, intervals: [50] });
  console.log(`the bar was seen at ${seen.size} places`);
  expect(seen.size).toBeGreaterThan(2);

  const answer = await page.evaluate(async () => {
    const [job] = globalThis.lull.jobs();
    return { counts: (await job!.reduced()) as WordCounts, contributors: (await job!.overview()).contributors, progress: job!.progress };
  });
  const plain = plainCounts(await readFile(text, 'utf8'));
  expect(Object.fromEntries(answer.counts.words)).toEqual(Object.fromEntries(plain.words));
  expect(answer.counts.distinctPhrases).toBe(plain.phrases.size);
  for (const [phrase, times] of answer.counts.phrases) expect(plain.phrases.get(phrase)).toBe(times);
  expect(answer.progress.committed).toBe(answer.progress.items);
  // The submitter gave nothing: others ran it, and the page says who.
  const names = await Promise.all(donors.map(({ page: donor }) => donor.evaluate(() => globalThis.lull.self.name)));
  expect(answer.contributors.length).toBeGreaterThan(0);
  for (const { name } of answer.contributors) {
    expect(names).toContain(name);
    await expect(page.getByText(name).first()).toBeVisible();
  }
  console.log(`who ran what: ${answer.contributors.map(({ name, items }) => `${name} ${items}`).join(', ')}`);

  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download results' }).click();
  const saved = JSON.parse(await readFile((await (await download).path())!, 'utf8')) as { results: unknown[]; reduced: WordCounts };
  expect(saved.results).toHaveLength(answer.progress.items);
  expect(saved.reduced.words).toEqual(answer.counts.words);
});

test('a donor killed in mid-job costs nothing: the job ends complete, every item once', async ({ cluster }) => {
  const { submitter, donors } = await cluster.donorsAndSubmitter(3, { donors: 1 });
  const items = 400;
  const job = await submitRange(submitter.page, 'Survives a crash', waitingCode(30), items);
  await committed(submitter.page, job, 40);
  await donors[0]!.profile.kill();
  const killedAt = Date.now();
  const { state, results } = await collect(submitter.page, job);
  console.log(`ended ${((Date.now() - killedAt) / 1000).toFixed(1)} s after the kill`);
  expect(state).toBe('done');
  expect(results.map(({ index, ...rest }) => ({ index, value: 'value' in rest ? rest.value : 'failed' }))).toEqual(doubles(items));
});

test('a tab that is loaded again rejoins its group with the same store', async ({ cluster }) => {
  const { donors, submitter } = await cluster.donorsAndSubmitter(2);
  const { page } = donors[0]!;
  const mine = () => page.evaluate(() => globalThis.lull.peers().find((peer) => peer.self)!);
  const before = await mine();
  const groupBefore = await page.evaluate(() => globalThis.lull.self.group);
  await page.reload();
  await page.evaluate(() => globalThis.lull.ready);
  await seesMembers(page, 3);
  const after = await mine();
  expect(after.store).toBe(before.store);
  expect(after.store).not.toBeNull();
  expect(after.identity).toBe(before.identity);
  expect(after.peer).not.toBe(before.peer);
  expect(await page.evaluate(() => globalThis.lull.self.group)).toBe(groupBefore);
  await submitter.page.waitForFunction((peer) => globalThis.lull.peers().some((member) => member.peer === peer), after.peer);
});

test('the submitter leaves as soon as it may; the job goes on; reopened, it collects', async ({ cluster }) => {
  const { submitter, donors } = await cluster.donorsAndSubmitter(3, { submitter: true });
  const items = 240;
  const job = await submitRange(submitter.page, 'Left alone', waitingCode(30), items);
  await mayClose(submitter.page, job);
  await submitter.profile.kill();
  const { page } = donors[1]!;
  await committed(page, job, items);
  await submitter.profile.reopen();
  const again = await submitter.profile.tab(`${cluster.server.url}/jobs/${job}`);
  const { state, results } = await collect(again, job);
  expect(state).toBe('done');
  expect(results.map((result) => ('value' in result ? result.value : 'failed'))).toEqual(doubles(items).map(({ value }) => value));
  await expect(again.getByRole('status').filter({ hasText: 'done' }).first()).toBeVisible();
});

test('signaling is killed and started again in mid-job: the job never stops, and a new tab joins afterwards', async ({ cluster }) => {
  const { submitter } = await cluster.donorsAndSubmitter(3);
  const items = 500;
  const job = await submitRange(submitter.page, 'Without a server', waitingCode(30), items);
  await committed(submitter.page, job, 40);
  await cluster.server.kill();
  const atKill = await submitter.page.evaluate((id) => globalThis.lull.job(id)!.progress.committed, job);
  await committed(submitter.page, job, Math.min(items, atKill + 150));
  await cluster.server.restart();
  const { state, results } = await collect(submitter.page, job);
  expect(state).toBe('done');
  expect(results.map((result) => ('value' in result ? result.value : 'failed'))).toEqual(doubles(items).map(({ value }) => value));
  const late = await cluster.join();
  await seesMembers(late.page, 5, 40_000);
});

test(
  'typing in a donating tab stops its workers within 100 ms; they resume after the quiet time',
  { tag: '@alone' },
  async ({ cluster }) => {
    const donor = await cluster.join('/', { browser: 'own' });
    const submitter = await cluster.join('/', { browser: 'own' });
    await donate(donor.page, { cores: 2, idleAfterSeconds: 1, whenBusy: 'yield' });
    await seesMembers(submitter.page, 2);
    const items = 100_000;
    const job = await submitRange(submitter.page, 'Polite', busyCode(10), items);
    const { page } = donor;
    const tookMs: number[] = [];
    for (let round = 0; tookMs.length < 5 && round < 20; round++) {
      // Items are being computed, not only about to be: a sandbox that still opens holds no foreign code yet.
      await page.waitForFunction(
        () => {
          const computing = globalThis.lull.metrics().running.filter((run) => run.phase === 'running');
          return computing.length > 0 && computing.every((run) => run.finished > 0);
        },
        undefined,
        { timeout: 30_000 },
      );
      const running = await page.evaluate(() => {
        // A frame that is removed takes its Worker with it. They go so soon that a listener of this test would come too late to
        // start a watch: so removals are watched from before, and the key's own time stamp is what they are counted from.
        const times = { pressed: 0, removed: [] as number[] };
        Object.assign(globalThis, { times });
        window.addEventListener('keydown', (event) => (times.pressed ||= event.timeStamp), { capture: true, once: true });
        new MutationObserver((records) => {
          for (const node of records.flatMap((record) => [...record.removedNodes]))
            if (node instanceof HTMLIFrameElement) times.removed.push(performance.now());
        }).observe(document, { childList: true, subtree: true });
        return globalThis.lull.metrics().running.filter((run) => run.phase === 'running').length;
      });
      await page.keyboard.press('a');
      await page.waitForFunction(() => !globalThis.lull.metrics().running.some((run) => run.phase === 'running'));
      const { pressed, removed } = await page.evaluate(
        () => (globalThis as unknown as { times: { pressed: number; removed: number[] } }).times,
      );
      const after = removed.filter((at) => at >= pressed);
      // What ran may have ended by itself just before the key: then there was nothing to stop.
      if (running === 0 && after.length === 0) continue;
      expect(after.length).toBeGreaterThanOrEqual(running);
      tookMs.push(Math.max(...after) - pressed);
    }
    expect(tookMs).toHaveLength(5);
    console.log(`input to workers gone: ${tookMs.map((ms) => `${ms.toFixed(1)} ms`).join(', ')}`);
    expect(Math.max(...tookMs)).toBeLessThan(100);
    await page.waitForFunction(() => globalThis.lull.metrics().running.some((run) => run.phase === 'running'), undefined, {
      timeout: 30_000,
    });
    await submitter.page.evaluate((id) => globalThis.lull.job(id)!.cancel(), job);
  },
);
