// Estimates pi from random darts, and how sure one may be of it.
import type { Sample } from './sample.ts';

const dartsPerItem = 200_000;
const items = 400;

const code = `// One item throws ${dartsPerItem.toLocaleString('en').replaceAll(',', ' ')} darts at a square and counts those that land in its quarter circle.
export default function throwDarts(item, task) {
  const { darts } = task.args;
  let hits = 0;
  for (let i = 0; i < darts; i++) {
    // task.random() is seeded by job and item: run again, the item gives the same.
    const x = task.random(), y = task.random();
    if (x * x + y * y < 1) hits++;
  }
  return hits;
}
`;

const reduce = `// The estimate after each item, with the band that holds the truth 19 times in 20.
export default function estimate(hits, { args: { darts } }) {
  const x = [], y = [], low = [], high = [];
  let all = 0, thrown = 0;
  hits.forEach((each, i) => {
    all += each;
    thrown += darts;
    const share = all / thrown;
    const error = 1.96 * Math.sqrt(share * (1 - share) / thrown);
    x.push(i + 1);
    y.push(4 * share);
    low.push(4 * (share - error));
    high.push(4 * (share + error));
  });
  return {
    estimate: y.at(-1),
    errorOfIt: (high.at(-1) - low.at(-1)) / 2,
    darts: thrown,
    lines: {
      xLabel: 'items', yLabel: 'estimate of pi', mark: Math.PI,
      x, series: [{ name: 'estimate, with its error band', y, low, high }],
    },
  };
}
`;

export const monteCarlo: Sample = {
  id: 'monte-carlo',
  name: 'Monte Carlo',
  about: 'Pi from 80 million random darts',
  picture: 'An estimate whose error band shrinks as items come in',
  code,
  reduce,
  args: { darts: dartsPerItem },
  input: { kind: 'range', range: [0, items] },
};
