// A job that takes more input while it runs: from the code, from a second tab of the same person, and through the page.
import { committed, expect, test, waitingCode } from './harness/cluster.ts';
import { writeCode } from './harness/code-field.ts';

test.use({ browsers: 'shared' });

test('an open job takes 30 more while it runs and 10 from another tab of the same profile; closed, it gives all 60 in order, once', async ({
  cluster,
}) => {
  const { submitter } = await cluster.donorsAndSubmitter(3);
  const { page, profile } = submitter;
  const id = await page.evaluate(async (code) => {
    const job = await globalThis.lull.submit({ name: 'Grows', code, inputs: { range: [0, 20] }, open: true });
    // Read from the first result on: the reading waits for what is appended.
    const read: number[] = [];
    const reading = (async () => {
      for await (const result of job) read.push(result.index);
      return read;
    })();
    Object.assign(globalThis, { reading });
    return job.id;
  }, waitingCode(60));
  await committed(page, id, 4);
  await page.evaluate((job) => globalThis.lull.job(job)!.append({ range: [20, 50] }), id);
  const second = await profile.tab(`${cluster.server.url}/jobs/${id}`);
  await second.evaluate(async (job) => (await globalThis.lull.find(job)).append({ range: [50, 60] }), id);
  await committed(page, id, 60);
  // All is done, and the job waits: nobody has closed it.
  expect(await page.evaluate((job) => [globalThis.lull.job(job)!.state, globalThis.lull.job(job)!.open], id)).toEqual(['running', true]);
  await page.evaluate((job) => globalThis.lull.job(job)!.close(), id);
  const read = await page.evaluate(() => (globalThis as unknown as { reading: Promise<number[]> }).reading);
  expect(read).toEqual(Array.from({ length: 60 }, (_, index) => index));
  for (const tab of [page, second]) {
    const values = await tab.evaluate(async (job) => (await globalThis.lull.find(job)).values(), id);
    expect(values).toEqual(Array.from({ length: 60 }, (_, index) => index * 2));
    await tab.waitForFunction((job) => globalThis.lull.job(job)!.state === 'done', id);
  }
});

test(
  'two tabs of one profile append at the same moment: each input finds its place, each item runs once',
  { tag: '@soak' },
  async ({ cluster }) => {
    const { submitter } = await cluster.donorsAndSubmitter(2);
    const { page, profile } = submitter;
    const id = await page.evaluate(
      async (code) => (await globalThis.lull.submit({ name: 'Two at once', code, inputs: { items: [] }, open: true })).id,
      'export default (item) => item;',
    );
    const second = await profile.tab(`${cluster.server.url}/jobs/${id}`);
    await second.evaluate((job) => globalThis.lull.find(job), id);
    const append = (tab: typeof page, from: number) =>
      tab.evaluate(
        async ([job, first]) => {
          const open = globalThis.lull.job(job)!;
          for (let i = 0; i < 5; i++) await open.append({ range: [first + 10 * i, first + 10 * i + 10] });
        },
        [id, from] as const,
      );
    await Promise.all([append(page, 0), append(second, 1_000)]);
    await committed(page, id, 100);
    await second.evaluate((job) => globalThis.lull.job(job)!.close(), id);
    const values = (await page.evaluate((job) => globalThis.lull.job(job)!.values(), id)) as number[];
    expect(values.toSorted((a, b) => a - b)).toEqual([...Array(50).keys(), ...Array.from({ length: 50 }, (_, i) => 1_000 + i)]);
    // Of each tab in the order in which it appended.
    const own = (from: number, end: number) => values.filter((value) => from <= value && value < end);
    for (const list of [own(0, 1_000), own(1_000, 2_000)]) expect(list).toEqual(list.toSorted((a, b) => a - b));
  },
);

test('a job kept open through the form waits for more, takes it on its page, and is done when it is closed there', async ({ cluster }) => {
  const { submitter } = await cluster.donorsAndSubmitter(2);
  const { page } = submitter;
  await page.goto(`${cluster.server.url}/jobs/new`);
  await page.getByLabel('Name').fill('Letters');
  await writeCode(page, 'export default (line) => line.toUpperCase();');
  await page.getByLabel('Input', { exact: true }).fill('a\nb');
  await page.getByRole('checkbox', { name: 'Keep open' }).check();
  await page.getByRole('button', { name: 'Submit job' }).click();
  await expect(page.getByText('waits for more input')).toBeVisible({ timeout: 30_000 });
  await page.getByLabel('Input', { exact: true }).fill('c\nd\ne');
  await page.getByRole('button', { name: 'Append' }).click();
  await expect(page.getByText('3 items appended.')).toBeVisible();
  await expect(page.getByText('5 of 5 items so far done')).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole('status').filter({ hasText: 'running' }).first()).toBeVisible();
  await page.getByRole('button', { name: 'Close job' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'done' }).first()).toBeVisible();
  await expect(page.getByRole('button', { name: 'Append' })).toHaveCount(0);
  expect(await page.evaluate(() => globalThis.lull.jobs()[0]!.values())).toEqual(['A', 'B', 'C', 'D', 'E']);
});
