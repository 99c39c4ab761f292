// Whose job this tab serves next. Pure: submitters take turns, each submitter's own jobs go by priority, then by age.
import type { IdentityId, JobId } from '../../lib/ids.ts';

export interface Wanting {
  readonly id: JobId;
  readonly submitter: IdentityId;
  readonly priority: number;
  /** By the submitter's clock: orders only its own jobs. */
  readonly createdAt: number;
}

export interface Served {
  /** Milliseconds of this tab's workers that went to this submitter lately, with those its functions in hand will take. */
  readonly loadMs: number;
  /** When one of its functions was last taken here; earlier goes first. */
  readonly lastAt: number;
}

const nothing: Served = { loadMs: 0, lastAt: -Infinity };

/** Jobs in order of preference: of whom the least was done here, then who waited longest; the rest follows in turn. */
export function orderJobs(jobs: readonly Wanting[], served: ReadonlyMap<IdentityId, Served>): JobId[] {
  const bySubmitter = new Map<IdentityId, Wanting[]>();
  for (const job of jobs) bySubmitter.set(job.submitter, [...(bySubmitter.get(job.submitter) ?? []), job]);
  return [...bySubmitter]
    .map(([submitter, own]) => ({ submitter, own, ...(served.get(submitter) ?? nothing) }))
    .toSorted((a, b) => a.loadMs - b.loadMs || compare(a.lastAt, b.lastAt) || compare(a.submitter, b.submitter))
    .flatMap(({ own }) => own.toSorted((a, b) => b.priority - a.priority || a.createdAt - b.createdAt || compare(a.id, b.id)))
    .map(({ id }) => id);
}

/** What was done longer ago counts less: half after this. Nobody who pauses saves up for later, nobody is punished for long. */
const halfLifeMs = 3_000;
/** What a function is taken to cost before one of its submitter has ended here. */
const functionMsGuess = 100;
const submittersMax = 1_024;

/** Whom this tab served how much. Time counts, not functions: they differ in size. */
export class ServiceRecord {
  readonly #of = new Map<IdentityId, { usedMs: number; at: number; functionMs: number; inHand: number; lastAt: number }>();

  took(submitter: IdentityId, now: number): void {
    const one = this.#at(submitter, now);
    one.inHand++;
    one.lastAt = now;
  }

  ended(submitter: IdentityId, now: number, tookMs: number): void {
    const one = this.#at(submitter, now);
    one.inHand = Math.max(0, one.inHand - 1);
    one.usedMs += tookMs;
    if (tookMs > 0) one.functionMs = tookMs;
  }

  read(now: number): Map<IdentityId, Served> {
    return new Map(
      [...this.#of.keys()].map((submitter) => {
        const { usedMs, functionMs, inHand, lastAt } = this.#at(submitter, now);
        return [submitter, { loadMs: usedMs + inHand * functionMs, lastAt }];
      }),
    );
  }

  #at(submitter: IdentityId, now: number) {
    let one = this.#of.get(submitter);
    if (one === undefined) {
      one = { usedMs: 0, at: now, functionMs: functionMsGuess, inHand: 0, lastAt: -Infinity };
      this.#of.set(submitter, one);
      if (this.#of.size > submittersMax) this.#forgetOneBeside(submitter);
    }
    one.usedMs *= 2 ** ((one.at - now) / halfLifeMs);
    one.at = now;
    return one;
  }

  #forgetOneBeside(submitter: IdentityId): void {
    for (const [id, { inHand }] of this.#of) {
      if (inHand > 0 || id === submitter) continue;
      this.#of.delete(id);
      return;
    }
  }
}

const compare = <T extends string | number>(a: T, b: T) => (a < b ? -1 : a > b ? 1 : 0);
