// The Worker in which the erasure code is measured, beside a package and a plain copy. Buffers are made once and used again.
import { ReedSolomonErasure } from '@digitaldefiance/reed-solomon-erasure.wasm/browser';
import { expose } from 'comlink';
import { kernelFor, kernelMemoryPages } from '../../../web/kernel/lib/erasure/kernel.ts';
import { productFor } from '../../../web/kernel/lib/erasure/matrix.ts';
import { sliceBytes } from '../../../web/kernel/lib/erasure/slices.ts';
import { ErasureCoder } from '../../../worker/erasure.ts';

/**
 * What is measured: slices in one buffer from slices in another, by us or the package; our XORs alone, over blocks that lie in the
 * WebAssembly memory already; or as many bytes as the data has copied inside of such a memory.
 */
export type Subject = 'ours' | 'xors' | 'package' | 'copy';
export type Direction = 'encode' | 'decode';

const segmentBytes = 2 ** 20;
const erasure = new ErasureCoder();
const upTo = (count: number, from = 0) => Array.from({ length: count - from }, (_, at) => from + at);

/** `(func (export "copy") (param $to i32) (param $from i32) (param $bytes i32) (memory.copy ...))` over a memory of 64 pages. */
const copyModule = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 7, 1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0, 3, 2, 1, 0, 5, 3, 1, 0, 64],
  ...[7, 8, 1, 4, 0x63, 0x6f, 0x70, 0x79, 0, 0, 10, 14, 1, 12, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 10, 0, 0, 0x0b],
]);

let rival: ReedSolomonErasure;
let copy: (to: number, from: number, bytes: number) => void;

function random(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

/** One call of the subject on a segment of 1 MiB, made ready to be called often; undefined where it cannot do it. */
function prepared(subject: Subject, direction: Direction, k: number, n: number): (() => void) | undefined {
  const length = sliceBytes(segmentBytes, k);
  if (subject === 'copy') return () => copy(0, 2 * segmentBytes, k * length);
  // Lost: as many data slices as the parity makes up for.
  const lost = Math.min(k, n - k);
  if (subject === 'package') {
    const shards = random(new Uint8Array(n * length));
    const call = () => {
      const flags = upTo(n).map((index) => index >= lost);
      const result = direction === 'encode' ? rival.encode(shards, k, n - k) : rival.reconstruct(shards, k, n - k, flags);
      return result === ReedSolomonErasure.RESULT_OK;
    };
    return call() ? call : undefined;
  }
  const present = direction === 'encode' ? upTo(k) : upTo(lost + k, lost);
  const wanted = direction === 'encode' ? upTo(n, k) : upTo(lost);
  if (subject === 'xors') {
    const { module, blockBytes } = kernelFor(productFor(k, n, present, wanted));
    const memory = new WebAssembly.Memory({ initial: kernelMemoryPages });
    const code = new WebAssembly.Instance(new WebAssembly.Module(module), { lull: { memory } }).exports['run'] as (bytes: number) => void;
    return () => {
      for (let from = 0; from < length; from += blockBytes) code(Math.min(blockBytes, length - from));
    };
  }
  const [source, target] = [random(new Uint8Array(k * length)), new Uint8Array(wanted.length * length)];
  return () => erasure.runnable(k, n, present, wanted).run(source, target);
}

const bench = {
  async setUp(rivalModule: Uint8Array<ArrayBuffer>): Promise<void> {
    rival = ReedSolomonErasure.fromBytes(rivalModule);
    const { exports } = (await WebAssembly.instantiate(copyModule)).instance;
    copy = exports['copy'] as typeof copy;
  },

  /** Gigabytes of data a second, for `ms` milliseconds after a tenth of that to get going; null where the subject cannot do it. */
  rate(subject: Subject, direction: Direction, k: number, n: number, ms: number): number | null {
    const call = prepared(subject, direction, k, n);
    if (call === undefined) return null;
    const run = (until: number) => {
      let calls = 0;
      do {
        call();
        calls++;
      } while (performance.now() < until);
      return calls;
    };
    run(performance.now() + ms / 10);
    const began = performance.now();
    const calls = run(began + ms);
    return (calls * segmentBytes) / 1e6 / (performance.now() - began);
  },

  method: () => erasure.method,
};

export type Bench = typeof bench;
expose(bench);
