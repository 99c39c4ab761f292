import { expect, it } from 'vitest';
import { firstHours, minuteOf, timeOf, withDay } from './hours.ts';

it('times are written as a clock shows them, and read back', () => {
  for (const minute of [0, 59, 60, 605, 1439]) expect(minuteOf(timeOf(minute))).toBe(minute);
  expect(timeOf(1440)).toBe('00:00');
  expect(minuteOf('')).toBeUndefined();
});

it('the last day cannot be taken away', () => {
  expect(withDay({ ...firstHours, days: [1, 3] }, 3, false)?.days).toEqual([1]);
  expect(withDay({ ...firstHours, days: [1] }, 1, false)).toBeUndefined();
  expect(withDay({ ...firstHours, days: [3] }, 1, true)?.days).toEqual([1, 3]);
});
