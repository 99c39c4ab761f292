// Numbers and durations as a person would say them. Units follow after a space.

export interface NumberFormats {
  count(n: number): string;
  /** With so many digits behind the decimal sign. */
  decimal(n: number, digits: number): string;
  /** With at most so many digits that mean something: 12 300, 0.00123. */
  figure(n: number, digits: number): string;
}

/** As the person's language writes numbers. In English thin spaces group digits, as in tables of science, so that no comma is taken for a decimal one. */
export function numberFormats(locale: string): NumberFormats {
  const english = /^en\b/i.test(locale);
  const of = (digits: number) =>
    new Intl.NumberFormat(english ? 'en' : locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const [whole, one, two] = [of(0), of(1), of(2)];
  const meant = (digits: number) => new Intl.NumberFormat(english ? 'en' : locale, { maximumSignificantDigits: digits });
  const meaning: Intl.NumberFormat[] = [];
  const spaced = (text: string) => (english ? text.replaceAll(',', '\u202f') : text);
  return {
    count: (n) => spaced(whole.format(Math.round(n))),
    decimal: (n, digits) => spaced((digits === 0 ? whole : digits === 1 ? one : two).format(n)),
    figure: (n, digits) => spaced((meaning[digits] ??= meant(digits)).format(n)),
  };
}

const formats = numberFormats(typeof navigator === 'undefined' ? 'en' : navigator.language);

/** 43200 -> '43 200'. */
export const count = formats.count;
/** 12345 of 3 digits -> '12 300'. */
export const figure = formats.figure;
const { decimal } = formats;

/** '1 part', '3 parts'. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${Math.round(n) === 1 ? one : many}`;
}

/** 0 s, < 1 ms, 0.3 s, 12 s, 4 min 12 s, 3 h 41 min, 2 d 4 h. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return '–';
  if (ms < 950) return ms === 0 ? '0 s' : ms < 1 ? '< 1 ms' : ms < 100 ? `${Math.round(ms)} ms` : `${decimal(ms / 1000, 1)} s`;
  if (ms < 9_950) return `${decimal(ms / 1000, 1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 || minutes >= 10 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** A guess, rounded as one would say it: 'a few seconds', '40 s', '3 min', '2 h', '4 days'. */
export function about(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 8) return 'a few seconds';
  if (seconds < 55) return `${Math.ceil(seconds / 10) * 10} s`;
  if (seconds < 3_300) return `${Math.ceil(seconds / 60)} min`;
  if (seconds < 47 * 3_600) return `${Math.ceil(seconds / 3_600)} h`;
  return `${Math.ceil(seconds / 86_400)} days`;
}

/** Whole seconds below a minute: for what ticks while one looks at it. */
export function ticking(ms: number): string {
  return ms < 60_000 ? `${Math.max(0, Math.round(ms / 1000))} s` : duration(ms);
}

/** How long a job still takes: rounded up, because being early pleases. */
export function timeLeft(etaSeconds: number | null): string {
  if (etaSeconds === null || !Number.isFinite(etaSeconds)) return 'time left not known yet';
  if (etaSeconds < 1) return 'almost there';
  if (etaSeconds < 10) return 'a few seconds left';
  if (etaSeconds < 55) return `about ${Math.ceil(etaSeconds / 10) * 10} s left`;
  const minutes = Math.ceil(etaSeconds / 60);
  if (minutes < 60) return `about ${minutes} min left`;
  const hours = Math.ceil(etaSeconds / 3600);
  if (hours < 48) return `about ${hours} h left`;
  return `about ${Math.ceil(hours / 24)} days left`;
}

/** 0 B, 640 kB, 212 MB, 1.1 GB; a step is 1024, as limits and memory are counted, and whole numbers stay whole. */
export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = Math.max(0, n);
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit > 0 && value < 9.95 ? decimal(value, 1).replace(/[.,]0$/, '') : Math.round(value)} ${units[unit]}`;
}

/** 0, 0.04, 1.3, 21, 1 204. */
export function rate(perSecond: number): string {
  if (perSecond <= 0) return '0';
  if (perSecond < 0.1) return decimal(perSecond, 2);
  return perSecond < 9.95 ? decimal(perSecond, 1) : count(perSecond);
}

/** Never says 100 before all is there, nor 0 once something is. */
export function percent(share: number): string {
  if (share >= 1) return '100\u202f%';
  if (share <= 0) return '0\u202f%';
  return `${decimal(Math.min(99.9, Math.max(0.1, share * 100)), 1)}\u202f%`;
}

/** Items [first, end): '#17', '#120 – 239'. */
export function items(range: readonly [number, number]): string {
  return range[1] - range[0] <= 1 ? `#${count(range[0])}` : `#${count(range[0])} – ${count(range[1] - 1)}`;
}

/** A value on one line, at most `max` characters; typed arrays by their length, as nobody reads them. */
export function short(value: unknown, max = 90): string {
  const text = inline(value, 0);
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}

/** A value as JSON over several lines, cut where nobody reads on; bytes by their number. */
export function pretty(value: unknown, max = 8_000): string {
  if (typeof value === 'string') return value.slice(0, max);
  const seen = (_key: string, each: unknown): unknown =>
    typeof each === 'bigint'
      ? `${each}n`
      : each instanceof Map || each instanceof Set
        ? [...each]
        : ArrayBuffer.isView(each)
          ? `(${bytes(each.byteLength)} of data)`
          : each;
  const text = JSON.stringify(value, seen, 2) ?? 'nothing';
  return text.length > max ? `${text.slice(0, max)}\n…` : text;
}

function inline(value: unknown, depth: number): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return depth === 0 ? value.slice(0, 400) : JSON.stringify(value.slice(0, 200));
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (ArrayBuffer.isView(value)) return `${bytes(value.byteLength)} of data`;
  if (value instanceof Date) return value.toISOString();
  if (depth > 3) return '…';
  if (Array.isArray(value) || value instanceof Set) {
    const all: readonly unknown[] = [...value];
    return `[${all
      .slice(0, 20)
      .map((each) => inline(each, depth + 1))
      .join(', ')}${all.length > 20 ? ', …' : ''}]`;
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  if (entries.length === 0) return '{}';
  const shown = entries.slice(0, 20).map(([key, each]) => `${String(key)}: ${inline(each, depth + 1)}`);
  return `{ ${shown.join(', ')}${entries.length > 20 ? ', …' : ''} }`;
}
