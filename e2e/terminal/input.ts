// Lines from a file or a pipe, gathered while something else goes on, and handed out in runs.
import { UsageError } from './arguments.ts';

/** Of one run. What waits beyond that is left in the pipe, so that its writer waits. */
const linesMax = 50_000;
const charsMax = 8 * 1024 * 1024;

export interface Run {
  readonly lines: readonly string[];
  /** There are no more. */
  readonly last: boolean;
}

export class GatheredLines {
  #lines: string[] = [];
  #chars = 0;
  #read = 0;
  #tail = '';
  #ended = false;
  #failure: unknown;
  #wake: () => void = () => undefined;
  #room: () => void = () => undefined;

  /** @param isText each line as it is; otherwise each is JSON, and empty ones are passed over */
  constructor(
    source: AsyncIterable<Uint8Array>,
    private readonly isText: boolean,
  ) {
    this.#gather(source).catch((error: unknown) => {
      this.#failure = error;
      this.#ended = true;
      this.#wake();
    });
  }

  /**
   * What there is when `settled` resolves, but no empty run unless it is the last; sooner where all has come, or as much as a run holds.
   * @throws UsageError for a line that is no JSON; what the source throws
   */
  async take(settled: Promise<void>): Promise<Run> {
    const patience = { over: false };
    void settled.then(() => {
      patience.over = true;
      this.#wake();
    });
    while (!this.#ended && !this.#isFull() && !(patience.over && this.#lines.length > 0))
      await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#failure !== undefined) throw this.#failure;
    const run = { lines: this.#lines, last: this.#ended };
    this.#lines = [];
    this.#chars = 0;
    this.#room();
    return run;
  }

  #isFull(): boolean {
    return this.#lines.length >= linesMax || this.#chars >= charsMax;
  }

  async #gather(source: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const decoded = (chunk?: Uint8Array) => {
      try {
        return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
      } catch {
        throw new UsageError('The input is no UTF-8 text.');
      }
    };
    for await (const chunk of source) {
      const lines = (this.#tail + decoded(chunk)).split('\n');
      this.#tail = lines.pop()!;
      for (const line of lines) this.#add(line);
      this.#wake();
      while (this.#isFull()) await new Promise<void>((resolve) => (this.#room = resolve));
    }
    this.#tail += decoded();
    if (this.#tail !== '') this.#add(this.#tail);
    this.#ended = true;
    this.#wake();
  }

  #add(given: string): void {
    const line = given.endsWith('\r') ? given.slice(0, -1) : given;
    this.#read++;
    if (!this.isText) {
      if (line.trim() === '') return;
      try {
        JSON.parse(line);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new UsageError(`Line ${this.#read} is no JSON (${why}). With --lines each line is taken as a text.`);
      }
    }
    this.#lines.push(line);
    this.#chars += line.length;
  }
}

/**
 * How long to gather before the next run, `elapsedMs` after the first. A job takes 2 000 appends: at one a second and later one each
 * 150th of the time gone by, they last longer than a job may live.
 */
export const gatherMs = (elapsedMs: number): number => Math.max(1_000, elapsedMs / 150);
