// The code as a matrix: slice i of a segment is row i of the generator matrix times the k data slices.
import { fieldFor, slicesMax, type Field } from './field.ts';

/** One coefficient for each of the k slices that are multiplied. */
export type Row = readonly number[];

/**
 * Row `index` of the generator matrix: identity for the data, a Cauchy matrix below it, so that any k rows are independent. It depends
 * on k, the index and the field alone: the slices of k-of-5 are the first five of k-of-6.
 *
 * The Cauchy element is 1 / (index xor column), after Bloemer, Kalfane, Karp, Karpinski, Luby and Zuckerman, "An XOR-Based
 * Erasure-Resilient Coding Scheme" (ICSI TR-95-048, 1995). Columns are then divided so that the first parity is a plain XOR, and each further
 * row by that one of its elements which leaves the fewest ones in the bit matrix: "Good Cauchy" of Plank and Xu, "Optimizing Cauchy
 * Reed-Solomon Codes for Fault-Tolerant Network Storage Applications" (NCA 2006). Dividing a row or a column keeps it any k of n. For
 * k = 1 every row is 1: replication.
 */
export function generatorRow(field: Field, k: number, index: number): Row {
  const columns = Array.from({ length: k }, (_, column) => column);
  if (index < k) return columns.map((column) => (column === index ? 1 : 0));
  const row = columns.map((column) => field.multiply(k ^ column, field.inverse(index ^ column)));
  let best = row;
  let bestOnes = onesOf(field, row);
  for (const element of row) {
    const divisor = field.inverse(element);
    const divided = row.map((each) => field.multiply(each, divisor));
    const ones = onesOf(field, divided);
    if (ones < bestOnes) [best, bestOnes] = [divided, ones];
  }
  return best;
}

const onesOf = (field: Field, row: Row) => row.reduce((sum, element) => sum + field.ones(element), 0);

/** Inverse of a square matrix by Gauss-Jordan elimination. @throws RangeError when it has none */
export function invert(field: Field, matrix: readonly Row[]): Row[] {
  const size = matrix.length;
  const work = matrix.map((row, at) => [...row, ...row.map((_, column) => (column === at ? 1 : 0))]);
  for (let column = 0; column < size; column++) {
    const pivot = work.findIndex((row, at) => at >= column && row[column] !== 0);
    if (pivot < 0) throw new RangeError('the matrix has no inverse');
    [work[column], work[pivot]] = [work[pivot]!, work[column]!];
    const divisor = field.inverse(work[column]![column]!);
    const leading = (work[column] = work[column]!.map((element) => field.multiply(element, divisor)));
    for (const row of work) {
      const factor = row[column]!;
      if (row === leading || factor === 0) continue;
      for (let at = column; at < 2 * size; at++) row[at] = row[at]! ^ field.multiply(factor, leading[at]!);
    }
  }
  return work.map((row) => row.slice(size));
}

/** A product of a small matrix and slices: `rows` gives the slices wanted, each from the k present ones in the order of `present`. */
export interface Product {
  readonly field: Field;
  readonly rows: readonly Row[];
}

/**
 * How the slices `wanted` come from the slices `present`. Encoding is the case of all data present and the parity wanted.
 * @throws RangeError unless 1 <= k <= n <= 255, `present` are k different indexes below n and `wanted` are below n
 */
export function productFor(k: number, n: number, present: readonly number[], wanted: readonly number[]): Product {
  checkCode(k, n);
  const isIndex = (index: number) => Number.isInteger(index) && index >= 0 && index < n;
  if (present.length !== k || new Set(present).size !== k) throw new RangeError(`${present.length} slices given, ${k} needed`);
  if (![...present, ...wanted].every(isIndex)) throw new RangeError(`a slice outside of 0..${n - 1}`);
  const field = fieldFor(n);
  const rows = wanted.map((index) => generatorRow(field, k, index));
  if (present.every((index, at) => index === at)) return { field, rows };
  const fromPresent = invert(
    field,
    present.map((index) => generatorRow(field, k, index)),
  );
  return { field, rows: rows.map((row) => rowTimes(field, row, fromPresent)) };
}

function rowTimes(field: Field, row: Row, matrix: readonly Row[]): Row {
  return row.map((_, column) => row.reduce((sum, factor, at) => sum ^ field.multiply(factor, matrix[at]![column]!), 0));
}

export function checkCode(k: number, n: number): void {
  const whole = Number.isInteger(k) && Number.isInteger(n);
  if (!whole || k < 1 || n < k || n > slicesMax) throw new RangeError(`there is no code of ${k} of ${n}`);
}
