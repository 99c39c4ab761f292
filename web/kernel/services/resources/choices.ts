// What a person chose of the limits, as the store keeps it. Pure.
import * as v from 'valibot';
import { followMax, limitsSchema, neverMax, type Limits } from '../../protocol/contracts/resources.ts';

export const limitsKey = 'resources/limits';
/** Only what the person chose: a default may grow with the machine. */
export const chosenSchema = v.partial(limitsSchema);
export type Chosen = v.InferOutput<typeof chosenSchema>;

/** Without the entries that are undefined: a spread of them would undo what was chosen. */
export function defined(chosen: Chosen): Partial<Limits> {
  return Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined));
}

/**
 * What a store holds under `limitsKey`, with what was chosen `since` where nobody knew the store: each limit is the last that was said, and
 * nobody who is followed or never run is forgotten. Values of a store: what does not fit counts as nothing chosen.
 */
export function mergedChoices(before: unknown, since: unknown): Chosen {
  const [old, late] = [before, since].map((kept) => {
    const parsed = v.safeParse(chosenSchema, kept);
    return parsed.success ? defined(parsed.output) : {};
  }) as [Partial<Limits>, Partial<Limits>];
  const { follow, never } = late;
  return {
    ...old,
    ...late,
    ...(follow && { follow: joined(old.follow, follow, followMax) }),
    ...(never && { never: joined(old.never, never, neverMax) }),
  };
}

/** The newest last; of what does not fit the oldest goes. */
const joined = <T>(old: readonly T[] = [], late: readonly T[], max: number): T[] =>
  [...old.filter((one) => !late.includes(one)), ...late].slice(-max);
