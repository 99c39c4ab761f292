// Two tabs of one browser: one speaks for what the browser keeps, the other waits, and takes over when the first goes.
import { busyCode, committed, expect, submitRange, test } from './harness/cluster.ts';
import { donate } from './harness/profile.ts';

test('a second tab that takes over has what it was given while it waited: data, a job, and all that the first one kept', async ({
  cluster,
}) => {
  const { page: first, profile } = await cluster.join();
  const put = (text: string) => (page: typeof first) => page.evaluate((given) => globalThis.lull.put(given), text);
  const before = await put('given to the first')(first);
  const second = await profile.tab(cluster.server.url);
  await second.waitForFunction(() => globalThis.lull.metrics().resources.reason.code === 'other-tab');
  const meanwhile = await put('given to the second')(second);
  const job = await submitRange(second, 'Handed to the second', busyCode(1), 20);
  await first.close();
  await second.waitForFunction(() => globalThis.lull.metrics().resources.reason.code !== 'other-tab');

  const textsOf = () =>
    second.evaluate(
      (refs) =>
        Promise.all(
          refs.map((ref) =>
            globalThis.lull.get(ref).then(
              (blob) => blob.text(),
              () => 'not here',
            ),
          ),
        ),
      [before, meanwhile],
    );
  await expect.poll(textsOf).toEqual(['given to the first', 'given to the second']);
  await donate(second);
  await committed(second, job, 20);

  await second.reload();
  await second.evaluate(() => globalThis.lull.ready);
  expect(await textsOf()).toEqual(['given to the first', 'given to the second']);
  expect(await second.evaluate(async (id) => (await globalThis.lull.find(id)).state, job)).toBe('done');
});
