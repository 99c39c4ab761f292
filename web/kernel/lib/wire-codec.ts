// The one place that encodes and decodes MessagePack for signed things and for the wire: maps with string keys, no extensions.
import { Decoder, Encoder } from '@msgpack/msgpack';

const encoder = new Encoder({ ignoreUndefined: true, maxDepth: 32 });
const decoder = new Decoder({
  maxStrLength: 8 * 1024 * 1024,
  maxBinLength: 64 * 1024 * 1024,
  maxArrayLength: 1_048_576,
  maxMapLength: 65_536,
  maxExtLength: 0,
});

/** Fresh bytes; equal values made in the same order of keys give equal bytes. */
export function encodeWire(value: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(value) as Uint8Array<ArrayBuffer>;
}

/** The same without a copy: they are good until something else is encoded. */
export function encodeWireShared(value: unknown): Uint8Array {
  return encoder.encodeSharedRef(value);
}

/** What arrived, not yet trusted: parse it by a schema. undefined where it is no MessagePack. Byte runs are copies. */
export function decodeWire(bytes: Uint8Array): unknown {
  try {
    return ownBytes(decoder.decode(bytes), 0);
  } catch {
    return undefined;
  }
}

/** The decoder hands out views of the message's memory; what is kept must not keep the whole message alive. */
function ownBytes(value: unknown, depth: number): unknown {
  if (depth > 32) throw new RangeError('nested too deeply');
  if (value instanceof Uint8Array) return value.slice();
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = ownBytes(value[i], depth + 1);
    return value;
  }
  if (typeof value === 'object' && value !== null) {
    const record = value as Record<string, unknown>;
    for (const key in record) record[key] = ownBytes(record[key], depth + 1);
  }
  return value;
}
