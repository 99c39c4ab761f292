// Whose chunk goes next, seen on a channel that takes what it is given and empties when told.
import { expect, test } from 'vitest';
import {
  dataBufferedBytesMax,
  dataBufferedBytesMin,
  dataBufferedBytesStart,
  dataChunkBytes,
  dataChunkBytesMin,
  dataChunkBytesStart,
  dataChunkMs,
  eagerBytesMax,
} from '../limits.ts';
import type { Channel } from '../platform.ts';
import { chunkHeaderBytes, decodeChunk } from '../protocol/frame.ts';
import { OutboundData } from './outbound-data.ts';

const chunkPayload = dataChunkBytes - chunkHeaderBytes;

class Sink implements Channel {
  readonly messageBytesMax = dataChunkBytes;
  /** Transfers of the chunks, in the order in which they came, and what was in them. */
  readonly order: number[] = [];
  readonly payloads: Uint8Array[] = [];
  buffered = 0;
  now = 0;
  #low: (() => void)[] = [];
  send(message: Uint8Array): void {
    const { transfer, payload } = decodeChunk(message)!;
    this.order.push(transfer);
    this.payloads.push(payload.slice());
    this.buffered += message.length;
  }
  bufferedBytes(): number {
    return this.buffered;
  }
  whenBelow(_: number, run: () => void): void {
    this.#low.push(run);
  }
  onMessage(): void {}
  /** All is handed to the network, which takes so long. */
  empty(ms = 10): void {
    this.now += ms;
    this.buffered = 0;
    for (const run of this.#low.splice(0)) run();
  }
  emptyAll(): void {
    while (this.#low.length > 0) this.empty();
  }
}

const full = (chunks: number, fill = 0) => new Uint8Array(chunks * chunkPayload).fill(fill);

function begun() {
  const sink = new Sink();
  return {
    sink,
    data: new OutboundData(
      sink,
      () => sink.now,
      () => undefined,
    ),
  };
}

test('of several alike the oldest ends first, so that the next can be asked for while the others still come', () => {
  const { sink, data } = begun();
  const ended: number[] = [];
  for (const number of [1, 2, 3, 4]) {
    data.stream(number, [full(24)], () => ended.push(number));
    data.admitted(number);
  }
  sink.emptyAll();
  expect(ended).toEqual([1, 2, 3, 4]);
  expect(sink.payloads.reduce((sum, { length }) => sum + length, 0)).toBe(4 * 24 * chunkPayload);
  const endOf = (number: number) => sink.order.lastIndexOf(number);
  expect(endOf(2) - endOf(1)).toBeGreaterThan(10);
  expect(endOf(3) - endOf(2)).toBeGreaterThan(10);
});

test('a small one does not wait for a large one that is under way', () => {
  const { sink, data } = begun();
  data.stream(1, [full(1_000)], () => undefined);
  data.admitted(1);
  const before = sink.order.length;
  expect(before).toBeLessThan(1_000);
  let ended = false;
  data.stream(2, [full(2)], () => (ended = true));
  data.admitted(2);
  sink.empty();
  expect(ended).toBe(true);
  expect(sink.order.slice(before, before + 6).filter((number) => number === 2)).toHaveLength(2);
});

test('every one of many is served, however much the oldest still has', () => {
  const { sink, data } = begun();
  for (let number = 1; number <= 40; number++) {
    data.stream(number, [full(number === 1 ? 5_000 : 1)], () => undefined);
    data.admitted(number);
  }
  while (sink.order.length < 200) sink.empty();
  expect(new Set(sink.order.slice(0, 200)).size).toBe(40);
});

test('chunks that wait in the channel are not written over by those behind them', () => {
  const { sink, data } = begun();
  data.stream(1, [full(2, 7), full(1, 8)], () => undefined);
  const bytes = sink.payloads.flatMap((payload) => [...payload]);
  expect(bytes.indexOf(8)).toBe(2 * chunkPayload);
  expect(bytes.lastIndexOf(7)).toBe(2 * chunkPayload - 1);
});

test('before the far side has agreed only so much goes, and no more than the channel may hold at once', () => {
  const { sink, data } = begun();
  data.stream(1, [full(1_000)], () => undefined);
  sink.emptyAll();
  const eager = sink.payloads.reduce((sum, payload) => sum + payload.length, 0);
  expect(eager).toBeLessThanOrEqual(eagerBytesMax);
  expect(eager).toBeGreaterThan(eagerBytesMax - 2 * dataChunkBytes);
  data.admitted(1);
  expect(sink.buffered).toBeLessThanOrEqual(dataBufferedBytesMax + dataChunkBytes);
});

test('a fast link is kept fuller than a slow one, where what is sent next would wait behind it', () => {
  const { sink, data } = begun();
  data.stream(1, [full(10_000)], () => undefined);
  data.admitted(1);
  const inBounds = (bytes: number, least: number) => bytes >= least && bytes <= least + dataChunkBytes;
  expect(inBounds(sink.buffered, dataBufferedBytesStart)).toBe(true);
  sink.empty(10);
  expect(inBounds(sink.buffered, dataBufferedBytesMax)).toBe(true);
  sink.empty(20_000);
  expect(inBounds(sink.buffered, dataBufferedBytesMin)).toBe(true);
});

test('on a slow link chunks are small, because what the control channel has to say waits for the end of one', () => {
  const { sink, data } = begun();
  data.stream(1, [full(10_000)], () => undefined);
  data.admitted(1);
  const lastOf = () => sink.payloads.at(-1)!.length;
  expect(lastOf()).toBe(dataChunkBytesStart);
  sink.empty(1);
  expect(lastOf()).toBe(chunkPayload);
  sink.empty(dataBufferedBytesMax / 50);
  expect(lastOf()).toBe(dataChunkBytesMin);
  const bytesPerMs = 400;
  sink.empty(sink.buffered / bytesPerMs);
  expect(lastOf()).toBeCloseTo(dataChunkMs * bytesPerMs, -1);
});
