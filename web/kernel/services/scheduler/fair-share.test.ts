import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identityId, jobId, type IdentityId } from '../../lib/ids.ts';
import { FairShare, type Debit, type Wanting } from './fair-share.ts';

const hex = (n: number, digits = 64) => n.toString(16).padStart(digits, '0');
const who = (n: number) => identityId(hex(n));
const self = who(1);
const job = (n: number, submitter: IdentityId, priority = 0, createdAt = n): Wanting => ({
  id: jobId(hex(n)),
  submitter,
  priority,
  createdAt,
});
const numbers = (jobs: readonly Wanting[]) => jobs.map(({ id }) => Number.parseInt(id, 16));
const fresh = () => new FairShare((submitter) => submitter === self);

interface Demand {
  readonly submitter: IdentityId;
  readonly jobs: number;
  readonly functionMs: number;
  /** Wants work from here to there. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A donor's workers over a time: what each submitter got of them, and the longest that one who wanted something got nothing. */
function donor(demands: readonly Demand[], workers: number, untilMs: number, share = fresh()) {
  const got = new Map<IdentityId, number>(demands.map(({ submitter }) => [submitter, 0]));
  const servedAt = new Map<IdentityId, number>();
  let longestWaitMs = 0;
  const running: { readonly debit: Debit; readonly begunAt: number; readonly endsAt: number }[] = [];
  let now = 0;
  let n = 0;
  const jobs = demands.map((demand) => ({ demand, own: Array.from({ length: demand.jobs }, () => job(++n, demand.submitter)) }));
  while (now < untilMs) {
    const active = jobs.filter(({ demand }) => demand.fromMs <= now && now < demand.toMs);
    while (active.length > 0 && running.length < workers) {
      const [next] = share.order(active.flatMap(({ own }) => own));
      const { demand } = active.find(({ demand: { submitter } }) => submitter === next!.submitter)!;
      const since = Math.max(demand.fromMs, servedAt.get(next!.submitter) ?? 0);
      longestWaitMs = Math.max(longestWaitMs, now - since);
      servedAt.set(next!.submitter, now);
      running.push({ debit: share.took(next!.submitter), begunAt: now, endsAt: now + demand.functionMs });
    }
    const endsAt = Math.min(...running.map((one) => one.endsAt), now + 50);
    now = Math.max(now + 1, endsAt);
    for (const one of running.filter((each) => each.endsAt <= now)) {
      running.splice(running.indexOf(one), 1);
      share.ended(one.debit, one.endsAt - one.begunAt);
      got.set(one.debit.submitter, got.get(one.debit.submitter)! + one.endsAt - one.begunAt);
    }
  }
  return { got, longestWaitMs };
}

describe('the order of jobs', () => {
  it("follows priority and then age among a submitter's own, and no priority pushes others aside", () => {
    const share = fresh();
    const jobs = [job(1, who(10), 0, 5), job(2, who(10), 50, 9), job(3, who(10), 0, 1), job(4, who(20))];
    expect(numbers(share.order(jobs))).toEqual([2, 3, 1, 4]);
    share.took(who(10));
    expect(numbers(share.order(jobs))).toEqual([4, 2, 3, 1]);
  });

  it('lists every job, so that none is out of reach', () => {
    const jobs = Array.from({ length: 1_500 }, (_, n) => job(n + 1, who(10 + (n % 7))));
    expect(new Set(numbers(fresh().order(jobs))).size).toBe(1_500);
  });
});

describe('worker time', () => {
  const always = { fromMs: 0, toMs: Infinity };

  it('is the same for one with a thousand jobs and one with one, however long their functions', () => {
    const { got } = donor(
      [
        { submitter: who(10), jobs: 1_000, functionMs: 1_000, ...always },
        { submitter: who(20), jobs: 1, functionMs: 50, ...always },
      ],
      2,
      100_000,
    );
    expect(Math.abs(got.get(who(10))! - got.get(who(20))!)).toBeLessThanOrEqual(4_000);
  });

  it('is half for whom the donor follows, and the other half for all others together', () => {
    const strangers = Array.from({ length: 5 }, (_, n) => ({ submitter: who(10 + n), jobs: 3, functionMs: 200 + 100 * n, ...always }));
    const { got } = donor([{ submitter: self, jobs: 1, functionMs: 300, ...always }, ...strangers], 1, 200_000);
    expect(got.get(self)! / 200_000).toBeCloseTo(0.5, 1);
    for (const { submitter } of strangers) expect(got.get(submitter)! / 20_000).toBeCloseTo(1, 1);
  });

  it('is all for who alone wants some, and nobody saves up by having wanted none', () => {
    const { got } = donor(
      [
        { submitter: who(10), jobs: 1, functionMs: 100, ...always },
        { submitter: who(20), jobs: 1, functionMs: 100, fromMs: 50_000, toMs: Infinity },
      ],
      1,
      60_000,
    );
    expect(got.get(who(20))!).toBeGreaterThan(4_500);
    expect(got.get(who(20))!).toBeLessThan(5_500);
  });

  it('was not missed by whom others passed because it had nothing to claim', () => {
    const share = fresh();
    const jobs = [job(1, who(10)), job(2, who(20))];
    share.order(jobs);
    // Only the second has functions, for long.
    for (let n = 0; n < 100; n++) share.ended(share.took(who(20), [who(10)]), 1_000);
    const turns = { first: 0, second: 0 };
    for (let n = 0; n < 20; n++) {
      const [next] = share.order(jobs);
      turns[next!.submitter === who(10) ? 'first' : 'second']++;
      share.ended(share.took(next!.submitter), 1_000);
    }
    expect(Math.abs(turns.first - turns.second)).toBeLessThanOrEqual(2);
  });

  it('is counted as it was given, not as it was expected', () => {
    const share = fresh();
    const jobs = [job(1, who(10)), job(2, who(20))];
    share.ended(share.took(who(10)), 60_000); // expected 100 ms
    let turns = 0;
    for (; share.order(jobs)[0]!.submitter === who(20); turns++) share.ended(share.took(who(20)), 1_000);
    expect(turns).toBeGreaterThanOrEqual(59);
    expect(turns).toBeLessThanOrEqual(61);
  });

  it('is shared equally inside each level whatever is asked for, and nobody starves', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ jobs: fc.integer({ min: 1, max: 40 }), functionMs: fc.integer({ min: 5, max: 2_000 }), late: fc.nat(20_000) }),
          {
            minLength: 2,
            maxLength: 8,
          },
        ),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        (drawn, workers, withSelf) => {
          const demands: Demand[] = drawn.map(({ jobs, functionMs, late }, n) => ({
            submitter: withSelf && n === 0 ? self : who(10 + n),
            jobs,
            functionMs,
            fromMs: n === 0 ? 0 : late,
            toMs: Infinity,
          }));
          const begin = 20_000;
          const until = 60_000;
          const before = donor(demands, workers, begin).got;
          const { got, longestWaitMs } = donor(demands, workers, until);
          const longest = Math.max(...demands.map(({ functionMs }) => functionMs));
          // Start-time fair queueing lags by a function of each, and here each worker has one under way.
          const slack = 2 * (workers + 1) * longest;
          const strangers = demands.filter(({ submitter }) => submitter !== self);
          const since = (submitter: IdentityId) => got.get(submitter)! - before.get(submitter)!;
          for (const a of strangers)
            for (const b of strangers) expect(Math.abs(since(a.submitter) - since(b.submitter))).toBeLessThanOrEqual(2 * slack);
          const theirs = strangers.reduce((sum, { submitter }) => sum + since(submitter), 0);
          const apart = withSelf ? Math.abs(since(self) - theirs) : 0;
          expect(apart).toBeLessThanOrEqual(2 * slack);
          expect(longestWaitMs).toBeLessThanOrEqual(2 * (demands.length + 1) * (workers + 1) * longest);
        },
      ),
      { numRuns: 60, seed: 3 },
    );
  });

  it('is remembered for a bounded number of submitters', () => {
    const share = fresh();
    for (let n = 0; n < 5_000; n++) share.ended(share.took(who(n + 100)), 10);
    const began = share.order([job(1, who(10)), job(2, who(5_000))]);
    expect(began).toHaveLength(2);
  });
});
