// A product over GF(16) as XORs of lanes. A group of 64 bytes is four lanes of 16; bit i of lane b is bit b of element i. So a factor is a
// 4 x 4 matrix of bits, and a whole product is a matrix that says which input lanes make up each output lane.
import type { Field } from './field.ts';
import type { Row } from './matrix.ts';

export const lanesPerGroup = 4;
export const laneBytes = 16;

/** XORs of registers: 0..inputs-1 are the input lanes (4 for each slice, in order), then come the sums, each of two registers before it. */
export interface Schedule {
  readonly inputs: number;
  readonly sums: readonly (readonly [number, number])[];
  /** For each output lane the registers that make it up: at least one. */
  readonly outputs: readonly (readonly number[])[];
}

/** XORs a group costs: the measure of a schedule. */
export const xorsOf = ({ sums, outputs }: Schedule): number =>
  sums.length + outputs.reduce((total, registers) => total + registers.length - 1, 0);

/** The input lanes of every output lane, before anything is shared. */
export function lanesOf(field: Field, rows: readonly Row[]): number[][] {
  return rows.flatMap((row) =>
    Array.from({ length: lanesPerGroup }, (_, lane) =>
      row.flatMap((factor, column) =>
        Array.from({ length: lanesPerGroup }, (__, bit) => bit)
          .filter((bit) => (field.multiply(factor, 1 << bit) >> lane) & 1)
          .map((bit) => column * lanesPerGroup + bit),
      ),
    ),
  );
}

/**
 * Shares what several outputs have in common: the pair of registers that stands in the most outputs becomes one sum, until no pair
 * stands in two (the greedy of Paar, "Optimized Arithmetic for Reed-Solomon Encoders", ISIT 1997; for erasure codes Huang, Li and Chen,
 * "On Optimizing XOR-Based Codes for Fault-Tolerant Storage Applications", ITW 2007). At 10 + 6 it halves the XORs.
 */
export function scheduleFor(field: Field, rows: readonly Row[]): Schedule {
  const inputs = (rows[0]?.length ?? 0) * lanesPerGroup;
  const outputs = lanesOf(field, rows);
  const sums: (readonly [number, number])[] = [];
  // Every sum removes a register from two outputs or more, which bounds how many there can be.
  const size = inputs + (outputs.reduce((total, registers) => total + registers.length, 0) >> 1);
  const counts = new Uint16Array(size * size);
  for (;;) {
    const pair = mostCommonPair(outputs, counts, size);
    if (pair === undefined) return { inputs, sums, outputs };
    const [a, b] = pair;
    const sum = inputs + sums.length;
    sums.push(pair);
    for (const [at, registers] of outputs.entries())
      if (registers.includes(a) && registers.includes(b))
        outputs[at] = [...registers.filter((register) => register !== a && register !== b), sum];
  }
}

/** Of those that stand in most outputs the first; undefined where none stands in two. Registers are in rising order in every output. */
function mostCommonPair(outputs: readonly (readonly number[])[], counts: Uint16Array, size: number): [number, number] | undefined {
  let best = 1;
  let bestAt = -1;
  for (const registers of outputs)
    for (let i = 0; i < registers.length; i++)
      for (let j = i + 1; j < registers.length; j++) {
        const at = registers[i]! * size + registers[j]!;
        const count = ++counts[at]!;
        if (count < best || count === 1 || (count === best && at > bestAt)) continue;
        best = count;
        bestAt = at;
      }
  for (const registers of outputs)
    for (let i = 0; i < registers.length; i++)
      for (let j = i + 1; j < registers.length; j++) counts[registers[i]! * size + registers[j]!] = 0;
  return bestAt < 0 ? undefined : [Math.floor(bestAt / size), bestAt % size];
}
