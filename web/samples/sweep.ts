// An epidemic for every pair of two settings, as a heat map.
import type { Sample } from './sample.ts';

export interface SweepArgs {
  readonly across: number;
  readonly down: number;
  readonly people: number;
  readonly runs: number;
}
const args: SweepArgs = { across: 40, down: 25, people: 1_500, runs: 4 };

const code = `// One item is one pair of settings: how infectious a disease is, and how many are vaccinated.
export default function epidemic(item, task) {
  const { across, down, people, runs } = task.args;
  const infects = 0.5 + 3.5 * (item % across) / (across - 1);      // people whom one ill person meets and infects
  const vaccinated = 0.9 * Math.floor(item / across) / (down - 1); // share of all
  let ill = 0;
  for (let run = 0; run < runs; run++) ill += outbreak(infects, vaccinated, people, task.random);
  return { infects, vaccinated, ill: ill / runs };
}

// The share of the unprotected who fall ill before it dies out.
function outbreak(infects, vaccinated, people, random) {
  const state = new Uint8Array(people); // 0 healthy, 1 was ill, 2 protected
  for (let i = 0; i < people; i++) if (random() < vaccinated) state[i] = 2;
  const open = state.reduce((sum, each) => sum + (each === 0), 0);
  let now = [];
  for (let i = 0; i < people && now.length < 5; i++) if (state[i] === 0) { state[i] = 1; now.push(i); }
  let fell = now.length;
  while (now.length > 0) {
    const next = [];
    for (let k = 0; k < now.length; k++) {
      // Four chances to meet somebody, each with the same odds.
      for (let chance = 0; chance < 4; chance++) {
        if (random() >= infects / 4) continue;
        const met = Math.floor(random() * people);
        if (state[met] === 0) { state[met] = 1; fell++; next.push(met); }
      }
    }
    now = next;
  }
  return open === 0 ? 0 : fell / open;
}
`;

const reduce = `export default function toMap(cells, { args: { across, down } }) {
  const rows = Array.from({ length: down }, (_, row) => cells.slice(row * across, (row + 1) * across));
  return {
    heatmap: {
      xLabel: 'infected by each ill person', yLabel: 'share vaccinated', unit: 'of the unprotected fall ill',
      x: rows[0].map((cell) => cell.infects),
      y: rows.map((row) => row[0].vaccinated),
      values: rows.map((row) => row.map((cell) => cell.ill)),
    },
  };
}
`;

export const sweep: Sample = {
  id: 'sweep',
  name: 'Parameter sweep',
  about: '1 000 epidemics: how infectious, how many vaccinated',
  picture: 'A heat map in which herd immunity shows as an edge',
  code,
  reduce,
  args,
  input: { kind: 'range', range: [0, args.across * args.down] },
};
