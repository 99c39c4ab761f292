// Writes WebAssembly binaries of one shape: a loop over a memory it is given (WebAssembly Core Specification 2.0, chapter 5).

export type Code = readonly number[];

/** LEB128, unsigned. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}
/** LEB128, signed, of a value that is not negative. */
const signed = (value: number): number[] => (value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)]);

const v128 = 0x7b;
const i32 = 0x7f;
const simd = (opcode: number) => [0xfd, ...unsigned(opcode)];
/** The local that runs over the bytes of the slots: every load and store is relative to it. */
const cursor = 1;
const end = 0;

/** The instructions the kernels are made of. Locals of a kernel are numbered from 0 and hold 16 bytes. */
export const op = {
  get: (local: number): Code => [0x20, ...unsigned(local + 2)],
  set: (local: number): Code => [0x21, ...unsigned(local + 2)],
  tee: (local: number): Code => [0x22, ...unsigned(local + 2)],
  /** The 16 bytes at the cursor plus `offset`. */
  load: (offset: number): Code => [0x20, cursor, ...simd(0x00), 0, ...unsigned(offset)],
  /** The 16 bytes at `address`, wherever the cursor is. */
  loadFixed: (address: number): Code => [0x41, 0, ...simd(0x00), 0, ...unsigned(address)],
  /** Stores what `value` leaves at the cursor plus `offset`. */
  store: (offset: number, value: Code): Code => [0x20, cursor, ...value, ...simd(0x0b), 0, ...unsigned(offset)],
  xor: simd(0x51) as Code,
  swizzle: simd(0x0e) as Code,
  /** The low four bits of each byte, and the high four. */
  lowNibbles: [...simd(0x0c), ...new Array<number>(16).fill(0x0f), ...simd(0x4e)] as Code,
  highNibbles: [0x41, 4, ...simd(0x6d)] as Code,
} as const;

const vector = (items: readonly Code[]): number[] => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: Code): number[] => [id, ...unsigned(content.length), ...content];
const name = (text: string): number[] => [text.length, ...Array.from(text, (letter) => letter.charCodeAt(0))];

/**
 * A module that imports the memory `lull.memory` and exports `run(end)`: `body` is run with the cursor at 0, `stepBytes`, and so on while it
 * is below `end`; at least once.
 */
export function loopModule(body: Code, stepBytes: number, locals: number): Uint8Array<ArrayBuffer> {
  const loop = [0x03, 0x40, ...body, 0x20, cursor, 0x41, ...signed(stepBytes), 0x6a, 0x22, cursor, 0x20, end, 0x49, 0x0d, 0, 0x0b];
  const code = [
    ...vector([
      [1, i32],
      [...unsigned(locals), v128],
    ]),
    ...loop,
    0x0b,
  ];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([[0x60, 1, i32, 0]])),
    ...section(2, vector([[...name('lull'), ...name('memory'), 2, 0, 0]])),
    ...section(3, vector([[0]])),
    ...section(7, vector([[...name('run'), 0, 0]])),
    ...section(10, vector([[...unsigned(code.length), ...code]])),
  ]);
}
