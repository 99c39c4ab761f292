import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalBytes } from './bytes.ts';
import { cutPieces, headOf, joined, lengthOf, runsOf, type Pieces } from './pieces.ts';

/** Bytes that lie in up to nine places, some of them empty. */
const inPieces: fc.Arbitrary<Pieces> = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 9 });
const anyLength = fc.integer({ min: 1, max: 50 });

describe('bytes in pieces', () => {
  it('are the same in one, and one piece is not copied', () => {
    fc.assert(fc.property(inPieces, (pieces) => equalBytes(joined(pieces), Uint8Array.from(pieces.flatMap((piece) => [...piece])))));
    const only = Uint8Array.of(1, 2);
    expect(joined([only])).toBe(only);
  });

  it('are the same however they are cut, in no more pieces than there may be', () => {
    fc.assert(
      fc.property(inPieces, anyLength, fc.integer({ min: 1, max: 12 }), (pieces, bytesMax, piecesMax) => {
        const cut = cutPieces(pieces, bytesMax, piecesMax);
        const each = Math.max(bytesMax, Math.ceil(lengthOf(pieces) / piecesMax));
        return (
          equalBytes(joined(cut), joined(pieces)) && cut.length <= piecesMax && cut.every(({ length }) => length > 0 && length <= each)
        );
      }),
    );
  });

  it('are views when they are cut, unless they were put together because they were too many', () => {
    const whole = Uint8Array.of(1, 2, 3, 4, 5);
    expect(cutPieces([whole], 2, 3).map((piece) => [piece.buffer === whole.buffer, ...piece])).toEqual([
      [true, 1, 2],
      [true, 3, 4],
      [true, 5],
    ]);
    expect(cutPieces([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)], 2, 2)).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3)]);
  });

  it('have a head of so many bytes', () => {
    fc.assert(
      fc.property(inPieces, fc.nat({ max: 400 }), (pieces, size) =>
        equalBytes(joined(headOf(pieces, size)), joined(pieces).subarray(0, size)),
      ),
    );
  });

  it('are read in runs of one length, the last of what is left, across their ends', () => {
    fc.assert(
      fc.property(inPieces, anyLength, (pieces, runBytes) => {
        // A run is written over by the next one.
        const runs = Array.from(runsOf(pieces, runBytes, new Uint8Array(runBytes)), (run) => run.slice());
        return (
          equalBytes(joined(runs), joined(pieces)) &&
          runs.slice(0, -1).every(({ length }) => length === runBytes) &&
          runs.every(({ length }) => length > 0 && length <= runBytes)
        );
      }),
    );
  });
});
