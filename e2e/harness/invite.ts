// Into a private network, the way a person goes: by its link, and a click.
import type { Page } from 'playwright';
import type { Profile } from './profile.ts';

export const isInvite = (url: string) => new URL(url).hash.startsWith('#join=');

/** A tab of a profile that was never in that network, its kernel started there. */
export async function followInvite(profile: Profile, link: string): Promise<Page> {
  const page = await profile.context.newPage();
  await page.goto(link);
  await page.getByRole('dialog').getByRole('button', { name: 'Join' }).click();
  // The page is loaded again: what follows must not be said to the one that goes.
  await page.getByText('private:').waitFor();
  await page.evaluate(() => globalThis.lull.ready);
  return page;
}
