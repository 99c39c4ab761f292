// Nothing is lost when tabs leave: data and work held as coded slices, in real tabs of separate browsers.
import { createHash } from 'node:crypto';
import { collect, committed, expect, mayClose, submitRange, test, waitingCode, type Peer } from './harness/cluster.ts';
import { digestOf, noise, putNoise } from './harness/objects.ts';
import { donate, seesMembers } from './harness/profile.ts';
import { contentsOf, heldPerSegment, manifestIn, sliceHashesOf } from './harness/slices.ts';

test.use({ browsers: 'shared' });

const MiB = 1024 * 1024;
const doubled = (items: number) => Array.from({ length: items }, (_, index) => index * 2);

async function holdersAmong(peers: readonly Peer[], object: string) {
  const contents = await Promise.all(peers.map(async (peer) => ({ peer, contents: await contentsOf(peer.page) })));
  const manifest = contents.map((one) => manifestIn(one.contents, object)).find((found) => found !== undefined);
  if (manifest === undefined) throw new Error('no store has the manifest');
  const hashes = sliceHashesOf(manifest);
  const held = heldPerSegment(
    hashes,
    contents.map((one) => one.contents),
  );
  const without = contents
    .filter((one) => !hashes.some((slices, i) => [...slices, manifest.segments[i]!.hash].some((hash) => one.contents.slices.has(hash))))
    .map(({ peer }) => peer);
  return { manifest, held, without };
}

test(
  'of nine tabs any four go at once, then two more: 20 MiB read back byte-exact, and are spread again without anybody asking',
  { tag: '@soak' },
  async ({ cluster }) => {
    test.setTimeout(180_000);
    const peers = await Promise.all(Array.from({ length: 9 }, () => cluster.join('/data')));
    await Promise.all(peers.map(({ page }) => donate(page)));
    await Promise.all(peers.map(({ page }) => seesMembers(page, 9, 40_000)));
    const size = 20 * MiB;
    const expected = { size, sha256: createHash('sha256').update(noise(size)).digest('hex') };

    const putAt = performance.now();
    const { object } = await putNoise(peers[0]!.page, size);
    console.log(`put of 20 MiB among nine tabs: ${((performance.now() - putAt) / 1000).toFixed(1)} s`);
    const before = await holdersAmong(peers, object);
    expect([before.manifest.k, before.manifest.n]).toEqual([2, 6]);
    expect(Math.min(...before.held)).toBe(6);

    // The one that put it and three that hold slices; a tab that never had any of it reads.
    const reader = before.without[0]!;
    expect(reader).toBeDefined();
    const holding = peers.filter((peer) => !before.without.includes(peer));
    const killed = holding.slice(0, 4);
    await Promise.all(killed.map(({ profile }) => profile.kill()));
    const killedAt = performance.now();
    expect(await digestOf(reader.page, object)).toEqual(expected);
    console.log(`read ${((performance.now() - killedAt) / 1000).toFixed(1)} s after four were killed`);

    const living = peers.filter((peer) => !killed.includes(peer));
    await expect
      .poll(async () => Math.min(...(await holdersAmong(living, object)).held), { timeout: 60_000, intervals: [500] })
      .toBe(Math.min(before.manifest.n, living.length));
    const repairedSeconds = (performance.now() - killedAt) / 1000;
    console.log(`every segment on each of the five living ${repairedSeconds.toFixed(1)} s after the kill`);
    expect(repairedSeconds).toBeLessThan(30);

    const gone = living.filter((peer) => peer !== reader).slice(0, 2);
    await Promise.all(gone.map(({ profile }) => profile.kill()));
    expect(await digestOf(reader.page, object)).toEqual(expected);
    const last = living.find((peer) => peer !== reader && !gone.includes(peer))!;
    expect(await digestOf(last.page, object)).toEqual(expected);
  },
);

test('the submitter and two holders die right after Submit said the tab may be closed: the job completes', async ({ cluster }) => {
  test.setTimeout(120_000);
  const { submitter, donors } = await cluster.donorsAndSubmitter(5, { submitter: true, donors: 2 });
  const items = 400;
  const inputs = Array.from({ length: items }, (_, index) => index);
  const job = await submitter.page.evaluate(
    async ({ code, values }) => (await globalThis.lull.submit({ name: 'Left to the others', code, inputs: { items: values } })).id,
    { code: waitingCode(40), values: inputs },
  );
  await mayClose(submitter.page, job);
  await Promise.all([submitter, donors[0]!, donors[1]!].map(({ profile }) => profile.kill()));
  const killedAt = performance.now();
  const { page } = donors[2]!;
  const before = await page.evaluate(async (id) => (await globalThis.lull.find(id)).progress.committed, job);
  expect(before).toBeLessThan(items);
  await committed(page, job, items);
  console.log(
    `${before} of ${items} items were decided when three were killed; done ${((performance.now() - killedAt) / 1000).toFixed(1)} s later`,
  );
  await submitter.profile.reopen();
  const again = await submitter.profile.tab(`${cluster.server.url}/jobs/${job}`);
  const { state, results } = await collect(again, job);
  expect(state).toBe('done');
  expect(results.map((result) => ('value' in result ? result.value : 'failed'))).toEqual(doubled(items));
});

test('all tabs close; opened again in another order, the unfinished job goes on and finishes', { tag: '@soak' }, async ({ cluster }) => {
  test.setTimeout(120_000);
  const { submitter, donors } = await cluster.donorsAndSubmitter(4, { submitter: true, donors: 4 });
  const items = 300;
  const job = await submitRange(submitter.page, 'Overnight', waitingCode(60), items);
  await committed(submitter.page, job, 30);
  const everybody = [submitter, ...donors];
  await Promise.all(everybody.map(({ profile }) => profile.kill()));
  // A newcomer finds nobody: what there was is in the closed browsers alone.
  const reopened = [donors[3]!, donors[1]!, submitter, donors[2]!, donors[0]!];
  for (const peer of reopened) {
    await peer.profile.reopen();
    peer.page = await peer.profile.tab(`${cluster.server.url}/`);
    if (peer !== submitter) await donate(peer.page);
  }
  const { state, results } = await collect(submitter.page, job);
  expect(state).toBe('done');
  expect(results.map((result) => ('value' in result ? result.value : 'failed'))).toEqual(doubled(items));
});
