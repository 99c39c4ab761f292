// What this machine did, in words and as a file. Pure.
import { nameOf } from '../../kernel/lib/names.ts';
import { plural } from '../view/format.ts';
import type { Receipt } from './donor-source.ts';

/** How the parts of a job ended here, the most frequent first. */
export function verdictWords({ verdicts }: Pick<Receipt, 'verdicts'>): string {
  const said: readonly [number, string][] = [
    [verdicts.finished, 'finished'],
    [verdicts.stopped, 'given back unfinished'],
    [verdicts.died, 'broke their sandbox'],
    [verdicts.unloadable, 'could not be loaded'],
    [verdicts['no-data'], 'had no data'],
  ];
  const ended = said.filter(([times]) => times > 0).toSorted(([a], [b]) => b - a);
  if (ended.length === 1 && ended[0]![1] === 'finished') return 'all finished';
  return ended.map(([times, words]) => `${times} ${words}`).join(', ');
}

export interface ReceiptsHead {
  readonly identity: string;
  /** ms since 1970. */
  readonly writtenAt: number;
}

/** A file for the donor's own records; times as ISO 8601, CPU in seconds. */
export function receiptsFile(receipts: readonly Receipt[], { identity, writtenAt }: ReceiptsHead): string {
  const rows = receipts.map((receipt) => ({
    job: receipt.job,
    name: receipt.name,
    codeHash: receipt.codeHash,
    submitter: { identity: receipt.submitter, name: nameOf(receipt.submitter) },
    from: new Date(receipt.firstAt).toISOString(),
    until: new Date(receipt.lastAt).toISOString(),
    parts: receipt.parts,
    items: receipt.items,
    itemsFailed: receipt.failed,
    cpuSeconds: Math.round(receipt.cpuMs / 10) / 100,
    resultBytes: receipt.bytes,
    verdicts: receipt.verdicts,
  }));
  const donor = { identity, name: nameOf(identity) };
  return `${JSON.stringify({ lull: 'what this machine did', donor, writtenAt: new Date(writtenAt).toISOString(), jobs: rows }, null, 2)}\n`;
}

export const receiptsSummary = (receipts: readonly Receipt[]) =>
  `${plural(receipts.length, 'job')}, ${plural(
    receipts.reduce((sum, { parts }) => sum + parts, 0),
    'part',
  )}`;
