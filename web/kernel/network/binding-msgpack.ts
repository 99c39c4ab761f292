// The default binding: a frame is one MessagePack map.
import { decodeWire, encodeWireShared } from '../lib/wire-codec.ts';
import type { Binding } from './binding.ts';

export const msgpackBinding: Binding = { name: 'msgpack', encode: encodeWireShared, decode: decodeWire };
