// The codec Worker as the page calls it: bulk input, and the erasure code.
import type { Codec, PackedPage } from '../../worker/codec.ts';
import type { CodingMethod } from '../../worker/erasure.ts';
import type { LineCount, TextSoFar } from '../kernel/lib/line-count.ts';
import type { Clock, Coder } from '../kernel/platform.ts';
import { workerCalls } from './worker-calls.ts';
import { workerCoder } from './worker-coder.ts';

export interface CodecClient {
  countLines(bytes: Uint8Array, before: TextSoFar): Promise<LineCount>;
  packPage(values: readonly unknown[], bytesMax: number, itemBytesMax: number): Promise<PackedPage>;
  readonly coder: Coder;
  /** Whether slices were coded by SIMD so far, or in plain arithmetic, which is some twenty times slower. */
  codingMethod(): Promise<CodingMethod>;
}

const callMsMax = 30_000;
const tooLate = 'The input could not be prepared in time: try again with less of it.';

export function codecClient(clock: Clock): CodecClient {
  const { call } = workerCalls<Codec>(clock, () => new Worker(new URL('../../worker/codec.ts', import.meta.url), { type: 'module' }));
  return {
    countLines: (bytes, before) => call(async (codec) => codec.countLines(bytes, before), callMsMax, tooLate),
    packPage: (values, bytesMax, itemBytesMax) =>
      call(async (codec) => codec.packPage([...values], bytesMax, itemBytesMax), callMsMax, tooLate),
    codingMethod: () => call(async (codec) => codec.codingMethod(), callMsMax, tooLate),
    coder: workerCoder((run, msMax, late) => call(run, msMax, late)),
  };
}
