// How a segment becomes slices and back. Any k of the n slices restore it; slices of one segment go to distinct identities.
import type { ObjectManifest } from '../../protocol/object.ts';

export interface Coding {
  readonly k: number;
  readonly n: number;
  /** n slices, which may be views of `segment`. */
  encode(segment: Uint8Array): readonly Uint8Array[];
  /** The segment of `size` bytes from k or more slices by their index; undefined where there are too few. */
  decode(slices: ReadonlyMap<number, Uint8Array>, size: number): Uint8Array | undefined;
}

/** k = 1: every slice is the segment, and has its hash. */
export function replication(n: number): Coding {
  return {
    k: 1,
    n,
    encode: (segment) => Array.from({ length: n }, () => segment),
    decode: (slices, size) => [...slices.values()].find((slice) => slice.length === size),
  };
}

/** undefined for a coding that this version does not speak. */
export function codingOf({ k, n }: Pick<ObjectManifest, 'k' | 'n'>): Coding | undefined {
  return k === 1 ? replication(n) : undefined;
}
