// The erasure code where it runs for a page: in the codec Worker.
import { productFor } from '../web/kernel/lib/erasure/matrix.ts';
import { multiplyScalar } from '../web/kernel/lib/erasure/scalar.ts';

export interface CodingTask {
  readonly k: number;
  readonly n: number;
  /** Indexes of the k slices given, in the order in which they lie in `slices`. */
  readonly present: readonly number[];
  readonly wanted: readonly number[];
  /** The k slices, one after the other, all of one length. */
  readonly slices: ArrayBuffer;
}

export interface CodingAnswer {
  /** The slices wanted, one after the other. */
  readonly made: ArrayBuffer;
  /** The task's buffer, for the caller's next one. */
  readonly slices: ArrayBuffer;
}

export function codeSlices({ k, n, present, wanted, slices }: CodingTask): CodingAnswer {
  const length = slices.byteLength / k;
  const inputs = present.map((_, at) => new Uint8Array(slices, at * length, length));
  const outputs = multiplyScalar(productFor(k, n, present, wanted), inputs);
  return { made: outputs[0]!.buffer as ArrayBuffer, slices };
}
