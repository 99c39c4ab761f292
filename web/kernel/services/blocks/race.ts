// Several ways to the same thing, or to any few of many things, tried in order; the next is also tried when the one before is slow.
import type { Clock } from '../../platform.ts';

/** Whether another attempt beside those that are `running` could help, now that nothing has come for `waitedMs`. Never rejects. */
export type MayHedge<T> = (running: readonly T[], waitedMs: number) => Promise<boolean>;

/**
 * The first value that is not undefined. `attempt` never rejects; the next starts when one fails, or `hedgeMs` after the last began.
 * undefined when all have failed.
 */
export async function firstOf<T, R>(
  clock: Clock,
  candidates: readonly T[],
  hedgeMs: number,
  attempt: (candidate: T) => Promise<R | undefined>,
  mayHedge?: MayHedge<T>,
): Promise<R | undefined> {
  const found = await firstDistinct(clock, 1, candidates, () => 0, hedgeMs, attempt, mayHedge);
  return found.get(0);
}

/**
 * Values for any `wanted` different keys. So many attempts run at once as keys are wanting, in the order of the candidates; one more when
 * one fails, and each time nothing has come for `hedgeMs` and `mayHedge` has no objection. `attempt` never rejects; undefined is a failure.
 * @returns at most `wanted` of them, fewer when all the rest have failed
 */
export function firstDistinct<T, R>(
  clock: Clock,
  wanted: number,
  candidates: readonly T[],
  keyOf: (candidate: T) => number,
  hedgeMs: number,
  attempt: (candidate: T) => Promise<R | undefined>,
  mayHedge: MayHedge<T> = always,
): Promise<Map<number, R>> {
  return new Promise((resolve) => {
    const found = new Map<number, R>();
    const waiting = [...candidates];
    const running: T[] = [];
    let done = false;
    let periods = 0;
    let waitsSince = clock.now();
    let cancelHedge = () => {};
    const isRunning = (key: number) => running.some((candidate) => keyOf(candidate) === key);
    const start = (candidate: T) => {
      const key = keyOf(candidate);
      waiting.splice(waiting.indexOf(candidate), 1);
      running.push(candidate);
      void attempt(candidate).then((value) => {
        running.splice(running.indexOf(candidate), 1);
        if (done) return;
        if (value !== undefined && !found.has(key)) found.set(key, value);
        go();
      });
    };
    const useful = (candidate: T) => !found.has(keyOf(candidate));
    /** One more than is needed: of a key nobody is being asked for, if there is one. */
    const hedge = async () => {
      const period = periods;
      const helps = await mayHedge([...running], clock.now() - waitsSince);
      // Something has come meanwhile, and begun a new wait.
      if (done || period !== periods) return;
      if (!helps) return watchAgain();
      const next = waiting.find((candidate) => useful(candidate) && !isRunning(keyOf(candidate))) ?? waiting.find(useful);
      if (next !== undefined) start(next);
      watch();
    };
    const watch = () => {
      waitsSince = clock.now();
      watchAgain();
    };
    const watchAgain = () => {
      periods++;
      cancelHedge();
      if (waiting.some(useful)) cancelHedge = clock.after(hedgeMs, () => void hedge());
    };
    const go = () => {
      const missing = () => wanted - found.size - new Set(running.map(keyOf).filter((key) => !found.has(key))).size;
      while (found.size < wanted && missing() > 0) {
        const next = waiting.find((candidate) => useful(candidate) && !isRunning(keyOf(candidate)));
        if (next === undefined) break;
        start(next);
      }
      if (found.size < wanted && running.some(useful)) return watch();
      done = true;
      cancelHedge();
      resolve(found);
    };
    go();
  });
}

const always = () => Promise.resolve(true);
