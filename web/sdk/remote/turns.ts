// So many at once; whoever comes later waits, first come first served.
import { LullError } from '../errors.ts';

const waitingMax = 100_000;

export class Turns {
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly atOnceMax: number) {}

  /** Resolves when it is one's turn, with what ends it. @throws LullError 'overloaded' where too many wait */
  async enter(): Promise<() => void> {
    if (this.#inside >= this.atOnceMax) {
      if (this.#waiting.length >= waitingMax) throw new LullError('overloaded', `More than ${waitingMax} calls wait already.`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#inside++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      // Whoever is next takes the place over.
      const next = this.#waiting.shift();
      if (next === undefined) this.#inside--;
      else next();
    };
  }
}
