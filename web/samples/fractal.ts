// A picture of the Mandelbrot set, one item a tile. The job page paints tiles as they arrive.
import type { Sample } from './sample.ts';

/** `task.args`: pixels, but for `centre` and `span` (width of the view) on the complex plane. */
export interface FractalArgs {
  readonly width: number;
  readonly height: number;
  readonly tile: number;
  readonly centre: readonly [re: number, im: number];
  readonly span: number;
  readonly iterations: number;
}

/** What one tile answers with: `rgba` has 4 x width x height bytes, row by row. */
export interface Tile {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

const args: FractalArgs = { width: 1536, height: 1024, tile: 128, centre: [-0.7454, 0.1131], span: 0.014, iterations: 1000 };

/** Tiles across times tiles down: the number of items. */
export const tilesOf = ({ width, height, tile }: FractalArgs) => Math.ceil(width / tile) * Math.ceil(height / tile);

const code = `// One item is the number of a tile, counted row by row.
export default function drawTile(index, task) {
  const { width, height, tile, centre, span, iterations } = task.args;
  const across = Math.ceil(width / tile);
  const x = (index % across) * tile;
  const y = Math.floor(index / across) * tile;
  const w = Math.min(tile, width - x);
  const h = Math.min(tile, height - y);
  const rgba = new Uint8Array(w * h * 4);
  const step = span / width;
  for (let row = 0; row < h; row++) {
    for (let column = 0; column < w; column++) {
      // Four samples a pixel: smooth edges.
      let red = 0, green = 0, blue = 0;
      for (let s = 0; s < 4; s++) {
        const re = centre[0] + (x + column + (s & 1) / 2 - width / 2) * step;
        const im = centre[1] - (y + row + (s >> 1) / 2 - height / 2) * step;
        const colour = colourOf(escape(re, im, iterations));
        red += colour[0]; green += colour[1]; blue += colour[2];
      }
      const at = (row * w + column) * 4;
      rgba[at] = red / 4; rgba[at + 1] = green / 4; rgba[at + 2] = blue / 4; rgba[at + 3] = 255;
    }
  }
  return { x, y, width: w, height: h, rgba };
}

// How long the point stays near: -1 where it never leaves.
function escape(re, im, iterations) {
  // The great heart and its disc need no walk: nothing leaves them.
  const q = (re - 0.25) ** 2 + im * im;
  if (q * (q + re - 0.25) <= im * im / 4 || (re + 1) ** 2 + im * im <= 1 / 16) return -1;
  let a = 0, b = 0;
  for (let n = 0; n < iterations; n++) {
    const aa = a * a, bb = b * b;
    if (aa + bb > 256) return n + 4 - Math.log2(Math.log2(aa + bb));
    b = 2 * a * b + im;
    a = aa - bb + re;
  }
  return -1;
}

// Deep sea, tide, foam, sand, and back.
const stops = [[8, 20, 28], [11, 74, 84], [15, 157, 138], [216, 241, 236], [240, 179, 90], [92, 44, 40]];
function colourOf(stay) {
  if (stay < 0) return [5, 12, 16];
  const place = (Math.sqrt(Math.max(0, stay)) * 0.55) % stops.length;
  const from = stops[Math.floor(place)], to = stops[(Math.floor(place) + 1) % stops.length];
  const share = place - Math.floor(place);
  return from.map((value, i) => value + (to[i] - value) * share);
}
`;

export const fractal: Sample = {
  id: 'fractal',
  name: 'Fractal',
  about: 'A picture in 96 tiles, painted as they arrive',
  picture: 'A corner of the Mandelbrot set, tile by tile',
  code,
  reduce: null,
  args,
  input: { kind: 'range', range: [0, tilesOf(args)] },
};
