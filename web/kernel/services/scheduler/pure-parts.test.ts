import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventId, identityId, objectId } from '../../lib/ids.ts';
import { functionTargetMs } from '../../limits.ts';
import { failedRangesMax } from '../../protocol/event.ts';
import type { JobInput } from '../../protocol/job-manifest.ts';
import type { Range } from '../../protocol/schemas.ts';
import { planEvents } from './commit-plan.ts';
import { functionItems, inputEnd, measuredMax, partsEnd, type Measured } from './sizing.ts';
import { functionsAhead, patienceWith, planAppends, type Situation } from './steward.ts';
import { uncovered } from '../../lib/uncovered.ts';

const hex = (n: number, digits = 64) => n.toString(16).padStart(digits, '0');
const range: JobInput = { kind: 'range', items: 10_000_000, offset: 0 };
const piece = (first: number, end: number, round = 0, failedBy: number[] = []) => ({
  range: [first, end] as Range,
  round,
  failedBy: failedBy.map((n) => identityId(hex(n))),
});

describe('the patience with a function', () => {
  it('is a minute and some of its own time, however many items a stranger put in it', () => {
    expect(patienceWith(1_000_000, 60_000, [{ items: 100, tookMs: 1_000 }])).toBe(66_000);
    expect(patienceWith(1, 60_000, [{ items: 1, tookMs: 20_000 }])).toBe(100_000);
    expect(patienceWith(1_000_000, 60_000, [])).toBe(60_000 + 8 * 60_000);
  });
});

describe('the size of a function', () => {
  it.each([0.01, 0.1, 1, 10, 100, 1_000, 5_000])('comes to about a second where an item takes %d ms', (itemMs) => {
    const recent: Measured[] = [];
    let rounds = 0;
    let size = 0;
    for (; rounds < 12; rounds++) {
      size = functionItems(recent, 10_000_000, 4, rounds, 0);
      recent.push({ items: size, tookMs: size * itemMs });
    }
    const took = size * itemMs;
    expect(took).toBeLessThanOrEqual(Math.max(functionTargetMs, itemMs));
    expect(took).toBeGreaterThan(functionTargetMs * 0.49);
  });

  it('reaches tens of thousands within seven functions where items do nothing', () => {
    const recent: Measured[] = [];
    for (let i = 0; i < 7; i++) {
      const size = functionItems(recent, 10_000_000, 1, i, 0);
      recent.push({ items: size, tookMs: 0 });
    }
    expect(recent.at(-1)!.items).toBeGreaterThan(30_000);
  });

  it('grows by all that was measured: four probes of a lone worker are enough for a third of a second', () => {
    const probes = Array.from({ length: functionsAhead(1, 0) }, (_, i) => functionItems([], 600, 1, i, 0));
    expect(probes).toEqual([1, 1, 1, 1]);
    const recent = probes.map((items) => ({ items, tookMs: 10 }));
    expect(functionItems(recent, 600, 1, 0, 0)).toBe(32);
    expect(functionItems([...recent, { items: 32, tookMs: 320 }], 600, 1, 0, 0)).toBe(99);
    expect([functionsAhead(1, measuredMax - 1), functionsAhead(1, measuredMax)]).toEqual([4, 8]);
  });

  it('grows step by step however many brief functions were measured', () => {
    const brief = Array.from({ length: measuredMax }, () => ({ items: 4, tookMs: 0.2 }));
    expect(functionItems(brief, 1e6, 8, 0, 0)).toBe(8 * 16);
  });

  it('gives a lone worker the end of a job in one', () => {
    const recent = [{ items: 100, tookMs: 1_000 }];
    expect(functionItems(recent, 80, 1, 0, 0)).toBe(80);
    expect(functionItems(recent, 80, 2, 0, 0)).toBe(20);
    expect(functionItems(recent, 80, 0, 0, 0)).toBe(40);
  });

  it('shrinks as soon as items get dearer', () => {
    const cheap = Array.from({ length: measuredMax }, () => ({ items: 1_000, tookMs: 1_000 }));
    const dear = Array.from({ length: 3 }, () => ({ items: 1_000, tookMs: 10_000 }));
    expect(functionItems([...cheap, ...dear], 1e6, 4, 0, 0)).toBeLessThanOrEqual(100);
  });

  it('spreads the end of a job over all workers, but not in crumbs', () => {
    const recent = [{ items: 100, tookMs: 1_000 }];
    expect(functionItems(recent, 80, 4, 0, 0)).toBe(10);
    expect(functionItems(recent, 8, 4, 0, 0)).toBe(9); // 100 ms of them, all in one
    expect(functionItems([], 6, 8, 7, 0)).toBe(1);
    // Where an answer takes 300 ms, 600 ms of them: the next is claimed meanwhile.
    expect(functionItems(recent, 80, 4, 0, 300)).toBe(59);
    expect(functionItems(recent, 1e6, 4, 0, 300)).toBe(functionItems(recent, 1e6, 4, 0, 0));
  });

  it('fetches a bounded run of input', () => {
    const object = objectId(hex(1));
    expect(inputEnd({ kind: 'chunks', object, items: 100, bytes: 1024 * 1024 }, 10)).toBe(18);
    expect(inputEnd({ kind: 'chunks', object, items: 100, bytes: 64 * 1024 * 1024 }, 10)).toBe(11);
    const lines: JobInput = { kind: 'lines', object, items: 120, perSegment: Array.from({ length: 12 }, () => 10) };
    expect(inputEnd(lines, 0)).toBe(80);
    expect(inputEnd(lines, 15)).toBe(90);
    expect(inputEnd(lines, 115)).toBe(120);
  });

  it('ends with its part of the input', () => {
    const chunks: JobInput = { kind: 'chunks', object: objectId(hex(1)), items: 20, bytes: 1024 * 1024 };
    const parts = [
      { part: null, first: 0, input: { kind: 'range' as const, items: 10, offset: 0 } },
      { part: eventId(hex(2)), first: 10, input: chunks },
    ];
    expect([0, 9, 10, 13, 27].map((first) => partsEnd(parts, first))).toEqual([10, 10, 18, 21, 30]);
    const undecided = [
      { range: [4, 10] as const, round: 0, failedBy: [] },
      { range: [10, 30] as const, round: 0, failedBy: [] },
    ];
    const recent = [{ items: 1_000, tookMs: 10 }];
    const [plan] = planAppends({ parts, undecided, queued: [], waiting: 0, workers: 1, rttMs: 0, recent });
    expect(plan?.ranges).toEqual([
      [4, 10],
      [10, 18],
      [18, 26],
      [26, 30],
    ]);
  });
});

describe('the steward', () => {
  const situation = (more: Partial<Situation>): Situation => ({
    parts: [{ part: null, first: 0, input: range }],
    undecided: [],
    queued: [],
    waiting: 0,
    workers: 2,
    rttMs: 0,
    recent: [{ items: 10, tookMs: 1_000 }],
    ...more,
  });

  it('appends as many functions as should wait, from the first open item on', () => {
    const [append, ...more] = planAppends(situation({ undecided: [piece(0, 1_000)] }));
    expect(more).toEqual([]);
    expect(append!.ranges).toHaveLength(functionsAhead(2, 1));
    expect(append!.ranges[0]![0]).toBe(0);
    append!.ranges.slice(1).forEach(([first], i) => expect(first).toBe(append!.ranges[i]![1]));
  });

  it('does nothing while enough is waiting, or everything is queued', () => {
    expect(planAppends(situation({ undecided: [piece(0, 1_000)], waiting: 4 }))).toEqual([]);
    expect(
      planAppends(
        situation({
          undecided: [piece(5, 15)],
          queued: [
            [10, 20],
            [0, 10],
          ],
        }),
      ),
    ).toEqual([]);
  });

  it('appends anew what only lost records cover', () => {
    const [append] = planAppends(situation({ undecided: [piece(0, 30)], queued: [[10, 30]] }));
    expect(append!.ranges.flatMap(([first, end]) => Array.from({ length: end - first }, (_, i) => first + i))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
  });

  it('puts failed items in small functions of their own, and each round in its own append', () => {
    const plan = planAppends(situation({ recent: [{ items: 100, tookMs: 100 }], undecided: [piece(0, 10, 0, [1]), piece(10, 40, 1)] }));
    expect(plan).toEqual([
      {
        round: 0,
        ranges: [
          [0, 8],
          [8, 10],
        ],
      },
      { round: 1, ranges: [[10, 40]] },
    ]);
  });

  it('covers each open item once and nothing else, whatever is queued', () => {
    const ranges = fc.array(
      fc.tuple(fc.nat({ max: 200 }), fc.integer({ min: 1, max: 30 })).map(([first, size]): Range => [first, first + size]),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(ranges, ranges, (wanted, queued) => {
        const inside = (list: readonly Range[], item: number) => list.some(([first, end]) => first <= item && item < end);
        const merged: Range[] = [];
        for (let item = 0; item < 240; item++) {
          if (!inside(wanted, item)) continue;
          const last = merged.at(-1);
          if (last?.[1] === item) merged[merged.length - 1] = [last[0], item + 1];
          else merged.push([item, item + 1]);
        }
        const open = uncovered(
          merged.map(([first, end]) => piece(first, end)),
          queued,
        ).map((one) => one.range);
        for (let item = 0; item < 240; item++) {
          expect(open.filter(([first, end]) => first <= item && item < end).length).toBe(
            inside(wanted, item) && !inside(queued, item) ? 1 : 0,
          );
        }
      }),
    );
  });
});

describe('the events of a result', () => {
  it('are one where one round covers it', () => {
    expect(
      planEvents(
        [0, 10],
        [[3, 4]],
        [
          { range: [0, 5], round: 0 },
          { range: [5, 10], round: 0 },
        ],
      ),
    ).toEqual([{ range: [0, 10], failed: [[3, 4]], round: 0 }]);
  });

  it('are cut where the round changes, and leave out what was not asked for', () => {
    expect(
      planEvents(
        [0, 10],
        [[4, 7]],
        [
          { range: [0, 5], round: 0 },
          { range: [6, 9], round: 1 },
        ],
      ),
    ).toEqual([
      { range: [0, 5], failed: [[4, 5]], round: 0 },
      { range: [6, 9], failed: [[6, 7]], round: 1 },
    ]);
  });

  it('list no more failures than an event may', () => {
    const items = 4 * failedRangesMax + 2;
    const failed = Array.from({ length: items / 2 }, (_, i): Range => [2 * i, 2 * i + 1]);
    const events = planEvents([0, items], failed, [{ range: [0, items], round: 0 }]);
    expect(events.flatMap((event) => event.failed)).toEqual(failed);
    for (const event of events) expect(event.failed.length).toBeLessThanOrEqual(failedRangesMax);
    events.slice(1).forEach((event, i) => expect(event.range[0]).toBe(events[i]!.range[1]));
    expect(events.at(-1)!.range[1]).toBe(items);
  });
});
