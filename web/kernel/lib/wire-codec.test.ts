import { Decoder, Encoder } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeWire, encodeWire } from './wire-codec.ts';

const reference = { encode: new Encoder({ ignoreUndefined: true }), decode: new Decoder() };
/** JSON-like values with bytes, whole numbers of every width, and text of every kind. */
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true }),
    fc.maxSafeInteger(),
    fc.integer({ min: -70_000, max: 70_000 }),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('tree'), { maxLength: 20 }),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('tree'),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
}));

describe('the wire codec', () => {
  it('writes what any MessagePack library writes, and reads it back', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const bytes = encodeWire(value);
        expect(bytes).toEqual(reference.encode.encode(value));
        expect(decodeWire(bytes)).toEqual(reference.decode.decode(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it('writes sizes at their limits', () => {
    for (const size of [0, 15, 16, 31, 32, 255, 256, 65_535, 65_536, 100_000]) {
      for (const value of ['a'.repeat(size), 'é'.repeat(size), new Uint8Array(size), Array.from({ length: size }, () => 1)]) {
        const bytes = encodeWire(value);
        expect(Buffer.compare(bytes, reference.encode.encode(value))).toBe(0);
        expect(Buffer.compare(encodeWire(decodeWire(bytes)), bytes)).toBe(0);
      }
    }
  });

  it('leaves out what is undefined, and refuses what is no data', () => {
    expect(encodeWire({ a: undefined, b: 1 })).toEqual(encodeWire({ b: 1 }));
    expect(() => encodeWire({ a: () => 1 })).toThrow('Unrecognized object');
    expect(() => encodeWire(1n)).toThrow('Unrecognized object');
  });

  it('bounds how deep things nest, both ways', () => {
    const nested = (depth: number) => {
      let value: unknown = 1;
      for (let i = 0; i < depth; i++) value = [value];
      return value;
    };
    expect(decodeWire(encodeWire(nested(31)))).toEqual(nested(31));
    expect(() => encodeWire(nested(32))).toThrow('Too deep');
    expect(decodeWire(Uint8Array.from([...Array.from({ length: 100_000 }, () => 0x91), 1]))).toBeUndefined();
  });

  it('answers undefined for whatever else comes, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeWire(bytes);
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(tree, fc.nat(), fc.nat(255), (value, where, byte) => {
        const bytes = encodeWire(value);
        bytes[where % bytes.length] = byte;
        decodeWire(bytes);
        expect(decodeWire(bytes.subarray(0, where % bytes.length))).toBeUndefined();
      }),
      { numRuns: 500 },
    );
    expect(decodeWire(Uint8Array.from([1, 2]))).toBeUndefined();
    expect(decodeWire(Uint8Array.from([0xd4, 1, 1]))).toBeUndefined();
    expect(decodeWire(Uint8Array.from([0xdf, 0xff, 0xff, 0xff, 0xff]))).toBeUndefined();
    expect(decodeWire(Uint8Array.from([0x81, 0xa9, ...Buffer.from('__proto__'), 1]))).toBeUndefined();
  });

  it('hands out bytes of their own', () => {
    const bytes = encodeWire([Uint8Array.of(1, 2, 3)]);
    const [run] = decodeWire(bytes) as [Uint8Array];
    bytes.fill(9);
    expect(run).toEqual(Uint8Array.of(1, 2, 3));
    expect(run.buffer.byteLength).toBe(3);
  });
});
