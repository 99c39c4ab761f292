// The erasure code in the codec Worker. The page keeps what it gave: one copy of the k slices travels there, by transfer, and comes back
// with the slices that were made, so that its memory serves the next call.
import { transfer, type Remote } from 'comlink';
import type { Codec } from '../../worker/codec.ts';
import { dataSlices, sliceBytes } from '../kernel/lib/erasure/slices.ts';
import { FaultError } from '../kernel/lib/outcome.ts';
import { checkCode } from '../kernel/lib/erasure/matrix.ts';
import { recoveryOf } from '../kernel/lib/erasure/scalar.ts';
import type { Coder } from '../kernel/platform.ts';

type Call = <T>(run: (codec: Remote<Codec>) => Promise<T>, msMax: number, tooLate: string) => Promise<T>;

/** A segment of 1 MiB takes a millisecond: what takes this long is a Worker that hangs. */
const codingMsMax = 20_000;
/** Buffers of past calls kept for the next: as many as calls are usually in flight. */
const spareBuffersMax = 4;

export function workerCoder(call: Call): Coder {
  const spare: ArrayBuffer[] = [];

  async function make(
    k: number,
    n: number,
    present: readonly number[],
    wanted: readonly number[],
    length: number,
    fill: (bytes: Uint8Array) => void,
  ): Promise<Uint8Array[]> {
    if (length === 0) return wanted.map(() => new Uint8Array(0));
    const size = k * length;
    const fits = spare.findIndex((buffer) => buffer.byteLength === size);
    const buffer = fits < 0 ? new ArrayBuffer(size) : spare.splice(fits, 1)[0]!;
    fill(new Uint8Array(buffer));
    const task = { k, n, present: [...present], wanted: [...wanted], slices: buffer };
    const answer = await call(
      async (codec) => codec.codeSlices(transfer(task, [buffer])),
      codingMsMax,
      'Slices could not be coded in time.',
    ).catch((error: unknown) => {
      throw error instanceof FaultError ? error : new FaultError('internal', `Slices could not be coded: ${String(error)}`);
    });
    spare.push(answer.slices);
    if (spare.length > spareBuffersMax) spare.shift();
    return wanted.map((_, at) => new Uint8Array(answer.made, at * length, length));
  }

  return {
    async encode(segment, k, n) {
      checkCode(k, n);
      if (k === 1) return Array.from({ length: n }, () => segment);
      const data = dataSlices(segment, k);
      const wanted = Array.from({ length: n - k }, (_, at) => k + at);
      if (wanted.length === 0) return data;
      const present = data.map((_, index) => index);
      const parity = await make(k, n, present, wanted, sliceBytes(segment.length, k), (bytes) => {
        bytes.set(segment);
        bytes.fill(0, segment.length);
      });
      return [...data, ...parity];
    },
    async recover(slices, k, n, wanted) {
      const { present, inputs, missing } = recoveryOf(slices, k, n, wanted);
      const length = inputs[0]!.length;
      const made =
        missing.length === 0 || k === 1
          ? []
          : await make(k, n, present, missing, length, (bytes) => {
              for (const [at, slice] of inputs.entries()) bytes.set(slice, at * length);
            });
      return wanted.map((index) => slices.get(index) ?? made[missing.indexOf(index)] ?? inputs[0]!);
    },
  };
}
