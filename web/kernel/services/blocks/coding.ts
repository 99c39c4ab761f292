// Which coding an object gets, and where the hashes of its slices stand.
import { hexOf } from '../../lib/bytes.ts';
import { smallBytesMax } from '../../limits.ts';
import type { ObjectManifest, Recoding } from '../../protocol/object.ts';
import { kFor, nMaxOf, smallCopiesFor } from './redundancy.ts';

/** Any k of n slices restore a segment. */
export interface Coding {
  readonly k: number;
  readonly n: number;
}

/** Small objects are one segment that is copied, always. */
export const isSmall = ({ size, segments }: Pick<ObjectManifest, 'size' | 'segments'>) => segments.length <= 1 && size <= smallBytesMax;

/**
 * How an object is coded for so many distinct identities that keep data (this tab's among them, where it does); DESIGN "Erasure coding".
 * For k = 1, n is how many copies are wanted; otherwise the slices that are listed, of which as many are placed as there are identities.
 */
export function codingFor(identities: number, small: boolean): Coding {
  if (small) return { k: 1, n: smallCopiesFor(identities) };
  const k = kFor(identities);
  return { k, n: k === 1 ? Math.max(1, Math.min(nMaxOf(1), identities)) : nMaxOf(k) };
}

/** Slices that are placed at once: one an identity. */
export const placedOf = ({ n }: Coding, identities: number) => Math.max(1, Math.min(n, identities));

/** The slices of an object under one k: the manifest's own, or a re-coding's. */
export interface Layout extends Coding {
  /** Who answers for the slice hashes. */
  readonly by: Recoding['by'];
  /** Leaf hash of slice `index` of a segment. */
  hash(segment: number, index: number): string;
}

export function layoutOf(manifest: ObjectManifest, recoding: Recoding | undefined): Layout {
  const { k, n, by } = recoding ?? manifest;
  const { segments } = manifest;
  const listed = (segment: number) => recoding?.slices[segment] ?? segments[segment]!.slices;
  return {
    k,
    n,
    by,
    hash: (segment, index) => (k === 1 ? segments[segment]!.hash : hexOf(listed(segment).subarray(32 * index, 32 * index + 32))),
  };
}

/** Indexes under which slices of a layout are held: for k = 1 every copy is slice 0. */
export const indexesOf = ({ k, n }: Coding): readonly number[] => (k === 1 ? [0] : Array.from({ length: n }, (_, i) => i));
