import type { Job, Overview, Result } from '../../sdk/types.ts';
import { csvPieces, fileNameOf, jsonPieces, ndjsonPieces } from '../view/export.ts';
import { fileOf } from '../view/result-files.ts';
import { zipPieces } from '../view/zip.ts';
import { decidedRanges } from './decided.ts';

export type DownloadKind = 'json' | 'csv' | 'ndjson' | 'zip';

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
export async function downloadResults(job: Job, kind: DownloadKind, reduce: boolean): Promise<void> {
  const results = await decidedResults(job, await job.overview());
  switch (kind) {
    case 'csv':
      return save(new Blob([...csvPieces(results)], { type: 'text/csv' }), fileNameOf(job.name, 'csv'));
    case 'ndjson':
      return save(new Blob([...ndjsonPieces(results)], { type: 'application/x-ndjson' }), fileNameOf(job.name, 'ndjson'));
    case 'zip': {
      const files = results.map((result) => fileOf(result, job.progress.items));
      return save(new Blob(zipPieces(files), { type: 'application/zip' }), fileNameOf(job.name, 'zip'));
    }
    case 'json':
      break;
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
