// Work on bulk input that would hold up the page, in a Worker of our own: no foreign code ever runs here, so comlink may serve it.
import { expose, transfer } from 'comlink';
import { pack } from '../web/kernel/lib/packed.ts';
import { encodeValue } from '../web/kernel/lib/value-codec.ts';
import { ErasureCoder, type CodingAnswer, type CodingMethod, type CodingTask } from './erasure.ts';
import { countLines } from './text-lines.ts';

export type PackedPage =
  | { readonly ok: true; readonly page: Uint8Array<ArrayBuffer>; readonly items: number }
  /** `index` is relative to the first value given. */
  | { readonly ok: false; readonly index: number; readonly message: string };

const erasure = new ErasureCoder();

const codec = {
  countLines,

  /** Values packed as one page of at most `bytesMax`, as many as fit and at least one; an item above `itemBytesMax` is refused. */
  packPage(values: readonly unknown[], bytesMax: number, itemBytesMax: number): PackedPage {
    const parts: Uint8Array[] = [];
    let size = 4;
    for (const [index, value] of values.entries()) {
      let bytes: Uint8Array;
      try {
        bytes = encodeValue(value);
      } catch (error) {
        return { ok: false, index, message: `cannot be sent: ${error instanceof Error ? error.message : String(error)}` };
      }
      if (bytes.length > itemBytesMax)
        return { ok: false, index, message: `has ${bytes.length} bytes; the largest may have ${itemBytesMax}` };
      if (parts.length > 0 && size + 4 + bytes.length > bytesMax) break;
      parts.push(bytes);
      size += 4 + bytes.length;
    }
    return { ok: true, page: pack(parts), items: parts.length };
  },

  /** Slices from slices (lib/erasure). Both buffers of the answer are the caller's from then on. */
  codeSlices(task: CodingTask): CodingAnswer {
    const answer = erasure.code(task);
    return transfer(answer, [answer.made, answer.slices]);
  },

  /** How slices were coded so far. */
  codingMethod(): CodingMethod {
    return erasure.method;
  },
};

export type Codec = typeof codec;
expose(codec);
