// Jobs that this tab leaves alone for a while, because something of them went wrong here.
import type { JobId } from '../../lib/ids.ts';
import type { Clock } from '../../platform.ts';
import type { LeftAlone } from './exclusion.ts';

const restMsMin = 1_000;
const restMsMax = 30_000;

interface Rest {
  readonly until: number;
  /** How often in a row. */
  readonly times: number;
  readonly code: LeftAlone;
  /** For the person at this machine. */
  readonly why: string;
}

export class Resting {
  readonly #rests = new Map<JobId, Rest>();

  constructor(private readonly clock: Clock) {}

  /** Longer each time in a row. */
  leave(job: JobId, code: LeftAlone, why: string): void {
    const times = (this.#rests.get(job)?.times ?? 0) + 1;
    this.leaveFor(job, Math.min(restMsMax, restMsMin * 2 ** (times - 1)), times, code, why);
  }

  leaveFor(job: JobId, ms: number, times: number, code: LeftAlone, why: string): void {
    this.#rests.set(job, { until: this.clock.now() + ms, times, code, why: why.slice(0, 200) });
  }

  /** Something of it went well. */
  end(job: JobId): void {
    this.#rests.delete(job);
  }

  forgetAllBut(known: { has(job: JobId): boolean }): void {
    for (const job of this.#rests.keys()) if (!known.has(job)) this.#rests.delete(job);
  }

  /** undefined where the job is not left alone now. */
  of(job: JobId): Rest | undefined {
    const rest = this.#rests.get(job);
    return rest === undefined || this.clock.now() >= rest.until ? undefined : rest;
  }
}
