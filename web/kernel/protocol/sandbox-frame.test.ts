import { expect, test } from 'vitest';
import fc from 'fast-check';
import { parseFrameMessage, parseWorkerMessage, type Expected } from './sandbox-frame.ts';

const expected: Expected = { next: 3, end: 6, resultItemBytesMax: 4 };
const good = () => ({
  first: 3,
  bytes: Uint8Array.of(1, 2),
  ends: Uint32Array.of(1, 2),
  tookMs: Float32Array.of(0, 1),
  errors: [] as unknown[],
});
const results = (change: object) => ({ t: 'results', results: { ...good(), ...change } });

test('results that fit pass, from the Worker and from the relay', () => {
  expect(parseWorkerMessage(results({}), expected)).toEqual(results({}));
  const event = { type: 'results', results: good() };
  expect(parseFrameMessage({ t: 'event', event }, expected)).toEqual({ t: 'event', event });
});

test('a failed item has an empty value', () => {
  const error = { index: 4, name: 'Error', message: 'no luck', stack: '' };
  expect(parseWorkerMessage(results({ bytes: Uint8Array.of(1), ends: Uint32Array.of(1, 1), errors: [error] }), expected)).toBeDefined();
  expect(parseWorkerMessage(results({ errors: [error] }), expected)).toBeUndefined();
});

test.each<[string, object]>([
  ['begin elsewhere', { first: 4 }],
  ['hold nothing', { ends: new Uint32Array(0), tookMs: new Float32Array(0), bytes: new Uint8Array(0) }],
  ['hold more items than asked for', { ends: new Uint32Array(4), tookMs: new Float32Array(4), bytes: new Uint8Array(0) }],
  ['go backwards', { ends: Uint32Array.of(2, 1) }],
  ['end before their bytes do', { bytes: Uint8Array.of(1, 2, 3) }],
  ['hold a value past its bound', { bytes: new Uint8Array(6), ends: Uint32Array.of(5, 6) }],
  ['took no time that is', { tookMs: Float32Array.of(0, Number.NaN) }],
  ['took less than none', { tookMs: Float32Array.of(0, -1) }],
  ['are no bytes', { bytes: [1, 2] }],
  ['come with errors of items elsewhere', { errors: [{ index: 9, name: '', message: '', stack: '' }] }],
  ['come with errors that are no text', { errors: [{ index: 3, name: 1, message: '', stack: '' }] }],
])('results that %s are refused', (_, change) => {
  expect(parseWorkerMessage(results(change), expected)).toBeUndefined();
});

test('results nobody asked for are refused', () => {
  expect(parseWorkerMessage(results({}), undefined)).toBeUndefined();
});

test('a small view does not drag its large buffer along', () => {
  const bytes = new Uint8Array(1_000_000).subarray(10, 12);
  const parsed = parseWorkerMessage(results({ bytes }), expected);
  expect(parsed?.t === 'results' && parsed.results.bytes.buffer.byteLength).toBe(2);
});

test('only known fields pass', () => {
  const message = { t: 'log', index: 3, text: 'x', port: {}, __proto__: { more: 1 } };
  expect(Object.keys(parseWorkerMessage(message, expected)!)).toEqual(['t', 'index', 'text']);
});

test('whatever arrives, the parsers answer', () => {
  fc.assert(
    fc.property(
      fc.anything({ withTypedArray: true, withNullPrototype: true, withBigInt: true }),
      fc.constantFrom('ready', 'failed', 'results', 'progress', 'log', 'event', 'pong'),
      (value, t) => {
        for (const message of [value, { t, results: value, event: value, error: value, index: value, n: value }]) {
          parseWorkerMessage(message, expected);
          parseFrameMessage(message, expected);
        }
      },
    ),
  );
});
