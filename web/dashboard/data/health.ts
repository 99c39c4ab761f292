// How well an object is kept, as cells, a level and a sentence. Pure, so that every sentence has a test.
import { count, plural } from '../view/format.ts';

export interface Health {
  /** Any k slices restore a segment; k = 1 is whole copies. */
  readonly k: number;
  /** Slices there should be. */
  readonly n: number;
  /** Identities known to keep a slice of their own. */
  readonly held: number;
  /** Of those, answering now. */
  readonly online: number;
}

export type Cell = 'online' | 'away' | 'missing';

export const cellWords: Record<Cell, string> = { online: 'online now', away: 'held by somebody who is away', missing: 'not placed yet' };

/** unreadable: fewer than k answer. bare: one more that leaves is one too many. thin: some are missing. whole: all are there. */
export type Level = 'unreadable' | 'bare' | 'thin' | 'whole';

/** A row of cells is read at a glance: more than this are no row. No code has more slices. */
const cellsMax = 16;

/** One cell a slice: who is online first, then who is away, then what is missing. */
export function cellsOf({ n, held, online }: Health): readonly Cell[] {
  const here = Math.max(0, online);
  const known = Math.max(here, held);
  const all = Math.min(cellsMax, Math.max(n, known));
  return Array.from({ length: all }, (_, i) => (i < here ? 'online' : i < known ? 'away' : 'missing'));
}

export function levelOf({ k, n, online }: Health): Level {
  if (online < k) return 'unreadable';
  // More may keep a copy than there were people when it was put.
  if (online >= n && online > k) return 'whole';
  return online === k ? 'bare' : 'thin';
}

export interface Standing {
  /** What is all in this browser is not unreadable, but bare. */
  readonly level: Level;
  /** From the network, from this browser only, or not at all just now. */
  readonly readable: 'yes' | 'here' | 'no';
  readonly tone: 'tide' | 'dusk' | 'coral';
  /** Beside the cells: '5 of 6'. */
  readonly short: string;
  readonly sentence: string;
}

const tones = { unreadable: 'coral', bare: 'dusk', thin: 'dusk', whole: 'tide' } as const;

export interface KeptHere {
  /** All of it is in this browser, so this browser can read it whoever else is away. */
  readonly whole: boolean;
  readonly some: boolean;
}

export function standingOf(health: Health, here: KeptHere, repairing: boolean): Standing {
  const among = levelOf(health);
  const level = among === 'unreadable' && here.whole ? 'bare' : among;
  const { n, held, online } = health;
  return {
    level,
    readable: among !== 'unreadable' ? 'yes' : here.whole ? 'here' : 'no',
    tone: tones[level],
    short: `${online} of ${Math.max(n, held)}`,
    sentence: [sentenceOf(among, health, here), repairing ? 'It is being repaired now.' : ''].filter((each) => each !== '').join(' '),
  };
}

function sentenceOf(level: Level, { k, n, held, online }: Health, here: KeptHere): string {
  const piece = k === 1 ? 'copy' : 'slice';
  const pieces = k === 1 ? 'copies' : 'slices';
  const all = Math.max(n, held);
  const are = online === 1 ? 'is' : 'are';
  if (level === 'unreadable') {
    const said = online === 0 ? `No ${piece} is online` : `Only ${online} of ${all} ${pieces} ${are} online, and ${k} are needed`;
    if (here.whole) return `${said}, but all of it is in this browser.`;
    return `${said}: it cannot be read until more of those who keep it come back.`;
  }
  if (held === 1 && here.some) return 'Only this browser keeps it. Others take their part as soon as they come.';
  if (all === 1) return `The only ${piece} is online: nobody else keeps it yet.`;
  const enough = k === 1 ? 'one is enough' : `any ${k} restore it`;
  if (online >= all) return `${all === 2 ? 'Both' : `All ${all}`} ${pieces} are online; ${enough}.`;
  const away = held - online;
  const missing = all - held;
  const rest = [
    away > 0 ? `${away} ${away === 1 ? 'is' : 'are'} with somebody who is away` : '',
    missing > 0 ? `${missing} ${missing === 1 ? 'is' : 'are'} missing` : '',
  ].filter((each) => each !== '');
  const warning = level === 'bare' ? ' One more that leaves is one too many.' : '';
  return `${online} of ${all} ${pieces} ${are} online, ${rest.join(', ')}; ${enough}.${warning}`;
}

/** What a loss estimate stands for: said once beside the numbers. */
export const riskExplained = 'Risk: how likely it cannot be read at a moment when 3 in 10 of those who keep it are away.';

/** A probability as people say it: '1 in 30 000'. One digit that counts: the rest would claim to know more than the estimate does. */
export function oneIn(probability: number): string {
  if (!Number.isFinite(probability)) return '–';
  if (probability >= 0.995) return 'certain';
  if (probability > 0.5) return 'more likely than not';
  if (probability < 1e-6) return 'under 1 in a million';
  const in_ = 1 / probability;
  const step = 10 ** Math.floor(Math.log10(in_));
  return `1 in ${count(Math.round(in_ / step) * step)}`;
}

/** The risk as a word or two; where it is no longer a matter of chance, what is the case. */
export function riskWords({ readable }: Pick<Standing, 'readable'>, lossEstimate: number): string {
  switch (readable) {
    case 'yes':
      return oneIn(lossEstimate);
    case 'here':
      return 'only from here';
    case 'no':
      return 'cannot be read';
  }
}

/** What the page is headed with: the worst that is the case with one's own objects. */
export function headingOf(levels: readonly Level[] | null): string {
  if (levels === null) return 'Your data';
  if (levels.length === 0) return 'You have put nothing here yet';
  const of = (n: number) =>
    levels.length === 1
      ? 'Your object'
      : n === levels.length
        ? `Your ${count(n)} objects`
        : `${count(n)} of your ${count(levels.length)} objects`;
  const unreadable = levels.filter((level) => level === 'unreadable').length;
  if (unreadable > 0) return `${of(unreadable)} cannot be read just now`;
  const short = levels.filter((level) => level !== 'whole').length;
  if (short > 0) return `${of(short)} ${short === 1 ? 'waits' : 'wait'} for more people to keep ${short === 1 ? 'it' : 'them'}`;
  return `${of(levels.length)} ${levels.length === 1 ? 'is' : 'are'} well kept`;
}

/** 'in 20 min', 'in 31 h', 'in 13 days'; whole units, because nobody plans by the second. */
export function expiresIn(leftMs: number): string {
  if (leftMs <= 0) return 'now';
  const minutes = Math.ceil(leftMs / 60_000);
  if (minutes < 60) return `in ${minutes} min`;
  const hours = Math.round(leftMs / 3_600_000);
  return hours < 48 ? `in ${hours} h` : `in ${plural(Math.round(leftMs / 86_400_000), 'day')}`;
}
