import { describe, expect, it } from 'vitest';
import type { EventId, JobId } from '../../lib/ids.ts';
import { unwrap } from '../../lib/outcome.ts';
import { encodeWire } from '../../lib/wire-codec.ts';
import { actorsPerIdentityMax, jobsPublishEveryMs } from '../../limits.ts';
import { ledgerContract, type JobSummary } from '../../protocol/contracts/ledger.ts';
import type { EventBody } from '../../protocol/event.ts';
import { Cluster, type Tab } from '../../testing/ledger-cluster.ts';
import { computed, eventOf, manifestOf, someActor, someEvent, someIdentity, someJob } from '../../testing/made-up-jobs.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { JobLog } from './job-log.ts';
import { Shares } from './shares.ts';

const cluster = (seed: string) => new Cluster(new VirtualClock(), seed);
const append = (after: EventId | null, first: number, items: number): EventBody => ({
  kind: 'setting',
  version: 1,
  append: { after, first, input: { kind: 'range', items, offset: 0 } },
});

/** The event's id, or why it was not written. */
async function write(group: Cluster, tab: Tab, job: JobId, body: EventBody): Promise<string> {
  const outcome = await group.clock.finish(group.write(tab, job, body));
  return outcome.ok ? outcome.value.body.event : outcome.fault.message;
}
const partsOf = async (tab: Tab, job: JobId, from = 0, end = 1_000) =>
  unwrap(await tab.bus.ask(ledgerContract, 'parts', 'query', { job, from, end })).body.parts;

describe('an open job in the ledger', () => {
  it('grows at every member, and says where each item is', async () => {
    const group = cluster('open');
    const [ada, bob] = await group.of('ada', 'bob');
    const job = await group.createJob(ada!, 10, { open: true });
    const first = (await write(group, ada!, job, append(null, 10, 5))) as EventId;
    const second = (await write(group, ada!, job, append(first, 15, 5))) as EventId;
    await group.clock.advance(20);
    expect(await group.summary(bob!, job)).toMatchObject({ items: 20, open: true, parts: 3, tail: second, state: 'queued' });
    expect((await partsOf(bob!, job)).map(({ part, first: at }) => [part, at])).toEqual([
      [null, 0],
      [first, 10],
      [second, 15],
    ]);
    expect((await partsOf(bob!, job, 9, 11)).map(({ part }) => part)).toEqual([null, first]);
    expect(unwrap(await bob!.bus.ask(ledgerContract, 'decisions', 'get', { job })).body).toMatchObject({
      items: 20,
      open: true,
      tail: second,
    });
    await write(group, ada!, job, { kind: 'setting', version: 1, close: { after: second } });
    await group.clock.advance(20);
    expect(await group.summary(bob!, job)).toMatchObject({ items: 20, open: false });
    await group.stop();
  });

  it('signs no append that comes too late, and none of anybody but the submitter', async () => {
    const group = cluster('late');
    const [ada, bob] = await group.of('ada', 'bob');
    const job = await group.createJob(ada!, 10, { open: true });
    const part = (await write(group, ada!, job, append(null, 10, 5))) as EventId;
    await group.clock.advance(20);
    expect(await write(group, ada!, job, append(null, 10, 5))).toBe('More input has come meanwhile.');
    expect(await write(group, bob!, job, append(part, 15, 5))).toBe('Only the submitter may say that.');
    expect(await write(group, ada!, job, append(part, 10, 5))).toBe('The input does not begin where the one before it ends.');
    expect(await write(group, ada!, job, append(part, 15, 0))).toBe('The input is empty: there is nothing to run.');
    await write(group, ada!, job, { kind: 'setting', version: 1, close: { after: part } });
    expect(await write(group, ada!, job, append(part, 15, 5))).toBe('The job is closed.');
    const closed = await group.createJob(ada!, 10);
    expect(await write(group, ada!, closed, append(null, 10, 5))).toBe('The job is closed.');
    expect(await write(group, ada!, closed, computed([0, 1], { part: someEvent(1) }))).toBe(
      'The event is about items the job does not have.',
    );
    await group.stop();
  });

  it('comes to one order where two tabs of the submitter appended at once, and tells which append does not count', async () => {
    const group = cluster('two tabs');
    const [one, two, bob] = await group.of('ada', 'ada', 'bob');
    const job = await group.createJob(one!, 10, { open: true });
    await group.clock.advance(20);
    group.cut = () => true;
    const a = (await write(group, one!, job, append(null, 10, 5))) as EventId;
    const b = (await write(group, two!, job, append(null, 10, 7))) as EventId;
    group.cut = () => false;
    await group.clock.until(() => group.agree([job]), 30_000, 'all agree');
    const summaries = await Promise.all([one!, two!, bob!].map((tab) => group.summary(tab, job)));
    const winner = a < b ? a : b;
    for (const summary of summaries) expect(summary).toMatchObject({ tail: winner, items: a < b ? 15 : 17, parts: 2 });
    const { counting } = unwrap(await one!.bus.ask(ledgerContract, 'parts', 'lookup', { job, parts: [a, b] })).body;
    expect(counting).toEqual([winner]);
    await group.stop();
  });

  it('comes back with its appends after a reload', async () => {
    const group = cluster('reload');
    const [ada] = await group.of('ada');
    const job = await group.createJob(ada!, 2, { open: true });
    const part = (await write(group, ada!, job, append(null, 2, 3))) as EventId;
    await write(group, ada!, job, computed([2, 5], { part }));
    await group.leave(ada!);
    const again = await group.add('ada', ada!.storage);
    expect(await group.summary(again, job)).toMatchObject({ items: 5, committed: 3, tail: part });
    await group.stop();
  });
});

describe('the settings of a job', () => {
  it('open a round that nobody could have written results for before, so that items with a result run anew', async () => {
    const group = cluster('rounds');
    const [ada, bob] = await group.of('ada', 'bob');
    const job = await group.createJob(ada!, 4);
    await write(group, bob!, job, computed([0, 4]));
    for (let round = 1; round <= 64; round++) await write(group, bob!, job, computed([0, 4], { round }));
    expect((await group.summary(ada!, job))?.state).toBe('done');
    await write(group, ada!, job, { kind: 'setting', version: 1, round: { round: 1, ranges: [[1, 2]] } });
    await group.clock.advance(20);
    const { undecided } = unwrap(await bob!.bus.ask(ledgerContract, 'decisions', 'lookup', { job, from: 0, max: 9 })).body;
    expect(undecided.map(({ range }) => range)).toEqual([[1, 2]]);
    expect(undecided[0]!.round).toBeGreaterThan(64);
    await write(group, bob!, job, computed([1, 2], { round: undecided[0]!.round }));
    expect(await group.summary(ada!, job)).toMatchObject({ state: 'done', committed: 4 });
    await group.stop();
  });

  it('publish a new priority to every member at the next list of jobs', async () => {
    const group = cluster('priority');
    const [ada, bob] = await group.of('ada', 'bob');
    const job = await group.createJob(ada!, 4);
    await group.clock.advance(1_000);
    let seen: JobSummary | undefined;
    bob!.bus.watch(ledgerContract, 'jobs', ({ jobs }) => (seen = jobs.find(({ id }) => id === job)));
    await write(group, ada!, job, { kind: 'setting', version: 1, priority: 7 });
    await group.clock.advance(jobsPublishEveryMs + 20);
    expect(seen?.priority).toBe(7);
    await group.stop();
  });
});

describe('the room in a ledger', () => {
  const logOf = () =>
    new JobLog({ id: someJob, manifest: manifestOf(10), signed: { bytes: new Uint8Array(1), signature: new Uint8Array(64) } });
  const from = (identity: number, tab: number) => ({
    ...eventOf(computed([0, 1]), someIdentity(identity)),
    actor: someActor(someIdentity(identity), tab),
  });

  it('is not for one identity alone: its tabs fill a share of those a job keeps, the submitter any', () => {
    const log = logOf();
    for (let tab = 0; tab < actorsPerIdentityMax; tab++)
      for (const by of [0, 1]) {
        const event = from(by, tab);
        log.add({ id: someEvent(2 * tab + by), event, signed: { bytes: encodeWire(event), signature: new Uint8Array(64) } });
      }
    const another = (by: number) => {
      const identity = someIdentity(by);
      return { ...from(by, 0), actor: `${identity.slice(0, 32)}-ffffffffffffffff` as ReturnType<typeof someActor> };
    };
    expect(log.refusal(another(1))).toBe(`A job keeps events of at most ${actorsPerIdentityMax} tabs of one identity.`);
    expect(log.refusal(another(2))).toBeUndefined();
    expect(log.refusal(another(0))).toBeUndefined();
    const bytes = new Map(log.bytesOf());
    expect(bytes.get(someIdentity(1))).toBe(log.bytes / 2);
  });

  it('is given back when what filled it is let go', () => {
    const shares = new Shares(100);
    shares.charge(someIdentity(1), 80);
    expect([shares.hasRoom(someIdentity(1), 21), shares.hasRoom(someIdentity(2), 100)]).toEqual([false, true]);
    shares.charge(someIdentity(1), -80);
    expect(shares.hasRoom(someIdentity(1), 100)).toBe(true);
  });
});
