// What is read of a job as it comes.
import { ItemError, LullError } from './errors.ts';
import type { Job, Result } from './types.ts';

/** A loop over a job that failed before it gave anything would end as if there had been nothing to do. @throws LullError 'job-ended' with the reason */
export async function* orItsReason(job: Pick<Job, 'state' | 'reason'>, results: AsyncIterable<Result>): AsyncGenerator<Result, void> {
  let came = false;
  for await (const result of results) {
    came = true;
    yield result;
  }
  if (!came && job.state === 'failed') throw new LullError('job-ended', job.reason || 'The job failed.');
}

/** In input order. @throws ItemError at the first failed item; LullError 'job-ended' where the job ended before all were decided */
export async function foldValues<A>(
  job: Pick<Job, 'state' | 'reason'> & AsyncIterable<Result>,
  step: (before: A, value: unknown, index: number) => A,
  initial: A,
): Promise<A> {
  let sum = initial;
  for await (const result of job) {
    if ('error' in result) throw new ItemError(result.index, result.error);
    sum = step(sum, result.value, result.index);
  }
  if (job.state === 'failed' || job.state === 'cancelled') throw new LullError('job-ended', job.reason || `The job is ${job.state}.`);
  return sum;
}
