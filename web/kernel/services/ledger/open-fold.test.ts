import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventId } from '../../lib/ids.ts';
import type { EventBody, LedgerEvent } from '../../protocol/event.ts';
import { computed, eventOf, manifestOf, someEvent, someIdentity } from '../../testing/made-up-jobs.ts';
import { JobFold } from './fold.ts';

const own = 4;
type Named = readonly [EventId, LedgerEvent];
type Body<K extends EventBody['kind']> = Extract<EventBody, { kind: K }>;
const submitter = someIdentity(0);

const appendOf = (after: EventId | null, first: number, items: number, version = 1): EventBody => ({
  kind: 'setting',
  version,
  append: { after, first, input: { kind: 'range', items, offset: 100 } },
});
const closeOf = (after: EventId | null, version = 1): EventBody => ({ kind: 'setting', version, close: { after } });
const resultOf = (part: EventId | null, range: [number, number], changes: Partial<Body<'computed'>> = {}) =>
  computed(range, { ...(part !== null && { part }), ...changes });
const takes = (event: EventId, range: [number, number]): EventBody => ({ kind: 'accepted', spans: [{ range, event }] });

function foldOf(list: readonly Named[]): JobFold {
  const fold = new JobFold(manifestOf(own, { open: true, failuresMax: 1_000 }));
  for (const [id, event] of list) fold.add(id, event);
  return fold;
}
const partsOf = (fold: JobFold) => fold.parts.map(({ part }) => part);

/** Trees of appends and closes by the submitter, results for any of them by anybody, acceptances and retries, with shuffled ids. */
const histories: fc.Arbitrary<Named[]> = fc
  .record({
    nodes: fc.array(
      fc.record({
        behind: fc.nat(5),
        items: fc.integer({ min: 1, max: 3 }),
        version: fc.integer({ min: 1, max: 3 }),
        close: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
        wrong: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      }),
      { maxLength: 6 },
    ),
    results: fc.array(
      fc.record({
        part: fc.nat(6),
        from: fc.nat(12),
        items: fc.integer({ min: 1, max: 8 }),
        fails: fc.boolean(),
        round: fc.constantFrom(0, 0, 0, 5),
        by: fc.nat(3),
      }),
      { maxLength: 16 },
    ),
    takings: fc.array(fc.record({ of: fc.nat(15), from: fc.nat(12), items: fc.integer({ min: 1, max: 4 }) }), { maxLength: 4 }),
    retries: fc.array(fc.record({ from: fc.nat(10), items: fc.integer({ min: 1, max: 4 }) }), { maxLength: 2 }),
    ids: fc.shuffledSubarray(
      Array.from({ length: 40 }, (_, i) => i + 1),
      { minLength: 40 },
    ),
  })
  .map(({ nodes, results, takings, retries, ids }) => {
    const list: Named[] = [];
    const next = () => someEvent(ids[list.length]!);
    const parts: { id: EventId | null; end: number }[] = [{ id: null, end: own }];
    for (const { behind, items, version, close, wrong } of nodes) {
      const before = parts[behind % parts.length]!;
      const first = before.end + Number(wrong && before.id !== null);
      const id = next();
      list.push([id, eventOf(close ? closeOf(before.id, version) : appendOf(before.id, first, items, version), submitter, list.length)]);
      if (!close) parts.push({ id, end: first + items });
    }
    const computedIds: EventId[] = [];
    for (const { part, from, items, fails, round, by } of results) {
      const { id: of } = parts[part % parts.length]!;
      const range: [number, number] = [from, from + items];
      if (of === null && range[1] > own) range.splice(0, 2, from % own, own);
      const id = next();
      computedIds.push(id);
      list.push([id, eventOf(resultOf(of, range, { round, failed: fails ? [range] : [] }), someIdentity(by + 1), list.length)]);
    }
    for (const { of, from, items } of takings) {
      const event = computedIds[of % Math.max(1, computedIds.length)];
      if (event !== undefined) list.push([next(), eventOf(takes(event, [from, from + items]), submitter, list.length)]);
    }
    for (const { from, items } of retries)
      list.push([
        next(),
        eventOf({ kind: 'setting', version: 9, round: { round: 5, ranges: [[from, from + items]] } }, submitter, list.length),
      ]);
    return list;
  });

interface Piece {
  readonly part: EventId | null;
  readonly first: number;
  readonly end: number;
}

/** The rule of chain.ts, from the whole set at once: which parts count, and whether more may come. */
function chainOf(list: readonly Named[]): { parts: Piece[]; open: boolean } {
  const settings = list.flatMap(([id, { body }]) => (body.kind === 'setting' ? [{ id, body }] : []));
  const pieceOf = new Map<EventId, Piece & { after: EventId | null; version: number }>();
  for (const { id, body } of settings)
    if (body.append !== undefined)
      pieceOf.set(id, {
        part: id,
        first: body.append.first,
        end: body.append.first + body.append.input.items,
        after: body.append.after,
        version: body.version,
      });
  const taken = new Set<EventId | null>();
  for (const [, { body }] of list) {
    if (body.kind !== 'accepted') continue;
    for (const { range, event } of body.spans) {
      const of = list.find(([id]) => id === event)?.[1].body as Body<'computed'> | undefined;
      const piece = of?.part === undefined ? undefined : pieceOf.get(of.part);
      if (of === undefined || piece === undefined) continue;
      if (Math.max(range[0], of.range[0], piece.first) >= Math.min(range[1], of.range[1], piece.end)) continue;
      for (let at: EventId | null = piece.part; at !== null; at = pieceOf.get(at)?.after ?? null) taken.add(at);
    }
  }
  const parts: Piece[] = [{ part: null, first: 0, end: own }];
  for (;;) {
    const last = parts.at(-1)!;
    const [next] = [...pieceOf.values()]
      .filter(({ after, first }) => after === last.part && first === last.end)
      .toSorted((a, b) => Number(taken.has(b.part)) - Number(taken.has(a.part)) || a.version - b.version || (a.part! < b.part! ? -1 : 1));
    if (next === undefined)
      return { parts, open: !settings.some(({ body }) => body.close !== undefined && body.close.after === last.part) };
    parts.push(next);
  }
}

const pictureOf = (fold: JobFold) => ({
  state: fold.state,
  reason: fold.reason,
  items: fold.items,
  open: fold.open,
  tail: fold.tail,
  parts: fold.parts,
  committed: fold.committed,
  failed: fold.failed,
  surplus: fold.surplus,
  decided: fold.decidedSpans(0, 1_000),
  undecided: fold.undecided(0, fold.items + 5, 1_000),
  contributors: fold.contributors(100),
});

describe('the fold of an open job', () => {
  it('follows one path of appends, whatever the order of arrival and the repetitions', () => {
    const scattered = histories.chain((list) =>
      fc.record({ list: fc.constant(list), order: fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2 }) }),
    );
    fc.assert(
      fc.property(scattered, ({ list, order }) => {
        const fold = foldOf(list);
        const wanted = chainOf(list);
        expect(partsOf(fold)).toEqual(wanted.parts.map(({ part }) => part));
        expect(fold.open).toBe(wanted.open);
        expect(pictureOf(foldOf(order))).toEqual(pictureOf(fold));
        expect(pictureOf(foldOf(list.toReversed()))).toEqual(pictureOf(fold));
      }),
      { numRuns: 500 },
    );
  });

  it('gives every item at most one outcome, and never one of a part that does not count', () => {
    fc.assert(
      fc.property(histories, (list) => {
        const fold = foldOf(list);
        const partOf = (item: number) => fold.parts.find(({ first, input }) => first <= item && item < first + input.items)!.part;
        const outcome = new Map<number, string>();
        for (const span of fold.decidedSpans(0, 1_000)) {
          const of = list.find(([id]) => id === span.event)![1].body as Body<'computed'>;
          for (let item = span.range[0]; item < span.range[1]; item++) {
            expect(outcome.has(item)).toBe(false);
            outcome.set(item, span.outcome);
            expect(of.part ?? null).toBe(partOf(item));
            expect(of.range[0] <= item && item < of.range[1]).toBe(true);
          }
        }
        const open = fold.undecided(0, fold.items, 1_000).flatMap(({ range: [a, b] }) => Array.from({ length: b - a }, (_, i) => a + i));
        expect([...outcome.keys(), ...open].toSorted((a, b) => a - b)).toEqual(Array.from({ length: fold.items }, (_, i) => i));
        expect(fold.committed + fold.failed).toBe(outcome.size);
        // What is run together is of one input.
        for (const { range } of fold.undecided(0, fold.items, 1_000)) expect(partOf(range[0])).toBe(partOf(range[1] - 1));
      }),
      { numRuns: 500 },
    );
  });

  it('tells with each event exactly which items got or lost their outcome, also where another append counts now', () => {
    fc.assert(
      fc.property(histories, (list) => {
        const fold = foldOf([]);
        const told = new Set<number>();
        for (const [id, event] of list.toReversed()) {
          const added = fold.add(id, event)!;
          for (const [first, end] of added.decided) for (let i = first; i < end; i++) told.add(i);
          for (const [first, end] of added.reopened) for (let i = first; i < end; i++) told.delete(i);
          const decided = fold.decidedSpans(0, 1_000).flatMap(({ range: [a, b] }) => Array.from({ length: b - a }, (_, i) => a + i));
          expect([...told].toSorted((a, b) => a - b)).toEqual(decided);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps what the submitter was shown when another append comes late, whatever that one says', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 3 }), (list, version) => {
        const shown = foldOf(list);
        // What the submitter's tab shows it accepts first.
        const spans = shown.decidedSpans(0, 1_000);
        const accepting: Named = [
          someEvent(50),
          eventOf({ kind: 'accepted', spans: spans.map(({ range, event }) => ({ range, event })) }, submitter, 50),
        ];
        const before = foldOf([...list, accepting]);
        const seen = before.decidedSpans(0, 1_000).filter(({ accepted }) => accepted);
        const late = before.parts.map(({ part, first, input }, i): Named => [
          someEvent(60 + i),
          eventOf(appendOf(part, first + input.items, 2, version), submitter, 60 + i),
        ]);
        const after = foldOf([...list, accepting, ...late]);
        const still = new Map(
          after.decidedSpans(0, 1_000).flatMap(({ range: [a, b], event }) => Array.from({ length: b - a }, (_, i) => [a + i, event])),
        );
        for (const { range, event } of seen) for (let i = range[0]; i < range[1]; i++) expect(still.get(i)).toBe(event);
      }),
      { numRuns: 300 },
    );
  });

  it('is done only when it is closed and everything is decided; until then it waits for more', () => {
    const fold = foldOf([[someEvent(1), eventOf(computed([0, own]))]]);
    expect([fold.state, fold.reason, fold.ended]).toEqual(['running', 'Waits for more input.', false]);
    fold.add(someEvent(2), eventOf(appendOf(null, own, 3), submitter));
    expect([fold.state, fold.reason, fold.items, fold.tail]).toEqual(['running', '', own + 3, someEvent(2)]);
    fold.add(someEvent(3), eventOf(closeOf(someEvent(2), 2), submitter));
    expect([fold.state, fold.open]).toEqual(['running', false]);
    fold.add(someEvent(4), eventOf(resultOf(someEvent(2), [own, own + 3])));
    expect([fold.state, fold.committed]).toEqual(['done', own + 3]);
  });

  it('counts items that may still come as undecided, so that nobody takes them for done', () => {
    const fold = foldOf([[someEvent(1), eventOf(computed([0, own]))]]);
    expect(fold.undecided(0, own + 6, 9)).toEqual([{ range: [own, own + 6], round: 0, failedBy: [] }]);
    fold.add(someEvent(3), eventOf(closeOf(null), submitter));
    expect(fold.undecided(0, own + 6, 9)).toEqual([]);
  });

  it('takes the append that was written without knowing of the other; results of the other count nowhere', () => {
    const fold = foldOf([
      [someEvent(1), eventOf(appendOf(null, own, 2, 2), submitter)],
      [someEvent(2), eventOf(resultOf(someEvent(1), [own, own + 2]))],
    ]);
    expect(fold.committed).toBe(2);
    const added = fold.add(someEvent(9), eventOf(appendOf(null, own, 5, 1), submitter));
    expect(added).toEqual({ decided: [], reopened: [[own, own + 2]] });
    expect([partsOf(fold), fold.items, fold.committed]).toEqual([[null, someEvent(9)], own + 5, 0]);
    // It is appended again, behind the one that counts, and its results are found by their part.
    fold.add(someEvent(3), eventOf(appendOf(someEvent(9), own + 5, 2, 3), submitter));
    fold.add(someEvent(4), eventOf(resultOf(someEvent(3), [own + 5, own + 7])));
    expect(fold.decidedSpans(0, 9).map(({ range, event }) => [range, event])).toEqual([[[own + 5, own + 7], someEvent(4)]]);
  });

  it('lets an append go before a close that did not know of it', () => {
    const fold = foldOf([
      [someEvent(1), eventOf(computed([0, own]))],
      [someEvent(2), eventOf(closeOf(null, 1), submitter)],
    ]);
    expect(fold.state).toBe('done');
    fold.add(someEvent(3), eventOf(appendOf(null, own, 2, 1), submitter));
    expect([fold.state, fold.open, fold.items]).toEqual(['running', true, own + 2]);
  });

  it('waits for an append whose results came before it', () => {
    const fold = foldOf([
      [someEvent(5), eventOf(takes(someEvent(4), [own, own + 1]), submitter)],
      [someEvent(4), eventOf(resultOf(someEvent(3), [own, own + 2]))],
    ]);
    expect(fold.committed).toBe(0);
    fold.add(someEvent(3), eventOf(appendOf(null, own, 2), submitter));
    expect(fold.decidedSpans(0, 9).map(({ range, accepted }) => [range, accepted])).toEqual([
      [[own, own + 1], true],
      [[own + 1, own + 2], false],
    ]);
  });
});
