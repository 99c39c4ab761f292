// What this machine gave, from its receipts: sums, days, and words for others to see. Pure.
import type { Receipt } from '../donate/donor-source.ts';
import { count, duration, plural } from '../view/format.ts';

export interface Given {
  readonly jobs: number;
  /** Other people's among them. */
  readonly helped: number;
  readonly people: number;
  readonly parts: number;
  readonly items: number;
  readonly cpuMs: number;
  /** Of that, what went to other people's jobs. */
  readonly forOthers: { readonly parts: number; readonly cpuMs: number };
  readonly bytes: number;
  /** ms since 1970; null where nothing was given yet. */
  readonly since: number | null;
}

export function givenOf(receipts: readonly Receipt[], self: string): Given {
  const others = receipts.filter(({ submitter }) => submitter !== self);
  const sum = (of: (receipt: Receipt) => number, over = receipts) => over.reduce((all, receipt) => all + of(receipt), 0);
  return {
    jobs: receipts.length,
    helped: others.length,
    people: new Set(others.map(({ submitter }) => submitter)).size,
    parts: sum(({ parts }) => parts),
    items: sum(({ items }) => items),
    cpuMs: sum(({ cpuMs }) => cpuMs),
    forOthers: { parts: sum(({ parts }) => parts, others), cpuMs: sum(({ cpuMs }) => cpuMs, others) },
    bytes: sum(({ bytes }) => bytes),
    since: receipts.length === 0 ? null : receipts.reduce((least, { firstAt }) => Math.min(least, firstAt), Number.POSITIVE_INFINITY),
  };
}

const dayMs = 86_400_000;

export interface Day {
  /** Its first moment, ms since 1970, by the machine's own calendar. */
  readonly at: number;
  readonly cpuMs: number;
}

/** CPU time of the last `days` days, today last. A receipt that spans several days is spread over them by time. */
export function byDay(receipts: readonly Receipt[], now: number, days: number): Day[] {
  const today = new Date(now);
  const starts = Array.from({ length: days + 1 }, (_, i) =>
    new Date(today.getFullYear(), today.getMonth(), today.getDate() - days + 1 + i).getTime(),
  );
  return starts.slice(0, days).map((at, i) => {
    const end = starts[i + 1]!;
    const cpuMs = receipts.reduce((sum, { firstAt, lastAt, cpuMs: whole }) => {
      // A job of one moment lies in one day.
      const length = Math.max(1, lastAt - firstAt);
      const overlap = Math.min(end, firstAt + length) - Math.max(at, firstAt);
      return overlap <= 0 ? sum : sum + (whole * overlap) / length;
    }, 0);
    return { at, cpuMs };
  });
}

/** 'since Tuesday', 'since 3 March': a day of the last week by its name. */
export function sinceWords(since: number, now: number): string {
  const date = new Date(since);
  if (now - since < 6 * dayMs) {
    const same = new Date(now).toDateString() === date.toDateString();
    return same ? 'since today' : `since ${new Intl.DateTimeFormat('en', { weekday: 'long' }).format(date)}`;
  }
  const year = new Date(now).getFullYear() === date.getFullYear() ? {} : ({ year: 'numeric' } as const);
  return `since ${new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', ...year }).format(date)}`;
}

/** What one would tell a friend: of other people's jobs where there are any, and of nothing else. */
export function sharedSentence(name: string, { cpuMs, parts, helped, forOthers }: Given): string {
  const told = helped === 0 ? { cpuMs, parts } : forOthers;
  return `${name} gave ${duration(told.cpuMs)} of quiet computer time to ${helped === 0 ? 'Lull' : `${plural(helped, 'job')} of other people`}: ${count(told.parts)} ${told.parts === 1 ? 'part' : 'parts'} computed while nobody was using the machine.`;
}

/** One row a job, RFC 4180. */
export function givenCsv(receipts: readonly Receipt[]): string {
  const cell = (value: string | number) => {
    const text = String(value);
    const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const rows = receipts.map((each) => [
    each.job,
    each.name,
    each.submitter,
    each.codeHash,
    new Date(each.firstAt).toISOString(),
    new Date(each.lastAt).toISOString(),
    each.parts,
    each.items,
    each.failed,
    Math.round(each.cpuMs) / 1_000,
    each.bytes,
  ]);
  const head = ['job', 'name', 'submitter', 'code_hash', 'from', 'until', 'parts', 'items', 'items_failed', 'cpu_seconds', 'result_bytes'];
  return [head, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}
