// Slices of one segment go to several holders side by side, and whoever put it waits for all: one whose line is slow, or who takes a byte at a
// time, would hold up every put of the group.
import type { Clock } from '../../platform.ts';
import { failure, type Outcome } from '../../lib/outcome.ts';

export class Stragglers {
  readonly #beganAt: number;
  #left: number;
  #late: (() => void) | undefined;
  readonly #over: Promise<Outcome<never>>;

  /** @param graceMs that a delivery has at least when half of the `count` are through; else as long again as those took */
  constructor(
    private readonly clock: Clock,
    private readonly count: number,
    private readonly graceMs: number,
  ) {
    this.#beganAt = clock.now();
    this.#left = count;
    this.#over = new Promise((resolve) => {
      this.#late = () => resolve(failure('too-late', 'That member takes much longer than others.'));
    });
  }

  /** What the delivery comes to, or 'too-late' where half of the others have long been through. */
  async first<T>(delivery: Promise<Outcome<T>>): Promise<Outcome<T>> {
    const outcome = await Promise.race([delivery, this.#over]);
    if (outcome.ok) this.#through();
    return outcome;
  }

  #through(): void {
    this.#left--;
    if (2 * this.#left > this.count || this.#late === undefined) return;
    const late = this.#late;
    this.#late = undefined;
    if (this.#left > 0) this.clock.after(Math.max(this.graceMs, this.clock.now() - this.#beganAt), late);
  }
}
