// Whole kernels: the submitter goes, and is back later on another machine.
import { expect, it } from 'vitest';
import type { JobId } from './lib/ids.ts';
import { unwrap } from './lib/outcome.ts';
import { decodeValue } from './lib/value-codec.ts';
import { afterLifeMs } from './limits.ts';
import { blocksContract } from './protocol/contracts/blocks.ts';
import { ledgerContract, type DecidedSpan } from './protocol/contracts/ledger.ts';
import { TestGroup, type TestPeer } from './testing/test-group.ts';

const minute = 60_000;
const quick = (index: number) => ({ ms: 20, value: index * 2 });

async function spansAt({ kernel }: TestPeer, job: JobId): Promise<readonly DecidedSpan[]> {
  return unwrap(await kernel.bus.ask(ledgerContract, 'decisions', 'query', { job, from: 0, max: 10_000 })).body.spans;
}
const byItem = (spans: readonly DecidedSpan[]) =>
  new Map(spans.flatMap(({ range, event }) => Array.from({ length: range[1] - range[0] }, (_, i) => [range[0] + i, event] as const)));
const jobsAt = async ({ kernel }: TestPeer) => unwrap(await kernel.bus.ask(ledgerContract, 'jobs', 'query', {})).body.jobs;

async function left(seed: string, items: number) {
  const group = new TestGroup({ seed, script: quick });
  const submitter = await group.start('submitter');
  const donors = [await group.start('donor 0'), await group.start('donor 1'), await group.start('donor 2')];
  for (const donor of donors) await group.donate(donor);
  await group.joined([submitter, ...donors], 3);
  const job = await group.submit(submitter, items);
  return { group, submitter, donors, job };
}

it('what was taken on another machine while the job ran is the same at its end, there and where it was submitted', async () => {
  const { group, submitter, donors, job } = await left('taken', 800);
  await group.clock.until(async () => ((await group.summary(donors[0]!, job))?.committed ?? 0) > 100, 30_000);
  await group.crash(submitter);
  const elsewhere = await group.start('elsewhere', { identityOf: 'submitter' });
  await group.clock.until(async () => ((await group.summary(elsewhere, job))?.committed ?? 0) > 100, 30_000, 'its job found there');
  expect((await group.summary(elsewhere, job))!.state).toBe('running');

  const taken = (await spansAt(elsewhere, job)).map(({ range, event }) => ({ range, event }));
  unwrap(
    await group.clock.finish(
      elsewhere.kernel.bus.ask(
        ledgerContract,
        'events',
        'create',
        { job, body: { kind: 'accepted', spans: taken } },
        { timeoutMs: 20_000 },
      ),
    ),
  );
  expect((await group.ended(elsewhere, job, 5 * minute)).state).toBe('done');

  const back = await group.start('submitter');
  await group.ended(back, job, minute);
  for (const peer of [elsewhere, back, donors[0]!]) {
    const spans = await spansAt(peer, job);
    const decided = byItem(spans);
    const accepted = byItem(spans.filter((span) => span.accepted));
    for (const [item, event] of byItem(taken as DecidedSpan[])) {
      expect(decided.get(item)).toBe(event);
      expect(accepted.get(item)).toBe(event);
    }
  }
  expect((await group.results(back, job)).map((bytes) => decodeValue(bytes as Uint8Array))).toEqual(
    Array.from({ length: 800 }, (_, index) => index * 2),
  );
});

it('results are there until the job expires, whoever is away; a day after that nobody keeps anything of it', async () => {
  const { group, submitter, donors, job } = await left('expires', 200);
  await group.ended(submitter, job, 5 * minute);
  const results = [...new Set((await spansAt(submitter, job)).map(({ result }) => result))];
  await group.crash(submitter);

  // Wall clocks alone say when something expires: an hour of it goes by, of which nobody sees more than a minute.
  const wall = group.clock.wall.bind(group.clock);
  group.clock.wall = () => wall() + 55 * minute;
  await group.clock.advance(1.1 * minute);
  const elsewhere = await group.start('elsewhere', { identityOf: 'submitter' });
  await group.ended(elsewhere, job, minute);
  expect(await group.results(elsewhere, job)).toHaveLength(200);
  for (const id of results) {
    const { k, online } = unwrap(
      await group.clock.finish(elsewhere.kernel.bus.ask(blocksContract, 'objects', 'lookup', { id }, { timeoutMs: 20_000 })),
    ).body;
    // One more than it takes: another donor may go.
    expect(online).toBeGreaterThan(k);
  }

  group.clock.wall = () => wall() + 60 * minute + 2 * afterLifeMs;
  await group.clock.advance(2.1 * minute);
  for (const peer of [elsewhere, ...donors]) {
    expect(await jobsAt(peer)).toEqual([]);
    const { objects } = unwrap(await peer.kernel.bus.ask(blocksContract, 'objects', 'query', { of: 'all', max: 1_000 })).body;
    expect(objects).toEqual([]);
    expect(unwrap(await peer.storage.keys('slices', ''))).toEqual([]);
    expect(unwrap(await peer.storage.keys('events', ''))).toEqual([]);
  }
});

it('a donor’s browser that becomes the submitter goes on with its store: it computes, keeps what it kept, and collects', async () => {
  const { group, submitter, donors, job } = await left('becomes', 600);
  await group.clock.until(async () => ((await group.summary(donors[0]!, job))?.committed ?? 0) > 50, 30_000);
  const kept = unwrap(await donors[0]!.storage.keys('slices', '')).length;
  expect(kept).toBeGreaterThan(0);
  for (const peer of [submitter, donors[0]!]) await group.crash(peer);

  const became = await group.start('donor 0', { identityOf: 'submitter' });
  expect(became.kernel.self.identity).toBe(submitter.kernel.self.identity);
  expect(became.storage.store).toBe(donors[0]!.storage.store);
  expect((await group.ended(became, job, 5 * minute)).state).toBe('done');
  expect((await group.results(became, job)).map((bytes) => decodeValue(bytes as Uint8Array))).toEqual(
    Array.from({ length: 600 }, (_, index) => index * 2),
  );
  // Others know it by its new name, and that it still donates.
  await group.joined([became, donors[1]!, donors[2]!], 3);
  const done = unwrap(await donors[1]!.kernel.bus.ask(ledgerContract, 'decisions', 'get', { job })).body.contributors;
  expect(done.map(({ identity }) => identity)).toEqual(
    expect.arrayContaining([became.kernel.self.identity, donors[0]!.kernel.self.identity]),
  );
  expect(unwrap(await became.storage.keys('slices', '')).length).toBeGreaterThanOrEqual(kept);
  expect([became, ...donors.slice(1)].flatMap(({ bugs }) => bugs)).toEqual([]);
});
