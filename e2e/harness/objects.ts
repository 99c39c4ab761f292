// Objects as a person's own code on the page puts and gets them.
import type { Page } from 'playwright';
import type { ObjectRef } from '../../web/sdk/types.ts';

export const put = (page: Page, text: string): Promise<ObjectRef> => page.evaluate((given) => globalThis.lull.put(given), text);

/** Its text, or 'not here'. */
export const get = (page: Page, ref: ObjectRef): Promise<string> =>
  page.evaluate(
    (from) =>
      globalThis.lull.get(from).then(
        (blob) => blob.text(),
        () => 'not here',
      ),
    ref,
  );
