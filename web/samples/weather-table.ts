// Map and reduce over a table: rows in, one line and one bar a month out.
import type { Sample } from './sample.ts';

const code = `// One item is one line of the table.
export default function readRow(line) {
  const [date, rain, warmest, coldest] = line.split(',');
  // The first line holds the names of the columns.
  if (date === 'date') return null;
  return { year: Number(date.slice(0, 4)), month: Number(date.slice(5, 7)), rain: Number(rain), warmest: Number(warmest), coldest: Number(coldest) };
}
`;

const reduce = `const names = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const at = (sorted, share) => sorted[Math.round(share * (sorted.length - 1))];

export default function byMonth(rows) {
  const days = rows.filter((row) => row !== null);
  const years = new Set(days.map((day) => day.year)).size;
  const months = names.map((_, i) => days.filter((day) => day.month === i + 1)).filter((month) => month.length > 0);
  const of = (key) => months.map((month) => month.map((day) => day[key]).sort((a, b) => a - b));
  const band = (name, lists) => ({ name, y: lists.map((list) => at(list, 0.5)), low: lists.map((list) => at(list, 0.1)), high: lists.map((list) => at(list, 0.9)) });
  return {
    days: days.length,
    years,
    lines: {
      xLabel: 'month', yLabel: '°C, the middle eight days of ten', x: months.map((month) => month[0].month),
      series: [band('warmest of the day', of('warmest')), band('coldest of the day', of('coldest'))],
    },
    'rain, mm a month': months.map((month) => [names[month[0].month - 1], month.reduce((sum, day) => sum + day.rain, 0) / years]),
  };
}
`;

export const weatherTable: Sample = {
  id: 'table',
  name: 'Table',
  about: 'Four years of weather, one row a day, by month',
  picture: 'The year as two bands of temperature, and bars of rain',
  source: 'Daily weather of Seattle, 2012 to 2015: NOAA, a work of the United States government',
  code,
  reduce,
  args: null,
  input: { kind: 'file', path: '/samples/seattle-weather.csv', fileName: 'seattle-weather.csv' },
};
