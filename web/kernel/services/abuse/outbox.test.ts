import { expect, test } from 'vitest';
import { decodeWire, encodeWire } from '../../lib/wire-codec.ts';
import { reportsWaitingMax } from '../../limits.ts';
import { mergedReports } from './outbox.ts';

const report = (n: number) => ({ bytes: Uint8Array.of(n), signature: new Uint8Array(64).fill(n) });
const kept = (...numbers: number[]) => encodeWire(numbers.map(report));

test('reports that came to wait while nobody knew the store go after those in it, each once, and the oldest go first', () => {
  expect(decodeWire(mergedReports(kept(1, 2), kept(2, 3)))).toEqual([1, 2, 3].map(report));
  expect(decodeWire(mergedReports(undefined, kept(3)))).toEqual([report(3)]);
  expect(decodeWire(mergedReports('nonsense', kept()))).toEqual([]);
  const full = Array.from({ length: reportsWaitingMax }, (_, i) => i);
  expect(decodeWire(mergedReports(kept(...full), kept(200)))).toEqual([...full.slice(1), 200].map(report));
});
