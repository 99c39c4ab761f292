// Those who want to hear of a change.
import { LullError } from './errors.ts';

/** One of them that throws is the page's own mistake: it goes where the page's errors go, and the others hear all the same. */
export class Listeners {
  readonly #all = new Set<() => void>();

  get size(): number {
    return this.#all.size;
  }

  /** @throws LullError 'bad-input' */
  add(listener: () => void): void {
    if (typeof listener !== 'function') throw new LullError('bad-input', 'subscribe takes a function.');
    this.#all.add(listener);
  }

  delete(listener: () => void): void {
    this.#all.delete(listener);
  }

  tell(): void {
    for (const listener of this.#all) {
      try {
        listener();
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
