/** What this needs of a clock. */
interface Timer {
  after(ms: number, run: () => void): () => void;
}

/** Until `work` is done, or `ms` have passed: `late` is told then, and the work goes on. Rejects where it does before. */
export function atMost(clock: Timer, ms: number, work: Promise<void>, late?: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => {
      late?.();
      resolve();
    });
    void work.then(resolve, reject).finally(cancel);
  });
}
