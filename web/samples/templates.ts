// Beginnings for one's own jobs: the shapes that most work has, as little code as shows them.
import type { Sample } from './sample.ts';

const lines: Sample = {
  id: 'lines',
  name: 'Map over lines',
  about: 'Your code is called once for each line of a text',
  code: `// Called once for each line.
export default function run(line, task) {
  const words = line.split(/\\s+/).filter((word) => word !== '');
  return { words: words.length, letters: line.length };
}
`,
  reduce: null,
  args: null,
  input: { kind: 'lines', text: 'The lull between two waves\nis long enough\nto do some work' },
};

const range: Sample = {
  id: 'range',
  name: 'Map over a range',
  about: 'Your code is called once for each whole number of a range',
  code: `// Called once for each number.
export default function run(n, task) {
  let divisors = 0;
  for (let d = 1; d * d <= n; d++) if (n % d === 0) divisors += d * d === n ? 1 : 2;
  return { n, divisors, prime: divisors === 2 };
}
`,
  reduce: null,
  args: null,
  input: { kind: 'range', range: [1, 10_001] },
};

const chunks: Sample = {
  id: 'chunks',
  name: 'Map over file pieces',
  about: 'Your code is called once for each piece of a file, with its bytes',
  code: `// Called once for each piece, with its bytes.
export default function run(bytes, task) {
  const times = new Uint32Array(256);
  for (const byte of bytes) times[byte]++;
  const bits = times.reduce((sum, n) => n === 0 ? sum : sum - (n / bytes.length) * Math.log2(n / bytes.length), 0);
  return { bytes: bytes.length, bitsPerByte: bits };
}
`,
  reduce: null,
  args: null,
  input: { kind: 'file', path: '/samples/genesis-to-samuel.txt', fileName: 'genesis-to-samuel.txt', chunkBytes: 64 * 1024 },
};

const random: Sample = {
  id: 'random',
  name: 'Random trials',
  about: 'Many random trials an item, put together at the end with their error',
  code: `// One item is a batch of trials. task.random() is seeded: run again, the item gives the same.
export default function run(batch, task) {
  const { trials } = task.args;
  let sum = 0, squares = 0;
  for (let i = 0; i < trials; i++) {
    const value = trial(task.random);
    sum += value;
    squares += value * value;
  }
  return { trials, sum, squares };
}

// How far a walk of 100 steps gets.
function trial(random) {
  let x = 0;
  for (let step = 0; step < 100; step++) x += random() < 0.5 ? -1 : 1;
  return Math.abs(x);
}
`,
  reduce: `export default function together(batches) {
  const trials = batches.reduce((all, batch) => all + batch.trials, 0);
  const mean = batches.reduce((all, batch) => all + batch.sum, 0) / trials;
  const variance = batches.reduce((all, batch) => all + batch.squares, 0) / trials - mean * mean;
  return { mean, standardError: Math.sqrt(variance / trials), trials, byBatch: batches.slice(0, 20).map((batch, i) => ['batch ' + i, batch.sum / batch.trials]) };
}
`,
  args: { trials: 10_000 },
  input: { kind: 'range', range: [0, 100] },
};

const grid: Sample = {
  id: 'grid',
  name: 'Sweep of settings',
  about: 'Your code is called for every pair of two settings; the answers make a heat map',
  code: `// One item is one pair of settings.
export default function run(item, task) {
  const { a, b } = task.args;
  const x = a[item % a.length], y = b[Math.floor(item / a.length)];
  return { x, y, value: measure(x, y) };
}

// Put what you want to know here.
function measure(x, y) {
  return Math.sin(x * y) / (1 + x * x / 20);
}
`,
  reduce: `export default function toMap(cells, { args: { a, b } }) {
  return {
    heatmap: { xLabel: 'a', yLabel: 'b', x: a, y: b, values: b.map((_, row) => cells.slice(row * a.length, (row + 1) * a.length).map((cell) => cell.value)) },
  };
}
`,
  args: { a: Array.from({ length: 24 }, (_, i) => i / 2), b: Array.from({ length: 16 }, (_, i) => i / 4) },
  input: { kind: 'range', range: [0, 24 * 16] },
};

const tiles: Sample = {
  id: 'tiles',
  name: 'Render tiles',
  about: 'Each item paints one tile of a picture',
  code: `// One item is one tile. { x, y, width, height, rgba } goes into the picture at x, y.
export default function run(item, task) {
  const { width, height, tile } = task.args;
  const across = Math.ceil(width / tile);
  const x = (item % across) * tile, y = Math.floor(item / across) * tile;
  const w = Math.min(tile, width - x), h = Math.min(tile, height - y);
  const rgba = new Uint8Array(w * h * 4);
  for (let row = 0; row < h; row++) for (let column = 0; column < w; column++) {
    rgba.set(colourAt((x + column) / width, (y + row) / height), (row * w + column) * 4);
  }
  return { x, y, width: w, height: h, rgba };
}

// Red, green, blue and how solid, each 0 to 255, at a place from 0 to 1.
function colourAt(x, y) {
  const wave = Math.sin(20 * Math.hypot(x - 0.5, y - 0.5)) / 2 + 0.5;
  return [20 + 60 * x, 60 + 140 * wave, 110 + 80 * y, 255];
}
`,
  reduce: null,
  args: { width: 960, height: 640, tile: 80 },
  input: { kind: 'range', range: [0, 12 * 8] },
};

const mapReduce: Sample = {
  id: 'map-reduce',
  name: 'Map and reduce',
  about: 'Each line gives pairs of key and number; the last step adds them up by key',
  code: `// Called once for each line: answer with pairs of key and number.
export default function map(line, task) {
  return line.toLowerCase().match(/[a-z]+/g)?.map((word) => [word, 1]) ?? [];
}
`,
  reduce: `// Called once with the answers of all lines, in your own tab.
export default function reduce(lines) {
  const sums = new Map();
  for (const pairs of lines) for (const [key, n] of pairs) sums.set(key, (sums.get(key) ?? 0) + n);
  return [...sums].sort((a, b) => b[1] - a[1]);
}
`,
  args: null,
  input: { kind: 'lines', text: 'the tide comes in\nthe tide goes out\nthe boats do not mind' },
};

export const templates: readonly Sample[] = [lines, range, chunks, random, grid, tiles, mapReduce];
