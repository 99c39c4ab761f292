// What of a function's results has been handed in, blob by blob as they come out of its run.
import type { RunOutcome } from '../../protocol/contracts/executor.ts';
import type { ResultPart } from './committer.ts';

export type ResultBlobs = RunOutcome['blobs'];

export interface HandInHost {
  /** The job wants nothing any more. */
  isOver(): boolean;
  /** Never rejects; false where it could not be done. */
  commit(part: ResultPart): Promise<boolean>;
  committed(part: ResultPart): void;
}

export class HandIn {
  /** Blobs, items, those of them that failed, and the bytes of their results. */
  blobs = 0;
  items = 0;
  failed = 0;
  bytes = 0;
  /** All that came could be committed. */
  isComplete = true;

  constructor(private readonly host: HandInHost) {}

  /** In order; of these blobs what comes after one that could not be committed is left out. `buffers` are those that the blobs name. */
  async take(blobs: ResultBlobs, buffers: readonly Uint8Array[]): Promise<void> {
    for (const { data, ...blob } of blobs) {
      const bytes = buffers[data];
      if (bytes === undefined || this.host.isOver() || !(await this.host.commit({ ...blob, bytes }))) {
        this.isComplete = false;
        return;
      }
      const { range, failed } = blob;
      this.blobs++;
      this.items += range[1] - range[0];
      this.failed += failed.reduce((sum, [first, end]) => sum + end - first, 0);
      this.bytes += bytes.length;
      this.host.committed({ ...blob, bytes });
    }
  }
}
