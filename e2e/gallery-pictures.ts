// node e2e/run.mjs gallery-pictures.ts: what each sample ends in, for the gallery, by running them all on a real site: public/samples/<id>.webp.
import { writeFile } from 'node:fs/promises';
import type { Page } from 'playwright';
import { gallery } from '../web/samples/gallery.ts';
import { donate, Profile } from './harness/profile.ts';
import { startServer } from './harness/server.ts';

/** As the gallery shows them. */
const size = { width: 540, height: 330 };
/** A chart is drawn about as wide as it is shown, so that its words can be read there. */
const viewport = { width: 600, height: 1_000 };
const jobMsMax = 300_000;

const server = await startServer();
let profile: Profile | undefined;
let failed = false;
try {
  profile = await Profile.open({ viewport });
  const page = await profile.tab(server.url);
  await donate(page);
  for (const { id, name } of gallery) {
    await page.goto(`${server.url}/jobs/new?sample=${id}`);
    await donate(page);
    await page.getByText(`Filled in: ${name}.`).waitFor();
    await page.getByRole('button', { name: 'Submit job' }).click();
    await page.waitForURL(/\/jobs\/[0-9a-f]{64}$/);
    await page.getByRole('status').filter({ hasText: 'done' }).first().waitFor({ timeout: jobMsMax });
    const picture = page.locator('canvas.picture').or(page.getByLabel('Reduced result').locator('canvas, .plot, .bars')).first();
    await picture.waitFor();
    // The last of what is fetched and drawn.
    await page.waitForTimeout(2_000);
    const isChart = await picture.evaluate((element: HTMLElement) => {
      element.style.borderRadius = '0';
      return element.tagName !== 'CANVAS';
    });
    const png = await picture.screenshot({ animations: 'disabled' });
    await writeFile(new URL(`../public/samples/${id}.webp`, import.meta.url), await fitted(page, png, isChart));
    console.log(`public/samples/${id}.webp`);
  }
} catch (error) {
  failed = true;
  console.error(error);
} finally {
  await profile?.close();
  await server.stop();
}
process.exit(failed ? 1 : 0);

/** As WebP of the gallery's size. A chart is there whole, on white; what has no words in it fills the room. */
async function fitted(page: Page, png: Uint8Array, isChart: boolean): Promise<Uint8Array> {
  const base64 = await page.evaluate(
    async ({ source, width, height, whole }) => {
      const image = new Image();
      image.src = `data:image/png;base64,${source}`;
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width, height });
      const context = canvas.getContext('2d')!;
      context.fillStyle = '#fff';
      context.fillRect(0, 0, width, height);
      const scale = (whole ? Math.min : Math.max)(width / image.width, height / image.height);
      const [w, h] = [image.width * scale, image.height * scale];
      context.drawImage(image, (width - w) / 2, (height - h) / 2, w, h);
      return canvas.toDataURL('image/webp', 0.9).split(',')[1]!;
    },
    { source: Buffer.from(png).toString('base64'), ...size, whole: isChart },
  );
  return Buffer.from(base64, 'base64');
}
