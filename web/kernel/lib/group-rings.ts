// Which groups of a network are neighbours. The groups lie on two rings, ordered by the first and by the second half of their ids,
// which are as good as random to each other; a group's neighbours are the next and the previous on both. So there are at most four,
// they are mutual, either ring connects all groups, a group that comes or goes changes the neighbours of at most four others, and two
// random cycles make an expander: the farthest group is O(log groups) away (Law and Siu 2003, "Distributed construction of random expanders").
import type { GroupId, PeerId } from './ids.ts';
import { rankByRendezvous } from './rendezvous.ts';

const idHalf = 16;
const turned = (group: string) => group.slice(idHalf) + group.slice(0, idHalf);

export class GroupRings {
  /** Sorted. The second ring holds ids with their halves exchanged. */
  readonly #rings: readonly [string[], string[]] = [[], []];

  get size(): number {
    return this.#rings[0].length;
  }

  /** Both do nothing where the group is there, or is not. */
  add(group: GroupId): void {
    for (const [ring, key] of this.#places(group)) {
      const at = placeOf(ring, key);
      if (ring[at] !== key) ring.splice(at, 0, key);
    }
  }

  remove(group: GroupId): void {
    for (const [ring, key] of this.#places(group)) {
      const at = placeOf(ring, key);
      if (ring[at] === key) ring.splice(at, 1);
    }
  }

  /** At most four, without `group` itself and without doubles; none for a group that is not on the rings. */
  neighboursOf(group: GroupId): GroupId[] {
    const found = new Set<GroupId>();
    for (const [ring, key, idOf] of this.#places(group)) {
      const at = placeOf(ring, key);
      if (ring[at] !== key) return [];
      for (const step of [1, ring.length - 1]) found.add(idOf(ring[(at + step) % ring.length]!));
    }
    found.delete(group);
    return [...found];
  }

  #places(group: GroupId) {
    const [first, second] = this.#rings;
    return [
      [first, group, (key: string) => key as GroupId],
      [second, turned(group), (key: string) => turned(key) as GroupId],
    ] as const;
  }
}

/** Where `key` is, or belongs, in a sorted list. */
function placeOf(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The order in which the members of either of two groups are to keep links to the other: the same for whoever knows the same members. */
export function bridgeOrder(a: GroupId, b: GroupId, members: readonly PeerId[]): PeerId[] {
  return rankByRendezvous(a < b ? `bridge ${a} ${b}` : `bridge ${b} ${a}`, members);
}
