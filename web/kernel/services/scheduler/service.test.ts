// The scheduler over stand-ins: a ledger and a queue shared by all tabs, and in each tab an executor, blocks and resources.
import { describe, expect, it, vi } from 'vitest';
import { unwrap } from '../../lib/outcome.ts';
import { functionTargetMs, itemAttemptsMax, stewardDelayMs } from '../../limits.ts';
import { queueContract } from '../../protocol/contracts/queue.ts';
import { schedulerContract } from '../../protocol/contracts/scheduler.ts';
import { World, once } from '../../testing/scheduler-world.ts';

describe('a donor', () => {
  it('runs a whole job, every item once, and keeps its cores busy', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 2, itemMs: () => 10 });
    await world.clock.advance(2_500);
    const job = world.job(3_000);
    expect(unwrap(await tab.submit(job)).body.functions).toBeGreaterThan(0);
    const began = world.clock.now();
    await world.clock.until(() => job.state === 'done', 60_000);
    expect(once(job)).toBe(true);
    const tookMs = world.clock.now() - began;
    expect(tab.busyMs / (2 * tookMs)).toBeGreaterThan(0.93);
    await world.clock.advance(1_500);
    expect(world.records).toEqual([]);
    expect(tab.waitingFor).toBe('No job is waiting.');
    const given = unwrap(await tab.dispatcher.bus('test').ask(schedulerContract, 'state', 'get', {})).body;
    expect(given).toMatchObject({ itemsDone: 3_000, claimed: 0, running: 0 });
    expect(Math.round(given.cpuMs)).toBe(30_000);
  });

  it('wakes the machine seldom while there is no job, and says nothing twice', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 2 });
    await world.clock.advance(5_000);
    const given: unknown[] = [];
    tab.dispatcher.bus('test').watch(schedulerContract, 'given', (body) => given.push(body));
    const timers = vi.spyOn(world.clock, 'after');
    await world.clock.advance(60_000);
    expect(timers.mock.calls.length / 60).toBeLessThan(5);
    // What was published last, as it is told to whoever begins to listen.
    expect(given).toHaveLength(1);
  });

  it('claims as many functions ahead as it runs', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 3, itemMs: () => 1_000 });
    const job = world.job(40);
    await tab.submit(job);
    await world.clock.advance(600);
    expect(world.records.filter(({ owner }) => owner === tab.peer)).toHaveLength(6);
  });

  it('gives back at once what it has claimed ahead when fewer workers may run, and when its tab closes', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 3, itemMs: () => 1_000 });
    const job = world.job(40);
    await tab.submit(job);
    await world.clock.advance(600);
    const owned = () => world.records.filter(({ owner }) => owner === tab.peer).length;
    expect(owned()).toBe(6);
    tab.allow(1);
    await world.clock.advance(1_000); // this sandbox stops between items
    expect(owned()).toBe(2);
    await tab.scheduler.stop();
    await world.clock.advance(10);
    expect(owned()).toBe(0);
  });

  it('claims nothing more while it finishes, and goes on when it may again', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 2, itemMs: () => 200 });
    const job = world.job(40);
    await tab.submit(job);
    await world.clock.advance(1_000);
    tab.allow(2, true);
    await world.clock.advance(10_000);
    const decided = job.decided.reduce((sum, one) => sum + one, 0);
    expect(decided).toBeGreaterThan(0);
    expect(decided).toBeLessThan(40);
    expect(world.records.filter(({ owner }) => owner !== null)).toEqual([]);
    tab.allow(2);
    await world.clock.until(() => job.state === 'done', 60_000);
    expect(once(job)).toBe(true);
  });

  it('does not ask for functions of an open job that waits for more input, and does as soon as some is there', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 2, itemMs: () => 10 });
    const job = world.job(40, 'submitter', true);
    const add = (items: number) => {
      job.items += items;
      world.append(tab, job.id, [[job.items - items, job.items]]);
      world.tell();
    };
    await world.clock.advance(5_000);
    expect(tab.askedFor).toEqual([]);
    expect(tab.waitingFor).toBe('The open jobs wait for more input.');
    add(20);
    await world.clock.until(() => job.decided.subarray(0, 20).every((count) => count > 0), 20_000);
    await world.clock.advance(3_000);
    const asked = tab.askedFor.length;
    await world.clock.advance(10_000);
    expect(tab.askedFor).toHaveLength(asked);
    add(20);
    await world.clock.until(() => once(job), 20_000);
  });

  it('never runs what its person chose not to run, stops it where it runs, and says so', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 1, itemMs: () => 100 });
    const job = world.job(400, 'stranger');
    await tab.submit(job);
    await world.clock.advance(3_000);
    expect(world.records.some(({ owner }) => owner === tab.peer)).toBe(true);
    tab.allow(1, false, { never: [world.summary(job).manifest.submitter] });
    await world.clock.advance(2_000);
    expect(world.records.filter(({ owner }) => owner === tab.peer)).toEqual([]);
    const decided = job.decided.reduce((sum, one) => sum + one, 0);
    await world.clock.advance(5_000);
    expect(job.decided.reduce((sum, one) => sum + one, 0)).toBe(decided);
    expect(tab.waitingFor).toBe('The jobs that wait are none of those you chose to run.');
    tab.allow(1);
    await world.clock.until(() => job.state === 'done', 60_000);
    expect(once(job)).toBe(true);
  });

  it('keeps receipts of what it did, for whom, and what came of it', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 1, itemMs: () => 10 });
    const job = world.job(300);
    await tab.submit(job);
    await world.clock.until(() => job.state === 'done', 60_000);
    await world.clock.advance(4_000);
    const asked = unwrap(await tab.dispatcher.bus('test').ask(schedulerContract, 'receipts', 'query', {})).body;
    const { manifest } = world.summary(job);
    expect(asked.receipts).toMatchObject([
      { job: job.id, submitter: manifest.submitter, codeHash: manifest.codeHash, items: 300, failed: 0, verdicts: { died: 0 } },
    ]);
    const [receipt] = asked.receipts;
    expect(receipt!.cpuMs).toBeGreaterThanOrEqual(3_000);
    expect(receipt!.bytes).toBeGreaterThan(0);
    expect(receipt!.verdicts.finished).toBe(receipt!.parts);
  });

  it('commits what is finished and gives back the rest when the person returns', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 2, itemMs: () => 100 });
    const job = world.job(400);
    await tab.submit(job);
    await world.clock.advance(6_000);
    const before = job.decided.reduce((sum, one) => sum + one, 0);
    tab.allow(0);
    await world.clock.advance(400);
    expect(job.decided.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(before);
    expect(world.records.filter(({ owner }) => owner !== null)).toEqual([]);
    const after = job.decided.slice();
    await world.clock.advance(5_000);
    expect(job.decided).toEqual(after);
    expect(tab.waitingFor).toBe('You are using this computer.');
    tab.allow(2);
    await world.clock.until(() => job.state === 'done', 60_000);
    expect(once(job)).toBe(true);
  });

  it('stops what it has lost the claim to, and what was cancelled or paused', async () => {
    for (const how of ['lost', 'cancelled', 'paused'] as const) {
      const world = new World();
      const tab = world.tab('ann', { workers: 2, itemMs: () => 3_000 });
      const job = world.job(20);
      await tab.submit(job);
      await world.clock.advance(500);
      expect(tab.runs.length).toBeGreaterThan(0);
      const before = tab.runs;
      if (how === 'lost') tab.queue.publish('lost', { records: before.map(({ record }) => record) });
      else {
        job.state = how;
        world.tell();
      }
      await world.clock.advance(3_100);
      expect(tab.runs.filter((run) => before.includes(run)).length).toBe(0);
      expect(world.commits).toEqual([]); // no item had ended
    }
  });

  it('tries a commit again, and gives the function back when it cannot be stored', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 1, itemMs: () => 50 });
    tab.failStores = 4; // one more than it insists
    const job = world.job(10);
    await tab.submit(job);
    await world.clock.until(() => job.state === 'done', 60_000);
    expect(once(job)).toBe(true);
  });

  it('announces no result that only its page has in memory, until others have it too or nobody else could', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 1, itemMs: () => 50 });
    const other = world.tab('bob', { workers: 0 });
    tab.copies = 0;
    const job = world.job(4);
    await tab.submit(job);
    await world.clock.advance(30_000);
    expect(world.commits).toEqual([]);
    tab.held = 2;
    await world.clock.until(() => job.state === 'done', 20_000);
    expect(once(job)).toBe(true);
    tab.held = 0;
    await other.die();
    const alone = world.job(4, 'another');
    await tab.submit(alone);
    await world.clock.until(() => alone.state === 'done', 5_000);
  });

  it('waits for a second store to have a result before it announces it, but not for ever, and then not each time', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 1, itemMs: () => 50 });
    world.tab('bob', { workers: 0 });
    [tab.copies, tab.held] = [1, 1];
    const job = world.job(4);
    await tab.submit(job);
    await world.clock.advance(10_000);
    expect(world.commits).toEqual([]);
    // Whatever it would be cut into.
    await world.clock.until(() => job.state === 'done', 15_000);
    expect(once(job)).toBe(true);
    const next = world.job(4, 'another');
    await tab.submit(next);
    await world.clock.until(() => next.state === 'done', 2_000);
  });

  it('without a store, beside one keeper, commits at once', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 1, itemMs: () => 50, storeless: true });
    world.tab('bob', { workers: 0 });
    [tab.copies, tab.held] = [1, 1];
    const job = world.job(4);
    await tab.submit(job);
    await world.clock.until(() => job.state === 'done', 2_000);
    expect(once(job)).toBe(true);
  });

  it('without a store waits for the keeper beside the submitter, whose store takes its own results', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 1, itemMs: () => 50, storeless: true });
    world.tab('bob', { workers: 0 });
    world.tab('submitter', { workers: 0, keeps: false });
    [tab.copies, tab.held] = [1, 1];
    const job = world.job(4);
    await tab.submit(job);
    await world.clock.advance(10_000);
    expect(world.commits).toEqual([]);
    tab.held = 2;
    await world.clock.until(() => job.state === 'done', 2_000);
  });

  it('leaves a job alone whose code it cannot load, says so once, and tells why it waits', async () => {
    const world = new World();
    const tab = world.tab('ann', { ends: 'unloadable', workers: 1 });
    world.tab('bob', { itemMs: () => 2_000, workers: 1 });
    const job = world.job(50);
    await tab.submit(job);
    await world.clock.advance(20_000);
    expect(job.unloadable).toBe(1);
    expect(world.records.every(({ owner }) => owner !== tab.peer)).toBe(true);
    expect(tab.waitingFor).toBe('The code of the waiting job cannot be loaded here.');
  });

  it('says it three times where nobody else can, so that the job ends', async () => {
    const world = new World();
    const tab = world.tab('ann', { ends: 'unloadable', workers: 1 });
    const job = world.job(50);
    await tab.submit(job);
    await world.clock.advance(20_000);
    expect(job.unloadable).toBe(itemAttemptsMax);
  });

  it('backs off where the data is missing', async () => {
    const world = new World();
    const tab = world.tab('ann', { ends: 'no-data' });
    const job = world.job(50);
    await tab.submit(job);
    let taken = 0;
    const { dispatcher } = tab;
    await world.clock.advance(1_000);
    dispatcher.bus('test').watch(queueContract, 'changed', () => taken++);
    await world.clock.advance(60_000);
    expect(taken).toBeLessThan(120);
    expect(tab.waitingFor).toBe('Waiting for input data from others.');
  });
});

describe('an item that is interrupted again and again', () => {
  it('goes to who stays idle for longer, and is tried by the others only when nobody took it for long', async () => {
    const world = new World();
    const long = { workers: 1, itemMs: (item: number) => (item === 5 ? 20_000 : 10) };
    const ann = world.tab('ann', { ...long, stretchSeconds: 10 });
    const job = world.job(10);
    await ann.submit(job);
    for (let visit = 0; visit < 3; visit++) {
      await world.clock.until(() => ann.runs.some(({ running, ranges, done }) => running && ranges[0]![0] + done.length === 5), 60_000);
      ann.allow(0);
      await world.clock.until(() => (job.long[0]?.times ?? 0) > visit, 60_000);
      ann.allow(1);
    }
    expect(job.long).toEqual([{ item: 5, times: 3, ranMs: 20_000 }]);
    const began = world.clock.now();
    await world.clock.until(() => [...job.decided].every((count, item) => item === 5 || count === 1), 60_000);
    expect(job.decided[5]).toBe(0);
    const bob = world.tab('bob', { ...long, stretchSeconds: 3_600 });
    await world.clock.until(() => job.state === 'done', 60_000);
    expect(job.spans.find(({ range }) => range[0] <= 5 && range[1] > 5)!.by).toBe(bob.identity);
    expect(world.clock.now() - began).toBeLessThan(60_000);
  });
});

describe('an item that throws', () => {
  it('goes elsewhere, and the others of its function are kept', async () => {
    const world = new World();
    const ann = world.tab('ann', { throws: (item) => item % 50 === 7, itemMs: () => 5 });
    world.tab('bob', { workers: 1, itemMs: () => 20 });
    const job = world.job(300);
    await ann.submit(job);
    await world.clock.until(() => job.state === 'done', 120_000);
    for (const [item, by] of job.failedBy) {
      expect(item % 50).toBe(7);
      expect(by.length).toBeLessThan(itemAttemptsMax);
    }
    expect(once(job)).toBe(true);
  });

  it('is left to one who has not tried it, for a while, and then tried here again', async () => {
    const world = new World();
    const ann = world.tab('ann', { throws: (item) => item === 0, itemMs: () => 5 });
    world.tab('bob', { workers: 1, itemMs: () => 60_000 }); // busy all the time
    const job = world.job(6);
    await ann.submit(job);
    await world.clock.advance(8_000);
    expect(job.failedBy.get(0)).toEqual([ann.identity]);
    await world.clock.advance(12_000);
    expect(job.failedBy.get(0)!.length).toBeGreaterThan(1);
  });

  it('is tried three times in all where only one donates, and then ends', async () => {
    const world = new World();
    const ann = world.tab('ann', { throws: (item) => item === 3, itemMs: () => 5 });
    const job = world.job(20);
    await ann.submit(job);
    await world.clock.until(() => job.state === 'done', 60_000);
    expect(job.failedBy.get(3)).toHaveLength(itemAttemptsMax);
    expect(once(job)).toBe(true);
  });
});

describe('stewards', () => {
  it('take over, each later one after its delay, when the one whose turn it is dies', async () => {
    const world = new World();
    const tabs = ['ann', 'bob', 'cyd', 'dan'].map((name) => world.tab(name, { workers: 1, itemMs: () => 100 }));
    await world.clock.advance(3_000);
    const job = world.job(2_000);
    await tabs[0]!.submit(job);
    await world.clock.advance(5_000);
    const first = world.appends.at(-1)!.by;
    const steward = tabs.find(({ name }) => name === first)!;
    await steward.die();
    const diedAt = world.clock.now();
    await world.clock.until(() => job.state === 'done', 200_000);
    expect(once(job)).toBe(true);
    const next = world.appends.find(({ at }) => at > diedAt)!;
    expect(next.by).not.toBe(first);
    // Those left rank anew without the dead one, so its successor is first at once.
    expect(next.at - diedAt).toBeLessThan(2 * stewardDelayMs + functionTargetMs * 4);
  });

  it('append each item once while all is well', async () => {
    const world = new World();
    const tabs = ['ann', 'bob', 'cyd'].map((name) => world.tab(name, { workers: 2, itemMs: () => 40 }));
    await world.clock.advance(3_000);
    const job = world.job(1_500);
    await tabs[1]!.submit(job);
    await world.clock.until(() => job.state === 'done', 120_000);
    const appended = new Uint8Array(job.items);
    for (const { range } of world.appends) for (let item = range[0]; item < range[1]; item++) appended[item]!++;
    expect(appended.every((times) => times === 1)).toBe(true);
    expect(new Set(world.commits.map(({ by }) => by)).size).toBe(3);
  });

  it('leave a new job to its submitter, who queues it in the same breath, and queue it themselves where that does not happen', async () => {
    const world = new World();
    for (const name of ['ann', 'bob', 'cyd']) world.tab(name, { workers: 2, itemMs: () => 40 });
    await world.clock.advance(3_000);
    const job = world.job(100, 'bob');
    await world.clock.advance(900);
    expect(world.appends).toEqual([]);
    await world.clock.until(() => job.state === 'done', 120_000);
    expect(world.appends.length).toBeGreaterThan(0);
  });

  it('do not wait for somebody who has just come and is to be the first of them', async () => {
    // Whose turn it is follows from the ids: that of half of these newcomers.
    for (let i = 0; i < 8; i++) {
      const world = new World();
      const ann = world.tab('ann', { workers: 1, itemMs: () => 20 });
      await world.clock.advance(5_000);
      const job = world.job(10_000);
      await ann.submit(job);
      await world.clock.advance(5_000);
      world.tab(`newcomer ${i}`, { workers: 1, itemMs: () => 20 });
      world.records = world.records.filter(({ owner }) => owner !== null);
      const cameAt = world.clock.now();
      await world.clock.until(() => world.appends.at(-1)!.at > cameAt, 10_000);
      expect(world.appends.at(-1)).toMatchObject({ by: 'ann' });
      expect(world.appends.at(-1)!.at - cameAt).toBeLessThan(stewardDelayMs);
    }
  });

  it('append anew what vanished from the queue', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 1, itemMs: () => 20 });
    await world.clock.advance(3_000);
    const job = world.job(300);
    await tab.submit(job);
    world.records = world.records.filter(({ owner }) => owner !== null);
    await world.clock.until(() => job.state === 'done', 60_000);
    expect(once(job)).toBe(true);
  });

  it('size functions of cheap items to about a second, and of free items to tens of thousands within seconds', async () => {
    for (const [itemMs, items, smallest] of [
      [1, 20_000, 500],
      [0, 250_000, 30_000],
    ] as const) {
      const world = new World();
      const tab = world.tab('ann', { workers: 1, itemMs: () => itemMs });
      await world.clock.advance(3_000);
      const job = world.job(items);
      await tab.submit(job);
      await world.clock.advance(5_000);
      const sizes = world.appends.map(({ range: [first, end] }) => end - first);
      expect(Math.max(...sizes)).toBeGreaterThanOrEqual(smallest);
      expect(Math.max(...sizes) * itemMs).toBeLessThanOrEqual(functionTargetMs);
    }
  }, 20_000);
});

describe('submitters', () => {
  it('share a donor fairly, however much one of them wants', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 2, itemMs: () => 50 });
    await world.clock.advance(3_000);
    const greedy = world.job(4_000, 'greedy');
    await tab.submit(greedy);
    await world.clock.advance(2_000);
    const modest = world.job(100, 'modest');
    await tab.submit(modest);
    const began = world.clock.now();
    await world.clock.until(() => modest.state === 'done', 60_000);
    // Alone it would take 2.5 s on two workers; with a fair half of them about 5.
    expect(world.clock.now() - began).toBeLessThan(9_000);
    expect(greedy.state).toBe('running');
  });
});
