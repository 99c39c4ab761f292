// The codec Worker as the page calls it: comlink, raced with a deadline, because a call to a Worker that died never settles.
import { wrap } from 'comlink';
import type { Codec, LineCount, PackedPage } from '../../worker/codec.ts';
import type { Clock } from '../kernel/platform.ts';

export interface CodecClient {
  countLines(bytes: Uint8Array, startsLine: boolean): Promise<LineCount>;
  packPage(values: readonly unknown[], bytesMax: number, itemBytesMax: number): Promise<PackedPage>;
}

const callMsMax = 30_000;

/** The Worker is made at the first call, and made anew when one has not answered in time. */
export function codecClient(clock: Clock): CodecClient {
  let worker: Worker | undefined;
  const call = async <T>(run: (codec: ReturnType<typeof wrap<Codec>>) => Promise<T>): Promise<T> => {
    worker ??= new Worker(new URL('../../worker/codec.ts', import.meta.url), { type: 'module' });
    const asked = worker;
    return new Promise<T>((resolve, reject) => {
      const cancel = clock.after(callMsMax, () => {
        asked.terminate();
        if (worker === asked) worker = undefined;
        reject(new Error('The input could not be prepared in time: try again with less of it.'));
      });
      run(wrap<Codec>(asked)).then(resolve, reject).finally(cancel);
    });
  };
  return {
    countLines: (bytes, startsLine) => call((codec) => codec.countLines(bytes, startsLine)),
    packPage: (values, bytesMax, itemBytesMax) => call(async (codec) => await codec.packPage([...values], bytesMax, itemBytesMax)),
  };
}
