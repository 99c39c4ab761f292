// What this machine did, job by job: kept in the store, shown and exported, so that a donor can say what ran here and for whom.
import * as v from 'valibot';
import type { Cancel, Clock, Storage } from '../../platform.ts';
import type { RunOutcome } from '../../protocol/contracts/executor.ts';
import type { JobSummary } from '../../protocol/contracts/ledger.ts';
import { receiptSchema, receiptsMax, type Receipt } from '../../protocol/contracts/scheduler.ts';

export const receiptsKey = 'scheduler/receipts';
/** Written no more often than so. */
const writeEveryMs = 3_000;
const keptSchema = v.pipe(v.array(receiptSchema), v.maxLength(receiptsMax));

/** What came of one part. */
export interface PartDone {
  readonly ended: RunOutcome['ended'];
  readonly items: number;
  readonly failed: number;
  readonly cpuMs: number;
  readonly bytes: number;
}

/** The receipt with one more part in it. Pure. */
export function withPart(before: Receipt | undefined, job: Pick<JobSummary, 'id' | 'manifest'>, part: PartDone, wallMs: number): Receipt {
  const { id, manifest } = job;
  const base: Receipt = before ?? {
    job: id,
    name: manifest.name,
    submitter: manifest.submitter,
    codeHash: manifest.codeHash,
    firstAt: wallMs,
    lastAt: wallMs,
    parts: 0,
    items: 0,
    failed: 0,
    cpuMs: 0,
    bytes: 0,
    verdicts: { finished: 0, stopped: 0, unloadable: 0, died: 0, 'no-data': 0 },
  };
  return {
    ...base,
    lastAt: wallMs,
    parts: base.parts + 1,
    items: base.items + part.items,
    failed: base.failed + part.failed,
    cpuMs: base.cpuMs + part.cpuMs,
    bytes: base.bytes + part.bytes,
    verdicts: { ...base.verdicts, [part.ended]: base.verdicts[part.ended] + 1 },
  };
}

/** Of a store's value; none where it holds something else. */
function receiptsIn(kept: unknown): Receipt[] {
  const parsed = v.safeParse(keptSchema, kept ?? []);
  return parsed.success ? parsed.output : [];
}

/**
 * What a store holds under `receiptsKey`, with what was done `since` where nobody knew the store: to be added once only. The one that was
 * touched longest ago first; of what does not fit it goes. Pure.
 */
export function mergedReceipts(before: unknown, since: unknown): Receipt[] {
  const byJob = new Map(receiptsIn(before).map((receipt) => [receipt.job, receipt]));
  for (const late of receiptsIn(since)) {
    const old = byJob.get(late.job);
    byJob.delete(late.job);
    byJob.set(late.job, old === undefined ? late : sumOf(old, late));
  }
  return [...byJob.values()].slice(-receiptsMax);
}

const sumOf = (old: Receipt, late: Receipt): Receipt => ({
  ...old,
  lastAt: late.lastAt,
  parts: old.parts + late.parts,
  items: old.items + late.items,
  failed: old.failed + late.failed,
  cpuMs: old.cpuMs + late.cpuMs,
  bytes: old.bytes + late.bytes,
  verdicts: {
    finished: old.verdicts.finished + late.verdicts.finished,
    stopped: old.verdicts.stopped + late.verdicts.stopped,
    unloadable: old.verdicts.unloadable + late.verdicts.unloadable,
    died: old.verdicts.died + late.verdicts.died,
    'no-data': old.verdicts['no-data'] + late.verdicts['no-data'],
  },
});

export class Receipts {
  /** The one that was touched longest ago first. */
  readonly #byJob = new Map<string, Receipt>();
  #writing: Cancel | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly storage: Storage,
    private readonly complain: (message: string) => void,
  ) {}

  async recall(): Promise<void> {
    const kept = await this.storage.get('meta', receiptsKey);
    const since = [...this.#byJob.values()];
    this.#byJob.clear();
    for (const receipt of [...receiptsIn(kept.ok ? kept.value : undefined), ...since]) this.#byJob.set(receipt.job, receipt);
  }

  add(job: Pick<JobSummary, 'id' | 'manifest'>, part: PartDone): void {
    const next = withPart(this.#byJob.get(job.id), job, part, this.clock.wall());
    this.#byJob.delete(job.id);
    this.#byJob.set(job.id, next);
    if (this.#byJob.size > receiptsMax) this.#byJob.delete(this.#byJob.keys().next().value!);
    this.#writing ??= this.clock.after(writeEveryMs, () => {
      this.#writing = undefined;
      void this.#write();
    });
  }

  /** The latest first. */
  list(): Receipt[] {
    return [...this.#byJob.values()].toReversed();
  }

  /** What is not written yet is written now. */
  stop(): void {
    if (this.#writing === undefined) return;
    this.#writing();
    this.#writing = undefined;
    void this.#write();
  }

  async #write(): Promise<void> {
    const outcome = await this.storage.write([{ table: 'meta', key: receiptsKey, value: [...this.#byJob.values()] }]);
    if (!outcome.ok) this.complain(`what this machine did could not be written down: ${outcome.fault.message}`);
  }
}
