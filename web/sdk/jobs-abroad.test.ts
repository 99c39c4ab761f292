import { expect, it } from 'vitest';
import { decodeValue } from '../kernel/lib/value-codec.ts';
import { seededRandom } from '../kernel/testing/seeded-random.ts';
import { TestGroup, type TestPeer } from '../kernel/testing/test-group.ts';
import { followJobsAbroad } from './jobs-abroad.ts';

const items = 200;
const quick = (index: number) => ({ ms: 20, value: index * 2 });

/** A full group that has run a job whose submitter is gone, and another group, where a browser of the same identity was placed. */
async function placedElsewhere(seed: string) {
  const group = new TestGroup({ seed, script: quick, directory: { groupPeersMax: 4 } });
  const submitter = await group.start('submitter');
  const near = [await group.start('near 0'), await group.start('near 1'), await group.start('near 2')];
  await group.joined([submitter, ...near], 0);
  const far = await group.start('far');
  const elsewhere = await group.start('elsewhere', { identityOf: 'submitter' });
  await group.clock.advance(10_000);
  expect(elsewhere.kernel.self.group()).not.toBe(submitter.kernel.self.group());
  for (const peer of near) await group.donate(peer);
  await group.joined([submitter, ...near], 3);
  const job = await group.submit(submitter, items);
  await group.ended(submitter, job, 60_000);
  await group.crash(submitter);
  const knows = async (peer: TestPeer) => (await group.summary(peer, job)) !== undefined;
  const follow = ({ kernel, name }: TestPeer) => followJobsAbroad(kernel.bus, group.clock, seededRandom(name));
  return { group, job, far, elsewhere, knows, follow };
}

it('an identity that comes back into another group finds its job there, with all its results', async () => {
  const { group, job, far, elsewhere, knows, follow } = await placedElsewhere('elsewhere');
  // The job is over: nobody there would hear of it by itself.
  await group.clock.advance(10_000);
  expect(await knows(elsewhere)).toBe(false);

  follow(elsewhere);
  await group.clock.until(() => knows(elsewhere), 20_000, 'the job found');
  expect((await group.ended(elsewhere, job, 20_000)).state).toBe('done');
  expect((await group.results(elsewhere, job)).map((bytes) => decodeValue(bytes as Uint8Array))).toEqual(
    Array.from({ length: items }, (_, index) => index * 2),
  );
  expect([elsewhere, far].flatMap(({ bugs }) => bugs)).toEqual([]);
});

it('jobs of others are left where they are', async () => {
  const { group, far, knows, follow } = await placedElsewhere('of others');
  follow(far);
  await group.clock.advance(30_000);
  expect(await knows(far)).toBe(false);
});
