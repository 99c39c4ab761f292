import { describe, expect, it } from 'vitest';
import { eventId, groupId, makePeerId, type EventId, type PeerId } from '../../lib/ids.ts';
import { exportLeaseMs, homelessAfterMs } from '../../limits.ts';
import { groupsContract } from '../../protocol/contracts/groups.ts';
import { World, group, once, type Tab } from '../../testing/scheduler-world.ts';
import { someIdentity } from '../../testing/made-up-jobs.ts';
import { LoanWatch, isAtHome, lentTo, type Loan } from './loans.ts';

const there = groupId('99'.repeat(16));
const elsewhere = groupId('55'.repeat(16));
const lender = makePeerId(someIdentity(1), new Uint8Array(8));
const event = (n: number): EventId => eventId(n.toString(16).padStart(64, '0'));
const loan = (n: number, open: [number, number][], changes: Partial<Loan> = {}): Loan => ({
  event: event(n),
  actor: lender,
  to: there,
  round: 0,
  open,
  ...changes,
});

describe('a loan', () => {
  const all = () => true;
  const none = () => false;
  const patience = () => 60_000;

  it('counts while the borrower is heard of, and for as long as its lease after that', () => {
    const watch = new LoanWatch();
    const at = (now: number, heard: () => boolean) => watch.counting([loan(1, [[0, 9]])], now, all, heard, patience).length;
    expect(at(0, all)).toBe(1);
    expect(at(exportLeaseMs + 1, all)).toBe(1);
    expect(at(exportLeaseMs + 2, none)).toBe(0);
    // What is over stays over: somebody may have begun it here.
    expect(at(exportLeaseMs + 3, all)).toBe(0);
  });

  it('lasts as long as something of it is decided now and then, and not for ever where nothing is', () => {
    const watch = new LoanWatch();
    const at = (now: number, open: [number, number][], heard: () => boolean) =>
      watch.counting([loan(1, open)], now, all, heard, patience).length;
    for (let i = 0; i < 9; i++) expect(at(i * 0.9 * exportLeaseMs, [[i, 9]], none)).toBe(1);
    const now = 8 * 0.9 * exportLeaseMs;
    expect(at(now + exportLeaseMs + 50_000, [[8, 9]], all)).toBe(1);
    expect(at(now + exportLeaseMs + 70_000, [[8, 9]], all)).toBe(0);
  });

  it('is none at home when a stranger wrote it, nor after three of the same lender came to nothing', () => {
    const watch = new LoanWatch();
    expect(watch.counting([loan(1, [[0, 9]])], 0, none, all, patience)).toEqual([]);
    const loans = [2, 3, 4].map((n) => loan(n, [[n, n + 1]]));
    expect(watch.counting(loans, 0, all, none, patience)).toHaveLength(3);
    expect(watch.counting(loans, exportLeaseMs + 1, all, none, patience)).toEqual([]);
    expect(watch.counting([loan(5, [[5, 6]])], exportLeaseMs + 2, all, all, patience)).toEqual([]);
    const other: PeerId = makePeerId(someIdentity(2), new Uint8Array(8));
    expect(watch.counting([loan(6, [[6, 7]], { actor: other })], exportLeaseMs + 2, all, all, patience)).toHaveLength(1);
  });
});

describe('what a group queues', () => {
  it('is everything at home, and where nothing is known of groups', () => {
    expect(isAtHome(group, { answersFor: [there, group] })).toBe(true);
    expect(isAtHome(group, { answersFor: [there] })).toBe(false);
    expect(isAtHome(group, undefined)).toBe(true);
  });

  it('is elsewhere what was lent to it: in its round, and each item once', () => {
    const undecided = [
      { range: [0, 20] as const, round: 0, failedBy: [] },
      { range: [20, 30] as const, round: 3, failedBy: [] },
    ];
    const loans = [
      loan(1, [
        [5, 8],
        [18, 24],
      ]),
      loan(2, [[7, 10]]),
      loan(3, [[26, 28]], { round: 3 }),
      loan(4, [[0, 2]], { to: group }),
    ];
    expect(lentTo([there], undecided, loans).map(({ range }) => range)).toEqual([
      [5, 10],
      [18, 20],
      [26, 28],
    ]);
  });
});

describe('a steward', () => {
  const view = (tab: Tab, answersFor = [group], heardMsAgo: number | null = 0) => {
    const spare = { spareWorkers: 0, waitingFunctions: 0 };
    const neighbour = {
      group: there,
      name: 'there',
      answersFor: [there],
      members: [],
      states: [],
      bridges: [],
      up: true,
      heardMsAgo,
      ...spare,
    };
    tab.dispatcher.context(groupsContract).publish('view', { group, answersFor, load: spare, neighbours: [neighbour] });
  };

  it('leaves what was lent to the borrower, and takes it back when that one falls silent', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 2, itemMs: () => 100 });
    view(tab);
    await world.clock.advance(3_000);
    const job = world.job(100);
    job.loans.push(loan(1, [[50, 100]], { actor: tab.peer }) as (typeof job.loans)[number]);
    await tab.submit(job);
    await world.clock.advance(20_000);
    const decided = () => job.decided.reduce((sum, one) => sum + one, 0);
    expect(decided()).toBe(50);
    expect(world.appends.every(({ range }) => range[1] <= 50)).toBe(true);
    view(tab, [group], null);
    await world.clock.until(() => job.state === 'done', exportLeaseMs + 20_000);
    expect(once(job)).toBe(true);
  });

  it('runs only what was lent to its group where it is not at home', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 2, itemMs: () => 100 });
    view(tab, [there]);
    await world.clock.advance(3_000);
    const job = world.job(100);
    await world.clock.advance(10_000);
    expect(world.appends).toEqual([]);
    job.loans.push(loan(1, [[50, 80]]) as (typeof job.loans)[number]);
    await world.clock.advance(15_000);
    expect([...job.decided]).toEqual(Array.from({ length: 100 }, (_, i) => Number(i >= 50 && i < 80)));
  });

  it('gives the person its job a new home when the old one is not heard of for long, and nobody else does', async () => {
    const world = new World();
    const tab = world.tab('ann', { workers: 1 });
    const moved = () => world.written.filter(({ body }) => body.kind === 'setting').map(({ body }) => body);
    view(tab, [elsewhere], null);
    await world.clock.advance(3_000);
    world.job(10, 'bob');
    world.job(10, 'ann');
    await world.clock.advance(homelessAfterMs - 5_000);
    expect(moved()).toEqual([]);
    await world.clock.advance(10_000);
    expect(moved()).toEqual([{ kind: 'setting', version: 1, home: group }]);
  });
});
