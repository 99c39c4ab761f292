import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RangeMap, RangeSet } from './ranges.ts';

const span = fc.tuple(fc.nat(120), fc.nat(60)).map(([first, length]) => [first, first + length] as const);
const sizeMax = 200;

/** The runs of a naive array, touching equal values merged. */
function runsOf<V>(naive: readonly (V | undefined)[]) {
  const runs: { first: number; end: number; value: V }[] = [];
  naive.forEach((value, i) => {
    if (value === undefined) return;
    const last = runs.at(-1);
    if (last !== undefined && last.end === i && last.value === value) last.end = i + 1;
    else runs.push({ first: i, end: i + 1, value });
  });
  return runs;
}

describe('a range map', () => {
  it('equals an array of values after any sequence of changes', () => {
    const step = fc.record({ span, value: fc.option(fc.nat(3), { nil: undefined }), how: fc.constantFrom('set', 'delete', 'add') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), span, (steps, [from, to]) => {
        const map = new RangeMap<number>();
        const naive: (number | undefined)[] = Array.from({ length: sizeMax }, () => undefined);
        for (const {
          span: [first, end],
          value = 1,
          how,
        } of steps) {
          if (how === 'set') map.set(first, end, value);
          else if (how === 'delete') map.delete(first, end);
          else map.update(first, end, (old) => ((old ?? 0) + value) % 4);
          for (let i = first; i < end; i++) naive[i] = how === 'set' ? value : how === 'delete' ? undefined : ((naive[i] ?? 0) + value) % 4;
          expect([...map.entries()]).toEqual(runsOf(naive));
        }
        expect([...map.entries(from, to)]).toEqual(runsOf(naive.map((value, i) => (i >= from && i < to ? value : undefined))));
        naive.forEach((value, i) => expect(map.get(i)).toBe(value));
      }),
    );
  });

  it('keeps its order over many chunks and deletes across them', () => {
    const map = new RangeMap<number>();
    const order = Array.from({ length: 3_000 }, (_, i) => (i * 1_237) % 3_000);
    for (const i of order) map.set(2 * i, 2 * i + 1, i);
    expect([...map.entries()].map((entry) => entry.value)).toEqual(Array.from({ length: 3_000 }, (_, i) => i));
    map.delete(101, 5_001);
    expect([...map.entries()].map((entry) => entry.value)).toEqual(
      Array.from({ length: 3_000 }, (_, i) => i).filter((i) => 2 * i < 101 || 2 * i >= 5_001),
    );
    map.set(0, 6_000, 7);
    expect([...map.entries()]).toEqual([{ first: 0, end: 6_000, value: 7 }]);
  });

  it('visits every run of a change once, the empty ones too', () => {
    const map = new RangeMap<string>();
    map.set(10, 20, 'a');
    const seen: unknown[] = [];
    map.update(5, 25, (value, first, end) => {
      seen.push([value, first, end]);
      return value;
    });
    expect(seen).toEqual([
      [undefined, 5, 10],
      ['a', 10, 20],
      [undefined, 20, 25],
    ]);
  });
});

describe('a range set', () => {
  it('equals a set of integers after any sequence of changes', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ span, add: fc.boolean() }), { maxLength: 40 }), span, (steps, [from, to]) => {
        const set = new RangeSet();
        const naive = new Set<number>();
        for (const {
          span: [first, end],
          add,
        } of steps) {
          if (add) set.add(first, end);
          else set.delete(first, end);
          for (let i = first; i < end; i++) {
            if (add) naive.add(i);
            else naive.delete(i);
          }
        }
        expect(set.size).toBe(naive.size);
        for (let i = 0; i < sizeMax; i++) expect(set.has(i)).toBe(naive.has(i));
        const members = (spans: Iterable<readonly [number, number]>) =>
          [...spans].flatMap(([a, b]) => Array.from({ length: b - a }, (_, i) => a + i));
        const wanted = Array.from({ length: to - from }, (_, i) => from + i);
        expect(members(set.spans(from, to))).toEqual(wanted.filter((i) => naive.has(i)));
        expect(members(set.gaps(from, to))).toEqual(wanted.filter((i) => !naive.has(i)));
        expect(set.covers(from, to)).toBe(wanted.every((i) => naive.has(i)));
      }),
    );
  });
});
