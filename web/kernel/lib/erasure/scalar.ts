// The code in plain arithmetic: what runs where there is no WebAssembly SIMD, and what the compiled code is compared with.
import { groupBytes, dataSlices } from './slices.ts';
import { field16, type Field } from './field.ts';
import { checkCode, productFor, type Product, type Row } from './matrix.ts';

/**
 * The n slices of a segment: data slices as `dataSlices` gives them, parity in one new buffer.
 * @throws RangeError unless 1 <= k <= n <= 255
 */
export function encodeScalar(segment: Uint8Array, k: number, n: number): Uint8Array[] {
  checkCode(k, n);
  if (k === 1) return Array.from({ length: n }, () => segment);
  const data = dataSlices(segment, k);
  const present = data.map((_, index) => index);
  const parity = Array.from({ length: n - k }, (_, at) => k + at);
  return [...data, ...multiplyScalar(productFor(k, n, present, parity), data)];
}

/**
 * The slices at `wanted` from exactly k slices; those that were given are given back.
 * @throws RangeError when it is not k slices of one length, a multiple of 64 for k > 1, or an index is none
 */
export function recoverScalar(slices: ReadonlyMap<number, Uint8Array>, k: number, n: number, wanted: readonly number[]): Uint8Array[] {
  const { present, inputs, missing } = recoveryOf(slices, k, n, wanted);
  const made = missing.length === 0 || k === 1 ? [] : multiplyScalar(productFor(k, n, present, missing), inputs);
  return wanted.map((index) => slices.get(index) ?? made[missing.indexOf(index)] ?? inputs[0]!);
}

/** What there is to do for a recovery: `present` in the order of their indexes, and the `wanted` that are not among them, each once. */
export function recoveryOf(
  slices: ReadonlyMap<number, Uint8Array>,
  k: number,
  n: number,
  wanted: readonly number[],
): { present: number[]; inputs: Uint8Array[]; missing: number[] } {
  checkCode(k, n);
  const present = [...slices.keys()].toSorted((a, b) => a - b);
  if (present.length !== k) throw new RangeError(`${present.length} slices given, ${k} needed`);
  if ([...present, ...wanted].some((index) => !Number.isInteger(index) || index < 0 || index >= n))
    throw new RangeError(`a slice outside of 0..${n - 1}`);
  const inputs = present.map((index) => slices.get(index)!);
  const length = inputs[0]!.length;
  if (inputs.some((slice) => slice.length !== length) || (k > 1 && length % groupBytes !== 0))
    throw new RangeError('slices of different or impossible lengths');
  return { present, inputs, missing: [...new Set(wanted)].filter((index) => !slices.has(index)) };
}

/** The rows of `product` times the inputs, which are of one length, a multiple of 64. */
export function multiplyScalar({ field, rows }: Product, inputs: readonly Uint8Array[]): Uint8Array[] {
  const length = inputs[0]!.length;
  const made = new Uint8Array(rows.length * length);
  const outputs = rows.map((_, at) => made.subarray(at * length, (at + 1) * length));
  if (field === field16) multiplyByLanes(field, rows, inputs, outputs);
  else multiplyByTables(field, rows, inputs, outputs);
  return outputs;
}

const lanes = 4;
const laneWords = 4;
const groupWords = lanes * laneWords;
/** So many groups of every slice fit the caches together. */
const blockWords = 64 * groupWords;

/** GF(16): lane b of a group holds bit b of its elements, so that a product is XORs of lanes (lib/erasure/schedule). */
function multiplyByLanes(field: Field, rows: readonly Row[], inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void {
  const sources = inputs.map(wordsOf);
  const targets = outputs.map(wordsOf);
  const words = sources[0]!.length;
  for (let from = 0; from < words; from += blockWords) {
    const to = Math.min(from + blockWords, words);
    for (const [at, row] of rows.entries()) {
      const target = targets[at]!;
      for (const [column, factor] of row.entries()) {
        for (let bit = 0; bit < lanes; bit++) {
          const image = field.multiply(factor, 1 << bit);
          for (let lane = 0; lane < lanes; lane++)
            if ((image >> lane) & 1) xorLane(target, lane * laneWords, sources[column]!, bit * laneWords, from, to);
        }
      }
    }
  }
}

function xorLane(target: Uint32Array, lane: number, source: Uint32Array, bit: number, from: number, to: number): void {
  for (let group = from; group < to; group += groupWords) {
    const t = group + lane;
    const s = group + bit;
    target[t]! ^= source[s]!;
    target[t + 1]! ^= source[s + 1]!;
    target[t + 2]! ^= source[s + 2]!;
    target[t + 3]! ^= source[s + 3]!;
  }
}

/** The bytes as words, copied where they do not begin at one (bytes that came over the network). */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % Uint32Array.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / Uint32Array.BYTES_PER_ELEMENT);
}

/** GF(2^8): a byte is an element. */
function multiplyByTables(field: Field, rows: readonly Row[], inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void {
  const table = new Uint8Array(256);
  for (const [at, row] of rows.entries()) {
    const target = outputs[at]!;
    for (const [column, factor] of row.entries()) {
      if (factor === 0) continue;
      for (let byte = 0; byte < 256; byte++) table[byte] = field.multiply(factor, byte);
      const source = inputs[column]!;
      for (let i = 0; i < target.length; i++) target[i]! ^= table[source[i]!]!;
    }
  }
}
