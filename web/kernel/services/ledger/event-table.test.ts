import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hexOf } from '../../lib/bytes.ts';
import { encodeWire } from '../../lib/wire-codec.ts';
import type { EventBody, LedgerEvent, SignedEvent } from '../../protocol/event.ts';
import { computed, hexNumber, someActor, someEvent, someGroup, someIdentity, someJob, someObject } from '../../testing/made-up-jobs.ts';
import { EventTable } from './event-table.ts';
import { openPacked } from './packed-events.ts';
import { readEvent } from './signed.ts';

const body: fc.Arbitrary<EventBody> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({
        first: fc.nat(2_000_000),
        items: fc.integer({ min: 1, max: 9_000 }),
        fails: fc.boolean(),
        round: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 ** 40 }) }),
        record: fc.option(fc.nat().map((n) => hexNumber(n) as never)),
        part: fc.option(fc.nat(3).map(someEvent), { nil: undefined }),
        result: fc.nat().map(someObject),
        tookMs: fc.oneof(fc.nat(100_000), fc.double({ min: 0, max: 1e9, noNaN: true })),
      })
      .map(({ first, items, fails, part, ...rest }) => ({
        ...computed([first, first + items], {
          failed: fails ? [[first, first + 1]] : [],
          ...(part !== undefined && { part }),
          ...rest,
        }),
      })),
  },
  { weight: 1, arbitrary: fc.nat(9).map((version): EventBody => ({ kind: 'setting', version: version + 1, paused: true })) },
  { weight: 1, arbitrary: fc.constant<EventBody>({ kind: 'accepted', spans: [{ range: [0, 4], event: someEvent(3) }] }) },
  { weight: 1, arbitrary: fc.constant<EventBody>({ kind: 'lent', ranges: [[0, 1]], round: 0, to: someGroup(2) }) },
);

interface Made {
  readonly event: LedgerEvent;
  readonly signed: SignedEvent;
}

/** Some with their fields in the order of the schema, as this site signs them; some in the order of whoever wrote them. */
const made: fc.Arbitrary<Made> = fc
  .record({
    body,
    by: fc.nat(3),
    tab: fc.nat(2),
    n: fc.integer({ min: 1, max: 6 }),
    at: fc.oneof(fc.nat(), fc.double({ min: 0, max: 2e12, noNaN: true })),
    seal: fc.nat(255),
    signature: fc.constantFrom(64, 64, 64, 63),
    schemaOrder: fc.boolean(),
  })
  .map(({ body: each, by, tab, n, at, seal, signature, schemaOrder }) => {
    const identity = someIdentity(by);
    const head = { v: 1, job: someJob, actor: someActor(identity, tab), n, identity, at } as const;
    const event: LedgerEvent = { ...head, body: schemaOrder && each.kind === 'computed' ? inSchemaOrder(each) : each };
    return { event, signed: { bytes: encodeWire(event), signature: new Uint8Array(signature).fill(seal) } };
  });

function inSchemaOrder({ kind, part, range, failed, round, record, result, resultHash, tookMs }: Extract<EventBody, { kind: 'computed' }>) {
  return { kind, ...(part !== undefined && { part }), range, failed, round, record, result, resultHash, tookMs };
}

const tableOf = (events: readonly Made[]) => {
  const table = new EventTable();
  for (const [i, { event, signed }] of events.entries()) table.add(someEvent(i * 17), event, signed);
  return table;
};
const textOf = ({ bytes, signature }: SignedEvent) => `${hexOf(bytes)} ${hexOf(signature)}`;

describe('the table of events', () => {
  it('gives back each event, as it was signed to the last bit, by its row, its id and its dot', () => {
    fc.assert(
      fc.property(fc.array(made, { maxLength: 40 }), (events) => {
        const table = tableOf(events);
        for (const [row, { event, signed }] of events.entries()) {
          expect(table.rowOf(someEvent(row * 17))).toBe(row);
          expect(table.idAt(row)).toBe(someEvent(row * 17));
          expect(table.eventAt(row)).toEqual(event);
          expect(textOf(table.signedAt(row))).toBe(textOf(signed));
          expect([table.isComputed(row), table.isSetting(row)]).toEqual([event.body.kind === 'computed', event.body.kind === 'setting']);
          const same = events.flatMap((other, at) => (other.event.actor === event.actor && other.event.n === event.n ? [at] : []));
          expect(table.rowsAt(event.actor, event.n).toSorted((a, b) => a - b)).toEqual(same);
        }
        expect(table.rowOf(someEvent(9_999_999))).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it('packs any of its rows into one piece, from which all of them come back as they were signed', () => {
    fc.assert(
      fc.property(fc.array(made, { maxLength: 40 }), fc.nat(7), (events, skip) => {
        const rows = events.flatMap((_, row) => (row % 8 === skip ? [] : [row]));
        const opened = openPacked(someJob, tableOf(events).pack(rows));
        expect(opened?.map(({ signed }) => textOf(signed)).toSorted()).toEqual(rows.map((row) => textOf(events[row]!.signed)).toSorted());
        expect(opened?.map(({ signed, event }) => event ?? readEvent(signed))).toEqual(opened?.map(({ signed }) => readEvent(signed)));
      }),
      { numRuns: 60 },
    );
  });

  it('reads a piece that was tampered with as other events or as none, and never throws', () => {
    fc.assert(
      fc.property(fc.array(made, { minLength: 1, maxLength: 6 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (events, at, flip) => {
        const piece = tableOf(events).pack(events.map((_, row) => row));
        piece[at % piece.length]! ^= flip;
        expect(() => openPacked(someJob, piece)).not.toThrow();
      }),
      { numRuns: 200 },
    );
    expect(openPacked(someJob, new Uint8Array([1, 2, 3]))).toBeUndefined();
  });

  it('keeps a computed event as a row alone where its fields are in the order of the schema', () => {
    const event: LedgerEvent = {
      v: 1,
      job: someJob,
      actor: someActor(someIdentity(1)),
      n: 1,
      identity: someIdentity(1),
      at: 7,
      body: computed([0, 4]),
    };
    const { v, ...rest } = event;
    const table = new EventTable();
    table.add(someEvent(1), event, { bytes: encodeWire(event), signature: new Uint8Array(64) });
    table.add(someEvent(2), event, { bytes: encodeWire({ ...rest, v }), signature: new Uint8Array(64) });
    expect([table.wholeBytesAt(0), table.wholeBytesAt(1) > 0]).toEqual([0, true]);
  });
});
