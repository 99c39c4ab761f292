// Two tabs of one browser: one speaks for what the browser keeps, the other waits, and takes over when the first goes.
import { busyCode, committed, expect, mayClose, submitRange, test } from './harness/cluster.ts';
import { donate, seesMembers } from './harness/profile.ts';

test('a second tab that takes over has what it alone was given while it waited: data, a job, and all that the first one kept', async ({
  cluster,
}) => {
  const { page: first, profile } = await cluster.join();
  const put = (text: string) => (page: typeof first) => page.evaluate((given) => globalThis.lull.put(given), text);
  const before = await put('given to the first')(first);
  // Linked to the first, it would give it to that one's store.
  await profile.context.addInitScript(() => {
    const fails = () => Promise.reject(new Error('There is no way out of this tab.'));
    Object.assign(RTCPeerConnection.prototype, { createOffer: fails, setRemoteDescription: fails });
  });
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

test('what a second tab is given the first one keeps: it may be closed, and the first goes on alone', async ({ cluster }) => {
  const { page: first, profile } = await cluster.join();
  const second = await profile.tab(cluster.server.url);
  await seesMembers(second, 2);
  const ref = await second.evaluate(() => globalThis.lull.put('given to the second'));
  const job = await submitRange(second, 'Handed to the second', busyCode(1), 20);
  await mayClose(second, job);
  await second.close();
  expect(await first.evaluate((given) => globalThis.lull.get(given).then((blob) => blob.text()), ref)).toBe('given to the second');
  await donate(first);
  await committed(first, job, 20);
});
