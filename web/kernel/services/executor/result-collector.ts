// Puts the results of a run together: one blob for each run of consecutive items of one part of the input, cut where it grows too
// large to travel well.
import { concatBytes } from '../../lib/bytes.ts';
import type { EventId } from '../../lib/ids.ts';
import { encodeResultBlob, type ItemError, type ItemLog } from '../../lib/result-blob.ts';
import { logBytesPerFunctionMax } from '../../limits.ts';
import type { SandboxResults } from '../../protocol/sandbox.ts';
import type { Range } from '../../protocol/schemas.ts';

/** With one more item (resultItemBytes) and the head it still fits a segment. */
export const blobBytesMax = 4 * 1024 * 1024;
const blobErrorsMax = 2_048;
const logsMax = 1_000;

export interface CollectedBlob {
  readonly range: Range;
  /** Of the input that the items were read from. */
  readonly part: EventId | null;
  readonly failed: readonly Range[];
  readonly tookMs: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export class ResultCollector {
  readonly #done: CollectedBlob[] = [];
  #part: EventId | null = null;
  #parts: SandboxResults[] = [];
  #first = 0;
  #next = 0;
  #size = 0;
  #errors: ItemError[] = [];
  /** Of items whose blob is not cut yet; those of an item that is run again stay, for they may say why. */
  #logs: ItemLog[] = [];
  #logsLeft = { lines: logsMax, chars: logBytesPerFunctionMax };
  /** Items that have an outcome. */
  items = 0;
  /** Bytes of all results so far. */
  bytes = 0;

  /** What is added from now on was read from this part. */
  begin(part: EventId | null): void {
    if (part !== this.#part) this.#cut();
    this.#part = part;
  }

  add(results: SandboxResults): void {
    let at = 0;
    let end = 0;
    let size = 0;
    let errors = 0;
    const count = results.ends.length;
    const failedAt = new Map(results.errors.map((error) => [error.index - results.first, error]));
    const close = () => {
      if (end > at) this.#take(part(results, at, end), size);
      at = end;
      size = errors = 0;
    };
    for (; end < count; end++) {
      const error = failedAt.get(end);
      const bytes = results.ends[end]! - (end === 0 ? 0 : results.ends[end - 1]!) + 8 + (error === undefined ? 0 : errorBytes(error));
      const continues = results.first + at === this.#next && this.#parts.length > 0;
      const held = continues ? this.#size : 0;
      const failures = continues ? this.#errors.length : 0;
      if (held + size > 0 && (held + size + bytes > blobBytesMax || failures + errors + 1 > blobErrorsMax)) {
        close();
        this.#cut();
      }
      size += bytes;
      if (error !== undefined) errors++;
    }
    close();
  }

  /** An item that gets no result, for a reason found outside the code. */
  fail(error: ItemError, tookMs: number): void {
    this.add({ first: error.index, bytes: new Uint8Array(0), ends: Uint32Array.of(0), tookMs: Float32Array.of(tookMs), errors: [error] });
  }

  /** A line of an item in hand. What is too much is left out: chatter never costs results. */
  log(index: number, text: string): void {
    const left = this.#logsLeft;
    if (left.lines <= 0 || left.chars < text.length) return;
    left.lines--;
    left.chars -= text.length;
    this.#logs.push({ index, text });
  }

  get blobs(): number {
    return this.#done.length + (this.#parts.length > 0 ? 1 : 0);
  }

  /** All blobs, in order of arrival. The collector is empty afterwards. */
  finish(): readonly CollectedBlob[] {
    this.#cut();
    return this.#done.splice(0);
  }

  #take(results: SandboxResults, size: number): void {
    if (results.first !== this.#next) this.#cut();
    if (this.#parts.length === 0) this.#first = results.first;
    this.#parts.push(results);
    this.#errors.push(...results.errors);
    this.#next = results.first + results.ends.length;
    this.#size += size;
    this.items += results.ends.length;
    this.bytes += size;
  }

  #cut(): void {
    if (this.#parts.length === 0) return;
    const count = this.#next - this.#first;
    const ends = new Uint32Array(count);
    const took = new Float32Array(count);
    let item = 0;
    let base = 0;
    for (const { ends: partEnds, tookMs, bytes } of this.#parts) {
      took.set(tookMs, item);
      for (const end of partEnds) ends[item++] = base + end;
      base += bytes.length;
    }
    const values = { ends, bytes: concatBytes(this.#parts.map((results) => results.bytes)) };
    const logs = this.#logs.filter(({ index }) => index >= this.#first && index < this.#next);
    this.#logs = this.#logs.filter(({ index }) => index < this.#first || index >= this.#next);
    this.#done.push({
      range: [this.#first, this.#next],
      part: this.#part,
      failed: rangesOf(this.#errors),
      tookMs: took.reduce((sum, ms) => sum + ms, 0),
      bytes: encodeResultBlob({ first: this.#first, values, tookMs: took, errors: this.#errors, logs }),
    });
    this.#parts = [];
    this.#errors = [];
    this.#size = 0;
  }
}

const errorBytes = (error: ItemError) => 32 + 3 * (error.name.length + error.message.length + error.stack.length);

/** Items [at, end) of a batch. */
function part(results: SandboxResults, at: number, end: number): SandboxResults {
  if (at === 0 && end === results.ends.length) return results;
  const from = at === 0 ? 0 : results.ends[at - 1]!;
  return {
    first: results.first + at,
    bytes: results.bytes.subarray(from, results.ends[end - 1]!),
    ends: results.ends.slice(at, end).map((value) => value - from),
    tookMs: results.tookMs.subarray(at, end),
    errors: results.errors.filter(({ index }) => index >= results.first + at && index < results.first + end),
  };
}

/** Consecutive indices as ranges; `errors` are ascending. */
function rangesOf(errors: readonly ItemError[]): Range[] {
  const ranges: [number, number][] = [];
  for (const { index } of errors) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === index) last[1]++;
    else ranges.push([index, index + 1]);
  }
  return ranges;
}
