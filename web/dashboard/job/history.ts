// Who ran how much when, as far as this tab saw it: totals by identity at moments, in bounded memory.

export interface Sample {
  readonly atMs: number;
  readonly items: ReadonlyMap<string, number>;
}

export type History = readonly Sample[];

export const samplesMax = 240;
const apartMsMin = 900;

/** One more moment. When full, every second one of the older is dropped: the line keeps its whole length and loses detail. */
export function withSample(history: History, sample: Sample): History {
  const last = history.at(-1);
  if (last !== undefined && sample.atMs - last.atMs < apartMsMin) return history;
  const grown = [...history, sample];
  return grown.length <= samplesMax ? grown : grown.filter((_, i) => i % 2 === 0 || i === grown.length - 1);
}

export interface RateLines {
  /** Seconds before the newest sample: ascending, 0 last. */
  readonly seconds: readonly number[];
  /** Items per second of each, most items first; '' are all others together. */
  readonly lines: readonly { readonly identity: string; readonly rates: readonly number[] }[];
}

/** Rates between neighbouring samples of the `most` who ran most, and of the rest together. */
export function rateLines(history: History, most: number): RateLines {
  const last = history.at(-1);
  if (last === undefined || history.length < 2) return { seconds: [], lines: [] };
  const ranked = [...last.items].toSorted((a, b) => b[1] - a[1]).map(([identity]) => identity);
  const named = ranked.slice(0, most);
  const rest = ranked.slice(most);
  const of = (sample: Sample, identities: readonly string[]) => identities.reduce((sum, each) => sum + (sample.items.get(each) ?? 0), 0);
  const ratesOf = (identities: readonly string[]) =>
    history.slice(1).map((sample, i) => {
      const before = history[i]!;
      return Math.max(0, ((of(sample, identities) - of(before, identities)) * 1_000) / (sample.atMs - before.atMs));
    });
  return {
    seconds: history.slice(1).map(({ atMs }) => (atMs - last.atMs) / 1_000),
    lines: [
      ...named.map((identity) => ({ identity, rates: ratesOf([identity]) })),
      ...(rest.length === 0 ? [] : [{ identity: '', rates: ratesOf(rest) }]),
    ],
  };
}

/** Each line on top of those before it, for areas: the last is the whole. */
export function stacked(lines: RateLines['lines']): number[][] {
  const sums: number[][] = [];
  for (const { rates } of lines) sums.push(rates.map((rate, i) => rate + (sums.at(-1)?.[i] ?? 0)));
  return sums;
}
