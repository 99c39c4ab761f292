// Lists that a person adds to and takes from. Pure.

export const without = <T extends string>(list: readonly T[], id: T): T[] => list.filter((each) => each !== id);

/** The newest last; of what does not fit the oldest goes. */
export const withOne = <T extends string>(list: readonly T[], id: T, max: number): T[] => [...without(list, id), id].slice(-max);
