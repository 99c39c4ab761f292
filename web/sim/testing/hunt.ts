// How many seeds it takes until a planted bug is caught: by a violation in a seed that holds without the bug.
import { run } from '../run.ts';
import type { Plant } from '../world.ts';

export interface Caught {
  /** Seeds looked at, the one that showed it included. */
  readonly seeds: number;
  readonly seed: string;
  readonly invariants: readonly string[];
}

/** undefined where `seedsMax` seeds did not show it. */
export async function hunt(plant: Plant, peers: number, seedsMax: number): Promise<Caught | undefined> {
  for (let i = 0; i < seedsMax; i++) {
    const seed = `plant ${i}`;
    const { violations } = await run(seed, { peers, plant });
    if (violations.length === 0) continue;
    if ((await run(seed, { peers })).violations.length > 0) continue;
    return { seeds: i + 1, seed, invariants: [...new Set(violations.map(({ invariant }) => invariant))] };
  }
  return undefined;
}

export const lineOf = (name: string, caught: Caught | undefined) =>
  `${name.padEnd(56)} ${caught === undefined ? 'not caught' : `${String(caught.seeds).padStart(4)} ${caught.invariants.join(' ')}`}`;
