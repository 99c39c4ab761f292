// Choices drawn from one seed.
import { seededRandom } from '../kernel/testing/seeded-random.ts';

export class Draw {
  readonly #random;

  constructor(seed: string) {
    this.#random = seededRandom(seed);
  }

  /** In [0, 1). */
  fraction(): number {
    return this.#random.fraction();
  }

  chance(share: number): boolean {
    return this.fraction() < share;
  }

  /** A whole number in [low, high]. */
  int(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!;
  }

  shuffled<T>(list: readonly T[]): T[] {
    const left = [...list];
    return list.map(() => left.splice(this.int(0, left.length - 1), 1)[0]!);
  }

  /** `count` different ones of the numbers below `all`, in any order. */
  shuffledSome(all: number, count: number): number[] {
    const numbers = Array.from({ length: all }, (_, i) => i);
    for (let i = 0; i < count; i++) {
      const other = this.int(i, all - 1);
      [numbers[i], numbers[other]] = [numbers[other]!, numbers[i]!];
    }
    return numbers.slice(0, count);
  }

  /** Heavy-tailed (Pareto, exponent 1.3): mostly near 0, now and then up to `most`. */
  heavyTail(most: number): number {
    return Math.min(most, 0.05 * (Math.pow(1 - this.fraction(), -1 / 1.3) - 1));
  }

  hex(digits: number): string {
    return Array.from({ length: digits }, () => this.int(0, 15).toString(16)).join('');
  }
}
