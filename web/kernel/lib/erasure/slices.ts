// How a segment lies in its slices.

/** Slices are coded in groups of 64 bytes: four lanes of one SIMD register each (lib/erasure/schedule). */
export const groupBytes = 64;

/** Length of each slice of a segment of `size` bytes cut in k: a whole number of groups; the segment's own for k = 1, which is a copy. */
export function sliceBytes(size: number, k: number): number {
  return k === 1 ? size : Math.ceil(size / k / groupBytes) * groupBytes;
}

/** The k data slices: views of the segment as far as it reaches, copies filled up with zeros at its end. */
export function dataSlices(segment: Uint8Array, k: number): Uint8Array[] {
  const length = sliceBytes(segment.length, k);
  return Array.from({ length: k }, (_, index) => {
    const part = segment.subarray(Math.min(index * length, segment.length), Math.min((index + 1) * length, segment.length));
    if (part.length === length) return part;
    const padded = new Uint8Array(length);
    padded.set(part);
    return padded;
  });
}

/**
 * The segment of `size` bytes from its data slices 0..k-1, in that order; a view where there is one slice.
 * @throws RangeError when the slices are not of the length that `size` asks for
 */
export function joinSlices(slices: readonly Uint8Array[], size: number): Uint8Array {
  const length = sliceBytes(size, slices.length);
  if (slices.some((slice) => slice.length !== length)) throw new RangeError(`slices of another length than ${length}`);
  if (slices.length === 1) return slices[0]!;
  const segment = new Uint8Array(size);
  for (const [index, slice] of slices.entries()) {
    const at = index * length;
    if (at >= size) break;
    segment.set(at + length <= size ? slice : slice.subarray(0, size - at), at);
  }
  return segment;
}
