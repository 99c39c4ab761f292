// Where groups and their peers stand on the map: this tab's group in the middle, itself in the middle of that, neighbours around; always in
// the same place.

export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface Circle extends Place {
  readonly radius: number;
}

const innerMax = 12;
export const homeRadius = 190;
export const neighbourRadius = 82;

/** One place a peer, in the order given (self first), inside a circle of `radius` around (0, 0); `turned` leaves left and right to the bridges. */
export function placesOf(peers: number, radius: number, turned = false): Place[] {
  if (peers === 0) return [];
  const others = peers - 1;
  const inner = Math.min(others, innerMax);
  const outer = others - inner;
  const first = -Math.PI / 2 + (turned ? (inner % 4 === 0 ? Math.PI / inner : 0) : inner === 1 ? Math.PI / 2 : 0);
  const distance = outer > 0 ? radius * 0.48 : radius * 0.7;
  return [
    { x: 0, y: 0 },
    ...Array.from({ length: inner }, (_, i) => around(i, inner, distance, first)),
    ...Array.from({ length: outer }, (_, i) => around(i, outer, radius * 0.82, -Math.PI / 2 + Math.PI / Math.max(1, outer))),
  ];
}

/** The members of a neighbour, on as many rings as they need. */
export function ringsOf(peers: number, radius: number): Place[] {
  if (peers <= 1) return Array.from({ length: peers }, () => ({ x: 0, y: 0 }));
  const inner = peers > innerMax ? Math.floor(peers / 3) : 0;
  return [
    ...Array.from({ length: peers - inner }, (_, i) => around(i, peers - inner, radius * (inner > 0 ? 0.78 : 0.62), -Math.PI / 2)),
    ...Array.from({ length: inner }, (_, i) => around(i, inner, radius * 0.38, -Math.PI / 2 + 0.3)),
  ];
}

export interface MapLayout {
  readonly circles: readonly Circle[];
  /** As an SVG's viewBox has it. */
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

/** One circle a neighbour, the first to the right of the middle, half of them to its left. */
export function mapLayout(neighbours: number): MapLayout {
  const right = Math.ceil(neighbours / 2);
  const apart = 2 * neighbourRadius + 54;
  const column = (many: number, side: 1 | -1): Circle[] =>
    Array.from({ length: many }, (_, i) => ({
      x: side * (homeRadius + 190),
      y: (i - (many - 1) / 2) * apart,
      radius: neighbourRadius,
    }));
  const circles = [...column(right, 1), ...column(neighbours - right, -1)];
  // Names of the innermost need room beside a group that is alone.
  const edge = (has: boolean) => (has ? homeRadius + 190 + neighbourRadius + 16 : 330);
  const [left, height] = [edge(neighbours > 1), Math.max(464, right * apart + 24)];
  return { circles, box: { x: -left, y: -height / 2, width: left + edge(neighbours > 0), height } };
}

function around(n: number, many: number, distance: number, turn: number): Place {
  const angle = turn + (n / many) * 2 * Math.PI;
  return { x: Math.cos(angle) * distance, y: Math.sin(angle) * distance };
}
