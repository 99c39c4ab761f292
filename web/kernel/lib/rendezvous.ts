// Rendezvous (highest random weight) hashing: everybody who knows the same names ranks them alike, and a name that comes
// or goes moves nothing else. Not cryptographic: it spreads load, no safety property rests on it.

/** A 53-bit number of `text`, well mixed (cyrb53). */
export const hash53 = (text: string): number => hashAfter('')(text);

/** hash53 of `key` and then a text: of many texts after one key the key is mixed in once. */
function hashAfter(key: string): (text: string) => number {
  let keyA = 0xdeadbeef;
  let keyB = 0x41c6ce57;
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    keyA = Math.imul(keyA ^ code, 0x9e3779b1);
    keyB = Math.imul(keyB ^ code, 0x5f356495);
  }
  return (text) => {
    let a = keyA;
    let b = keyB;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      a = Math.imul(a ^ code, 0x9e3779b1);
      b = Math.imul(b ^ code, 0x5f356495);
    }
    a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
    b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
    return 4_294_967_296 * (b & 0x1fffff) + (a >>> 0);
  };
}

/** `names` by falling weight for `key`; equal weights by name, so that the order never depends on the input's. */
export function rankByRendezvous<T extends string>(key: string, names: readonly T[]): T[] {
  const weightOf = hashAfter(`${key}|`);
  return names
    .map((name) => ({ name, weight: weightOf(name) }))
    .toSorted((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}

/** How many of `names` outweigh `self` for `key`: 0 is the first. `self` need not be among them. */
export function rendezvousRank(key: string, self: string, names: readonly string[]): number {
  const weightOf = hashAfter(`${key}|`);
  const own = weightOf(self);
  let before = 0;
  for (const name of names) {
    if (name === self) continue;
    const weight = weightOf(name);
    if (weight > own || (weight === own && name < self)) before++;
  }
  return before;
}

/**
 * `nodes`, best first for `key`, a node being first with probability weight / sum of weights: score -w / ln h (Schindelhauer and
 * Schomaker 2005). A weight of 0 or less puts a node last. Equal scores fall by name.
 */
export function orderByRendezvous<T>(key: string, nodes: readonly T[], nameOf: (node: T) => string, weightOf: (node: T) => number): T[] {
  return nodes
    .map((node) => {
      const name = nameOf(node);
      const fraction = (hash53(`${key}|${name}`) + 0.5) / 2 ** 53;
      return { node, name, score: Math.max(0, weightOf(node)) / -Math.log(fraction) };
    })
    .toSorted((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1))
    .map(({ node }) => node);
}
