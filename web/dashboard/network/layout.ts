// Where peers of a group stand in its circle: self in the middle, the others around, always in the same place.

export interface Place {
  readonly x: number;
  readonly y: number;
}

const innerMax = 12;

/** One place a peer, in the order given (self first), inside a circle of `radius` around (0, 0). */
export function placesOf(peers: number, radius: number): Place[] {
  if (peers === 0) return [];
  const others = peers - 1;
  const inner = Math.min(others, innerMax);
  const outer = others - inner;
  const around = (n: number, many: number, distance: number, turn: number): Place => {
    const angle = turn + (n / many) * 2 * Math.PI;
    return { x: Math.cos(angle) * distance, y: Math.sin(angle) * distance };
  };
  const distance = outer > 0 ? radius * 0.48 : radius * 0.7;
  return [
    { x: 0, y: 0 },
    ...Array.from({ length: inner }, (_, i) => around(i, inner, distance, -Math.PI / 2 + (inner === 1 ? Math.PI / 2 : 0))),
    ...Array.from({ length: outer }, (_, i) => around(i, outer, radius * 0.82, -Math.PI / 2 + Math.PI / Math.max(1, outer))),
  ];
}
