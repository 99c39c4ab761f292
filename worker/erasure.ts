// The erasure code where it runs for a page: in the codec Worker, compiled for each matrix, or in plain arithmetic where there is no SIMD.
import { kernelFor, kernelMemoryPages, type Kernel } from '../web/kernel/lib/erasure/kernel.ts';
import { fieldFor } from '../web/kernel/lib/erasure/field.ts';
import { productFor, type Product } from '../web/kernel/lib/erasure/matrix.ts';
import { multiplyScalar } from '../web/kernel/lib/erasure/scalar.ts';

export interface CodingTask {
  readonly k: number;
  readonly n: number;
  /** Indexes of the k slices given, in the order in which they lie in `slices`. */
  readonly present: readonly number[];
  /** At least one. */
  readonly wanted: readonly number[];
  /** The k slices, one after the other, all of one length: a multiple of 64. */
  readonly slices: ArrayBuffer;
}

export interface CodingAnswer {
  /** The slices wanted, one after the other. */
  readonly made: ArrayBuffer;
  /** The task's buffer, for the caller's next one. */
  readonly slices: ArrayBuffer;
}

export type CodingMethod = 'simd' | 'scalar';

/** A kernel that can be run: from slices one after the other in `source` to slices one after the other in `target`. */
export interface Runnable {
  run(source: Uint8Array, target: Uint8Array): void;
}

/** A job of everyday life needs a few; repair after many departures a few dozen. Each is some kilobytes of machine code. */
const kernelsMax = 64;

export class ErasureCoder {
  /** Kernels run one at a time and to their end, so all share one memory. */
  #memory: WebAssembly.Memory | undefined;
  /** Least recently used first. */
  readonly #kernels = new Map<string, Runnable>();

  /** Some hardened browsers have no WebAssembly at all. */
  method: CodingMethod = typeof WebAssembly === 'object' ? 'simd' : 'scalar';

  /** @throws RangeError as `productFor` does */
  code({ k, n, present, wanted, slices }: CodingTask): CodingAnswer {
    const made = new ArrayBuffer((slices.byteLength / k) * wanted.length);
    this.runnable(k, n, present, wanted).run(new Uint8Array(slices), new Uint8Array(made));
    return { made, slices };
  }

  runnable(k: number, n: number, present: readonly number[], wanted: readonly number[]): Runnable {
    const key = [fieldFor(n).bits, k, ...present, 'to', ...wanted].join(' ');
    const runnable = this.#kernels.get(key) ?? this.#make(productFor(k, n, present, wanted));
    this.#kernels.delete(key);
    this.#kernels.set(key, runnable);
    if (this.#kernels.size > kernelsMax) for (const oldest of this.#kernels.keys()) if (this.#kernels.delete(oldest)) break;
    return runnable;
  }

  #make(product: Product): Runnable {
    if (this.method === 'simd') {
      try {
        this.#memory ??= new WebAssembly.Memory({ initial: kernelMemoryPages, maximum: kernelMemoryPages });
        return runnableOf(kernelFor(product), this.#memory);
      } catch (error) {
        // No SIMD in this browser, or a policy against it: slower, and right.
        if (!(error instanceof WebAssembly.CompileError)) throw error;
        this.method = 'scalar';
      }
    }
    return {
      run(source, target) {
        const inputs = product.rows[0]!.length;
        const length = source.length / inputs;
        const slices = Array.from({ length: inputs }, (_, at) => source.subarray(at * length, (at + 1) * length));
        for (const [at, slice] of multiplyScalar(product, slices).entries()) target.set(slice, at * length);
      },
    };
  }
}

/** @throws WebAssembly.CompileError where SIMD is missing or WebAssembly not allowed */
export function runnableOf(kernel: Kernel, memory: WebAssembly.Memory): Runnable {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(kernel.module), { lull: { memory } });
  const code = exports['run'] as (bytes: number) => void;
  const bytes = new Uint8Array(memory.buffer);
  const { blockBytes, slotBytes, firstSlot, tables, inputs } = kernel;
  return {
    run(source, target) {
      const length = source.length / inputs;
      const outputs = target.length / length;
      bytes.set(tables, 0);
      for (let from = 0; from < length; from += blockBytes) {
        const size = Math.min(blockBytes, length - from);
        for (let slot = 0; slot < inputs; slot++) {
          const at = slot * length + from;
          bytes.set(source.subarray(at, at + size), firstSlot + slot * slotBytes);
        }
        code(size);
        for (let slot = 0; slot < outputs; slot++) {
          const at = firstSlot + (inputs + slot) * slotBytes;
          target.set(bytes.subarray(at, at + size), slot * length + from);
        }
      }
    },
  };
}
