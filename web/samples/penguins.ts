// A small learning task: many small networks, each trained on its own draw of the data, vote on a map.
import type { Sample } from './sample.ts';

export interface PenguinArgs {
  readonly hidden: number;
  readonly epochs: number;
  readonly grid: readonly [across: number, down: number];
}
const args: PenguinArgs = { hidden: 8, epochs: 160, grid: [64, 48] };

const code = `// One item trains one small network to tell three kinds of penguin by their beak, from its own random draw of the table.
const kinds = ['Adelie', 'Chinstrap', 'Gentoo'];

export default function train(item, task) {
  const { hidden, epochs, grid, table } = task.args;
  const { random } = task;
  const birds = table.split('\\n').slice(1).map((line) => line.split(','))
    .filter((cells) => cells[2] !== '' && cells[3] !== undefined)
    .map((cells) => ({ x: [(Number(cells[2]) - 44) / 6, (Number(cells[3]) - 17) / 2], kind: kinds.indexOf(cells[0]) }));
  // Drawn with replacement; those never drawn test what was learned.
  const drawn = birds.map(() => Math.floor(random() * birds.length));
  const net = {
    a: Array.from({ length: hidden }, () => [random() * 2 - 1, random() * 2 - 1, random() * 2 - 1]),
    b: Array.from({ length: 3 }, () => Array.from({ length: hidden + 1 }, () => random() - 0.5)),
  };
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = 0.1 * (1 - epoch / epochs) + 0.005;
    for (let n = 0; n < drawn.length; n++) step(net, birds[drawn[Math.floor(random() * drawn.length)]], rate);
    task.progress(epoch / epochs);
  }
  const seen = new Set(drawn);
  const confusion = [[0, 0, 0], [0, 0, 0], [0, 0, 0]];
  let right = 0, tested = 0;
  birds.forEach((bird, i) => {
    if (seen.has(i)) return;
    const said = guess(net, bird.x).chances;
    const best = said.indexOf(Math.max(...said));
    confusion[bird.kind][best]++;
    tested++;
    if (best === bird.kind) right++;
  });
  const [across, down] = grid;
  const map = new Uint8Array(across * down * 3);
  for (let row = 0; row < down; row++) for (let column = 0; column < across; column++) {
    const { chances } = guess(net, [(32 + 28 * column / (across - 1) - 44) / 6, (22 - 9.5 * row / (down - 1) - 17) / 2]);
    for (let k = 0; k < 3; k++) map[(row * across + column) * 3 + k] = Math.round(255 * chances[k]);
  }
  task.log('right', right, 'of', tested, 'birds it had not seen');
  return { accuracy: right / tested, confusion, map };
}

function guess({ a, b }, x) {
  const inner = a.map((w) => Math.tanh(w[0] * x[0] + w[1] * x[1] + w[2]));
  const scores = b.map((w) => inner.reduce((sum, value, i) => sum + w[i] * value, w[inner.length]));
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const all = powers.reduce((sum, each) => sum + each, 0);
  return { inner, chances: powers.map((each) => each / all) };
}

// One step of gradient descent on one bird.
function step(net, bird, rate) {
  const { inner, chances } = guess(net, bird.x);
  const back = new Array(inner.length).fill(0);
  for (let k = 0; k < 3; k++) {
    const error = chances[k] - (k === bird.kind ? 1 : 0);
    const w = net.b[k];
    for (let i = 0; i < inner.length; i++) { back[i] += error * w[i]; w[i] -= rate * error * inner[i]; }
    w[inner.length] -= rate * error;
  }
  for (let i = 0; i < inner.length; i++) {
    const error = back[i] * (1 - inner[i] * inner[i]);
    net.a[i][0] -= rate * error * bird.x[0];
    net.a[i][1] -= rate * error * bird.x[1];
    net.a[i][2] -= rate * error;
  }
}
`;

const reduce = `const kinds = ['Adelie', 'Chinstrap', 'Gentoo'];
const colours = [[217, 138, 31], [122, 92, 168], [15, 157, 138]];
const scale = 12;

export default function vote(nets, { args: { grid, table } }) {
  const [across, down] = grid;
  const mean = new Float64Array(across * down * 3);
  for (const { map } of nets) for (let i = 0; i < map.length; i++) mean[i] += map[i] / 255 / nets.length;
  const width = across * scale, height = down * scale;
  const rgba = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const chances = [0, 1, 2].map((k) => between(mean, across, down, x / scale - 0.5, y / scale - 0.5, k));
    // Where the nets do not agree the colour fades towards white.
    const sure = (Math.max(...chances) - 1 / 3) * 1.5;
    for (let c = 0; c < 3; c++) {
      const mix = chances.reduce((sum, chance, k) => sum + chance * colours[k][c], 0);
      rgba[(y * width + x) * 4 + c] = mix * (0.25 + 0.5 * sure) + 255 * (0.75 - 0.5 * sure);
    }
    rgba[(y * width + x) * 4 + 3] = 255;
  }
  for (const cells of table.split('\\n').slice(1).map((line) => line.split(','))) {
    if (!cells[2]) continue;
    dot(rgba, width, height, (Number(cells[2]) - 32) / 28 * (across - 1) * scale + scale / 2, (22 - Number(cells[3])) / 9.5 * (down - 1) * scale + scale / 2, colours[kinds.indexOf(cells[0])]);
  }
  const confusion = kinds.map((_, i) => kinds.map((_, j) => nets.reduce((sum, net) => sum + net.confusion[i][j], 0)));
  return {
    accuracyOfUnseenBirds: nets.reduce((sum, net) => sum + net.accuracy, 0) / nets.length,
    networks: nets.length,
    image: { title: 'beak length across, beak depth up: orange Adelie, violet Chinstrap, green Gentoo', width, height, rgba },
    heatmap: {
      title: 'what unseen birds were taken for',
      xLabel: 'taken for', yLabel: 'is', unit: 'of its kind', x: kinds, y: kinds,
      values: confusion.map((row) => row.map((n) => n / row.reduce((a, b) => a + b, 0))),
    },
  };
}

function between(mean, across, down, x, y, k) {
  const left = Math.max(0, Math.min(across - 1, Math.floor(x))), top = Math.max(0, Math.min(down - 1, Math.floor(y)));
  const right = Math.min(across - 1, left + 1), below = Math.min(down - 1, top + 1);
  const u = Math.max(0, Math.min(1, x - left)), v = Math.max(0, Math.min(1, y - top));
  const value = (row, column) => mean[(row * across + column) * 3 + k];
  return (value(top, left) * (1 - u) + value(top, right) * u) * (1 - v) + (value(below, left) * (1 - u) + value(below, right) * u) * v;
}

function dot(rgba, width, height, x, y, colour) {
  for (let dy = -5; dy <= 5; dy++) for (let dx = -5; dx <= 5; dx++) {
    const far = Math.hypot(dx, dy);
    const px = Math.round(x) + dx, py = Math.round(y) + dy;
    if (far > 5 || px < 0 || py < 0 || px >= width || py >= height) continue;
    const at = (py * width + px) * 4;
    for (let c = 0; c < 3; c++) rgba[at + c] = far > 3.6 ? 255 : colour[c] * 0.8;
  }
}
`;

export const penguins: Sample = {
  id: 'penguins',
  name: 'Learning',
  about: '120 small networks learn to tell penguins by their beaks',
  picture: 'A map of what they learned, drawn under the birds',
  source: 'Palmer penguins: Gorman, Williams and Fraser 2014, Palmer Station LTER (CC0)',
  code,
  reduce,
  args,
  argsFile: { path: '/samples/penguins.csv', key: 'table' },
  input: { kind: 'range', range: [0, 120] },
};
