// A hard limit on the memory of WebAssembly: whatever makes a memory is made to carry a maximum. JavaScript's own heap has no such
// limit; the page's watch finds who fills it. Foreign code shares this realm, so nothing here calls a method that it could have replaced:
// only what was taken beforehand, and plain reads and writes by index.

const pageBytes = 65_536;
const { apply, construct, defineProperty } = Reflect;
const U8 = Uint8Array;
const bigint = BigInt;
const { isView } = ArrayBuffer;
const RangeFault = RangeError;

/** What a module says of memories of its own. One that it imports was made by what is capped here, too. */
const memorySection = 5;

export const pagesOf = (mebibytes: number): number => Math.min(65_536, mebibytes * (2 ** 20 / pageBytes));

/**
 * The module with no memory of its own above `pages`; bytes that are no module come back as they are, for the browser to refuse.
 * @throws RangeError where a memory begins above it
 */
export function cappedModule(bytes: Uint8Array, pages: number): Uint8Array {
  if (bytes.length < 8) return bytes;
  const read = { at: 8 };
  while (read.at < bytes.length) {
    const began = read.at;
    const id = bytes[read.at++];
    const size = leb(bytes, read);
    const end = read.at + size;
    if (end > bytes.length) return bytes;
    if (id === memorySection) return withMemories(bytes, began, read.at, end, pages);
    // Memories come before code: past that there are none.
    if (id !== undefined && id > memorySection && id < 13) return bytes;
    read.at = end;
  }
  return bytes;
}

/** Everything but the memory section as it is; in that, every maximum at most `pages`. */
function withMemories(bytes: Uint8Array, began: number, from: number, end: number, pages: number): Uint8Array {
  const read = { at: from };
  const count = leb(bytes, read);
  // A limit may grow by the five bytes of a maximum that was not there.
  const section = { bytes: new U8(end - from + 16 + 8 * count), length: 0 };
  put(section, count);
  for (let i = 0; i < count; i++) {
    const flags = leb(bytes, read);
    const least = leb(bytes, read);
    const most = (flags & 1) === 1 ? leb(bytes, read) : pages;
    const custom = (flags & 8) === 8;
    const log2 = custom ? leb(bytes, read) : 16;
    const pagesHere = pages * 2 ** (16 - log2);
    if (least > pagesHere) throw tooMuch(pages);
    put(section, flags | 1);
    put(section, least);
    put(section, (flags & 1) === 1 && most < pagesHere ? most : pagesHere);
    if (custom) put(section, log2);
  }
  const head = { bytes: new U8(8), length: 0 };
  put(head, section.length);
  const out = new U8(began + 1 + head.length + section.length + bytes.length - end);
  let at = 0;
  for (let i = 0; i <= began; i++) out[at++] = bytes[i]!;
  for (let i = 0; i < head.length; i++) out[at++] = head.bytes[i]!;
  for (let i = 0; i < section.length; i++) out[at++] = section.bytes[i]!;
  for (let i = end; i < bytes.length; i++) out[at++] = bytes[i]!;
  return out;
}

/** LEB128, unsigned; past 2^53 it is only ever compared with what is far below. */
function leb(bytes: Uint8Array, read: { at: number }): number {
  let value = 0;
  for (let shift = 1; read.at < bytes.length; shift *= 128) {
    const byte = bytes[read.at++]!;
    value += (byte & 127) * shift;
    if (byte < 128) break;
  }
  return value;
}

function put(to: { readonly bytes: Uint8Array; length: number }, value: number): void {
  let rest = value;
  do {
    const low = rest % 128;
    rest = (rest - low) / 128;
    to.bytes[to.length++] = rest > 0 ? low | 128 : low;
  } while (rest > 0);
}

const tooMuch = (pages: number) => new RangeFault(`The job may use ${pages / 16} MiB of memory for WebAssembly, and asks for more.`);

/** Makes every way to a memory in `wasm` heed the limit. Once, before foreign code is loaded. */
export function capWebAssembly(wasm: typeof WebAssembly, mebibytes: number): void {
  const pages = pagesOf(mebibytes);
  const { Module, Memory, compile, instantiate } = wasm;
  const { buffer: bufferOf } = lengthGetters();

  /** A copy that is capped, where it is bytes; a module, or what is neither, as it is. */
  const capped = (source: unknown): unknown => {
    if (isView(source)) return cappedModule(new U8(copyOf(source)), pages);
    return bufferOf(source) ? cappedModule(new U8(copyOf(new U8(source as ArrayBuffer))), pages) : source;
  };

  replaceConstructor(wasm, 'Module', Module, (newTarget, source) => construct(Module, [capped(source)], newTarget));
  replaceConstructor(wasm, 'Memory', Memory, (newTarget, descriptor) =>
    construct(Memory, [cappedDescriptor(descriptor, pages)], newTarget),
  );
  for (const name of ['exports', 'imports', 'customSections'] as const)
    defineProperty(wasm.Module, name, { value: Module[name], configurable: true, writable: true });
  set(wasm, 'compile', async (source: unknown) => (await apply(compile, wasm, [capped(source)])) as unknown);
  set(
    wasm,
    'instantiate',
    async (source: unknown, imports: unknown) => (await apply(instantiate, wasm, [capped(source), imports])) as unknown,
  );
}

interface Descriptor {
  readonly initial?: number | bigint;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly shared?: boolean;
  readonly address?: string;
  readonly index?: string;
}

/** Each part is read once: what is looked at is what is used. */
function cappedDescriptor(source: unknown, pages: number): unknown {
  if (typeof source !== 'object' || source === null) return source;
  const { initial, minimum, maximum, shared, address, index } = source as Descriptor;
  const least = initial ?? minimum;
  if (least !== undefined && least > pages) throw tooMuch(pages);
  const limit = typeof least === 'bigint' || address === 'i64' || index === 'i64' ? bigint(pages) : pages;
  return {
    initial: least,
    maximum: maximum !== undefined && maximum < pages ? maximum : limit,
    ...(shared !== undefined && { shared }),
    ...(address !== undefined && { address }),
    ...(index !== undefined && { index }),
  };
}

function copyOf(view: ArrayBufferView): ArrayBuffer {
  const { byteLength } = view;
  const from = new U8(view.buffer, view.byteOffset, byteLength);
  const to = new U8(byteLength);
  for (let i = 0; i < byteLength; i++) to[i] = from[i]!;
  return to.buffer;
}

/** Whether something is an ArrayBuffer, or one that is shared, whatever its prototype pretends. */
function lengthGetters(): { buffer: (value: unknown) => boolean } {
  const getters: (() => number)[] = [];
  for (const type of [ArrayBuffer, typeof SharedArrayBuffer === 'undefined' ? undefined : SharedArrayBuffer]) {
    const getter = type && Reflect.getOwnPropertyDescriptor(type.prototype, 'byteLength')?.get;
    if (getter !== undefined) getters[getters.length] = getter;
  }
  return {
    buffer: (value) => {
      for (let i = 0; i < getters.length; i++) {
        try {
          apply(getters[i]!, value, []);
          return true;
        } catch {
          // Not of this kind.
        }
      }
      return false;
    },
  };
}

/** One that shares the old one's prototype, so that nothing leads back to the old one. */
function replaceConstructor(
  wasm: object,
  name: string,
  old: { prototype: object },
  make: (newTarget: new () => unknown, argument: unknown) => object,
): void {
  const replaced = function (this: unknown, argument: unknown): object {
    if (new.target === undefined) throw new TypeError(`WebAssembly.${name} must be invoked with 'new'`);
    return make(new.target as unknown as new () => unknown, argument);
  };
  defineProperty(replaced, 'name', { value: name });
  defineProperty(replaced, 'prototype', { value: old.prototype, writable: false });
  defineProperty(old.prototype, 'constructor', { value: replaced, configurable: true, writable: true });
  set(wasm, name, replaced);
}

const set = (owner: object, name: string, value: unknown) => {
  defineProperty(owner, name, { value, configurable: true, writable: true });
};
