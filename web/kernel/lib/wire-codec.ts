// The one place that encodes and decodes MessagePack for signed things and for the wire: maps with string keys, no extensions. Written here
// because every message passes through it: ids and URIs come again and again, and are looked up instead of being built anew.
const depthMax = 32;
const stringBytesMax = 8 * 1024 * 1024;
const binaryBytesMax = 64 * 1024 * 1024;
const listItemsMax = 1_048_576;
const mapEntriesMax = 65_536;
const rememberedCharsMax = 160;
const rememberedSlots = 4_096;
const two32 = 2 ** 32;

let out = new Uint8Array(8 * 1024);
let outView = new DataView(out.buffer);
let at = 0;

/** Fresh bytes; equal values made in the same order of keys give equal bytes. @throws Error for what is no plain data, or nested too deeply */
export function encodeWire(value: unknown): Uint8Array<ArrayBuffer> {
  at = 0;
  put(value, 1);
  const bytes = out.slice(0, at);
  // One huge message does not keep its room for ever.
  if (out.length > 4 * 1024 * 1024) resize(8 * 1024);
  return bytes;
}

function resize(length: number): void {
  const bigger = new Uint8Array(length);
  bigger.set(out.subarray(0, Math.min(at, length)));
  out = bigger;
  outView = new DataView(out.buffer);
}

function room(bytes: number): void {
  if (at + bytes > out.length) resize(Math.max(2 * out.length, at + bytes));
}

function put(value: unknown, depth: number): void {
  if (depth > depthMax) throw new RangeError('nested too deeply');
  room(9);
  switch (typeof value) {
    case 'string':
      return putString(value);
    case 'number':
      return putNumber(value);
    case 'boolean':
      out[at++] = value ? 0xc3 : 0xc2;
      return;
    case 'undefined':
      out[at++] = 0xc0;
      return;
    case 'object':
      if (value === null) out[at++] = 0xc0;
      else if (Array.isArray(value)) putList(value, depth);
      else if (ArrayBuffer.isView(value)) putBinary(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
      else putMap(value as Record<string, unknown>, depth);
      return;
    default:
      throw new TypeError(`a ${typeof value} cannot be sent`);
  }
}

/** A size after its tag: in the tag's low bits below `tinyEnd` (0: there are none), else in 8 (where `tag8` is one), 16 or 32 bits. */
function putSize(size: number, tiny: number, tinyEnd: number, tag8: number, tag16: number): void {
  if (size < tinyEnd) out[at++] = tiny + size;
  else if (tag8 !== 0 && size < 0x100) {
    out[at++] = tag8;
    out[at++] = size;
  } else if (size < 0x10000) {
    out[at++] = tag16;
    outView.setUint16(at, size);
    at += 2;
  } else {
    out[at++] = tag16 + 1;
    outView.setUint32(at, size);
    at += 4;
  }
}

function putString(text: string): void {
  const { length } = text;
  room(5 + 3 * length);
  const began = at;
  // As ASCII, which nearly all is; begun again where it is not.
  putSize(length, 0xa0, 32, 0xd9, 0xda);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) {
      at = began;
      return putWideString(text);
    }
    out[at++] = code;
  }
}

function putWideString(text: string): void {
  let bytes = 0;
  // A lone surrogate becomes three bytes of its own, as it does in JavaScript's own strings.
  for (const char of text) {
    const code = char.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  putSize(bytes, 0xa0, 32, 0xd9, 0xda);
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code < 0x80) out[at++] = code;
    else if (code < 0x800) {
      out[at++] = 0xc0 | (code >> 6);
      out[at++] = 0x80 | (code & 63);
    } else {
      if (code < 0x10000) out[at++] = 0xe0 | (code >> 12);
      else {
        out[at++] = 0xf0 | (code >> 18);
        out[at++] = 0x80 | ((code >> 12) & 63);
      }
      out[at++] = 0x80 | ((code >> 6) & 63);
      out[at++] = 0x80 | (code & 63);
    }
  }
}

function putNumber(value: number): void {
  if (!Number.isSafeInteger(value)) {
    out[at++] = 0xcb;
    outView.setFloat64(at, value);
    at += 8;
  } else if (value >= 0) {
    if (value < 0x80) out[at++] = value;
    else if (value < two32) putSize(value, 0, 0, 0xcc, 0xcd);
    else putLong(0xcf, value);
  } else if (value >= -0x20) out[at++] = value & 0xff;
  else if (value >= -0x80) {
    out[at++] = 0xd0;
    outView.setInt8(at++, value);
  } else if (value >= -0x8000) {
    out[at++] = 0xd1;
    outView.setInt16(at, value);
    at += 2;
  } else if (value >= -0x80000000) {
    out[at++] = 0xd2;
    outView.setInt32(at, value);
    at += 4;
  } else putLong(0xd3, value);
}

function putLong(tag: number, value: number): void {
  out[at++] = tag;
  outView.setInt32(at, Math.floor(value / two32));
  outView.setUint32(at + 4, value - Math.floor(value / two32) * two32);
  at += 8;
}

function putBinary(bytes: Uint8Array): void {
  room(5 + bytes.length);
  putSize(bytes.length, 0, 0, 0xc4, 0xc5);
  out.set(bytes, at);
  at += bytes.length;
}

function putList(list: readonly unknown[], depth: number): void {
  putSize(list.length, 0x90, 16, 0, 0xdc);
  for (const item of list) put(item, depth + 1);
}

/** What is undefined is left out. */
function putMap(record: Readonly<Record<string, unknown>>, depth: number): void {
  const keys = Object.keys(record);
  let count = 0;
  for (const key of keys) if (record[key] !== undefined) count++;
  putSize(count, 0x80, 16, 0, 0xde);
  for (const key of keys) {
    const value = record[key];
    if (value === undefined) continue;
    putString(key);
    put(value, depth + 1);
  }
}

let bytesIn = new Uint8Array(0);
let view = new DataView(bytesIn.buffer);
let from = 0;
const malformed = () => new RangeError('not MessagePack of this form');

/** What arrived, not yet trusted: parse it by a schema. undefined where it is no MessagePack. Byte runs are copies. */
export function decodeWire(bytes: Uint8Array): unknown {
  bytesIn = bytes as Uint8Array<ArrayBuffer>;
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  from = 0;
  try {
    const value = take(0);
    return from === bytes.length ? value : undefined;
  } catch {
    return undefined;
  } finally {
    bytesIn = nothing;
  }
}

const nothing = new Uint8Array(0);

/** Throws RangeError past the end, as DataView does by itself. */
function take(depth: number): unknown {
  if (depth > depthMax) throw malformed();
  const tag = view.getUint8(from++);
  if (tag < 0x80) return tag;
  if (tag < 0x90) return takeMap(tag & 15, depth);
  if (tag < 0xa0) return takeList(tag & 15, depth);
  if (tag < 0xc0) return takeString(tag & 31);
  if (tag >= 0xe0) return tag - 0x100;
  switch (tag) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xc4:
    case 0xc5:
    case 0xc6:
      return takeBinary(takeSize(tag - 0xc4));
    case 0xca:
      from += 4;
      return view.getFloat32(from - 4);
    case 0xcb:
      from += 8;
      return view.getFloat64(from - 8);
    case 0xcc:
    case 0xcd:
    case 0xce:
      return takeSize(tag - 0xcc);
    case 0xcf:
      from += 8;
      return view.getUint32(from - 8) * two32 + view.getUint32(from - 4);
    case 0xd0:
      return view.getInt8(from++);
    case 0xd1:
      from += 2;
      return view.getInt16(from - 2);
    case 0xd2:
      from += 4;
      return view.getInt32(from - 4);
    case 0xd3:
      from += 8;
      return view.getInt32(from - 8) * two32 + view.getUint32(from - 4);
    case 0xd9:
    case 0xda:
    case 0xdb:
      return takeString(takeSize(tag - 0xd9));
    case 0xdc:
    case 0xdd:
      return takeList(takeSize(tag - 0xdb), depth);
    case 0xde:
    case 0xdf:
      return takeMap(takeSize(tag - 0xdd), depth);
    default:
      throw malformed();
  }
}

/** `width`: 0, 1 or 2 for 8, 16 or 32 bits. */
function takeSize(width: number): number {
  if (width === 0) return view.getUint8(from++);
  if (width === 1) {
    from += 2;
    return view.getUint16(from - 2);
  }
  from += 4;
  return view.getUint32(from - 4);
}

function takeBinary(length: number): Uint8Array {
  // The message's own memory must not stay alive for a piece of it, and is not ours to hand out.
  if (length > binaryBytesMax || length > bytesIn.length - from) throw malformed();
  from += length;
  return bytesIn.slice(from - length, from);
}

function takeList(items: number, depth: number): unknown[] {
  if (items > listItemsMax || items > bytesIn.length - from) throw malformed();
  const list: unknown[] = [];
  for (let i = 0; i < items; i++) list.push(take(depth + 1));
  return list;
}

function takeMap(entries: number, depth: number): Record<string, unknown> {
  if (entries > mapEntriesMax || entries > bytesIn.length - from) throw malformed();
  const record: Record<string, unknown> = {};
  for (let i = 0; i < entries; i++) {
    const key = take(depth + 1);
    if (typeof key !== 'string' || key === '__proto__') throw malformed();
    record[key] = take(depth + 1);
  }
  return record;
}

/** Strings met before, by a hash of their bytes. Whoever fills it with junk only makes it useless. */
const remembered: (string | undefined)[] = Array.from({ length: rememberedSlots }, () => undefined);

function takeString(length: number): string {
  if (length > stringBytesMax || length > bytesIn.length - from) throw malformed();
  const start = from;
  from += length;
  if (length > rememberedCharsMax) return textOf(start, from);
  let hash = length;
  for (let i = start; i < from; i++) hash = Math.imul(hash ^ bytesIn[i]!, 0x01000193);
  const slot = (hash ^ (hash >>> 15)) & (rememberedSlots - 1);
  const known = remembered[slot];
  if (known !== undefined && known.length === length) {
    let i = 0;
    while (i < length && known.charCodeAt(i) === bytesIn[start + i]) i++;
    if (i === length && isAscii(start, from)) return known;
  }
  const text = textOf(start, from);
  remembered[slot] = text;
  return text;
}

/** A remembered 'é' is one char 0xe9, and so is the broken byte 0xe9: only ASCII is the same in both. */
function isAscii(start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytesIn[i]! >= 0x80) return false;
  return true;
}

const charsAtOnce = 4_096;

function textOf(start: number, end: number): string {
  if (!isAscii(start, end)) return wideTextOf(start, end);
  let text = '';
  for (let i = start; i < end; i += charsAtOnce) text += String.fromCharCode(...bytesIn.subarray(i, Math.min(end, i + charsAtOnce)));
  return text;
}

/** UTF-8, broken sequences taken as they come: what they mean is for a schema to refuse. */
function wideTextOf(start: number, end: number): string {
  let text = '';
  const next = () => (from < end ? bytesIn[from++]! & 63 : 0);
  from = start;
  while (from < end) {
    const byte = bytesIn[from++]!;
    let code = byte;
    if ((byte & 0xe0) === 0xc0) code = ((byte & 31) << 6) | next();
    else if ((byte & 0xf0) === 0xe0) code = ((byte & 15) << 12) | (next() << 6) | next();
    else if ((byte & 0xf8) === 0xf0) code = ((byte & 7) << 18) | (next() << 12) | (next() << 6) | next();
    text += code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code);
  }
  return text;
}
