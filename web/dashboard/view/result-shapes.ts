// What results look like they are: counts to chart, tiles of a picture, or just values.

export type Pair = readonly [label: string, value: number];

export interface Chart {
  /** '' where the whole value is the chart. */
  readonly title: string;
  /** Largest first, at most `barsMax`. */
  readonly bars: readonly Pair[];
  readonly all: number;
}
/** A picture of numbers by two settings: `values[row][column]`, rows by `y`. */
export interface HeatMap {
  readonly title: string;
  readonly x: readonly (number | string)[];
  readonly y: readonly (number | string)[];
  readonly values: readonly (readonly number[])[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly unit: string;
}
/** Lines over one axis, each with a band where it has one. */
export interface LineChart {
  readonly title: string;
  readonly x: readonly number[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly {
    readonly name: string;
    readonly y: readonly number[];
    readonly band: { readonly low: readonly number[]; readonly high: readonly number[] } | null;
  }[];
  /** A value to draw a line at: what is known to be true. */
  readonly mark: number | null;
}
export interface Bitmap {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array | Uint8ClampedArray;
}
export interface Summary {
  readonly charts: readonly Chart[];
  readonly heatmaps: readonly HeatMap[];
  readonly lines: readonly LineChart[];
  readonly images: readonly Bitmap[];
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

/**
 * What of a reduced value can be drawn, or null where nothing can: pairs or an object of numbers as bars; in an object also
 * `{ x, y, values }` as a heat map, `{ x, series: [{ name, y, low, high }] }` as lines with bands, `{ width, height, rgba }` as an image,
 * and plain numbers as figures.
 */
export function summaryOf(reduced: unknown): Summary | null {
  const whole = pairsOf(reduced);
  if (whole !== null) return { ...noSummary, charts: [chartOf('', whole)] };
  if (typeof reduced !== 'object' || reduced === null || Array.isArray(reduced) || ArrayBuffer.isView(reduced)) return null;
  const charts: Chart[] = [];
  const heatmaps: HeatMap[] = [];
  const lines: LineChart[] = [];
  const images: Bitmap[] = [];
  const figures: Pair[] = [];
  const itself = heatMapOf(reduced) ?? lineChartOf(reduced) ?? bitmapOf(reduced);
  for (const [key, value] of itself === null ? Object.entries(reduced) : [['', reduced] as const]) {
    const [heatmap, line, image] = [heatMapOf(value), lineChartOf(value), bitmapOf(value)];
    if (heatmap !== null) heatmaps.push(heatmap);
    if (line !== null) lines.push(line);
    if (image !== null) images.push(image);
    if (heatmap !== null || line !== null || image !== null) continue;
    const pairs = pairsOf(value);
    if (pairs !== null) charts.push(chartOf(spaced(key), pairs));
    else if (typeof value === 'number' && Number.isFinite(value)) figures.push([spaced(key), value]);
  }
  if (charts.length + heatmaps.length + lines.length + images.length === 0) return null;
  return {
    charts: charts.slice(0, 4),
    heatmaps: heatmaps.slice(0, 4),
    lines: lines.slice(0, 4),
    images: images.slice(0, 4),
    figures: figures.slice(0, 8),
  };
}

const noSummary: Summary = { charts: [], heatmaps: [], lines: [], images: [], figures: [] };

/** Cells of a heat map, points of a line: more than a screen can show. */
const cellsMax = 250_000;
const pointsMax = 200_000;

type Fields<T> = Partial<Record<keyof T, unknown>>;
const fieldsOf = <T>(value: unknown): Fields<T> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value) ? (value as Fields<T>) : null;
const textOf = (value: unknown) => (typeof value === 'string' ? value.slice(0, 120) : '');
const numbersOf = (value: unknown): number[] | null => {
  if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && 'length' in value)) return null;
  const list = Array.from(value as ArrayLike<unknown>);
  return list.every((each): each is number => typeof each === 'number') ? list : null;
};

export function heatMapOf(value: unknown): HeatMap | null {
  const fields = fieldsOf<HeatMap>(value);
  if (fields === null || !Array.isArray(fields.values)) return null;
  const isAxis = (axis: unknown): axis is (number | string)[] =>
    Array.isArray(axis) && axis.length > 0 && axis.every((each) => typeof each === 'number' || typeof each === 'string');
  const { x, y } = fields;
  if (!isAxis(x) || !isAxis(y) || x.length * y.length > cellsMax) return null;
  const rows = (fields.values as unknown[]).map(numbersOf);
  const whole = rows.length === y.length && rows.every((row): row is number[] => row !== null && row.length === x.length);
  return whole
    ? {
        title: textOf(fields.title),
        x,
        y,
        values: rows,
        xLabel: textOf(fields.xLabel),
        yLabel: textOf(fields.yLabel),
        unit: textOf(fields.unit),
      }
    : null;
}

export function lineChartOf(value: unknown): LineChart | null {
  const fields = fieldsOf<LineChart>(value);
  const x = fields === null ? null : numbersOf(fields.x);
  if (fields === null || x === null || x.length === 0 || x.length > pointsMax || !Array.isArray(fields.series)) return null;
  const series = (fields.series as unknown[]).slice(0, 8).flatMap((each) => {
    const said = fieldsOf<{ name: string; y: number[]; low: number[]; high: number[] }>(each);
    const [y, low, high] = [numbersOf(said?.y), numbersOf(said?.low), numbersOf(said?.high)];
    if (y === null || y.length !== x.length) return [];
    const band = low?.length === x.length && high?.length === x.length ? { low, high } : null;
    return [{ name: textOf(said?.name), y, band }];
  });
  if (series.length === 0) return null;
  const mark = typeof fields.mark === 'number' && Number.isFinite(fields.mark) ? fields.mark : null;
  return { title: textOf(fields.title), x, xLabel: textOf(fields.xLabel), yLabel: textOf(fields.yLabel), series, mark };
}

export function bitmapOf(value: unknown): Bitmap | null {
  const fields = fieldsOf<Bitmap>(value);
  const size = pictureSize(value);
  if (fields === null || size === null) return null;
  const { rgba } = fields;
  if (!(rgba instanceof Uint8Array || rgba instanceof Uint8ClampedArray) || rgba.length !== size.width * size.height * 4) return null;
  return { title: textOf(fields.title), ...size, rgba };
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
