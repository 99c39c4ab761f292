import { expect, test } from 'vitest';
import { identityId } from '../../lib/ids.ts';
import { followMax, neverMax } from '../../protocol/contracts/resources.ts';
import { mergedChoices } from './choices.ts';

const id = (n: number) => identityId(n.toString(16).padStart(64, '0'));
const ids = (from: number, until: number) => Array.from({ length: until - from }, (_, i) => id(from + i));
const schedule = [{ days: [6], from: 0, until: 0 }];

test('one limit said meanwhile leaves the others', () => {
  const before = { schedule, cores: 1, storageMiB: 128, never: [id(1)] };
  expect(mergedChoices(before, { cores: 3 })).toEqual({ ...before, cores: 3 });
  expect(mergedChoices({ schedule, cores: 1 }, { cores: undefined, onBattery: true })).toEqual({ schedule, cores: 1, onBattery: true });
});

test('who is followed or never run stays so, and the latest are kept where not all fit', () => {
  expect(mergedChoices({ never: [id(1), id(2)] }, { never: [id(3), id(1)], follow: [id(4)] })).toEqual({
    never: [id(2), id(3), id(1)],
    follow: [id(4)],
  });
  const full = { never: ids(0, neverMax), follow: ids(0, followMax) };
  expect(mergedChoices(full, { never: [id(9_999)], follow: [id(9_998)] })).toEqual({
    never: [...ids(1, neverMax), id(9_999)],
    follow: [...ids(1, followMax), id(9_998)],
  });
});

test('joined twice it is the same, and what a store holds that is no choice counts as none', () => {
  const since = { cores: 2, never: [id(3)] };
  const once = mergedChoices({ never: [id(1)], schedule }, since);
  expect(mergedChoices(once, since)).toEqual(once);
  for (const broken of [undefined, null, 'text', { cores: 'many' }]) {
    expect(mergedChoices(broken, since)).toEqual(since);
    expect(mergedChoices(since, broken)).toEqual(since);
  }
});
