// Compiles a product into WebAssembly for exactly this matrix. The host instantiates it, copies blocks of the slices into the slots of a
// memory, runs it and copies the outputs out: small enough for the caches, whatever the length of the slices.
import { field16, type Field } from './field.ts';
import type { Product, Row } from './matrix.ts';
import { laneBytes, lanesPerGroup, scheduleFor, type Schedule } from './schedule.ts';
import { groupBytes } from './slices.ts';
import { loopModule, op, type Code } from './wasm-module.ts';

export interface Kernel {
  /** A module that imports `lull.memory` and exports `run(bytes: i32)`, which codes the first `bytes` of every slot, a multiple of 64 and not 0. */
  readonly module: Uint8Array<ArrayBuffer>;
  /** Slices read; those written follow from the product. */
  readonly inputs: number;
  /** To be written at 0 of the memory before `run`. */
  readonly tables: Uint8Array;
  /** The most that a slot holds of a slice. */
  readonly blockBytes: number;
  /** Where slot 0 is, and how far apart they are: the inputs in order, then the outputs. */
  readonly firstSlot: number;
  readonly slotBytes: number;
}

/** What any kernel needs: the tables of 128 + 127 slices, and the slots. */
export const kernelMemoryPages = 16;

/** All slots together: sixteen of the largest block, which a second-level cache of 512 KiB keeps beside what is copied. */
const slotsBytesMax = 272 * 1024;
const blockBytesMin = 1_024;
const blockBytesMax = 16 * 1024;

/** @param product of at least one row */
export function kernelFor({ field, rows }: Product): Kernel {
  const inputs = rows[0]!.length;
  const tables = field === field16 ? new Uint8Array(0) : nibbleTables(field, rows);
  const slots = inputs + rows.length;
  const fitting = Math.floor(slotsBytesMax / slots / groupBytes) * groupBytes - groupBytes;
  const blockBytes = Math.min(Math.max(fitting, blockBytesMin), blockBytesMax);
  // One group more than a block: slots at a power of two apart would share the same few lines of the first-level cache.
  const slotBytes = blockBytes + groupBytes;
  const place: Place = { inputs, at: (slot) => tables.length + slot * slotBytes };
  const module = field === field16 ? xorModule(scheduleFor(field, rows), place) : swizzleModule(rows, place);
  return { module, inputs, tables, blockBytes, firstSlot: tables.length, slotBytes };
}

interface Place {
  readonly inputs: number;
  /** Where a slot begins. */
  at(slot: number): number;
}

/** Up to so many inputs are held in registers from their first use on; beyond, reading them again is cheaper than the spills (measured). */
const heldSlicesMax = 4;

/** GF(16): the XORs of the schedule, straight down, each sum made when it is first needed. */
function xorModule({ inputs, sums, outputs }: Schedule, place: Place): Uint8Array<ArrayBuffer> {
  const held = inputs <= heldSlicesMax * lanesPerGroup;
  const made = new Set<number>();
  const laneAt = (slot: number, lane: number) => place.at(slot + Math.floor(lane / lanesPerGroup)) + (lane % lanesPerGroup) * laneBytes;
  const register = (index: number): Code => {
    const input = index < inputs;
    if (input && !held) return op.load(laneAt(0, index));
    if (made.has(index)) return op.get(index);
    made.add(index);
    if (input) return [...op.load(laneAt(0, index)), ...op.tee(index)];
    const [a, b] = sums[index - inputs]!;
    return [...register(a), ...register(b), ...op.xor, ...op.tee(index)];
  };
  const body = outputs.flatMap((registers, lane) =>
    op.store(
      laneAt(place.inputs, lane),
      registers.flatMap((index, at) => (at === 0 ? register(index) : [...register(index), ...op.xor])),
    ),
  );
  return loopModule(body, groupBytes, inputs + sums.length);
}

const tableBytes = 32;

/** For every factor its products with the 16 low nibbles and with the 16 high ones. */
function nibbleTables(field: Field, rows: readonly Row[]): Uint8Array {
  return Uint8Array.from(
    rows
      .flat()
      .flatMap((factor) => [
        ...Array.from({ length: 16 }, (_, nibble) => field.multiply(factor, nibble)),
        ...Array.from({ length: 16 }, (_, nibble) => field.multiply(factor, nibble << 4)),
      ]),
  );
}

/** Outputs made in one pass over the inputs, and registers' worth of bytes of each: so many sums, and what they need beside, fit 16 registers. */
const outputsPerPass = 4;
const registersPerStep = 2;

/**
 * GF(2^8): a product is two look-ups of nibbles, sixteen bytes at a time (Plank, Greenan and Miller, "Screaming Fast Galois Field
 * Arithmetic Using Intel SIMD Instructions", FAST 2013).
 */
function swizzleModule(rows: readonly Row[], place: Place): Uint8Array<ArrayBuffer> {
  const whole = (step: number) => step;
  const low = (step: number) => registersPerStep + step;
  const high = (step: number) => 2 * registersPerStep + step;
  const tableLocal = 3 * registersPerStep;
  const sum = (output: number, step: number) => tableLocal + 2 + output * registersPerStep + step;
  const steps = Array.from({ length: registersPerStep }, (_, step) => step);
  const body: number[] = [];
  for (let first = 0; first < rows.length; first += outputsPerPass) {
    const pass = rows.slice(first, first + outputsPerPass);
    const begun = new Set<number>();
    const add = (output: number, step: number, product: Code) => {
      const local = sum(output, step);
      body.push(...(begun.has(local) ? [...op.get(local), ...product, ...op.xor] : product), ...op.set(local));
      begun.add(local);
    };
    for (let input = 0; input < place.inputs; input++) {
      for (const step of steps)
        body.push(
          ...op.load(place.at(input) + step * laneBytes),
          ...[...op.tee(whole(step)), ...op.lowNibbles, ...op.set(low(step))],
          ...[...op.get(whole(step)), ...op.highNibbles, ...op.set(high(step))],
        );
      for (const [output, row] of pass.entries()) {
        const factor = row[input]!;
        if (factor === 0) continue;
        if (factor === 1) {
          for (const step of steps) add(output, step, op.get(whole(step)));
          continue;
        }
        const table = ((first + output) * place.inputs + input) * tableBytes;
        body.push(...op.loadFixed(table), ...op.set(tableLocal), ...op.loadFixed(table + 16), ...op.set(tableLocal + 1));
        for (const step of steps) {
          add(output, step, [...op.get(tableLocal), ...op.get(low(step)), ...op.swizzle]);
          add(output, step, [...op.get(tableLocal + 1), ...op.get(high(step)), ...op.swizzle]);
        }
      }
    }
    for (const output of pass.keys())
      for (const step of steps)
        body.push(...op.store(place.at(place.inputs + first + output) + step * laneBytes, op.get(sum(output, step))));
  }
  return loopModule(body, registersPerStep * laneBytes, tableLocal + 2 + outputsPerPass * registersPerStep);
}
