import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventId } from '../../lib/ids.ts';
import { itemAttemptsMax, itemAttemptsOfAnyMax } from '../../limits.ts';
import type { EventBody, LedgerEvent } from '../../protocol/event.ts';
import { JobFold } from './fold.ts';
import { computed, eventOf, manifestOf, someEvent, someGroup, someIdentity } from '../../testing/made-up-jobs.ts';

const items = 24;
type Named = readonly [EventId, LedgerEvent];
type Computed = Extract<EventBody, { kind: 'computed' }>;

const rangeIn = fc
  .tuple(fc.nat(items - 1), fc.integer({ min: 1, max: items }))
  .map(([a, length]): [number, number] => [a, Math.min(items, a + length)]);
const failedIn = ([first, end]: [number, number]) =>
  fc.constantFrom<[number, number][]>([], [[first, end]], end - first > 2 ? [[first + 1, end - 1]] : []);
const round = fc.nat(2);
type Lent = Extract<EventBody, { kind: 'lent' }>;
const lent = (ranges: [number, number][], rest: Partial<Lent> = {}): Lent => ({
  kind: 'lent',
  ranges,
  round: 0,
  to: someGroup(1),
  ...rest,
});
const body: fc.Arbitrary<EventBody> = fc.oneof(
  { weight: 8, arbitrary: rangeIn.chain((range) => fc.record({ failed: failedIn(range), round }).map((rest) => computed(range, rest))) },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.record({ range: rangeIn, event: fc.nat(40).map(someEvent) }), { maxLength: 3 })
      .map((spans): EventBody => ({ kind: 'accepted', spans })),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      {
        kind: fc.constant('setting' as const),
        version: fc.integer({ min: 1, max: 4 }),
        paused: fc.boolean(),
        priority: fc.integer({ min: -2, max: 2 }),
        home: fc.nat(3).map(someGroup),
        round: fc.record({ round: fc.integer({ min: 1, max: 2 }), ranges: fc.array(rangeIn, { minLength: 1, maxLength: 2 }) }),
      },
      { requiredKeys: ['kind', 'version'] },
    ) as fc.Arbitrary<EventBody>,
  },
  { weight: 1, arbitrary: fc.constant<EventBody>({ kind: 'unloadable', message: 'no' }) },
  {
    weight: 1,
    arbitrary: fc.nat(2).map((item): EventBody => ({ kind: 'interrupted', item, round: 0, ranMs: 9_000 })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ range: rangeIn, round }).map(({ range, ...rest }): EventBody => lent([range], rest)),
  },
);
/** Ids are a shuffle, so that the order of ids is not that of the list. */
const events: fc.Arbitrary<Named[]> = fc
  .tuple(
    fc.array(fc.tuple(body, fc.nat(3)), { maxLength: 36 }),
    fc.shuffledSubarray(
      Array.from({ length: 40 }, (_, i) => i),
      { minLength: 40 },
    ),
  )
  .map(([list, ids]) => list.map(([each, by], i): Named => [someEvent(ids[i]!), eventOf(each, someIdentity(by), i + 1)]));

function foldOf(list: readonly Named[], failuresMax = items): JobFold {
  const fold = new JobFold(manifestOf(items, { failuresMax }));
  for (const [id, event] of list) fold.add(id, event);
  return fold;
}

const pictureOf = (fold: JobFold) => ({
  state: fold.state,
  reason: fold.reason,
  committed: fold.committed,
  failed: fold.failed,
  surplus: fold.surplus,
  priority: fold.settings.priority,
  home: fold.settings.home,
  loans: fold.loans(100),
  version: fold.settings.version,
  decided: fold.decidedSpans(0, 1_000),
  undecided: fold.undecided(0, items, 1_000),
  contributors: fold.contributors(100),
});

/** Rule 6 written down item by item, from the whole set at once. */
function modelOf(list: readonly Named[], item: number): string | null {
  const inside = ([first, end]: readonly [number, number]) => first <= item && item < end;
  const distinct = [...new Map(list)];
  const of = <K extends EventBody['kind']>(kind: K) =>
    distinct.flatMap(([id, event]) =>
      event.body.kind === kind ? [{ id, by: event.identity, body: event.body as Extract<EventBody, { kind: K }> }] : [],
    );
  const now = Math.max(0, ...of('setting').map(({ body }) => (body.round?.ranges.some(inside) ? body.round.round : 0)));
  const covering = of('computed').filter(({ body }) => inside(body.range) && body.round === now);
  const voices = Math.min(itemAttemptsMax, new Set(of('computed').map(({ by }) => by)).size);
  const isOk = (body: Computed) => !body.failed.some(inside);
  const takes = of('accepted')
    .flatMap(({ id, body }) =>
      body.spans
        .filter((span) => inside(span.range))
        .map((span) => ({ by: id, target: covering.find((event) => event.id === span.event) })),
    )
    .filter(({ target }) => target !== undefined)
    .toSorted((a, b) => (`${a.by}${a.target!.id}` < `${b.by}${b.target!.id}` ? -1 : 1));
  const taken = takes[0]?.target;
  if (taken !== undefined) return `${isOk(taken.body) ? 'ok' : 'failed'} ${taken.id} accepted`;
  const [best] = covering.filter(({ body }) => isOk(body)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  if (best !== undefined) return `ok ${best.id}`;
  const failures = covering.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const enough = failures.length >= itemAttemptsMax && new Set(failures.map(({ by }) => by)).size >= voices;
  return enough || failures.length >= itemAttemptsOfAnyMax ? `failed ${failures[0]!.id}` : null;
}

describe('the fold of a job', () => {
  it('gives every item what rule 6 says, one outcome at most, nothing lost', () => {
    fc.assert(
      fc.property(events, (list) => {
        const decided: (string | null)[] = Array.from({ length: items }, () => null);
        const fold = foldOf(list);
        for (const span of fold.decidedSpans(0, 1_000)) {
          for (let i = span.range[0]; i < span.range[1]; i++) {
            expect(decided[i], `item ${i} has one outcome`).toBeNull();
            decided[i] = `${span.outcome} ${span.event}${span.accepted ? ' accepted' : ''}`;
          }
        }
        expect(decided).toEqual(decided.map((_, i) => modelOf(list, i)));
        expect(fold.committed).toBe(decided.filter((text) => text?.startsWith('ok')).length);
        expect(fold.failed).toBe(decided.filter((text) => text?.startsWith('failed')).length);
        const open = fold.undecided(0, items, 1_000).flatMap(({ range: [a, b] }) => Array.from({ length: b - a }, (_, i) => a + i));
        expect(open).toEqual(decided.flatMap((text, i) => (text === null ? [i] : [])));
      }),
      { numRuns: 400 },
    );
  });

  it('is the same whatever the order, the repetitions and the way the events were split and merged', () => {
    const scattered = events.chain((list) =>
      fc.record({
        list: fc.constant(list),
        failuresMax: fc.constantFrom(0, 3, items),
        order: fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2 }),
        halves: fc.array(fc.boolean(), { minLength: list.length, maxLength: list.length }),
      }),
    );
    fc.assert(
      fc.property(scattered, ({ list, failuresMax, order, halves }) => {
        const wanted = pictureOf(foldOf(list, failuresMax));
        expect(pictureOf(foldOf(order, failuresMax))).toEqual(wanted);
        // Two replicas, each with its part, exchange all they have.
        const left = list.filter((_, i) => halves[i]);
        const right = list.filter((_, i) => !halves[i]);
        expect(pictureOf(foldOf([...left, ...right.toReversed()], failuresMax))).toEqual(wanted);
        expect(pictureOf(foldOf([...right, ...left, ...right], failuresMax))).toEqual(wanted);
      }),
      { numRuns: 300 },
    );
  });

  it('tells with each event exactly which items got or lost their outcome', () => {
    fc.assert(
      fc.property(events, (list) => {
        const fold = foldOf([]);
        const told = new Set<number>();
        for (const [id, event] of list) {
          const added = fold.add(id, event);
          for (const [first, end] of added?.decided ?? []) for (let i = first; i < end; i++) told.add(i);
          for (const [first, end] of added?.reopened ?? []) for (let i = first; i < end; i++) told.delete(i);
          expect(told.size).toBe(fold.committed + fold.failed);
        }
        for (let i = 0; i < items; i++) expect(fold.isDecided(i, i + 1)).toBe(told.has(i));
      }),
    );
  });

  it('decides by the smaller id when an item was computed twice, and counts the surplus', () => {
    const fold = foldOf([
      [someEvent(7), eventOf(computed([0, 4]))],
      [someEvent(5), eventOf(computed([2, 6]), someIdentity(2))],
    ]);
    expect(fold.decidedSpans(0, 10).map((span) => [span.range, span.event])).toEqual([
      [[0, 2], someEvent(7)],
      [[2, 6], someEvent(5)],
    ]);
    expect(fold.surplus).toBe(2);
    expect(fold.contributors(10)).toEqual([
      { identity: someIdentity(2), items: 4, parts: 1, tookMs: 10 },
      { identity: someIdentity(1), items: 2, parts: 1, tookMs: 10 },
    ]);
  });

  it('credits each decided item to exactly one identity, whatever was computed twice, accepted or opened again', () => {
    fc.assert(
      fc.property(events, (list) => {
        const fold = foldOf(list);
        const owned = new Map<string, number>();
        for (const { range, by } of fold.decidedSpans(0, 1_000)) owned.set(by, (owned.get(by) ?? 0) + range[1] - range[0]);
        for (const { identity, items: credited } of fold.contributors(100)) expect(credited).toBe(owned.get(identity) ?? 0);
        expect(fold.contributors(100).reduce((sum, each) => sum + each.items, 0)).toBe(fold.committed + fold.failed);
      }),
    );
  });

  it('says what was given in the name of a team: what counts of it now, and how many functions', () => {
    const [mark, other] = ['a'.repeat(32), 'b'.repeat(32)];
    const fold = foldOf([
      [someEvent(7), eventOf(computed([0, 4], { team: mark }))],
      [someEvent(5), eventOf(computed([2, 6], { team: mark }), someIdentity(2))],
      [someEvent(4), eventOf(computed([6, 8], { team: other }), someIdentity(2))],
      [someEvent(3), eventOf(computed([8, 9]), someIdentity(2))],
    ]);
    expect([...fold.teamGifts()]).toEqual([
      { identity: someIdentity(1), team: mark, items: 2, parts: 1 },
      { identity: someIdentity(2), team: mark, items: 4, parts: 1 },
      { identity: someIdentity(2), team: other, items: 2, parts: 1 },
    ]);
  });

  it('tells of a loan what nobody has decided yet of its items, in its round, and decides nothing by it', () => {
    const loan: Named = [
      someEvent(9),
      eventOf(
        lent([
          [2, 6],
          [8, 10],
        ]),
      ),
    ];
    const openOf = (list: readonly Named[]) =>
      foldOf([loan, ...list])
        .loans(10)
        .map(({ open }) => open);
    expect(foldOf([loan]).undecided(0, items, 10)).toEqual([{ range: [0, items], round: 0, failedBy: [] }]);
    expect(openOf([[someEvent(1), eventOf(computed([3, 4]))]])).toEqual([
      [
        [2, 3],
        [4, 6],
        [8, 10],
      ],
    ]);
    expect(openOf([[someEvent(1), eventOf(computed([0, items]))]])).toEqual([]);
    const again: EventBody = { kind: 'setting', version: 1, round: { round: 1, ranges: [[0, 9]] } };
    expect(openOf([[someEvent(1), eventOf(again)]])).toEqual([[[9, 10]]]);
  });

  it('moves a job home by the setting of the highest version', () => {
    const fold = foldOf([
      [someEvent(3), eventOf({ kind: 'setting', version: 2, home: someGroup(2) })],
      [someEvent(4), eventOf({ kind: 'setting', version: 1, home: someGroup(3) })],
    ]);
    expect(fold.settings.home).toBe(someGroup(2));
    expect(foldOf([]).settings.home).toBe(manifestOf(1).home);
  });

  it('fails an item for good at the third failure, names who failed before, and a later result still beats the failures', () => {
    const fold = foldOf([]);
    const failing = (n: number) => fold.add(someEvent(n), eventOf(computed([0, 8], { failed: [[3, 4]] }), someIdentity(n)));
    failing(1);
    failing(2);
    expect(fold.undecided(0, 8, 10)).toEqual([{ range: [3, 4], round: 0, failedBy: [someIdentity(1), someIdentity(2)] }]);
    failing(3);
    expect([fold.failed, fold.undecided(0, 8, 10)]).toEqual([1, []]);
    fold.add(someEvent(9), eventOf(computed([3, 4])));
    expect([fold.failed, fold.committed]).toEqual([0, 8]);
  });

  it('opens failed items again with a retry: failures of lower rounds no longer count', () => {
    const fold = foldOf([]);
    for (const n of [1, 2, 3]) fold.add(someEvent(n), eventOf(computed([0, items], { failed: [[3, 5]] }), someIdentity(n)));
    expect(fold.state).toBe('done');
    const added = fold.add(someEvent(4), eventOf({ kind: 'setting', version: 1, round: { round: 1, ranges: [[3, 4]] } }));
    expect(added).toEqual({ decided: [], reopened: [[3, 4]] });
    expect([fold.state, fold.failed, fold.undecided(0, items, 9)]).toEqual(['running', 1, [{ range: [3, 4], round: 1, failedBy: [] }]]);
    fold.add(someEvent(5), eventOf(computed([3, 4], { round: 1 })));
    expect([fold.state, fold.failed, fold.committed]).toEqual(['done', 1, items - 1]);
  });

  it('keeps what the submitter took, even against a smaller id', () => {
    const fold = foldOf([
      [someEvent(20), eventOf({ kind: 'accepted', spans: [{ range: [0, 2], event: someEvent(8) }] })],
      [someEvent(8), eventOf(computed([0, 4]))],
      [someEvent(1), eventOf(computed([0, 4]))],
    ]);
    expect(fold.decidedSpans(0, 10).map((span) => [span.range, span.event, span.accepted])).toEqual([
      [[0, 2], someEvent(8), true],
      [[2, 4], someEvent(1), false],
    ]);
  });

  it('lets what the submitter took fall only when the submitter opens the items again; results of a round nobody opened count nowhere', () => {
    const fold = foldOf([
      [someEvent(8), eventOf(computed([0, 4]))],
      [someEvent(20), eventOf({ kind: 'accepted', spans: [{ range: [0, 4], event: someEvent(8) }] })],
      [someEvent(1), eventOf(computed([0, 4], { round: 77 }))],
      [someEvent(2), eventOf(computed([0, 4], { round: 99 }))],
    ]);
    expect(fold.decidedSpans(0, 10).map((span) => [span.range, span.event])).toEqual([[[0, 4], someEvent(8)]]);
    const added = fold.add(someEvent(21), eventOf({ kind: 'setting', version: 1, round: { round: 77, ranges: [[0, 2]] } }));
    expect(added).toEqual({ decided: [], reopened: [] });
    expect(fold.decidedSpans(0, 10).map((span) => [span.range, span.event, span.accepted])).toEqual([
      [[0, 2], someEvent(1), false],
      [[2, 4], someEvent(8), true],
    ]);
    fold.add(someEvent(22), eventOf({ kind: 'setting', version: 2, round: { round: 88, ranges: [[1, 2]] } }));
    expect(fold.undecided(0, 4, 9)).toEqual([{ range: [1, 2], round: 88, failedBy: [] }]);
  });

  it('lets one machine fail an item for good only while nobody else runs anything of the job, or after very many tries', () => {
    const fold = foldOf([]);
    const fails = (n: number) => fold.add(someEvent(n), eventOf(computed([0, 2], { failed: [[0, 1]] }), someIdentity(1), n));
    for (const n of [11, 12, 13]) fails(n);
    expect(fold.failed).toBe(1);
    const added = fold.add(someEvent(14), eventOf(computed([4, 5]), someIdentity(2)));
    expect([added, fold.failed]).toEqual([{ decided: [[4, 5]], reopened: [[0, 1]] }, 0]);
    for (let n = 15; n < 15 + itemAttemptsOfAnyMax - 3; n++) {
      expect(fold.failed).toBe(0);
      fails(n);
    }
    expect(fold.failed).toBe(1);
  });

  it('goes from queued over running and paused to done, and cancel absorbs', () => {
    const fold = foldOf([]);
    expect(fold.state).toBe('queued');
    fold.add(someEvent(1), eventOf(computed([0, 3])));
    expect(fold.state).toBe('running');
    fold.add(someEvent(2), eventOf({ kind: 'setting', version: 1, paused: true }));
    expect(fold.state).toBe('paused');
    fold.add(someEvent(3), eventOf({ kind: 'setting', version: 2, paused: false, priority: 5 }));
    expect([fold.state, fold.settings.priority]).toEqual(['running', 5]);
    fold.add(someEvent(4), eventOf(computed([3, items])));
    expect(fold.state).toBe('done');
    fold.add(someEvent(5), eventOf({ kind: 'setting', version: 1, cancelled: true }));
    fold.add(someEvent(6), eventOf({ kind: 'setting', version: 9, paused: false }));
    expect(fold.state).toBe('cancelled');
  });

  it('does not fail on the word of one stranger, but does when another or the submitter agrees', () => {
    for (const other of [2, 0]) {
      const fold = foldOf([]);
      for (const n of [1, 2, 3, 4, 5]) fold.add(someEvent(n), eventOf({ kind: 'unloadable', message: 'no' }, someIdentity(1), n));
      expect(fold.state).toBe('queued');
      fold.add(someEvent(6), eventOf({ kind: 'unloadable', message: 'no' }, someIdentity(other)));
      expect(fold.state).toBe('failed');
    }
    const alone = foldOf([]);
    for (const n of [1, 2, 3]) alone.add(someEvent(n), eventOf({ kind: 'unloadable', message: 'no' }, someIdentity(0), n));
    expect(alone.state).toBe('failed');
  });

  it('fails when more items failed than the job allows, or when nobody can load the code', () => {
    const strict = foldOf([], 0);
    for (const n of [1, 2, 3]) strict.add(someEvent(n), eventOf(computed([0, 1], { failed: [[0, 1]] })));
    expect([strict.state, strict.reason]).toEqual(['failed', '1 items failed; this job allows 0.']);
    const broken = foldOf([]);
    for (const n of [1, 2, 3]) broken.add(someEvent(n), eventOf({ kind: 'unloadable', message: `SyntaxError ${n}` }, someIdentity(n)));
    expect([broken.state, broken.reason]).toEqual(['failed', 'The code cannot be loaded: SyntaxError 1']);
    broken.add(someEvent(4), eventOf(computed([0, 1])));
    expect(broken.state).toBe('running');
  });

  it('is done at once without items', () => {
    expect(new JobFold(manifestOf(0)).state).toBe('done');
  });

  // A cost that grows with the square would take minutes: the limit is far above the seconds it takes on a busy machine.
  it('folds 100 000 events over a million items within seconds', { timeout: 60_000 }, () => {
    const count = 100_000;
    const fold = new JobFold(manifestOf(10 * count));
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      const at = (i * 70_001) % count;
      fold.add(someEvent(i), eventOf(computed([10 * at, Math.min(10 * count, 10 * at + 11)])));
    }
    const took = performance.now() - start;
    expect([fold.state, fold.committed, fold.surplus]).toEqual(['done', 10 * count, count - 1]);
    expect(fold.decidedSpans(500_000, 3)).toHaveLength(3);
    console.log(`  folded ${count} events over ${10 * count} items in ${took.toFixed(0)} ms`);
  });
});
