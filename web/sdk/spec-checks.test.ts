import { expect, it } from 'vitest';
import { checkedExpiry, checkSpec } from './spec-checks.ts';
import type { JobSpec } from './types.ts';

const spec: JobSpec = { name: 'a', code: 'export default (n) => n', inputs: { range: [0, 1] } };

it('takes what can be done', () => {
  for (const more of [
    {},
    { redundancy: 1, runtime: 'js', priority: -100, failuresMax: 0, limits: { itemMs: 1, totalMs: 1 }, args: undefined },
  ])
    expect(() => checkSpec({ ...spec, ...more } as JobSpec)).not.toThrow();
});

it.each([
  [{ name: ' ' }, 'bad-input', 'A job has a name'],
  [{ name: 5 }, 'bad-input', 'A job has a name'],
  [{ priority: 101 }, 'bad-input', 'A priority is a whole number from -100 to 100, not 101.'],
  [{ priority: '1' }, 'bad-input', 'A priority'],
  [{ failuresMax: -1 }, 'bad-input', 'failuresMax is a whole number from 0 to 10,000,000'],
  [{ limits: { itemMs: 0.5 } }, 'bad-input', 'limits.itemMs'],
  [{ colour: 'red' }, 'bad-input', 'A job has no option "colour".'],
  [{ limits: { cores: 2 } }, 'bad-input', 'A job has no limit "cores".'],
  [{ toString: 1 }, 'bad-input', 'A job has no option "toString".'],
  [{ comparator: 'x' }, 'not-built', 'Comparators are not built yet'],
  [{ redundancy: 'adaptive' }, 'not-built', 'Redundancy above 1 is not built yet'],
  [{ runtime: 'python' }, 'not-built', 'The runtime "python" is not built yet'],
  [{ limits: { totalMs: 0 } }, 'bad-input', 'limits.totalMs is a whole number from 1 to'],
  [{ limits: { memoryMiB: 0 } }, 'bad-input', 'limits.memoryMiB is a whole number from 1 to 16,384'],
  [{ limits: null }, 'bad-input', 'limits is an object'],
  [{ limits: 5 }, 'bad-input', 'limits is an object'],
  [{ code: undefined }, 'bad-input', 'The code is a function, the text of an ES module'],
  [{ code: 42 }, 'bad-input', 'The code is a function'],
  [{ reduce: () => 0 }, 'bad-input', 'reduce is the text of an ES module'],
  [{ open: 'yes' }, 'bad-input', 'open is true or false.'],
  [{ signal: new AbortController() }, 'bad-input', 'signal is an AbortSignal'],
  [{ expiresAt: '2030-01-01' }, 'bad-input', 'expiresAt is a Date.'],
])('%j is refused as %s: %s', (more, code, sentence) => {
  expect(() => checkSpec({ ...spec, ...(more as object) })).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(sentence) }),
  );
});

it.each([undefined, null, 'job', 7])('%j is no job', (given) => {
  expect(() => checkSpec(given as never)).toThrow('A job is asked for with one object: { name, code, inputs }.');
});

it('a job expires later than now and within 90 days', () => {
  expect(checkedExpiry(spec, 1_000)).toBe(1_000 + 14 * 86_400_000);
  expect(() => checkedExpiry({ ...spec, expiresAt: new Date(5) }, 10)).toThrow('expired already');
  expect(() => checkedExpiry({ ...spec, expiresAt: new Date(NaN) }, 10)).toThrow('expired already');
  expect(() => checkedExpiry({ ...spec, expiresAt: new Date(91 * 86_400_000) }, 0)).toThrow('at most 90 days');
});
