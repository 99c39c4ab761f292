// A job's results on their way to an embedding page: as many as it asks for, no further ahead than one.
import type { Clock } from '../kernel/platform.ts';
import type { Result } from '../sdk/types.ts';

/** How long the first results of an answer wait for company. */
const companyMs = 5;
/** About so many bytes of values a message; one value may be larger. */
const bytesPerMessage = 1024 * 1024;

export class ResultStream {
  #next: Promise<IteratorResult<Result, unknown>> | undefined;
  #pulling = false;

  constructor(
    private readonly iterator: AsyncIterator<Result, unknown>,
    private readonly clock: Clock,
  ) {}

  /** True while an answer is under way: there is one at a time. */
  get pulling(): boolean {
    return this.#pulling;
  }

  /** At least one result, unless it is over. Rejects as the job does. */
  async pull(max: number): Promise<{ results: Result[]; over: boolean }> {
    this.#pulling = true;
    try {
      const first = await this.#ahead();
      this.#next = undefined;
      if (first.done === true) return { results: [], over: true };
      const results = [first.value];
      let bytes = roughBytes(first.value, bytesPerMessage);
      const until = this.clock.now() + companyMs;
      while (results.length < max && bytes < bytesPerMessage) {
        const next = await this.#within(until - this.clock.now());
        if (next === undefined) break;
        this.#next = undefined;
        if (next.done === true) return { results, over: true };
        results.push(next.value);
        bytes += roughBytes(next.value, bytesPerMessage);
      }
      return { results, over: false };
    } finally {
      this.#pulling = false;
    }
  }

  /** Resolves when the reading has ended: not before what it waits for has come. */
  async shut(): Promise<void> {
    this.#next?.catch(() => undefined);
    await Promise.resolve(this.iterator.return?.()).catch(() => undefined);
  }

  #ahead(): Promise<IteratorResult<Result, unknown>> {
    return (this.#next ??= this.iterator.next());
  }

  async #within(ms: number): Promise<IteratorResult<Result, unknown> | undefined> {
    let cancel = () => {};
    const late = new Promise<undefined>((resolve) => {
      cancel = this.clock.after(Math.max(0, ms), () => resolve(undefined));
    });
    const ahead = this.#ahead();
    // Where it is late, the next pull waits for it and hears what became of it.
    ahead.catch(() => undefined);
    try {
      return await Promise.race([ahead, late]);
    } finally {
      cancel();
    }
  }
}

/** The size of a value as it would be sent, within a factor of a few; counting ends at `max`. */
export function roughBytes(value: unknown, max: number): number {
  let bytes = 0;
  const left: unknown[] = [value];
  // What waits to be counted has eight bytes at least, each.
  while (left.length > 0 && bytes + 8 * left.length < max) {
    const one = left.pop();
    bytes += 8;
    if (typeof one === 'string') bytes += one.length;
    else if (ArrayBuffer.isView(one) || one instanceof ArrayBuffer) bytes += one.byteLength;
    else if (Array.isArray(one) && one.length * 8 > max) return max;
    else if (one instanceof Map) for (const [key, entry] of one) left.push(key, entry);
    else if (Array.isArray(one) || one instanceof Set) for (const entry of one) left.push(entry);
    else if (typeof one === 'object' && one !== null) for (const [key, entry] of Object.entries(one)) left.push(key, entry);
  }
  return Math.min(max, bytes + 8 * left.length);
}
