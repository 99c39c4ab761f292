// Whole kernels: a donor with one long function shares it with whoever has nothing to do, and nothing is lost or doubled whoever crashes.
import { describe, expect, it } from 'vitest';
import { unwrap } from './lib/outcome.ts';
import { decodeValue } from './lib/value-codec.ts';
import { ledgerContract } from './protocol/contracts/ledger.ts';
import { queueContract } from './protocol/contracts/queue.ts';
import { TestGroup, type TestPeer } from './testing/test-group.ts';

const items = 100;
const script = (index: number) => ({ ms: 200, value: index * 2 });
const expected = Array.from({ length: items }, (_, index) => index * 2);

async function results(group: TestGroup, peer: TestPeer, job: Awaited<ReturnType<TestGroup['submit']>>) {
  return (await group.results(peer, job)).map((result) => (typeof result === 'string' ? result : decodeValue(result)));
}

/** How many computed events cover each item: more than one is work done twice. */
async function surplusOf(group: TestGroup, peer: TestPeer, job: Awaited<ReturnType<TestGroup['submit']>>) {
  const detail = unwrap(await group.clock.finish(peer.kernel.bus.ask(ledgerContract, 'decisions', 'get', { job }))).body;
  return { surplus: detail.surplusItems, donors: detail.contributors.length };
}

/** A submitter that only watches, one donor, and a job that is one function of 20 s. */
async function longFunction(
  seed: string,
  cores = 1,
): Promise<{ group: TestGroup; submitter: TestPeer; donor: TestPeer; job: Awaited<ReturnType<TestGroup['submit']>> }> {
  const group = new TestGroup({ seed, script });
  const submitter = await group.start('submitter');
  const donor = await group.start('donor');
  await group.donate(donor, cores);
  await group.joined([submitter, donor], 1);
  const job = await group.submit(submitter, items, [[0, items]]);
  return { group, submitter, donor, job };
}

describe('a donor with one long function', () => {
  it('takes its whole time alone', async () => {
    const { group, submitter, job } = await longFunction('alone');
    const began = group.clock.now();
    await group.ended(submitter, job, 60_000);
    expect(group.clock.now() - began).toBeGreaterThan(20_000);
    expect(await results(group, submitter, job)).toEqual(expected);
  });

  it('shares it with a second that joins, and the job takes as much less', async () => {
    const { group, submitter, donor, job } = await longFunction('joins');
    const began = group.clock.now();
    await group.clock.advance(4_000);
    const second = await group.start('second');
    await group.donate(second);
    await group.ended(submitter, job, 60_000);
    // 4 s alone leave 16 for two; the second needs a moment to join and to be seen.
    expect(group.clock.now() - began).toBeLessThan(15_500);
    expect(await results(group, submitter, job)).toEqual(expected);
    expect(await surplusOf(group, submitter, job)).toEqual({ surplus: 0, donors: 2 });
    await group.clock.advance(10_000);
    for (const peer of [submitter, donor, second]) {
      expect(unwrap(await peer.kernel.bus.ask(queueContract, 'records', 'query', { job })).body.records).toEqual([]);
      expect(peer.bugs).toEqual([]);
    }
  });

  it('shares it between its own workers when it is alone', async () => {
    const { group, submitter: donor, job } = await longFunction('own workers', 2);
    const began = group.clock.now();
    await group.ended(donor, job, 60_000);
    expect(group.clock.now() - began).toBeLessThan(13_000);
    expect(await results(group, donor, job)).toEqual(expected);
    expect((await surplusOf(group, donor, job)).surplus).toBe(0);
  });

  it('gives a function it has not begun away whole', async () => {
    const { group, submitter, job } = await (async () => {
      const made = new TestGroup({ seed: 'ahead', script });
      const watcher = await made.start('submitter');
      const donor = await made.start('donor');
      await made.donate(donor);
      await made.joined([watcher, donor], 1);
      return {
        group: made,
        submitter: watcher,
        job: await made.submit(watcher, items, [
          [0, 50],
          [50, 100],
        ]),
      };
    })();
    await group.clock.advance(2_000);
    const second = await group.start('second');
    await group.donate(second);
    const began = group.clock.now();
    await group.ended(submitter, job, 60_000);
    expect(group.clock.now() - began).toBeLessThan(14_000);
    expect(await results(group, submitter, job)).toEqual(expected);
    expect(await surplusOf(group, submitter, job)).toEqual({ surplus: 0, donors: 2 });
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])(
    'or the one who took its tail may crash at any time: every item has one result (seed %i)',
    async (seed) => {
      const { group, submitter, donor, job } = await longFunction(`crash ${seed}`);
      await group.clock.advance(2_000);
      const second = await group.start('second');
      await group.donate(second);
      // Gifts begin about a second after the second has joined: a crash before, while and after it is under way.
      await group.clock.advance(900 + 180 * seed);
      await group.crash(seed % 2 === 0 ? donor : second);
      const third = await group.start('third');
      await group.donate(third);
      await group.ended(submitter, job, 120_000);
      expect(await results(group, submitter, job)).toEqual(expected);
      for (const peer of [submitter, third]) expect(peer.bugs).toEqual([]);
    },
    60_000,
  );
});
