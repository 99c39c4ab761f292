// Tells subscribers what changed: decisions at once, jobs that come or end almost, and how far they are at most every `jobsPublishEveryMs`.
import type { JobId } from '../../lib/ids.ts';
import { jobsPublishEveryMs } from '../../limits.ts';
import type { Cancel, Platform } from '../../platform.ts';
import type { JobSummary, ledgerContract } from '../../protocol/contracts/ledger.ts';
import type { Range } from '../../protocol/schemas.ts';
import type { ServiceContext } from '../../service.ts';
import type { Book } from './book.ts';
import type { JobLog } from './job-log.ts';

/** The contract's bound on runs in one publication. */
const rangesMax = 10_000;
/** A job that has come or ended: somebody waits for that. Still, what comes together is told together, and a long list less often. */
const newsEveryMs = (jobs: number) => Math.min(jobsPublishEveryMs, Math.max(20, jobs / 20));
/** While something is decided the rate changes by itself. */
const rateEveryMs = 1_000;

export class Publisher {
  readonly #summaries = new Map<JobId, JobSummary>();
  readonly #changed = new Set<JobId>();
  #order: JobId[] | undefined;
  #cancel: Cancel | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(
    private readonly platform: Platform,
    private readonly publish: ServiceContext<typeof ledgerContract>['publish'],
    private readonly book: Book,
  ) {}

  changed(log: JobLog, decided: readonly Range[], endedNow: boolean): void {
    if (this.#stopped) return;
    this.#changed.add(log.id);
    const isNew = !this.#summaries.has(log.id);
    if (isNew) this.#order = undefined;
    const { ended } = log;
    for (let at = 0; at < decided.length || (endedNow && at === 0); at += rangesMax) {
      const ranges = decided.slice(at, at + rangesMax).map(([first, end]): [number, number] => [first, end]);
      this.publish('decided', { job: log.id, ranges, ended });
    }
    this.#soon(isNew || endedNow ? newsEveryMs(this.book.size) : jobsPublishEveryMs);
  }

  dropped(job: JobId): void {
    this.#summaries.delete(job);
    this.#changed.delete(job);
    this.#order = undefined;
    if (!this.#stopped) this.#soon(jobsPublishEveryMs);
  }

  /** All jobs, newest first. */
  jobs(): JobSummary[] {
    const nowMs = this.platform.clock.now();
    for (const log of this.book.logs()) {
      const known = this.#summaries.get(log.id);
      if (known === undefined || this.#changed.has(log.id) || known.ratePerSecond > 0) this.#summaries.set(log.id, summaryOf(log, nowMs));
    }
    this.#changed.clear();
    if (this.#order?.length !== this.#summaries.size) {
      const newestFirst = (a: JobSummary, b: JobSummary) => b.manifest.createdAt - a.manifest.createdAt || (a.id < b.id ? -1 : 1);
      this.#order = [...this.#summaries.values()].toSorted(newestFirst).map((summary) => summary.id);
    }
    return this.#order.map((id) => this.#summaries.get(id)!);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  start(): void {
    this.#stopped = false;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#soon(0);
  }

  /** At `everyMs` after the last publication, at once where that has passed; an earlier appointment stands. */
  #soon(everyMs: number): void {
    const nowMs = this.platform.clock.now();
    const dueMs = Math.max(nowMs, this.#lastMs + everyMs);
    if (dueMs >= this.#dueMs) return;
    this.#cancel?.();
    this.#dueMs = dueMs;
    this.#cancel = this.platform.clock.after(dueMs - nowMs, () => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#lastMs = this.platform.clock.now();
      const jobs = this.jobs();
      this.publish('jobs', { jobs });
      if (jobs.some((job) => job.ratePerSecond > 0)) this.#soon(rateEveryMs);
    });
  }
}

function summaryOf(log: JobLog, nowMs: number): JobSummary {
  const { fold } = log;
  return {
    id: log.id,
    manifest: log.manifest,
    state: log.denial === undefined ? fold.state : 'failed',
    reason: log.denial ?? fold.reason,
    items: fold.items,
    open: fold.open,
    parts: fold.parts.length,
    tail: fold.tail,
    committed: fold.committed,
    failed: fold.failed,
    priority: fold.settings.priority,
    home: fold.settings.home,
    ratePerSecond: log.rate.perSecond(nowMs),
    endedAt: log.endedAt,
    events: log.size,
  };
}
