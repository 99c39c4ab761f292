// Item values, arguments and results as bytes: what structured clone carries of plain data, in MessagePack.
// Beside JSON's types: undefined, Date, Map, Set, bigint, and typed arrays. Used by the sandbox's worker and by whoever
// reads results; the kernel between them only moves the bytes.
import { Decoder, Encoder, ExtensionCodec } from '@msgpack/msgpack';

const depthMax = 100;
const bigintDigitsMax = 10_000;
const codec = new ExtensionCodec<undefined>();

const typedArrays = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;

codec.register({
  type: 1,
  encode: (value) => (value instanceof Map ? inner([...value].flat(1)) : null),
  decode: (data) => {
    const flat = list(outer(data));
    const map = new Map<unknown, unknown>();
    for (let i = 0; i + 1 < flat.length; i += 2) map.set(flat[i], flat[i + 1]);
    return map;
  },
});
codec.register({
  type: 2,
  encode: (value) => (value instanceof Set ? inner([...value]) : null),
  decode: (data) => new Set(list(outer(data))),
});
codec.register({
  type: 3,
  encode: (value) => (typeof value === 'bigint' ? inner(value.toString()) : null),
  decode: (data) => {
    // Parsing takes time that grows with the square of the digits.
    if (data.length > bigintDigitsMax) throw new RangeError('a bigint of too many digits');
    return BigInt(String(outer(data)));
  },
});
codec.register({
  type: 4,
  encode: (value) => {
    const kind = typedArrays.findIndex((type) => value instanceof type);
    if (kind < 0) return null;
    const view = value as Uint8ClampedArray;
    const bytes = new Uint8Array(1 + view.byteLength);
    bytes[0] = kind;
    bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), 1);
    return bytes;
  },
  decode: (data) => {
    const type = typedArrays[data[0]!];
    if (type === undefined) throw new RangeError('unknown typed array');
    return new type(data.slice(1).buffer as ArrayBuffer);
  },
});
codec.register({
  type: 5,
  encode: (value) => (value === undefined ? new Uint8Array(0) : null),
  decode: () => undefined,
});
codec.register({
  type: 6,
  encode: (value) => {
    if (!(value instanceof ArrayBuffer)) return null;
    return new Uint8Array(value.slice(0));
  },
  decode: (data) => data.slice().buffer,
});
// Asked last: what has not been taken by now becomes a map of its own properties, which would be empty for things like these.
codec.register({
  type: 7,
  encode: (value) => {
    const kind = Object.prototype.toString.call(value).slice(8, -1);
    if (opaqueKinds.has(kind)) throw new TypeError(`it contains something that cannot be sent (${kind})`);
    // The decoder refuses it, whoever wrote it: a reader might merge it into something.
    if (Object.hasOwn(value as object, '__proto__')) throw new TypeError('it has a key called __proto__');
    return null;
  },
  decode: () => {
    throw new RangeError('unknown extension');
  },
});
const opaqueKinds: ReadonlySet<string> = new Set(
  'Function AsyncFunction GeneratorFunction AsyncGeneratorFunction Symbol Promise WeakMap WeakSet WeakRef Generator AsyncGenerator Error RegExp DataView'.split(
    ' ',
  ),
);

const options = { extensionCodec: codec, maxDepth: depthMax } as const;
const encoder = new Encoder(options);
const decoder = new Decoder({
  extensionCodec: codec,
  maxStrLength: 64 * 1024 * 1024,
  maxBinLength: 64 * 1024 * 1024,
  maxArrayLength: 16_777_216,
  maxMapLength: 1_048_576,
  maxExtLength: 64 * 1024 * 1024,
});

// A nested encode needs an encoder of its own: the shared one is in use.
const inner = (value: unknown) => new Encoder(options).encode(value);
const outer = (data: Uint8Array) => new Decoder({ extensionCodec: codec }).decode(data);
const list = (value: unknown): unknown[] => {
  if (!Array.isArray(value)) throw new TypeError('not a list');
  return value;
};

/** @throws TypeError for what is not plain data (functions, symbols, class instances with behaviour), Error past 100 levels */
export function encodeValue(value: unknown): Uint8Array<ArrayBuffer> {
  if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError(`a ${typeof value} cannot be sent`);
  // MessagePack's own nil would turn a bare undefined into null.
  return (value === undefined ? undefinedBytes.slice() : encoder.encode(value)) as Uint8Array<ArrayBuffer>;
}
const undefinedBytes = new Uint8Array([0xc7, 0x00, 0x05]);

/** @throws Error where the bytes are not an encoded value */
export function decodeValue(bytes: Uint8Array): unknown {
  return decoder.decode(bytes);
}
