// The New job page as one writes a job: the editor knows the task, and a few lines make the input.
import { expect, test } from './harness/cluster.ts';
import { donate } from './harness/profile.ts';

test(
  'the editor completes the task, says what it has not and how it is called; a generator makes the items; a clone keeps its limits',
  { tag: '@soak' },
  async ({ cluster }) => {
    const { page } = await cluster.join('/jobs/new');
    await donate(page);
    await page.getByLabel('Name', { exact: true }).fill('Pairs');
    const code = page.getByLabel('Code', { exact: true });
    await expect(code).toHaveAttribute('contenteditable', 'true');
    await code.click();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('export default ({ a, b }, it) => it.');
    await expect(page.getByRole('option', { name: /^random/ })).toBeVisible();
    await page.keyboard.type('inde');
    await expect(page.getByRole('option', { name: /^index/ })).toBeVisible();
    await page.keyboard.press('Enter');
    await page.keyboard.type('(1) + it.foo + a * b;');
    // Both are marked, and said under the pointer.
    const wrong = page.locator('.cm-lintRange-error');
    await expect(wrong).toHaveCount(2);
    await wrong.last().hover();
    await expect(page.getByText('task has no foo: it has index, args')).toBeVisible();
    await code.click();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('export default ({ a, b }, it) => it.index + a * b;');
    await expect(wrong).toHaveCount(0);

    await page.getByLabel('Kind of input').selectOption('A generator');
    const input = page.getByLabel('Input', { exact: true });
    await input.fill('for (let a = 1; a <= args.most; a++) for (let b = 1; b <= a; b++) yield { a, b };');
    await page.getByText('Arguments and a last step').click();
    await expect(page.getByLabel('Arguments', { exact: true })).toHaveAttribute('contenteditable', 'true');
    await page.getByLabel('Arguments', { exact: true }).click();
    await page.keyboard.type('{"most": 40');
    await page.getByRole('button', { name: 'Try on three items here' }).click();
    await expect(page.getByLabel('Try it here')).toContainText('#819');
    await page.getByText('Limits, priority and keeping').click();
    const limits = [
      page.getByLabel('Time for one item'),
      page.getByLabel('Memory'),
      page.getByLabel('Priority'),
      page.getByLabel('Kept for'),
    ];
    for (const [at, value] of ['0', '512', '5', '30'].entries()) await limits[at]!.fill(value);
    await page.getByRole('button', { name: 'Submit job' }).click();
    await expect(limits[0]!).toBeFocused();
    await expect(page.getByText('The time for one item is a number of minutes above 0')).toBeVisible();
    await limits[0]!.fill('2');
    await page.getByRole('button', { name: 'Submit job' }).click();
    await page.waitForURL(/\/jobs\/[0-9a-f]{64}$/);
    await expect(page.getByRole('status').first()).toHaveText(/done/, { timeout: 30_000 });
    const values = await page.evaluate(() => globalThis.lull.jobs()[0]!.values());
    expect([values.length, values[0], values.at(-1)]).toEqual([820, 1, 819 + 40 * 40]);

    await expect(page.getByText('They expire in 30 days.')).toBeVisible();
    // Again, with what it was allowed.
    await page.getByText('More', { exact: true }).click();
    await page.getByRole('button', { name: 'Clone and edit' }).click();
    await expect(page.getByText('Cloned from Pairs: change what you like.')).toBeVisible();
    for (const [at, value] of ['2', '512', '5', '30'].entries()) await expect(limits[at]!).toHaveValue(value);
  },
);

test('a form outlives its tab, and is handed over once however one comes and goes meanwhile', { tag: '@soak' }, async ({ cluster }) => {
  const { page, profile } = await cluster.join('/jobs/new');
  await page.getByLabel('Name', { exact: true }).fill('Written yesterday');
  await page.getByLabel('Input', { exact: true }).fill('a\nb');
  await page.waitForFunction(() => localStorage.getItem('lull-draft-left')?.includes('Written yesterday'));
  await page.close();

  const again = await profile.tab(`${cluster.server.url}/jobs/new`);
  await expect(again.getByText('You wrote a job in another tab, “Written yesterday”')).toBeVisible();
  await again.getByRole('button', { name: 'Bring it back' }).click();
  await expect(again.getByLabel('Input', { exact: true })).toHaveValue('a\nb');
  await again.getByLabel('Kind of input').selectOption('A file');
  await again
    .getByLabel('Input file')
    .setInputFiles({ name: 'large.txt', mimeType: 'text/plain', buffer: Buffer.alloc(30_000_000, 'a line\n') });

  const submit = again.getByRole('button', { name: 'Submit job' });
  await submit.click();
  await again.getByRole('navigation').getByRole('link', { name: 'Jobs', exact: true }).click();
  await expect(again.getByText('Written yesterday is uploading.')).toBeVisible();
  await again.goBack();
  await expect(submit).toBeDisabled();
  await again.waitForURL(/\/jobs\/[0-9a-f]{64}$/);
  expect(await again.evaluate(() => globalThis.lull.jobs().map(({ name }) => name))).toEqual(['Written yesterday']);

  const later = await profile.tab(`${cluster.server.url}/jobs/new`);
  await expect(later.getByLabel('Name', { exact: true })).toHaveValue('');
  await expect(later.getByText('You wrote a job in another tab')).toHaveCount(0);
});
