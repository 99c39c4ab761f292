// PeerServer starts two timers that arm themselves again for ever and gives no way to stop them. While its code runs in
// here, `setTimeout` is ours: it remembers the timers, and those that their callbacks arm, and arms none once stopped.
// All of it is synchronous, so no other code ever sees the exchange.

export class StoppableTimers {
  readonly #armed = new Set<NodeJS.Timeout>();
  #stopped = false;

  /** Runs `work`, which must be synchronous, with its timers held. */
  hold<T>(work: () => T): T {
    const real = globalThis.setTimeout;
    const held = (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): NodeJS.Timeout => {
      const timer = real(() => {
        this.#armed.delete(timer);
        this.hold(() => run(...args));
      }, ms);
      if (this.#stopped) clearTimeout(timer);
      else this.#armed.add(timer);
      return timer;
    };
    globalThis.setTimeout = held as unknown as typeof setTimeout;
    try {
      return work();
    } finally {
      globalThis.setTimeout = real;
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#armed) clearTimeout(timer);
    this.#armed.clear();
  }
}
