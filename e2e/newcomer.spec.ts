// From the opening page to a downloaded CSV of a map over an uploaded file of 10 000 lines, with the keyboard alone.
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright';
import { expect, test } from './harness/cluster.ts';

/** The name of what has the focus, through shadow roots; and whether it is where Tab indents. */
const focused = (page: Page) =>
  page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    const labels = element instanceof HTMLInputElement || element instanceof HTMLSelectElement ? [...(element.labels ?? [])] : [];
    const name = element?.getAttribute('aria-label') ?? labels.map((label) => label.textContent).join(' ');
    return { name: (name || (element?.textContent ?? '')).trim(), editor: element?.classList.contains('cm-content') === true };
  });

/** Tab by Tab, as a person would, until `name` has the focus. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const passed: string[] = [];
  for (let presses = 0; presses < 90; presses++) {
    const at = await focused(page);
    if (name.test(at.name)) return;
    passed.push(at.name.slice(0, 30));
    // In the editor Tab indents; Escape before it moves on.
    if (at.editor) await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
  }
  throw new Error(`${String(name)} cannot be reached with Tab: passed ${passed.join(' | ')}`);
}

async function press(page: Page, name: RegExp): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.press('Enter');
}

// A Tab at a time takes long on a machine that others use as well.
test.setTimeout(180_000);

test('a newcomer with a keyboard maps 10 000 lines and takes a CSV home', { tag: '@soak' }, async ({ cluster }) => {
  const { submitter } = await cluster.donorsAndSubmitter(2);
  const { page } = submitter;
  const refused: string[] = [];
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) refused.push(message.text());
  });
  await press(page, /^Jobs/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('You have no jobs yet');
  await press(page, /^New job$/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('What should the others compute?');
  await press(page, /^Map over lines$/);

  // The code, typed: the editor takes it, and lets one out again.
  await expect(page.getByLabel('Code')).toHaveAttribute('contenteditable', 'true');
  await tabTo(page, /^Name$/);
  await page.keyboard.press('Control+a');
  await page.keyboard.type('Lengths');
  await tabTo(page, /^Code$/);
  await page.keyboard.press('Control+a');
  await page.keyboard.type('export default (line) => ({ letters: line.length, twice: line + line });');
  await tabTo(page, /^Kind of input$/);
  await page.keyboard.type('A file');
  const choosing = page.waitForEvent('filechooser');
  await press(page, /^Input file$/);
  const lines = Array.from({ length: 10_000 }, (_, i) => `line ${i}${i % 7 === 0 ? ', "quoted"' : ''}`);
  await (await choosing).setFiles({ name: 'lines.txt', mimeType: 'text/plain', buffer: Buffer.from(`${lines.join('\n')}\n`) });

  await press(page, /^Try on three items here$/);
  await expect(page.getByRole('region', { name: 'Try it here' }).getByText(/All 10.000 items would take/)).toBeVisible();
  await press(page, /^Submit job$/);
  await expect(page.getByRole('status').filter({ hasText: 'done' }).first()).toBeVisible({ timeout: 60_000 });

  await press(page, /^More$/);
  const downloading = page.waitForEvent('download');
  await press(page, /^Download CSV$/);
  const csv = await readFile((await (await downloading).path())!, 'utf8');
  const rows = csv.trimEnd().split('\r\n');
  expect(rows).toHaveLength(10_001);
  expect(rows[0]).toBe('index,letters,twice,error,by,took_ms');
  expect(rows[2]).toMatch(/^1,6,line 1line 1,,/);
  expect(rows[8]).toMatch(/^7,16,"line 7, ""quoted""line 7, ""quoted""",,/);

  // The table can be walked with the keyboard, too, to the last row.
  await tabTo(page, /^Rows of results$/);
  await page.keyboard.press('End');
  await expect(page.getByRole('row').filter({ hasText: 'line 9999' }).first()).toBeVisible();
  expect(refused).toEqual([]);
});
