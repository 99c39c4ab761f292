import { describe, expect, it } from 'vitest';
import { makePeerId, type JobId } from '../../lib/ids.ts';
import { failure, unwrap } from '../../lib/outcome.ts';
import {
  ackWaitMs,
  afterLifeMs,
  clockExchangeEveryMs,
  eventsAheadMax,
  jobsInFlightPerIdentityMax,
  jobsPublishEveryMs,
} from '../../limits.ts';
import type { Storage } from '../../platform.ts';
import { ledgerContract } from '../../protocol/contracts/ledger.ts';
import type { EventBody } from '../../protocol/event.ts';
import { Cluster, type Tab } from '../../testing/ledger-cluster.ts';
import { computed, hexNumber, manifestOf, someGroup, someObject } from '../../testing/made-up-jobs.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { openJob, signEvent, signJob } from './signed.ts';

const cluster = (seed: string) => new Cluster(new VirtualClock(), seed);
const insertsOf = (group: Cluster) => group.sent.filter((sent) => sent.what === 'events insert');
const cancel: EventBody = { kind: 'setting', version: 1, cancelled: true };

async function written(group: Cluster, tab: Tab, job: JobId, body: EventBody): Promise<{ event: string; acknowledged: number }> {
  return unwrap(await group.clock.finish(group.write(tab, job, body))).body;
}

/** An event signed by `tab` with a number of its choosing, as a tab that does not keep the rules would. */
async function forged(tab: Tab, job: JobId, n: number, body: EventBody, actor = tab.peer) {
  const event = { v: 1, job, actor, n, identity: tab.platform.signer.identity, at: 0, body } as const;
  return unwrap(await signEvent(tab.platform, event));
}

/** The tab's storage from now on refuses to write. */
function fill(tab: Tab): void {
  (tab.storage as { write: Storage['write'] }).write = () => Promise.resolve(failure('storage', 'The disk is full.'));
}

describe('a ledger', () => {
  it('keeps a job at every member and says how many acknowledged', async () => {
    const group = cluster('jobs');
    const tabs = await group.of('ada', 'bob', 'cyd', 'dan');
    const manifest = manifestOf(10, { submitter: tabs[0]!.platform.signer.identity });
    const created = unwrap(await group.clock.finish(tabs[0]!.bus.ask(ledgerContract, 'jobs', 'create', { manifest })));
    expect(created.body.acknowledged).toBeGreaterThanOrEqual(2);
    await group.clock.advance(20);
    for (const tab of tabs) {
      expect(await group.summary(tab, created.body.job)).toMatchObject({ state: 'queued', items: 10, committed: 0, endedAt: null });
      expect(unwrap(await tab.storage.get('jobs', created.body.job))).toBeInstanceOf(Uint8Array);
    }
    const other = await group.clock.finish(
      tabs[1]!.bus.ask(ledgerContract, 'jobs', 'get', { job: created.body.job }, { peer: tabs[2]!.peer }),
    );
    expect(unwrap(await openJob(tabs[1]!.platform, unwrap(other).body)).id).toBe(created.body.job);
    await group.stop();
  });

  it('acknowledges an event when it is durable at enough members, and folds it everywhere', async () => {
    const group = cluster('ack');
    const tabs = await group.of('ada', 'bob', 'cyd', 'dan', 'eve');
    const job = await group.createJob(tabs[0]!, 10);
    const { acknowledged, event } = await written(group, tabs[1]!, job, computed([0, 10]));
    expect(acknowledged).toBeGreaterThanOrEqual(2);
    await group.clock.advance(20);
    for (const tab of tabs) {
      expect((await group.summary(tab, job))?.state).toBe('done');
      expect(unwrap(await tab.storage.keys('events', ''))).toEqual([`${job}/${event}`]);
    }
    await group.stop();
  });

  it('counts identities, never tabs: three tabs of one person are one', async () => {
    const group = cluster('identities');
    const [ada] = await group.of('ada', 'ada', 'ada');
    const job = await group.createJob(ada!, 10);
    group.cut = () => true;
    const start = group.clock.now();
    expect((await written(group, ada!, job, computed([0, 10]))).acknowledged).toBe(0);
    // Nobody else to wait for, so nobody is waited for.
    expect(group.clock.now() - start).toBeLessThan(100);
    await group.stop();
  });

  it('signs nothing that others would refuse', async () => {
    const group = cluster('own');
    const [ada] = await group.of('ada');
    const job = await group.createJob(ada!, 10);
    const refusal = async (body: EventBody) => {
      const outcome = await group.clock.finish(group.write(ada!, job, body));
      return outcome.ok ? 'written' : outcome.fault.code;
    };
    expect(await refusal(computed([0, 11]))).toBe('refused');
    expect(await refusal(computed([0, 1], { round: 1.5 }))).toBe('malformed');
    expect(await refusal(computed([0, 1], { tookMs: Number.NaN }))).toBe('malformed');
    expect(await refusal(computed([0, 1]))).toBe('written');
    await group.stop();
  });

  it('answers with how many did where members stay silent', async () => {
    const group = cluster('silent');
    const [ada, bob, cyd] = await group.of('ada', 'bob', 'cyd');
    const job = await group.createJob(ada!, 10);
    group.cut = (from, to) => from === cyd || to === cyd;
    const start = group.clock.now();
    expect((await written(group, bob!, job, computed([0, 5]))).acknowledged).toBe(1);
    expect(group.clock.now() - start).toBeLessThan(ackWaitMs + 100);
    await group.stop();
  });

  it('works alone', async () => {
    const group = cluster('alone');
    const [ada] = await group.of('ada');
    const job = await group.createJob(ada!, 2);
    expect((await written(group, ada!, job, computed([0, 2]))).acknowledged).toBe(0);
    expect((await group.summary(ada!, job))?.state).toBe('done');
    await group.stop();
  });

  it('sends what was committed within a few milliseconds in one message', async () => {
    const group = cluster('batch');
    const [ada, bob] = await group.of('ada', 'bob');
    const job = await group.createJob(ada!, 300);
    await group.clock.finish(Promise.all(Array.from({ length: 100 }, (_, i) => group.write(bob!, job, computed([3 * i, 3 * i + 3])))));
    expect(insertsOf(group)).toHaveLength(1);
    expect((await group.summary(ada!, job))?.state).toBe('done');
    const detail = unwrap(await ada!.bus.ask(ledgerContract, 'decisions', 'get', { job })).body;
    expect(detail.clock).toEqual({ [bob!.peer]: [[1, 100]] });
    await group.stop();
  });

  it('refuses, and tells nobody, where it cannot write; goes on with the same number when it can', async () => {
    const group = cluster('full');
    const [ada, bob] = await group.of('ada', 'bob');
    const job = await group.createJob(ada!, 10);
    const { write } = bob!.storage;
    fill(bob!);
    const refused = await group.clock.finish(group.write(bob!, job, computed([0, 5])));
    expect(refused).toMatchObject({ ok: false, fault: { code: 'storage' } });
    expect(insertsOf(group)).toEqual([]);
    expect((await group.summary(bob!, job))?.committed).toBe(0);
    (bob!.storage as { write: Storage['write'] }).write = write;
    await written(group, bob!, job, computed([5, 10]));
    expect(unwrap(await ada!.bus.ask(ledgerContract, 'decisions', 'get', { job })).body.clock).toEqual({ [bob!.peer]: [[1, 1]] });
    await group.stop();
  });

  it('does not acknowledge what it could not write, and takes it later', async () => {
    const group = cluster('full member');
    const [ada, bob, cyd] = await group.of('ada', 'bob', 'cyd');
    const job = await group.createJob(ada!, 10);
    const { write } = cyd!.storage;
    fill(cyd!);
    expect((await written(group, bob!, job, computed([0, 10]))).acknowledged).toBe(1);
    const answer = await group.clock.finish(
      cyd!.bus.ask(ledgerContract, 'events', 'insert', { job, events: [(await forged(bob!, job, 2, computed([0, 1]))).signed] }),
    );
    expect(answer).toMatchObject({ ok: false, fault: { code: 'storage' } });
    expect((await group.summary(cyd!, job))?.committed).toBe(0);
    (cyd!.storage as { write: Storage['write'] }).write = write;
    await group.clock.until(() => group.agree([job]), 30_000);
    await group.stop();
  });

  it('comes back with what its profile kept, and a new actor numbers from one', async () => {
    const group = cluster('reload');
    const [ada] = await group.of('ada');
    const job = await group.createJob(ada!, 10);
    await written(group, ada!, job, computed([0, 5]));
    await group.leave(ada!);
    const again = await group.add('ada', ada!.storage);
    expect(await group.summary(again, job)).toMatchObject({ state: 'running', committed: 5, events: 1 });
    await written(group, again, job, computed([5, 10]));
    const detail = unwrap(await again.bus.ask(ledgerContract, 'decisions', 'get', { job })).body;
    expect(detail.clock).toEqual({ [ada!.peer]: [[1, 1]], [again.peer]: [[1, 1]] });
    expect(detail.contributors).toEqual([{ identity: ada!.platform.signer.identity, items: 10, parts: 2, tookMs: 20 }]);
    await group.stop();
  });

  it('leaves out what a disk damaged, says so, and fetches it again', async () => {
    const group = cluster('damage');
    const [ada, bob] = await group.of('ada', 'bob');
    const job = await group.createJob(ada!, 10);
    const { event } = await written(group, ada!, job, computed([0, 10]));
    await group.leave(bob!);
    const bytes = unwrap(await bob!.storage.get('events', `${job}/${event}`)) as Uint8Array;
    bytes[40]! ^= 1;
    const again = await group.add('bob', bob!.storage);
    expect(again.reports.some((report) => report.includes('damaged'))).toBe(true);
    expect((await group.summary(again, job))?.committed).toBe(0);
    await group.meet();
    await group.clock.until(() => group.agree([job]), 5_000);
    await group.stop();
  });

  it('brings a tab that joins late up to date: jobs, thousands of events, settings', async () => {
    const group = cluster('late');
    const [ada] = await group.of('ada', 'bob');
    const jobs: JobId[] = [];
    for (let i = 0; i < 5; i++) jobs.push(await group.createJob(ada!, 4_000));
    await group.clock.finish(
      Promise.all(Array.from({ length: 2_000 }, (_, i) => group.write(ada!, jobs[0]!, computed([2 * i, 2 * i + 2])))),
    );
    await written(group, ada!, jobs[1]!, { kind: 'setting', version: 1, paused: true });
    const late = await group.add('cyd');
    await group.meet();
    await group.clock.until(() => group.agree(jobs), 5_000);
    expect(await group.summary(late, jobs[0]!)).toMatchObject({ state: 'done', committed: 4_000, events: 2_000 });
    expect((await group.summary(late, jobs[1]!))?.state).toBe('paused');
    await group.stop();
  });

  it('takes so many unfinished jobs of one submitter, and says so: to themselves, and where they insist elsewhere', async () => {
    const group = cluster('flood');
    const [ada, bob] = await group.of('ada', 'bob');
    const jobs: JobId[] = [];
    for (let i = 0; i < jobsInFlightPerIdentityMax; i++) jobs.push(await group.createJob(ada!, 1));
    const sentence = 'One submitter has at most 700 jobs under way at once: wait until some have ended, or cancel some.';
    await expect(group.createJob(ada!, 1)).rejects.toThrow(sentence);
    await group.clock.until(() => group.agree(jobs.slice(-3)), 30_000);
    const manifest = manifestOf(1, { submitter: ada!.platform.signer.identity, nonce: 'f'.repeat(32), createdAt: 0, expires: 3_600_000 });
    const { signed } = unwrap(
      await signJob(ada!.platform, { ...manifest, createdAt: group.clock.wall(), expires: group.clock.wall() + 3_600_000 }),
    );
    const insisted = () => group.clock.finish(ada!.bus.ask(ledgerContract, 'jobs', 'insert', signed, { peer: bob!.peer }));
    expect(await insisted()).toMatchObject({ ok: false, fault: { code: 'overloaded', message: sentence } });
    unwrap(await group.clock.finish(group.write(ada!, jobs[0]!, { kind: 'setting', version: 1, cancelled: true })));
    await group.clock.advance(100);
    expect(await insisted()).toMatchObject({ ok: true });
    await group.stop();
  });

  it('compares hundreds of jobs in windows', async () => {
    const group = cluster('windows');
    const [ada] = await group.of('ada');
    const jobs: JobId[] = [];
    for (let i = 0; i < 600; i++) jobs.push(await group.createJob(ada!, 1));
    const bob = await group.add('bob');
    await group.meet();
    await group.clock.until(() => bob.reports.length === 0 && group.agree(jobs), 30_000);
    expect(Math.max(...group.sent.map((sent) => sent.bytes))).toBeLessThan(256 * 1024);
    await group.stop();
  });

  it('is quiet when all are equal, however many jobs they keep: one short question now and then', async () => {
    const group = cluster('quiet');
    const [ada] = await group.of('ada', 'bob', 'cyd');
    for (let n = 0; n < 40; n++) await written(group, ada!, await group.createJob(ada!, 10), computed([0, 10]));
    await group.clock.advance(10 * clockExchangeEveryMs);
    group.sent.length = 0;
    await group.clock.advance(20 * clockExchangeEveryMs);
    expect(group.sent.length).toBeLessThan(3 * 35);
    expect(new Set(group.sent.map((sent) => sent.what))).toEqual(new Set(['clocks query', 'clocks lookup']));
    expect(Math.max(...group.sent.map((sent) => sent.bytes))).toBeLessThan(320);
    expect(group.sent.filter((sent) => sent.bytes < 120).length).toBeGreaterThan(group.sent.length * 0.8);
    await group.stop();
  });

  for (const seed of ['gull', 'heron', 'ibis', 'jay', 'kite', 'lark']) {
    it(`converges over a network that loses, doubles and reorders, with tabs coming and going (${seed})`, async () => {
      const group = cluster(seed);
      const random = seededRandom(seed);
      const pick = (n: number) => Math.floor(random.fraction() * n);
      await group.of('ada', 'bob', 'cyd', 'dan');
      Object.assign(group, { lossShare: 0.25, doubleShare: 0.2, jitterMs: 400 });
      const submitter = group.tabs[0]!;
      const jobs = [await group.createJob(submitter, 60), await group.createJob(submitter, 60)];
      const writes: ReturnType<Cluster['write']>[] = [];
      for (let step = 0; step < 60; step++) {
        const live = group.tabs.filter((tab) => tab.alive);
        const tab = live[pick(live.length)]!;
        const job = jobs[pick(2)]!;
        const first = pick(60);
        const end = Math.min(60, first + 1 + pick(12));
        const body: EventBody =
          pick(8) > 0
            ? computed([first, end], { failed: pick(4) === 0 ? [[first, end]] : [], round: pick(2) })
            : { kind: 'setting', version: 1, paused: pick(2) === 0, round: { round: 1, ranges: [[first, end]] } };
        const author = body.kind === 'setting' ? submitter : tab;
        if (await group.summary(author, job)) writes.push(group.write(author, job, body));
        await group.clock.advance(pick(300));
        if (step === 20) {
          await group.add('eve');
          await group.meet();
        }
        if (step === 30) await group.leave(group.tabs[1]!);
        if (step === 40) {
          await group.add('bob', group.tabs[1]!.storage);
          await group.meet();
        }
        // A partition in the middle, healed before the end.
        group.cut = step > 25 && step < 45 ? (from, to) => from.name < 'c' !== to.name < 'c' : () => false;
      }
      const answers = await group.clock.finish(Promise.all(writes));
      Object.assign(group, { lossShare: 0, doubleShare: 0, jitterMs: 5 });
      await group.clock.until(() => group.agree(jobs), 120_000, 'agreement');
      const [spans] = await Promise.all(
        jobs.map(
          async (job) => unwrap(await submitter.bus.ask(ledgerContract, 'decisions', 'query', { job, from: 0, max: 1_000 })).body.spans,
        ),
      );
      const decided = spans!.flatMap(({ range: [a, b] }) => Array.from({ length: b - a }, (_, i) => a + i));
      expect(new Set(decided).size).toBe(decided.length);
      // What was answered is there, once; what was not answered was never anywhere.
      const answered = answers.flatMap((answer) => (answer.ok ? [answer.value.body.event] : []));
      const kept = unwrap(await submitter.storage.keys('events', '')).map((key) => key.slice(key.indexOf('/') + 1));
      expect(answered.length).toBeGreaterThan(30);
      expect(kept.toSorted()).toEqual(answered.toSorted());
      expect(group.tabs.flatMap((tab) => tab.reports).filter((report) => report.startsWith('bug'))).toEqual([]);
      await group.stop();
    });
  }

  it.each([0, 20])('carries both halves of a fork to everybody, so that all decide the same (%i other jobs)', async (others) => {
    const group = cluster('fork');
    const [ada, bob, cyd, dan] = await group.of('ada', 'bob', 'cyd', 'dan');
    for (let n = 0; n < others; n++) await group.createJob(ada!, 10);
    const job = await group.createJob(ada!, 10);
    const actor = makePeerId(dan!.platform.signer.identity, new Uint8Array(8));
    const one = await forged(dan!, job, 1, computed([0, 10], { result: someObject(11) }), actor);
    const two = await forged(dan!, job, 1, computed([0, 10], { result: someObject(22) }), actor);
    for (const [tab, fork] of [
      [ada!, one],
      [bob!, two],
      [cyd!, one],
    ] as const) {
      unwrap(
        await group.clock.finish(dan!.bus.ask(ledgerContract, 'events', 'insert', { job, events: [fork.signed] }, { peer: tab.peer })),
      );
    }
    await group.clock.until(() => group.agree([job]), 60_000);
    const [span] = unwrap(await cyd!.bus.ask(ledgerContract, 'decisions', 'query', { job, from: 0, max: 5 })).body.spans;
    expect(span!.event).toBe(one.id < two.id ? one.id : two.id);
    expect((await group.summary(bob!, job))?.events).toBe(2);
    expect(group.tabs.some((tab) => tab.reports.some((report) => report.includes('two events with one number')))).toBe(true);
    await group.stop();
  });

  it('holds no event far past a gap, and takes it once the gap is closed', async () => {
    const group = cluster('gap');
    const [ada, bob] = await group.of('ada', 'bob');
    const job = await group.createJob(ada!, 10);
    const far = await forged(bob!, job, eventsAheadMax + 1, computed([0, 1]));
    const near = await forged(bob!, job, 1, computed([1, 2]));
    const insert = async (...events: { signed: typeof far.signed }[]) =>
      unwrap(
        await group.clock.finish(ada!.bus.ask(ledgerContract, 'events', 'insert', { job, events: events.map(({ signed }) => signed) })),
      ).body;
    expect(await insert(far)).toMatchObject({
      held: 0,
      refused: [{ at: 0, why: 'Earlier events of that tab are missing here; they must come first.' }],
    });
    expect(await insert(near)).toEqual({ held: 1, refused: [] });
    expect(await insert(far)).toEqual({ held: 1, refused: [] });
    await group.stop();
  });

  it('refuses what is not signed, not by the submitter, or not about the job, each with its reason', async () => {
    const group = cluster('refusals');
    const [ada, bob] = await group.of('ada', 'bob');
    const job = await group.createJob(ada!, 10);
    const other = await group.createJob(ada!, 10);
    const fine = await forged(bob!, job, 1, computed([0, 1]));
    const broken = { bytes: fine.signed.bytes, signature: new Uint8Array(64) };
    const list = [
      broken,
      { bytes: new Uint8Array([1]), signature: new Uint8Array(64) },
      (await forged(bob!, job, 1, cancel)).signed,
      (await forged(bob!, job, 1, computed([5, 11]))).signed,
      (await forged(bob!, other, 1, computed([0, 1]))).signed,
      (await forged(bob!, job, 1, computed([0, 1]), ada!.peer)).signed,
      (
        await forged(
          bob!,
          job,
          1,
          computed([0, 4], {
            failed: [
              [2, 3],
              [1, 2],
            ],
          }),
        )
      ).signed,
      (await forged(bob!, job, 1, { kind: 'setting', version: 1, home: someGroup(5) })).signed,
      (await forged(bob!, job, 1, { kind: 'lent', ranges: [[5, 11]], round: 0, to: someGroup(5) })).signed,
      (
        await forged(bob!, job, 1, {
          kind: 'lent',
          ranges: [
            [5, 7],
            [6, 8],
          ],
          round: 0,
          to: someGroup(5),
        })
      ).signed,
    ];
    const answer = unwrap(
      await group.clock.finish(bob!.bus.ask(ledgerContract, 'events', 'insert', { job, events: list }, { peer: ada!.peer })),
    ).body;
    expect(answer.held).toBe(0);
    expect(answer.refused.toSorted((a, b) => a.at - b.at).map(({ why }) => why)).toEqual([
      'The event is not signed by its author.',
      'That is not an event.',
      'Only the submitter may say that.',
      'The event is about items the job does not have.',
      'The event belongs to another job.',
      'The event is signed by another identity than its actor.',
      'The failed items are not in order, or not in the range.',
      'Only the submitter may say that.',
      'The event is about items the job does not have.',
      'The lent items are not in order.',
    ]);
    // A replayed event is held once, and a replayed signature counts nowhere else.
    const replayed = async (of: JobId) =>
      unwrap(
        await group.clock.finish(
          bob!.bus.ask(ledgerContract, 'events', 'insert', { job: of, events: [fine.signed, fine.signed] }, { peer: ada!.peer }),
        ),
      ).body;
    await replayed(job);
    expect(await replayed(job)).toEqual({ held: 2, refused: [] });
    expect((await group.summary(ada!, job))?.events).toBe(1);
    expect((await replayed(other)).refused.map(({ why }) => why)).toEqual(Array(2).fill('The event belongs to another job.'));
    expect(await group.clock.finish(group.write(bob!, job, cancel))).toMatchObject({ ok: false, fault: { code: 'refused' } });
    const unknown = await group.clock.finish(
      bob!.bus.ask(ledgerContract, 'events', 'insert', { job: hexNumber(5) as JobId, events: [] }, { peer: ada!.peer }),
    );
    expect(unknown).toMatchObject({ ok: false, fault: { code: 'not-found' } });
    await group.stop();
  });

  it('refuses jobs of another network, another submitter, too long a life, or a wrong count of items', async () => {
    const group = cluster('job refusals');
    const [ada, bob] = await group.of('ada', 'bob');
    const mine = { submitter: ada!.platform.signer.identity };
    const refusal = async (changes: object) => {
      const signed = unwrap(await signJob(ada!.platform, manifestOf(10, { ...mine, ...changes }))).signed;
      const answer = await group.clock.finish(ada!.bus.ask(ledgerContract, 'jobs', 'insert', signed, { peer: bob!.peer }));
      return answer.ok ? 'kept' : answer.fault.message;
    };
    expect(await refusal({})).toBe('kept');
    expect(await refusal({ network: 'a class' })).toBe('The job belongs to another network.');
    expect(await refusal({ submitter: bob!.platform.signer.identity })).toBe('The job is not signed by its submitter.');
    expect(await refusal({ expires: Date.UTC(2027, 0, 1) })).toBe('A job lives at most 90 days.');
    expect(await refusal({ createdAt: 0, expires: 1 })).toBe('The job has expired.');
    expect(await refusal({ input: { kind: 'lines', object: someObject(1), items: 10, perSegment: [4, 5] } })).toBe(
      'The job says another number of items than its input lists.',
    );
    await group.stop();
  });

  it('raises the version of each setting above all it knows, so that the later one counts', async () => {
    const group = cluster('settings');
    const [ada, bob] = await group.of('ada', 'bob');
    const job = await group.createJob(ada!, 10);
    await written(group, ada!, job, { kind: 'setting', version: 1, paused: true });
    await written(group, ada!, job, { kind: 'setting', version: 1, paused: false, priority: 7 });
    await group.clock.advance(20);
    expect(await group.summary(bob!, job)).toMatchObject({ state: 'queued', priority: 7 });
    expect(unwrap(await bob!.bus.ask(ledgerContract, 'decisions', 'get', { job })).body).toMatchObject({ settingVersion: 2, round: 0 });
    await group.stop();
  });

  it('lets a cancelled job shrink to a tombstone that refuses later events, also after a reload and for those cut off meanwhile', async () => {
    const group = cluster('cancel');
    const [ada, bob, cyd] = await group.of('ada', 'bob', 'cyd');
    const job = await group.createJob(ada!, 10);
    await written(group, bob!, job, computed([0, 4]));
    group.cut = (from, to) => from === cyd || to === cyd;
    await written(group, ada!, job, cancel);
    await written(group, cyd!, job, computed([4, 8]));
    expect(await group.clock.finish(group.write(bob!, job, computed([8, 10])))).toMatchObject({
      ok: false,
      fault: { message: 'The job was cancelled.' },
    });
    group.cut = () => false;
    const keys = async (tab: Tab) => unwrap(await tab.storage.keys('events', '')).length;
    await group.clock.until(
      async () => (await Promise.all(group.tabs.map(keys))).every((count) => count === 1),
      30_000,
      'the tombstone everywhere',
    );
    for (const tab of group.tabs) expect(await group.summary(tab, job)).toMatchObject({ state: 'cancelled', events: 1 });
    await group.leave(bob!);
    const again = await group.add('bob', bob!.storage);
    expect((await group.summary(again, job))?.state).toBe('cancelled');
    await group.stop();
  });

  it('drops a job a day after it expired', async () => {
    const group = cluster('expiry');
    const [ada] = await group.of('ada', 'bob');
    const job = await group.createJob(ada!, 10, { expires: group.clock.wall() + 60_000 });
    await written(group, ada!, job, computed([0, 1]));
    // Nobody ticks through a day of exchanges here: the wall clock jumps.
    const wall = group.clock.wall.bind(group.clock);
    group.clock.wall = () => wall() + 120_000 + afterLifeMs;
    await group.clock.advance(3 * clockExchangeEveryMs);
    for (const tab of group.tabs) {
      expect(await group.summary(tab, job)).toBeUndefined();
      expect(unwrap(await tab.storage.keys('jobs', ''))).toEqual([]);
      expect(unwrap(await tab.storage.keys('events', ''))).toEqual([]);
    }
    await group.stop();
  });

  it('lets go of a job when somebody whose clock is ahead has, and does not bring it back to them', async () => {
    const group = cluster('ahead');
    const [ada] = await group.of('ada');
    const bob = await group.add('bob', undefined, undefined, 600_000);
    await group.meet();
    const job = await group.createJob(ada!, 10, { expires: group.clock.wall() + 60_000 });
    const later = await group.createJob(ada!, 10, { expires: group.clock.wall() + 9_000_000 });
    await written(group, ada!, job, computed([0, 1]));
    const wall = group.clock.wall.bind(group.clock);
    // Five minutes before its time by ada's clock, five after it by bob's.
    group.clock.wall = () => wall() + afterLifeMs - 240_000;
    group.sent.length = 0;
    await group.clock.advance(10 * clockExchangeEveryMs);
    for (const tab of [ada!, bob]) {
      expect(await group.summary(tab, job)).toBeUndefined();
      expect(await group.summary(tab, later)).toBeDefined();
    }
    expect(group.sent.filter(({ what }) => what === 'jobs insert' || what === 'events insert')).toEqual([]);
    await group.stop();
  });

  it('tells others that a job is over where it has never had it, so that it is not brought again and again', async () => {
    const group = cluster('newcomer ahead');
    const [ada] = await group.of('ada');
    const job = await group.createJob(ada!, 10, { expires: group.clock.wall() + 60_000 });
    await written(group, ada!, job, computed([0, 1]));
    const wall = group.clock.wall.bind(group.clock);
    // Half an hour before its time by ada's clock.
    group.clock.wall = () => wall() + afterLifeMs - 1_800_000;
    await group.add('bob', undefined, undefined, 3_600_000);
    await group.meet();
    await group.clock.until(async () => (await group.summary(ada!, job)) === undefined, 10 * clockExchangeEveryMs);
    await group.stop();
  });

  it('does not take back what it has let go of, in whatever way it comes', async () => {
    const group = cluster('let go of');
    const [ada, bob] = await group.of('ada', 'bob');
    const job = await group.createJob(ada!, 10, { expires: group.clock.wall() + 60_000 });
    await written(group, ada!, job, computed([0, 1]));
    const signed = unwrap(await ada!.bus.ask(ledgerContract, 'jobs', 'get', { job })).body;
    const wall = group.clock.wall.bind(group.clock);
    // Half an hour before its time.
    group.clock.wall = () => wall() + afterLifeMs - 1_800_000;
    const naming = { jobsKnown: hexNumber(0), window: null, clocks: [], over: [job] };
    unwrap(await group.clock.finish(bob!.bus.ask(ledgerContract, 'clocks', 'query', naming, { peer: ada!.peer })));
    expect(await group.summary(ada!, job)).toBeUndefined();
    const again = await group.clock.finish(bob!.bus.ask(ledgerContract, 'jobs', 'insert', signed, { peer: ada!.peer }));
    expect(again).toMatchObject({ ok: false, fault: { code: 'refused' } });
    await group.clock.until(async () => (await group.summary(bob!, job)) === undefined, 10 * clockExchangeEveryMs);
    for (const tab of [ada!, bob!]) {
      expect(unwrap(await tab.storage.keys('jobs', ''))).toEqual([]);
      expect(unwrap(await tab.storage.keys('events', ''))).toEqual([]);
    }
    await group.stop();
  });

  it('publishes decisions and the end at once, how far jobs are at most every 100 ms, with a rate that falls to nothing', async () => {
    const group = cluster('publish');
    const [ada] = await group.of('ada');
    const job = await group.createJob(ada!, 1_000);
    const lists: { at: number; rate: number; state: string | undefined }[] = [];
    const decided: unknown[] = [];
    ada!.bus.watch(
      ledgerContract,
      'jobs',
      ({ jobs: [first] }) => void lists.push({ at: group.clock.now(), rate: first?.ratePerSecond ?? 0, state: first?.state }),
    );
    ada!.bus.watch(ledgerContract, 'decided', (body) => void decided.push(body));
    await group.clock.advance(200);
    lists.length = 0;
    for (let i = 0; i < 99; i++) await written(group, ada!, job, computed([10 * i, 10 * i + 10]));
    const gapsBefore = lists.slice(1).map(({ at }, i) => at - lists[i]!.at);
    expect(gapsBefore.length).toBeGreaterThan(1);
    expect(Math.min(...gapsBefore)).toBeGreaterThanOrEqual(jobsPublishEveryMs);
    await written(group, ada!, job, computed([990, 1_000]));
    await group.clock.advance(20);
    expect(lists.at(-1)!.state).toBe('done');
    expect(decided).toHaveLength(100);
    expect(decided.at(-1)).toEqual({ job, ranges: [[990, 1_000]], ended: true });
    await group.clock.advance(1_000);
    expect(Math.max(...lists.map(({ rate }) => rate))).toBeGreaterThan(100);
    await group.clock.advance(10_000);
    expect(lists.at(-1)!.rate).toBe(0);
    const before = lists.length;
    await group.clock.advance(10_000);
    expect(lists.length).toBe(before);
    await group.stop();
  });

  it('may be started and stopped twice, and runs no timer afterwards', async () => {
    const group = cluster('stop');
    const [ada, bob] = await group.of('ada', 'bob');
    await ada!.ledger.start();
    await group.stop();
    await group.stop();
    group.sent.length = 0;
    await group.clock.advance(20_000);
    expect(group.sent).toEqual([]);
    expect(bob!.reports).toEqual([]);
  });
});
