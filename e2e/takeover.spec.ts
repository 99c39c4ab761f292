// Two tabs of one browser: one speaks for what the browser keeps, the other waits, and takes over when the first goes.
import { busyCode, committed, expect, mayClose, submitRange, test } from './harness/cluster.ts';
import { get, put } from './harness/objects.ts';
import { donate, seesMembers } from './harness/profile.ts';

test('a second tab that takes over has what it alone was given while it waited: data, a job, and all that the first one kept', async ({
  cluster,
}) => {
  const { page: first, profile } = await cluster.join();
  const before = await put(first, 'given to the first');
  // Linked to the first, it would give it to that one's store.
  await profile.context.addInitScript(() => {
    const fails = () => Promise.reject(new Error('There is no way out of this tab.'));
    Object.assign(RTCPeerConnection.prototype, { createOffer: fails, setRemoteDescription: fails });
  });
  const second = await profile.tab(cluster.server.url);
  await second.waitForFunction(() => globalThis.lull.metrics().resources.reason.code === 'other-tab');
  const meanwhile = await put(second, 'given to the second');
  const job = await submitRange(second, 'Handed to the second', busyCode(1), 20);
  await first.close();
  await second.waitForFunction(() => globalThis.lull.metrics().resources.reason.code !== 'other-tab');

  const textsOf = () => Promise.all([before, meanwhile].map((ref) => get(second, ref)));
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
  const ref = await put(second, 'given to the second');
  const job = await submitRange(second, 'Handed to the second', busyCode(1), 20);
  await mayClose(second, job);
  await second.close();
  expect(await get(first, ref)).toBe('given to the second');
  await donate(first);
  await committed(first, job, 20);
});
