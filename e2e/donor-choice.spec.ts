// The donor decides: reads what ran here, follows, says never, pauses, and keeps receipts.
import { readFile } from 'node:fs/promises';
import { busyCode, committed, expect, submitRange, test } from './harness/cluster.ts';
import { donate, seesMembers } from './harness/profile.ts';

test.use({ browsers: 'shared' });

test('what ran here can be read, never run again, and allowed again; receipts say what it was', { tag: '@soak' }, async ({ cluster }) => {
  const { page } = await cluster.join();
  const submitter = await cluster.join();
  await seesMembers(submitter.page, 2);
  await donate(page);
  const job = await submitRange(submitter.page, 'To be read', busyCode(20), 100_000);
  await committed(submitter.page, job, 20);

  await page.getByRole('button', { name: 'Look at To be read' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByText('while (performance.now() < end);')).toBeVisible();
  const name = await submitter.page.evaluate(() => globalThis.lull.self.name);
  await dialog.getByRole('button', { name: `Follow ${name}` }).click();
  await expect(dialog.getByRole('button', { name: `Unfollow ${name}` })).toBeVisible();
  await dialog.getByRole('button', { name: 'Never run this job' }).click();
  await expect(page.getByRole('button', { name: 'Allow again: To be read' })).toBeVisible();
  const running = () => page.evaluate(() => globalThis.lull.metrics().running.length);
  await expect.poll(running).toBe(0);
  const done = () => submitter.page.evaluate((id) => globalThis.lull.job(id)!.progress.committed, job);
  const before = await done();
  await expect(page.getByText('none of those you chose to run')).toBeVisible();
  expect((await done()) - before).toBeLessThan(100);
  // Its submitter learns what it waits for: that some choice keeps it from that member, not which.
  await submitter.page.getByRole('link', { name: 'Jobs' }).first().click();
  await submitter.page.getByRole('link', { name: 'To be read' }).first().click();
  const why = /their owner chose not to run it/;
  await expect(submitter.page.getByText(/^Nobody works on it just now/)).toHaveText(why, { timeout: 15_000 });
  const members = submitter.page.getByRole('region', { name: 'Members and this job' });
  await expect(members).toHaveText(why);
  await expect(members.getByRole('row')).toHaveCount(3);

  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download receipts' }).click()]);
  const { jobs } = JSON.parse(await readFile(await download.path(), 'utf8')) as { jobs: { [key: string]: unknown }[] };
  const submittedBy = await submitter.page.evaluate(() => globalThis.lull.self.identity);
  expect(jobs).toMatchObject([{ job, name: 'To be read', submitter: { identity: submittedBy } }]);
  expect(jobs[0]!['codeHash']).toMatch(/^[0-9a-f]{64}$/);
  expect(jobs[0]!['cpuSeconds']).toBeGreaterThan(0);
  expect(jobs[0]!['resultBytes']).toBeGreaterThan(0);

  await page.getByRole('button', { name: 'Allow again: To be read' }).click();
  await committed(submitter.page, job, before + 20);
  await expect(members).toContainText(/runs \d+ parts?/);
  // Nothing of it is lost when the page is opened anew.
  await page.reload();
  await expect(page.getByRole('button', { name: `Unfollow: ${name}` })).toBeVisible();
  await expect(page.getByRole('region', { name: 'What this machine did' }).getByText('To be read')).toBeVisible();
  await submitter.page.evaluate((id) => globalThis.lull.job(id)!.cancel(), job);
});
