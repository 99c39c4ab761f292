// A donor reports a job, the operator denies it by the command line, and every tab hears of it, from the server or from another tab.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { busyCode, committed, expect, openCluster, submitRange, test } from './harness/cluster.ts';
import { donate, seesMembers } from './harness/profile.ts';

const entry = fileURLToPath(new URL('../dist/server/main.js', import.meta.url));
const run = promisify(execFile);

test('a reported job runs here no more, and a denied one everywhere, with the reason', { tag: '@soak' }, async () => {
  test.setTimeout(180_000);
  const directory = await mkdtemp(join(tmpdir(), 'lull-operator-'));
  const operator = async (...args: string[]) =>
    (await run(process.execPath, [entry, 'operator', ...args], { env: { ...process.env, OPERATOR_DIRECTORY: directory } })).stdout;
  await operator('key');
  const { cluster, close } = await openCluster({ OPERATOR_DIRECTORY: directory });
  try {
    const { page: donor } = await cluster.join();
    const { page: submitter } = await cluster.join();
    await seesMembers(submitter, 2);
    await donate(donor);
    const job = await submitRange(submitter, 'Suspicious', busyCode(20), 100_000);
    await committed(submitter, job, 20);

    // Whoever reads and writes about a job has stopped it by that; here nothing yields, so it is stopped by hand.
    await donor.getByRole('button', { name: 'Stop donating' }).click();
    await donor.getByRole('button', { name: 'Look at Suspicious' }).click();
    const dialog = donor.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Report this job' }).click();
    await dialog.getByLabel('It makes money with my machine').check();
    // No key is pressed: the first that Lull hears of it is the change of the field, and what it draws then must not put the old one back.
    const words = dialog.getByLabel('In your own words, if you like');
    for (const said of ['It looks', ' for coins.']) {
      await words.focus();
      await donor.keyboard.insertText(said);
    }
    await expect(words).toHaveValue('It looks for coins.');
    await dialog.getByRole('button', { name: 'Send report' }).click();
    await expect(dialog.getByText('The operator of this site has your report.')).toBeVisible();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await expect(donor.getByRole('button', { name: 'Allow again: Suspicious' })).toBeVisible();
    await donate(donor);
    await expect(donor.getByText('none of those you chose to run')).toBeVisible();
    const reports = await operator('reports');
    expect(reports).toContain('"Suspicious", reported by 1');
    expect(reports).toContain('It makes money with my machine – It looks for coins.');

    await operator('deny', 'job', job, 'It', 'mines', 'coins.');
    // A newcomer asks the server in its first seconds, and the others have the list from there.
    const { page: newcomer } = await cluster.join();
    const why = 'The operator of this site has denied this job: It mines coins.';
    await submitter.goto(new URL(`/jobs/${job}`, submitter.url()).href);
    await expect(submitter.getByText(why)).toBeVisible({ timeout: 30_000 });
    await expect(submitter.getByRole('status').first()).toHaveText('failed');
    await expect(donor.getByText(/has denied 1 job: none of it runs or is kept here/)).toBeVisible();
    await newcomer.goto(new URL(`/jobs/${job}`, newcomer.url()).href);
    await expect(newcomer.getByText(why)).toBeVisible({ timeout: 30_000 });
  } finally {
    await close();
    await rm(directory, { recursive: true, force: true });
  }
});
