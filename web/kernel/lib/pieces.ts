// Bytes that lie in several places, one after the other: as they came, until somebody needs them in one.
import { concatBytes } from './bytes.ts';

export type Pieces = readonly Uint8Array[];

/** In bytes. */
export const lengthOf = (pieces: Pieces): number => pieces.reduce((sum, { length }) => sum + length, 0);

/** In one piece: the only one itself, else a copy. */
export const joined = (pieces: Pieces): Uint8Array => (pieces.length === 1 ? pieces[0]! : concatBytes(pieces));

/** Views of the first `size` bytes. */
export function headOf(pieces: Pieces, size: number): Uint8Array[] {
  const head: Uint8Array[] = [];
  for (let at = 0, left = size; at < pieces.length && left > 0; at++) {
    const part = pieces[at]!.subarray(0, left);
    head.push(part);
    left -= part.length;
  }
  return head;
}

/** The same bytes in at most `piecesMax` pieces, of at most `bytesMax` bytes each where that is enough; views, unless so many small ones are put together. */
export function cutPieces(pieces: Pieces, bytesMax: number, piecesMax: number): Uint8Array[] {
  const views = pieces.flatMap((piece) => cut(piece, bytesMax));
  return views.length <= piecesMax ? views : cut(joined(pieces), Math.max(bytesMax, Math.ceil(lengthOf(pieces) / piecesMax)));
}

const cut = (bytes: Uint8Array, bytesMax: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / bytesMax) }, (_, i) => bytes.subarray(i * bytesMax, (i + 1) * bytesMax));

/**
 * One run of `runBytes` after the other, and at the end what is left: a view where it lies in one piece, else copied into `room`, which the
 * next is written over.
 */
export function* runsOf(pieces: Pieces, runBytes: number, room: Uint8Array): Iterable<Uint8Array> {
  let left = lengthOf(pieces);
  let at = 0;
  let from = 0;
  while (left > 0) {
    const length = Math.min(runBytes, left);
    let run: Uint8Array | undefined;
    for (let filled = 0; filled < length;) {
      const part = pieces[at]!.subarray(from, from + length - filled);
      if (part.length === length) run = part;
      else room.set(part, filled);
      filled += part.length;
      from += part.length;
      if (from < pieces[at]!.length) continue;
      at++;
      from = 0;
    }
    yield run ?? room.subarray(0, length);
    left -= length;
  }
}
