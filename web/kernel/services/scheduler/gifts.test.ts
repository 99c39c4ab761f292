import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordId } from '../../lib/ids.ts';
import type { Range } from '../../protocol/schemas.ts';
import {
  before,
  cut,
  endAfter,
  from,
  giftEveryMs,
  giftMsMin,
  giftRankMs,
  idleSettleMs,
  itemsOf,
  piecesMax,
  planGift,
  type GiftSituation,
  type HeldFunction,
} from './gifts.ts';

const record = (n: number) => recordId(n.toString(16).padStart(64, '0'));
const held = (n: number, more: Partial<HeldFunction> = {}): HeldFunction => ({
  record: record(n),
  begun: true,
  finished: 20,
  items: 101,
  itemMs: 100,
  ...more,
});
const situation = (more: Partial<GiftSituation> = {}): GiftSituation => ({
  now: 100_000,
  waiting: 0,
  idleHere: 0,
  idleElsewhere: 1,
  idleSince: 0,
  rank: 0,
  lastGiftAt: -Infinity,
  rttMs: 0,
  held: [held(1)],
  ...more,
});

describe('a donor gives', () => {
  it('half of what it has not begun to one who waits, and equal parts to more', () => {
    expect(planGift(situation())).toEqual({ kind: 'tail', record: record(1), keep: 61, pieces: 1 });
    expect(planGift(situation({ idleElsewhere: 3 }))).toEqual({ kind: 'tail', record: record(1), keep: 41, pieces: 3 });
    expect(planGift(situation({ idleElsewhere: 0, idleHere: 1 }))).toEqual({ kind: 'tail', record: record(1), keep: 61, pieces: 1 });
  });

  it('a function that it has not begun first, whole, and the latest claimed', () => {
    const ahead = [held(2, { begun: false, finished: 0 }), held(3, { begun: false, finished: 0 })];
    expect(planGift(situation({ held: [held(1), ...ahead] }))).toEqual({ kind: 'whole', records: [record(3)] });
    expect(planGift(situation({ held: [held(1), ...ahead], idleElsewhere: 5 }))).toEqual({
      kind: 'whole',
      records: [record(2), record(3)],
    });
    // Workers of its own take what is ahead by themselves.
    expect(planGift(situation({ held: [held(1), ...ahead], idleElsewhere: 0, idleHere: 1 }))?.kind).toBe('tail');
  });

  it('of the function that takes longest', () => {
    expect(planGift(situation({ held: [held(1), held(2, { itemMs: 500 }), held(3)] }))).toMatchObject({ record: record(2) });
  });

  it('nothing while something waits, nobody does, or it just gave', () => {
    expect(planGift(situation({ waiting: 1 }))).toBeUndefined();
    // Eight seconds are left, and half of them are sooner done than handed over where three round trips take longer.
    expect(planGift(situation({ rttMs: 1_000 }))?.kind).toBe('tail');
    expect(planGift(situation({ rttMs: 1_500 }))).toBeUndefined();
    expect(planGift(situation({ idleElsewhere: 0 }))).toBeUndefined();
    expect(planGift(situation({ lastGiftAt: 100_000 - giftEveryMs + 1 }))).toBeUndefined();
    expect(giftEveryMs).toBeGreaterThanOrEqual(500);
    expect(planGift(situation({ held: [] }))).toBeUndefined();
  });

  it('nothing before others have been idle for a while, and later where others may give', () => {
    expect(planGift(situation({ idleSince: 100_000 - idleSettleMs + 1 }))).toBeUndefined();
    const third = { rank: 2, idleElsewhere: 1 };
    expect(planGift(situation({ ...third, idleSince: 100_000 - idleSettleMs }))).toBeUndefined();
    expect(planGift(situation({ ...third, idleSince: 100_000 - idleSettleMs - 2 * giftRankMs }))).toBeDefined();
    expect(planGift(situation({ rank: 2, idleElsewhere: 3, idleSince: 100_000 - idleSettleMs }))).toBeDefined();
  });

  it('nothing that would be done before it is handed over, and never the item under way', () => {
    expect(planGift(situation({ held: [held(1, { itemMs: 3 })] }))).toBeUndefined();
    expect(planGift(situation({ held: [held(1, { finished: 99, items: 100, itemMs: 60_000 })] }))).toBeUndefined();
    expect(planGift(situation({ held: [held(1, { finished: 98, items: 100, itemMs: 60_000 })] }))).toMatchObject({ keep: 99, pieces: 1 });
  });

  it('no more than is there and asked for, in pieces that are worth it', () => {
    fc.assert(
      fc.property(
        fc.nat(50),
        fc.integer({ min: 1, max: 100_000 }),
        fc.nat(1_000),
        fc.integer({ min: 1, max: 30 }),
        (finished, more, itemMs, idle) => {
          const items = finished + more;
          const gift = planGift(situation({ idleElsewhere: idle, held: [held(1, { finished, items, itemMs })] }));
          if (gift === undefined) return true;
          if (gift.kind !== 'tail') return false;
          const given = items - gift.keep;
          const fair =
            gift.keep > finished && given >= 1 && given <= more - 1 && gift.pieces >= 1 && gift.pieces <= Math.min(idle, piecesMax, given);
          return fair && given * itemMs >= giftMsMin && gift.keep - finished + 1 >= Math.floor((more - 1) / (gift.pieces + 1));
        },
      ),
      { numRuns: 500, seed: 5 },
    );
  });
});

describe('a tail', () => {
  const pieces = [
    { range: [0, 10] as Range, round: 0 },
    { range: [20, 30] as Range, round: 2 },
  ];

  it('begins after so many items, over gaps', () => {
    const ranges = pieces.map(({ range }) => range);
    expect([0, 9, 10, 15, 20, 99].map((keep) => endAfter(ranges, keep))).toEqual([0, 9, 20, 25, 30, 30]);
  });

  it('and its head are the whole', () => {
    for (let at = 0; at <= 31; at++) expect(itemsOf(before(pieces, at)) + itemsOf(from(pieces, at))).toBe(20);
    expect(before(pieces, 25)).toEqual([pieces[0], { range: [20, 25], round: 2 }]);
    expect(from(pieces, 25)).toEqual([{ range: [25, 30], round: 2 }]);
  });

  it('is cut in functions of one round each', () => {
    expect([...cut(pieces, 3)]).toEqual([
      [
        0,
        [
          [0, 7],
          [7, 10],
        ],
      ],
      [
        2,
        [
          [20, 27],
          [27, 30],
        ],
      ],
    ]);
    expect([...cut(pieces, 1)]).toEqual([
      [0, [[0, 10]]],
      [2, [[20, 30]]],
    ]);
  });
});
