// Several ways to the same thing, tried in order; the next is also tried when the one before is slow.
import type { Clock } from '../../platform.ts';

/**
 * The first value that is not undefined. `attempt` never rejects; the next starts when one fails, or `hedgeMs` after the last began.
 * undefined when all have failed.
 */
export function firstOf<T, R>(
  clock: Clock,
  candidates: readonly T[],
  hedgeMs: number,
  attempt: (candidate: T) => Promise<R | undefined>,
): Promise<R | undefined> {
  return new Promise((resolve) => {
    let next = 0;
    let pending = 0;
    let done = false;
    let cancelHedge = () => {};
    const end = (value: R | undefined) => {
      done = true;
      cancelHedge();
      resolve(value);
    };
    const start = () => {
      cancelHedge();
      if (done) return;
      if (next >= candidates.length) {
        if (pending === 0) end(undefined);
        return;
      }
      pending++;
      void attempt(candidates[next++]!).then((value) => {
        pending--;
        if (done) return;
        if (value !== undefined) end(value);
        else start();
      });
      if (next < candidates.length) cancelHedge = clock.after(hedgeMs, start);
    };
    start();
  });
}
