// Chunks into buffers: in whatever order announcements and chunks come, and without a copy where a chunk is a whole buffer.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { equalBytes } from '../lib/bytes.ts';
import { encodeChunk } from '../protocol/frame.ts';
import { InboundBudget, InboundData } from './inbound-data.ts';

function world() {
  const garbage: string[] = [];
  const budget = new InboundBudget(1_000_000);
  return { garbage, budget, data: new InboundData(budget, (reason) => garbage.push(reason)) };
}

const numbered = (lengths: readonly number[]) => lengths.map((length, n) => Uint8Array.from({ length }, (_, i) => 31 * n + i));

/** The messages that bring `buffers`, each in memory of its own, as a channel gives them. */
const messagesOf = (transfer: number, buffers: readonly Uint8Array[], payloadBytes: number): Uint8Array[] =>
  buffers.flatMap((bytes, buffer) =>
    Array.from({ length: Math.ceil(bytes.length / payloadBytes) }, (_, i) => {
      const offset = i * payloadBytes;
      return encodeChunk({ transfer, buffer, offset, payload: bytes.subarray(offset, offset + payloadBytes) });
    }),
  );

test('buffers come out as they went in, however they are cut and however many chunks come ahead of their announcement', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 6 }).filter((lengths) => lengths.some((length) => length > 0)),
      fc.integer({ min: 1, max: 45 }),
      fc.nat({ max: 20 }),
      (lengths, payloadBytes, ahead) => {
        const { data, garbage } = world();
        const buffers = numbered(lengths);
        const messages = messagesOf(1, buffers, payloadBytes);
        const early = messages.slice(0, ahead);
        const come: (readonly Uint8Array[])[] = [];
        for (const message of early) data.receive(message);
        data.admit(1, lengths, (whole) => come.push(whole));
        for (const message of messages.slice(early.length)) data.receive(message);
        return (
          garbage.length === 0 &&
          come.length === 1 &&
          come[0]!.length === buffers.length &&
          come[0]!.every((bytes, i) => equalBytes(bytes, buffers[i]!))
        );
      },
    ),
  );
});

test('a buffer that is one chunk stays where it came, and no two share memory', () => {
  const { data } = world();
  const buffers = numbered([8, 8, 20, 8]);
  const messages = messagesOf(1, buffers, 8);
  let come: readonly Uint8Array[] = [];
  data.admit(1, [8, 8, 20, 8], (whole) => (come = whole));
  for (const message of messages) data.receive(message);
  expect(come).toEqual(buffers);
  expect([0, 1, 3].map((i) => messages.some(({ buffer }) => buffer === come[i]!.buffer))).toEqual([true, true, true]);
  expect(new Set(come.map(({ buffer }) => buffer)).size).toBe(4);
});

test('room is given back when a transfer is whole, refused or dropped', () => {
  const { data, budget } = world();
  data.admit(1, [600_000], () => undefined);
  expect(data.admit(2, [600_000], () => undefined)).toMatchObject({ ok: false, fault: { code: 'overloaded' } });
  data.drop(1);
  data.admit(3, [3, 5], () => undefined);
  for (const message of messagesOf(3, numbered([3, 5]), 8)) data.receive(message);
  expect(budget.take(1_000_000)).toBe(true);
});
