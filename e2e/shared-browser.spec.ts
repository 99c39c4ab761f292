// Profiles that share a browser have nothing else in common: what the tests say of several donors they may say of these, too.
import { expect, test } from './harness/cluster.ts';

test.use({ browsers: 'shared' });

test('profiles of one browser share no storage, lock, channel or identity, and one that crashes takes no other with it', async ({
  cluster,
}) => {
  const [one, other] = await Promise.all([cluster.join(), cluster.join()]);
  expect(one.profile.context.browser()).toBe(other.profile.context.browser());
  // A tab of the same profile is the control: it sees what the other profile must not.
  const second = await one.profile.tab(cluster.server.url);
  const looking = await Promise.all(
    [second, other.page].map((page) =>
      page.evaluateHandle(() => {
        const heard: unknown[] = [];
        new BroadcastChannel('test').addEventListener('message', ({ data }) => void heard.push(data));
        return heard;
      }),
    ),
  );
  await one.page.evaluate(async () => {
    await new Promise<void>((held) => {
      void navigator.locks.request('test', () => {
        held();
        return new Promise(() => undefined);
      });
    });
    await new Promise((opened) => indexedDB.open('test').addEventListener('success', opened));
    localStorage.setItem('test', 'kept');
    document.cookie = 'test=kept';
    new BroadcastChannel('test').postMessage('hello');
  });
  const [heardSecond, heardOther] = looking as [(typeof looking)[0], (typeof looking)[0]];
  await expect.poll(() => heardSecond.jsonValue()).toEqual(['hello']);
  const seen = (page: typeof second) =>
    page.evaluate(async () => ({
      free: await navigator.locks.request('test', { ifAvailable: true }, (lock) => lock !== null),
      databases: (await indexedDB.databases()).filter(({ name }) => name === 'test').length,
      local: localStorage.getItem('test'),
      cookie: document.cookie,
      identity: globalThis.lull.self.identity,
    }));
  const [first, same, apart] = await Promise.all([one.page, second, other.page].map(seen));
  expect(same).toEqual({ free: false, databases: 1, local: 'kept', cookie: 'test=kept', identity: first!.identity });
  expect(apart).toEqual({ free: true, databases: 0, local: null, cookie: '', identity: expect.not.stringMatching(first!.identity) });
  expect(await heardOther.jsonValue()).toEqual([]);

  await one.profile.kill();
  expect(await other.page.evaluate(() => globalThis.lull.self.identity)).toBe(apart!.identity);
  await one.profile.reopen();
  const again = await one.profile.tab(cluster.server.url);
  expect(await again.evaluate(() => globalThis.lull.self.identity)).toBe(first!.identity);
});
