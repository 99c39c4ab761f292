// The operator's deny list, and what donors report, over whole kernels.
import { expect, test } from 'vitest';
import type { JobId } from './lib/ids.ts';
import { success, unwrap } from './lib/outcome.ts';
import { denyListFetchEveryMs } from './limits.ts';
import { abuseContract, type DeniedState } from './protocol/contracts/abuse.ts';
import { blocksContract } from './protocol/contracts/blocks.ts';
import { executorContract } from './protocol/contracts/executor.ts';
import { ledgerContract } from './protocol/contracts/ledger.ts';
import { membershipContract } from './protocol/contracts/membership.ts';
import { queueContract } from './protocol/contracts/queue.ts';
import { resourcesContract } from './protocol/contracts/resources.ts';
import type { DenyEntry } from './protocol/deny-list.ts';
import { MadeUpDesk, signedList } from './testing/made-up-operator.ts';
import { testSigner } from './testing/test-crypto.ts';
import { TestGroup, type TestPeer } from './testing/test-group.ts';

const reason = 'It sends spam.';
const soonMs = 4_000;
const minute = 60_000;

/** Three tabs that donate, a submitter, and a job that has begun. */
async function working(seed: string) {
  const group = new TestGroup({ seed, script: () => ({ ms: 400, value: 1 }) });
  const desk = new MadeUpDesk();
  const peers: TestPeer[] = [];
  for (const name of ['submitter', 'ann', 'bob', 'cyd']) peers.push(await group.start(name, { operator: desk }));
  const [submitter, ...donors] = peers as [TestPeer, TestPeer, TestPeer, TestPeer];
  for (const peer of donors) await group.donate(peer);
  await group.joined(peers, 3);
  const job = await group.submit(submitter, 2_000);
  await group.clock.until(async () => ((await group.summary(submitter, job))?.committed ?? 0) > 4, minute, 'first results');
  /** A tab comes that has just fetched this list, and everybody has it from there. */
  const deny = async (version: number, entries: DenyEntry[]) => {
    // Whoever is denied may be cut off before they hear of it here.
    const versions = peers.filter(({ kernel }) => entries.every(({ id }) => id !== kernel.self.identity)).map(deniedAt);
    const informed = new MadeUpDesk();
    informed.list = await signedList(version, entries);
    desk.list = informed.list;
    await group.start(`messenger ${version}`, { operator: informed });
    await group.clock.until(() => versions.every((at) => at()?.version === version), minute, 'the list everywhere');
    await group.clock.advance(soonMs);
  };
  return { group, desk, submitter, donors, peers, job, deny };
}

function deniedAt(peer: TestPeer): () => DeniedState | undefined {
  let last: DeniedState | undefined;
  peer.kernel.bus.watch(abuseContract, 'denied', (state) => (last = state));
  return () => last;
}

const runsOf = async ({ kernel: { bus } }: TestPeer, job: JobId) =>
  unwrap(await bus.ask(executorContract, 'runs', 'query', {})).body.running.filter((run) => run.job === job).length;
const recordsOf = async ({ kernel: { bus } }: TestPeer, job: JobId) =>
  unwrap(await bus.ask(queueContract, 'records', 'query', { job })).body.records.length;
const noBugs = (peers: readonly TestPeer[]) => expect(peers.flatMap(({ bugs }) => bugs)).toEqual([]);

test('a denied job stops everywhere, is held nowhere and taken by nobody; its submitter reads why; allowed again, it goes on', async () => {
  const { group, submitter, donors, peers, job, deny } = await working('deny a job');
  const { code } = (await group.summary(submitter, job))!.manifest;
  const holdsCode = async ({ kernel: { bus } }: TestPeer) =>
    unwrap(await bus.ask(blocksContract, 'objects', 'query', { of: 'all', max: 100 })).body.objects.some(({ id }) => id === code);
  expect(await Promise.all(donors.map(holdsCode))).toContain(true);

  await deny(1, [{ what: 'job', id: job, reason }]);
  for (const donor of donors) {
    expect(await group.summary(donor, job)).toBeUndefined();
    expect([await runsOf(donor, job), await recordsOf(donor, job), await holdsCode(donor)]).toEqual([0, 0, false]);
  }
  const why = `The operator of this site has denied this job: ${reason}`;
  const denied = (await group.summary(submitter, job))!;
  expect([denied.state, denied.reason]).toEqual(['failed', why]);
  const signed = unwrap(await submitter.kernel.bus.ask(ledgerContract, 'jobs', 'get', { job })).body;
  const insisted = await group.clock.finish(
    submitter.kernel.bus.ask(ledgerContract, 'jobs', 'insert', signed, { peer: donors[0]!.kernel.self.peer }),
  );
  expect(insisted).toMatchObject({ ok: false, fault: { code: 'refused', message: why } });

  await deny(2, []);
  expect((await group.summary(submitter, job))!.state).toBe('running');
  expect(await group.summary(donors[0]!, job)).toBeDefined();
  noBugs(peers);
});

test('denied code is refused under any job, with the reason, before anything is stored for others', async () => {
  const { group, submitter, donors, job, deny } = await working('deny code');
  const { codeHash } = (await group.summary(submitter, job))!.manifest;
  await deny(1, [{ what: 'code', id: codeHash, reason }]);
  expect(await group.summary(donors[0]!, job)).toBeUndefined();
  await expect(group.submit(submitter, 77, undefined, false)).rejects.toThrow(
    `The operator of this site has denied the code of this job: ${reason}`,
  );
});

test('with a denied identity no link is kept or made, and nothing of theirs is', async () => {
  const { group, desk, submitter, donors, job, deny } = await working('deny an identity');
  const { identity, peer } = submitter.kernel.self;
  await deny(1, [{ what: 'identity', id: identity, reason }]);
  for (const donor of donors) {
    const { members } = unwrap(await donor.kernel.bus.ask(membershipContract, 'members', 'query', {})).body;
    expect(members.some((member) => member.peer === peer && member.status === 'alive')).toBe(false);
    expect(await group.summary(donor, job)).toBeUndefined();
    const { objects } = unwrap(await donor.kernel.bus.ask(blocksContract, 'objects', 'query', { of: 'all', max: 100 })).body;
    expect(objects.filter(({ by }) => by === identity)).toEqual([]);
  }
  await group.crash(submitter);
  const again = await group.start('submitter', { operator: desk });
  const why = async () => (await group.summary(again, job))?.reason;
  await group.clock.until(async () => (await why())?.includes('denied everything of whoever submitted it') === true, soonMs, 'the reason');
});

test('a list goes from tab to tab without the server, also to who comes later', async () => {
  const group = new TestGroup({ seed: 'gossip', script: () => ({ ms: 1, value: 1 }) });
  const cut = new MadeUpDesk();
  cut.away = true;
  const informed = new MadeUpDesk();
  informed.list = await signedList(7, [{ what: 'job', id: 'a'.repeat(64), reason }]);
  const others = [await group.start('ann', { operator: cut }), await group.start('bob', { operator: cut })];
  const first = await group.start('cyd', { operator: informed });
  await group.joined([...others, first], 0);
  const versions = [...others, first].map((peer) => deniedAt(peer));
  await group.clock.until(() => versions.every((at) => at()?.version === 7), soonMs, 'the list everywhere');
  const late = deniedAt(await group.start('dot', { operator: cut }));
  await group.clock.until(() => late()?.version === 7, minute, 'the list at the newcomer');

  informed.list = await signedList(8, []);
  await group.clock.until(() => versions[0]!()?.version === 8 && late()?.version === 8, 2 * denyListFetchEveryMs, 'the newer list');
});

test('what is not signed by the operator, or older, is refused and named, and kept lists come back with the store', async () => {
  const group = new TestGroup({ seed: 'refuse', script: () => ({ ms: 1, value: 1 }) });
  const desk = new MadeUpDesk();
  const entries: DenyEntry[] = [{ what: 'job', id: 'b'.repeat(64), reason }];
  desk.list = await signedList(5, entries);
  const peer = await group.start('ann', { operator: desk });
  const state = deniedAt(peer);
  await group.clock.until(() => state()?.version === 5, minute, 'the list');

  desk.list = await signedList(4, []);
  await group.clock.until(() => state()!.refused.length === 1, 2 * denyListFetchEveryMs, 'the older list refused');
  expect(state()!.refused[0]).toMatchObject({ by: null, why: 'It is older than the one here: version 4, not 5.' });
  desk.list = await signedList(6, [], testSigner('somebody else'));
  await group.clock.until(() => state()!.refused.length === 2, 2 * denyListFetchEveryMs, 'the forged list refused');
  expect(state()!.refused[1]!.why).toBe('It is not signed by the operator of this site.');
  expect(state()!.entries).toEqual(entries);

  await group.crash(peer);
  desk.away = true;
  const again = deniedAt(await group.start('ann', { operator: desk }));
  await group.clock.until(() => again()?.version === 5, soonMs, 'the kept list');
});

test('a member with a forged list is asked once, not again and again', async () => {
  const group = new TestGroup({ seed: 'liar', script: () => ({ ms: 1, value: 1 }) });
  const another = testSigner('another operator');
  const forged = success(await signedList(9, [], another));
  const never = () => Promise.reject(new Error('nobody reports here'));
  const liarDesk = { key: another.identity, fetchList: () => Promise.resolve(forged), sendReport: never };
  const honest = new MadeUpDesk();
  const peers = [await group.start('ann', { operator: honest }), await group.start('liar', { operator: liarDesk })];
  await group.joined(peers, 0);
  const state = deniedAt(peers[0]!);
  await group.clock.advance(5 * minute);
  expect(state()).toMatchObject({ version: 0, refused: [{ by: peers[1]!.kernel.self.peer, why: expect.stringMatching('not signed') }] });
  expect(state()!.refused).toHaveLength(1);
});

test('who reports a job never runs it again, and the report reaches the operator, later where the server is away', async () => {
  const { group, desk, submitter, donors, job } = await working('report');
  const donor = donors[0]!;
  const { bus, self } = donor.kernel;
  desk.away = true;
  const report = { job, reason: 'mines' as const, words: 'It looks for coins.', submitter: true };
  const first = unwrap(await group.clock.finish(bus.ask(abuseContract, 'reports', 'create', report))).body;
  expect(first).toEqual({ sent: false, why: 'The server is away.' });
  const { limits } = unwrap(await bus.ask(resourcesContract, 'state', 'get', {})).body;
  expect(limits.never).toEqual([job, submitter.kernel.self.identity]);
  await group.clock.until(async () => (await runsOf(donor, job)) === 0, soonMs, 'nothing of it running');
  expect(desk.reports).toEqual([]);

  await group.crash(donor);
  desk.away = false;
  await group.start('ann', { operator: desk });
  await group.clock.until(() => desk.reports.length > 0, minute, 'the report handed in');
  const { manifest } = (await group.summary(submitter, job))!;
  expect(desk.reports).toMatchObject([
    {
      job,
      reason: 'mines',
      words: 'It looks for coins.',
      reporter: self.identity,
      submitter: manifest.submitter,
      codeHash: manifest.codeHash,
    },
  ]);
});

test('a site without an operator takes no reports and no lists, and the job is never run all the same', async () => {
  const group = new TestGroup({ seed: 'nobody', script: () => ({ ms: 50, value: 1 }) });
  const peers = [await group.start('ann'), await group.start('bob')];
  await group.donate(peers[1]!);
  await group.joined(peers, 1);
  const job = await group.submit(peers[0]!, 50);
  const { bus } = peers[1]!.kernel;
  const state = deniedAt(peers[1]!);
  const reply = await group.clock.finish(
    bus.ask(abuseContract, 'reports', 'create', { job, reason: 'other', words: '', submitter: false }),
  );
  expect(reply).toMatchObject({ ok: false, fault: { code: 'refused' } });
  expect(unwrap(await bus.ask(resourcesContract, 'state', 'get', {})).body.limits.never).toEqual([job]);
  expect(state()).toMatchObject({ operator: null, version: 0 });
});
