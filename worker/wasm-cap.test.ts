import { expect, test } from 'vitest';
import { capWebAssembly, cappedModule, pagesOf } from './wasm-cap.ts';

const magic = [0, 97, 115, 109, 1, 0, 0, 0];
/** (module (memory <limits>) (export "m" (memory 0))) */
const withMemory = (...limits: number[]) => Uint8Array.from([...magic, 5, 1 + limits.length, 1, ...limits, 7, 5, 1, 1, 109, 2, 0]);
const memoryOf = (bytes: Uint8Array) =>
  new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes))).exports['m'] as WebAssembly.Memory;

/** The browser's own names over again, so that the test's own stay as they are. */
function capped(mebibytes: number) {
  const wasm = Object.create(null) as typeof WebAssembly;
  for (const name of ['compile', 'instantiate', 'validate', 'Instance'] as const) Object.assign(wasm, { [name]: WebAssembly[name] });
  Object.assign(wasm, { Module: class extends WebAssembly.Module {}, Memory: class extends WebAssembly.Memory {} });
  capWebAssembly(wasm, mebibytes);
  return wasm;
}

test('a memory without a maximum gets one, a larger one a smaller one, a smaller one is left', () => {
  const pages = pagesOf(1);
  expect(pages).toBe(16);
  for (const limits of [
    [0, 1],
    [1, 1, 0x80, 0x80, 0x04],
  ]) {
    const memory = memoryOf(cappedModule(withMemory(...limits), pages));
    expect(memory.grow(15)).toBe(1);
    expect(() => memory.grow(1)).toThrow(RangeError);
  }
  const small = memoryOf(cappedModule(withMemory(1, 1, 2), pages));
  expect(small.grow(1)).toBe(1);
  expect(() => small.grow(1)).toThrow(RangeError);
});

test('a memory that begins too large is refused in words', () => {
  expect(() => cappedModule(withMemory(0, 17), 16)).toThrow('The job may use 1 MiB of memory');
});

test('modules without a memory, and what is no module, stay as they are', () => {
  const none = Uint8Array.from([...magic, 1, 4, 1, 96, 0, 0]);
  expect(cappedModule(none, 16)).toEqual(none);
  const noise = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 5, 200, 1]);
  expect(cappedModule(noise, 16)).toEqual(noise);
});

test('every way to a memory heeds the limit, also from bytes that pretend to be a module', async () => {
  const wasm = capped(1);
  const bytes = withMemory(0, 1);
  const grows = (memory: WebAssembly.Memory) => {
    try {
      memory.grow(16);
      return true;
    } catch {
      return false;
    }
  };
  expect(grows(new wasm.Memory({ initial: 1 }))).toBe(false);
  expect(grows(new wasm.Memory({ initial: 1, maximum: 100 }))).toBe(false);
  expect(() => new wasm.Memory({ initial: 17 })).toThrow(RangeError);
  const made = new wasm.Module(bytes);
  expect(made).toBeInstanceOf(wasm.Module);
  expect(grows(new wasm.Instance(made).exports['m'] as WebAssembly.Memory)).toBe(false);
  expect(grows(new wasm.Instance(await wasm.compile(bytes)).exports['m'] as WebAssembly.Memory)).toBe(false);
  expect(grows((await wasm.instantiate(bytes)).instance.exports['m'] as WebAssembly.Memory)).toBe(false);
  expect(grows((await wasm.instantiate(bytes.buffer)).instance.exports['m'] as WebAssembly.Memory)).toBe(false);
  // With another prototype a view hides its length from us, and what we hand on is our copy of nothing.
  const pretender = Object.setPrototypeOf(withMemory(0, 1), wasm.Module.prototype) as Uint8Array<ArrayBuffer>;
  await expect(wasm.instantiate(pretender)).rejects.toThrow(WebAssembly.CompileError);
  // Nothing leads back to the constructors that know no limit.
  expect(Object.getPrototypeOf(made).constructor).toBe(wasm.Module);
  expect(Reflect.construct(wasm.Memory, [{ initial: 1 }], Object)).toBeDefined();
});
