// The private networks whose keys this profile has, and the one it is in: in localStorage, because a page must know where it is before
// anything of it starts, and all its tabs must agree.
import * as v from 'valibot';
import { bytesOfHex } from '../kernel/lib/bytes.ts';
import { networkTitleCharsMax, networkTitleOf, type Invite, type KnownNetwork } from '../kernel/lib/invite.ts';
import { networkIdOf } from '../kernel/lib/network-key.ts';
import { failure, success, type Outcome } from '../kernel/lib/outcome.ts';
import type { Digest } from '../kernel/platform.ts';

/** More are refused, so that the list stays one that a person can read. */
export const networksKnownMax = 32;
const item = 'lull-networks';

const hex32 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const shelfSchema = v.object({
  v: v.literal(1),
  current: v.nullable(hex32),
  networks: v.pipe(
    v.array(v.object({ network: hex32, key: hex32, name: v.pipe(v.string(), v.maxLength(2 * networkTitleCharsMax)) })),
    v.maxLength(networksKnownMax),
  ),
});
type Shelf = v.InferOutput<typeof shelfSchema>;

/** Subset of the browser's Storage. Both may throw where the browser keeps nothing. */
export interface TextStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export interface NetworkShelf {
  /** What a page that is loaded now would be in; null: the public network. */
  current(): KnownNetwork | null;
  /** By their names. */
  networks(): readonly KnownNetwork[];
  /** The network of a key, by its own name where it is known already. */
  look(invite: Invite): Promise<KnownNetwork>;
  /** Keeps the key, and moves there. Faults: 'storage', 'overloaded'. Takes effect when the tabs of the profile are loaded again. */
  moveTo(network: KnownNetwork | null): Outcome<void>;
  /** Never the one the profile is in: 'refused'. */
  forget(network: string): Outcome<void>;
}

export function networkShelf(sha256: Digest['sha256'], storage: TextStorage | undefined = pageStorage()): NetworkShelf {
  const read = (): Shelf => {
    try {
      const parsed = v.safeParse(shelfSchema, JSON.parse(storage?.getItem(item) ?? 'null'));
      if (parsed.success) return parsed.output;
    } catch {
      // Not readable, or not ours: the public network is what there is without it.
    }
    return { v: 1, current: null, networks: [] };
  };
  const write = (shelf: Shelf): Outcome<void> => {
    if (storage === undefined) return failure('storage', 'This browser keeps no data for websites, so it cannot remember a network.');
    try {
      storage.setItem(item, JSON.stringify(shelf));
      return success(undefined);
    } catch {
      return failure('storage', 'This browser could not keep that: it has no room for it, or keeps no data for websites.');
    }
  };
  const known = (shelf: Shelf, id: string | null) => shelf.networks.find(({ network }) => network === id);
  return {
    current() {
      const shelf = read();
      return known(shelf, shelf.current) ?? null;
    },
    networks: () => read().networks.toSorted((a, b) => a.name.localeCompare(b.name)),
    async look({ key, name }) {
      const network = await networkIdOf(sha256, bytesOfHex(key));
      return known(read(), network) ?? { network, key, name };
    },
    moveTo(to) {
      const shelf = read();
      if (to === null) return write({ ...shelf, current: null });
      const others = shelf.networks.filter(({ network }) => network !== to.network);
      if (others.length >= networksKnownMax)
        return failure('overloaded', `This browser knows ${networksKnownMax} private networks: forget one first.`);
      const { network, key } = to;
      return write({ v: 1, current: network, networks: [...others, { network, key, name: networkTitleOf(to.name) }] });
    },
    forget(id) {
      const shelf = read();
      if (shelf.current === id) return failure('refused', 'This browser is in that network: leave it first.');
      return write({ ...shelf, networks: shelf.networks.filter(({ network }) => network !== id) });
    },
  };
}

/** Even to name it may throw where cookies are blocked. */
export function pageStorage(): TextStorage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
