import type { Page } from '@playwright/test';

/**
 * Writes over all that stands in the field for code, as a person does: with keys, which the editor itself takes for a selection. `fill` selects in
 * the page, and where that comes while the editor takes the focus, what stood there stays beside what is written.
 */
export async function writeCode(page: Page, text: string): Promise<void> {
  await page.getByLabel('Code').and(page.locator('[contenteditable=true]')).press('ControlOrMeta+a');
  if (text === '') await page.keyboard.press('Delete');
  else await page.keyboard.insertText(text);
}
