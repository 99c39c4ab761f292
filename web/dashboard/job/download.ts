import type { Job, Overview, Result } from '../../sdk/types.ts';
import { csvPieces, fileNameOf, jsonPieces } from '../view/export.ts';
import { decidedRanges } from './decided.ts';

const pageItems = 2_000;

/** All results that are decided so far, in input order. */
export async function decidedResults(job: Job, overview: Overview): Promise<Result[]> {
  const results: Result[] = [];
  for (const [first, end] of decidedRanges(overview.spans)) {
    for (let at = first; at < end; at += pageItems) results.push(...(await job.peek(at, Math.min(pageItems, end - at))));
  }
  return results.toSorted((a, b) => a.index - b.index);
}

/** With `reduce` a job's JSON carries the answer of its reduce step, which then runs in this tab: for one's own jobs. */
export async function downloadResults(job: Job, kind: 'json' | 'csv', reduce: boolean): Promise<void> {
  const results = await decidedResults(job, await job.overview());
  if (kind === 'csv') {
    save(new Blob([...csvPieces(results)], { type: 'text/csv' }), fileNameOf(job.name, 'csv'));
    return;
  }
  const reduced = reduce && job.hasReduce && job.state === 'done' ? await job.reduced() : undefined;
  const head = { id: job.id, name: job.name, state: job.state, items: job.progress.items };
  save(new Blob([...jsonPieces(head, results, reduced)], { type: 'application/json' }), fileNameOf(job.name, 'json'));
}

/** The URL is let go only later: some browsers begin to read after the click has returned. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
