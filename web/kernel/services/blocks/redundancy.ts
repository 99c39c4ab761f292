// How many slices restore a segment, and how many are made, by the number of identities that keep data (DESIGN "Placement").
import { copiesMax } from '../../limits.ts';

/** Identities from which on a coding is used. */
const steps = [
  { from: 16, k: 4, n: 16 },
  { from: 12, k: 3, n: 12 },
  { from: 5, k: 2, n: 6 },
  { from: 0, k: 1, n: 3 },
] as const;

/** Small objects are copied: messages cost more than their bytes. */
const copySteps = [
  { from: 16, copies: copiesMax },
  { from: 12, copies: 5 },
  { from: 6, copies: 4 },
  { from: 3, copies: 3 },
  { from: 2, copies: 2 },
  { from: 0, copies: 1 },
] as const;

export const kFor = (identities: number): number => steps.find(({ from }) => identities >= from)!.k;

/** Slices worth having of a segment, wherever there are so many identities. */
export const nMaxOf = (k: number): number => steps.find((step) => step.k <= k)!.n;

export const smallCopiesFor = (identities: number): number => copySteps.find(({ from }) => identities >= from)!.copies;
