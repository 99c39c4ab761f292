// Several ways to the same thing, or to any few of many things, tried in order; the next is also tried when the one before is slow.
import type { Clock } from '../../platform.ts';

/**
 * The first value that is not undefined. `attempt` never rejects; the next starts when one fails, or `hedgeMs` after the last began.
 * undefined when all have failed.
 */
export async function firstOf<T, R>(
  clock: Clock,
  candidates: readonly T[],
  hedgeMs: number,
  attempt: (candidate: T) => Promise<R | undefined>,
): Promise<R | undefined> {
  const found = await firstDistinct(clock, 1, candidates, () => 0, hedgeMs, attempt);
  return found.get(0);
}

/**
 * Values for any `wanted` different keys. So many attempts run at once as keys are wanting, in the order of the candidates; one more when
 * one fails, and each time nothing has come for `hedgeMs`. `attempt` never rejects; undefined is a failure.
 * @returns at most `wanted` of them, fewer when all the rest have failed
 */
export function firstDistinct<T, R>(
  clock: Clock,
  wanted: number,
  candidates: readonly T[],
  keyOf: (candidate: T) => number,
  hedgeMs: number,
  attempt: (candidate: T) => Promise<R | undefined>,
): Promise<Map<number, R>> {
  return new Promise((resolve) => {
    const found = new Map<number, R>();
    const waiting = [...candidates];
    const running: number[] = [];
    let done = false;
    let cancelHedge = () => {};
    const isRunning = (key: number) => running.includes(key);
    const start = (candidate: T) => {
      const key = keyOf(candidate);
      waiting.splice(waiting.indexOf(candidate), 1);
      running.push(key);
      void attempt(candidate).then((value) => {
        running.splice(running.indexOf(key), 1);
        if (done) return;
        if (value !== undefined && !found.has(key)) found.set(key, value);
        go();
      });
    };
    const useful = (candidate: T) => !found.has(keyOf(candidate));
    /** One more than is needed: of a key nobody is being asked for, if there is one. */
    const hedge = () => {
      const next = waiting.find((candidate) => useful(candidate) && !isRunning(keyOf(candidate))) ?? waiting.find(useful);
      if (next !== undefined) start(next);
      watch();
    };
    const watch = () => {
      cancelHedge();
      if (waiting.some(useful)) cancelHedge = clock.after(hedgeMs, hedge);
    };
    const go = () => {
      const missing = () => wanted - found.size - new Set(running.filter((key) => !found.has(key))).size;
      while (found.size < wanted && missing() > 0) {
        const next = waiting.find((candidate) => useful(candidate) && !isRunning(keyOf(candidate)));
        if (next === undefined) break;
        start(next);
      }
      if (found.size < wanted && running.some((key) => !found.has(key))) return watch();
      done = true;
      cancelHedge();
      resolve(found);
    };
    go();
  });
}
