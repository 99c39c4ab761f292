// What results look like they are: counts to chart, tiles of a picture, or just values.

export type Pair = readonly [label: string, value: number];

export interface Chart {
  /** '' where the whole value is the chart. */
  readonly title: string;
  /** Largest first, at most `barsMax`. */
  readonly bars: readonly Pair[];
  readonly all: number;
}
export interface Summary {
  readonly charts: readonly Chart[];
  /** Numbers beside the charts: 'totalWords' -> 'total words'. */
  readonly figures: readonly Pair[];
}
export interface TileShape {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array | Uint8ClampedArray;
}

export const barsMax = 20;
/** A canvas beyond this is refused by browsers or by memory. */
const pictureSideMax = 16_384;

const isPair = (value: unknown): value is Pair =>
  Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'number' && Number.isFinite(value[1]);

function pairsOf(value: unknown): readonly Pair[] | null {
  if (value instanceof Map) return pairsOf([...value]);
  if (Array.isArray(value)) return value.length > 0 && value.every(isPair) ? value : null;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return null;
  const entries = Object.entries(value);
  return entries.length > 0 && entries.every(isPair) ? (entries as unknown as Pair[]) : null;
}

const chartOf = (title: string, pairs: readonly Pair[]): Chart => ({
  title,
  bars: pairs.toSorted((a, b) => b[1] - a[1]).slice(0, barsMax),
  all: pairs.length,
});

const spaced = (key: string) =>
  key
    .replace(/[_-]+/g, ' ')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase();

/** Bar charts of a reduced value, or null where it is no such thing: pairs, an object of numbers, or an object that holds some of them. */
export function summaryOf(reduced: unknown): Summary | null {
  const whole = pairsOf(reduced);
  if (whole !== null) return { charts: [chartOf('', whole)], figures: [] };
  if (typeof reduced !== 'object' || reduced === null || Array.isArray(reduced) || ArrayBuffer.isView(reduced)) return null;
  const charts: Chart[] = [];
  const figures: Pair[] = [];
  for (const [key, value] of Object.entries(reduced)) {
    const pairs = pairsOf(value);
    if (pairs !== null) charts.push(chartOf(spaced(key), pairs));
    else if (typeof value === 'number' && Number.isFinite(value)) figures.push([spaced(key), value]);
  }
  return charts.length === 0 ? null : { charts: charts.slice(0, 4), figures: figures.slice(0, 6) };
}

/** The whole picture's size where the job's arguments name one. */
export function pictureSize(args: unknown): { width: number; height: number } | null {
  if (typeof args !== 'object' || args === null || !('width' in args) || !('height' in args)) return null;
  const { width, height } = args;
  const fits = (side: unknown): side is number => Number.isSafeInteger(side) && (side as number) > 0 && (side as number) <= pictureSideMax;
  return fits(width) && fits(height) && width * height <= 2 ** 27 ? { width, height } : null;
}

/** A tile whose bytes fit its size. Strangers computed it, so nothing about it is believed. */
export function tileOf(value: unknown): TileShape | null {
  if (typeof value !== 'object' || value === null || !('rgba' in value)) return null;
  const { x, y, width, height, rgba } = value as Partial<Record<keyof TileShape, unknown>>;
  const whole = [x, y, width, height];
  if (!whole.every((n): n is number => Number.isSafeInteger(n) && (n as number) >= 0 && (n as number) <= pictureSideMax)) return null;
  if (!(rgba instanceof Uint8Array || rgba instanceof Uint8ClampedArray)) return null;
  const [tileX, tileY, tileWidth, tileHeight] = whole as [number, number, number, number];
  if (tileWidth === 0 || tileHeight === 0 || rgba.length !== tileWidth * tileHeight * 4) return null;
  return { x: tileX, y: tileY, width: tileWidth, height: tileHeight, rgba };
}
