import { describe, expect, it, test } from 'vitest';
import { testBus } from '../../sdk/testing/test-bus.ts';
import { keepingSource, keptOf, keptWords, lookedMax, spread, type ObjectHealth } from './keeping.ts';

const job = 'ab'.repeat(32);
const idOf = (n: number) => n.toString(16).padStart(64, '0');
const whole: ObjectHealth = { k: 2, n: 6, held: 6, online: 6, lossEstimate: 0.01, heldHereBytes: 0, repairing: false };
const healthy = (online: number, held = online): ObjectHealth => ({ ...whole, held, online, lossEstimate: 1 / (held + 1) });

/** A kernel whose job has `objects` result objects of one item each; those that `lookup` does not know are nowhere. */
function kernelWith(objects: number, lookup: (n: number) => ObjectHealth, pageMax = 1_000) {
  const looked: number[] = [];
  const bus = testBus({
    'ledger decisions query': ({ from, max }: { from: number; max: number }) => ({
      spans: Array.from({ length: Math.max(0, Math.min(max, pageMax, objects - from)) }, (_, i) => ({
        range: [from + i, from + i + 1],
        result: idOf(from + i),
      })),
    }),
    'blocks objects lookup': ({ id }: { id: string }) => {
      const n = Number.parseInt(id, 16);
      looked.push(n);
      return { copies: 1, ...lookup(n) };
    },
  });
  return { bus: () => bus, looked };
}

describe('the results of a job', () => {
  it('are looked at one by one, and the weakest is named', async () => {
    const { bus } = kernelWith(40, (n) => (n === 17 ? healthy(3) : whole));
    expect(await keepingSource(bus).of(job)).toMatchObject({ objects: 40, looked: 40, unreadable: 0, short: 1, weakest: { online: 3 } });
  });

  it('are thousands at times: some are looked at, from the first to the last, the same each time', async () => {
    const { bus, looked } = kernelWith(5_000, () => whole);
    expect(await keepingSource(bus).of(job)).toMatchObject({ objects: 5_000, looked: lookedMax });
    const first = looked.splice(0);
    await keepingSource(bus).of(job);
    expect(looked).toEqual(first);
    expect([first[0], first.at(-1)! > 4_900, new Set(first).size]).toEqual([0, true, lookedMax]);
  });

  it('of which nobody here has a manifest cannot be read', async () => {
    const { bus } = kernelWith(2, () => {
      throw new Error('nobody has it');
    });
    expect(await keepingSource(bus).of(job)).toMatchObject({ objects: 2, unreadable: 2, weakest: { held: 0, online: 0 } });
  });

  it('that nobody had are asked of everybody a few at a time, until somebody has them', async () => {
    let back = false;
    const { bus, looked } = kernelWith(20, (n) => {
      if (n < 10 && !back) throw new Error('nobody has it');
      return whole;
    });
    const source = keepingSource(bus);
    expect((await source.of(job)).unreadable).toBe(10);
    expect(looked.splice(0)).toHaveLength(20);
    expect((await source.of(job)).unreadable).toBe(10);
    expect(looked.splice(0)).toHaveLength(14);
    back = true;
    for (const left of [6, 2, 0, 0]) expect((await source.of(job)).unreadable).toBe(left);
  });

  it('may not be there yet', async () => {
    expect(await keepingSource(kernelWith(0, () => whole).bus).of(job)).toEqual(keptOf(0, []));
  });
});

test('the weakest has the least to spare, and of two alike the likelier loss', () => {
  const fragile = { ...healthy(4), lossEstimate: 0.5 };
  expect(keptOf(3, [whole, healthy(4, 6), fragile]).weakest).toBe(fragile);
  expect(
    keptOf(2, [
      { ...whole, k: 4, n: 16, held: 9, online: 9, lossEstimate: 0.001 },
      { ...whole, k: 1, n: 3, held: 1, online: 1, lossEstimate: 0.3 },
    ]).weakest?.k,
  ).toBe(1);
});

test('spread takes all where there are few', () => {
  expect(spread([1, 2, 3], 5)).toEqual([1, 2, 3]);
  expect(spread([0, 1, 2, 3, 4, 5], 3)).toEqual([0, 2, 4]);
});

test.each([
  [keptOf(1, [whole]), '1 object holds the results, and all are well kept.'],
  [
    keptOf(
      40,
      Array.from({ length: 40 }, () => whole),
    ),
    '40 objects hold the results, and all are well kept.',
  ],
  [keptOf(2, [whole, healthy(5)]), '2 objects hold the results, and all can be read; one waits for more people to keep it.'],
  [keptOf(3, [whole, healthy(5), healthy(4)]), '3 objects hold the results, and all can be read; 2 wait for more people to keep them.'],
  [keptOf(2, [whole, healthy(1)]), '2 objects hold the results; 1 cannot be read just now, until more of those who keep it come back.'],
  [
    keptOf(900, [healthy(1), healthy(0), whole]),
    '900 objects hold the results; 2 of the 3 looked at cannot be read just now, until more of those who keep them come back.',
  ],
  [keptOf(900, [whole]), '900 objects hold the results, and all of the 1 looked at are well kept.'],
])('%#: in words', (kept, words) => {
  expect(keptWords(kept)).toBe(words);
});
