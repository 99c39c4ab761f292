// The table at the end of a run at scale, beside a run of the same kind with few groups.
import type { ScaleResult } from './scale-run.ts';

export const ratioMax = 1.5;
export const rssBytesMax = 8 * 2 ** 30;
export const wallMsMax = 600_000;

const kindsShown = 14;
const mebi = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
const perFunction = (result: ScaleResult, amount: number) => amount / Math.max(1, result.functions);

const rows: readonly (readonly [name: string, of: (result: ScaleResult) => string])[] = [
  ['peers', ({ peers }) => String(peers)],
  ['groups', ({ groups }) => String(groups)],
  ['jobs', ({ jobs }) => String(jobs)],
  ['items, each with one result', ({ items }) => String(items)],
  ['committed functions', ({ functions }) => String(functions)],
  ['items computed once more than needed', ({ surplusItems }) => String(surplusItems)],
  ['messages', ({ messages }) => `${(messages / 1e6).toFixed(2)} M`],
  ['lost on their way, and sent again', ({ lost }) => `${(lost / 1e6).toFixed(2)} M`],
  ['messages per committed function', (result) => perFunction(result, result.messages).toFixed(0)],
  ['kB per committed function', (result) => (perFunction(result, result.bytes) / 1_000).toFixed(1)],
  ['of them until the faults are over', (result) => (perFunction(result, result.bytesByCalm) / 1_000).toFixed(1)],
  ['messages per peer and second', ({ messages, peers, virtualMs }) => (messages / peers / (virtualMs / 1_000)).toFixed(1)],
  ["bytes of a job's clock, mean and most", ({ clockBytes, clockBytesMax }) => `${clockBytes}, ${clockBytesMax}`],
  ['ledgers that keep a job', ({ replicas }) => replicas.toFixed(1)],
  ['after the last fault: everybody sees their group', ({ gatherMs }) => seconds(gatherMs)],
  ['then: every job has ended', ({ finishMs }) => seconds(finishMs)],
  ['then: all ledgers are equal', ({ convergeMs, rounds }) => `${seconds(convergeMs)}, ${rounds} rounds`],
  ['members of other groups listed, at most', ({ strangersMax }) => String(strangersMax)],
  ['virtual time', ({ virtualMs }) => seconds(virtualMs)],
  ['time', ({ wallMs }) => seconds(wallMs)],
  ['memory, most', ({ rssBytes }) => mebi(rssBytes)],
  ['heap, most, per peer', ({ heapBytes, peers }) => `${(heapBytes / peers / 1_000).toFixed(0)} kB`],
];

export function tableOf(results: readonly ScaleResult[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, of]) => `${name.padEnd(width)}  ${results.map((result) => of(result).padStart(14)).join('  ')}`);
  const largest = results.at(-1)!;
  const kinds = largest.kinds
    .slice(0, kindsShown)
    .map(
      ({ name, messages, bytes }) =>
        `  ${name.padEnd(34)} ${((100 * messages) / largest.messages).toFixed(1).padStart(5)} % of messages ${((100 * bytes) / largest.bytes).toFixed(1).padStart(5)} % of bytes`,
    );
  return `${lines.join('\n')}\nwhat is sent:\n${kinds.join('\n')}\n`;
}

/** What a run at scale must hold beside its invariants; what it does not, in words. */
export function shortfalls(reference: ScaleResult, large: ScaleResult): string[] {
  // In the same time, over all functions, nearly all of which are committed by then: what a network says while the last of very many groups is waited for grows with that time.
  const ratio = perFunction(large, large.bytesByCalm) / perFunction(reference, reference.bytesByCalm);
  return [
    ...(ratio > ratioMax
      ? [`bytes per committed function are ${ratio.toFixed(2)} times those of ${reference.peers} peers; at most ${ratioMax}`]
      : []),
    ...(large.rssBytes > rssBytesMax ? [`it took ${mebi(large.rssBytes)}; at most ${mebi(rssBytesMax)}`] : []),
    ...(large.wallMs > wallMsMax ? [`it took ${seconds(large.wallMs)}; at most ${seconds(wallMsMax)}`] : []),
  ];
}
