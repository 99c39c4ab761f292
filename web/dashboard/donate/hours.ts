// The schedule as the page shows it: one span of hours on chosen days. Pure.
import type { Hours } from '../../kernel/protocol/contracts/resources.ts';

/** Monday first, as people read a week; numbers as the schedule has them. */
export const days = [
  { day: 1, short: 'Mo', name: 'Monday' },
  { day: 2, short: 'Tu', name: 'Tuesday' },
  { day: 3, short: 'We', name: 'Wednesday' },
  { day: 4, short: 'Th', name: 'Thursday' },
  { day: 5, short: 'Fr', name: 'Friday' },
  { day: 6, short: 'Sa', name: 'Saturday' },
  { day: 0, short: 'Su', name: 'Sunday' },
] as const;

/** When hours are first chosen: the night. */
export const firstHours: Hours = { days: [0, 1, 2, 3, 4, 5, 6], from: 22 * 60, until: 7 * 60 };

export const timeOf = (minute: number): string =>
  `${String(Math.floor((minute % 1440) / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** Minutes of the day; undefined for a field that is not filled in. */
export function minuteOf(time: string): number | undefined {
  const parts = /^(\d{2}):(\d{2})/.exec(time);
  return parts === null ? undefined : Number(parts[1]) * 60 + Number(parts[2]);
}

/** With the day switched; undefined where none would be left. */
export function withDay(hours: Hours, day: number, on: boolean): Hours | undefined {
  const chosen = on ? [...new Set([...hours.days, day])].toSorted((a, b) => a - b) : hours.days.filter((each) => each !== day);
  return chosen.length === 0 ? undefined : { ...hours, days: chosen };
}
