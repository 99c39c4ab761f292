/** What this needs of a clock. */
interface Timer {
  after(ms: number, run: () => void): () => void;
}

/** Until `work` is done, or `ms` have passed: it goes on then. Rejects where `work` does before. */
export function atMost(clock: Timer, ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, resolve);
    void work.then(resolve, reject).finally(cancel);
  });
}
