// The jobs an embedding page may touch: those of its own identity. Everybody else's might as well not be there.
import { LullError } from '../sdk/errors.ts';
import type { JobKey } from '../sdk/remote/port-protocol.ts';
import type { Job, Lull } from '../sdk/types.ts';
import type { MirroredJob } from './mirror.ts';

export class OwnJobs {
  /** Those this connection started, by the page's number. */
  readonly #started = new Map<number, Job>();
  readonly #keys = new WeakMap<Job, number>();

  constructor(private readonly lull: Lull) {}

  has(key: number): boolean {
    return this.#started.has(key);
  }

  started(key: number, job: Job): void {
    this.#started.set(key, job);
    this.#keys.set(job, key);
  }

  forget(key: number): void {
    this.#started.delete(key);
  }

  /** @throws LullError 'not-found' for whatever is not this identity's */
  of(key: JobKey): Job {
    const job = typeof key === 'number' ? this.#started.get(key) : this.lull.job(key);
    if (job === undefined || !this.owns(job)) throw new LullError('not-found', 'This page has no such job: find(id) asks the network.');
    return job;
  }

  owns(job: Job): boolean {
    return job.submitter === this.lull.self.identity;
  }

  mirrored(job: Job): MirroredJob {
    return { job, key: this.#keys.get(job) ?? null };
  }

  all(): MirroredJob[] {
    const jobs = new Set([...this.lull.jobs(), ...this.#started.values()]);
    return [...jobs].map((job) => this.mirrored(job));
  }
}
