// Reads a job's results: which event decided each item (ledger), the result blob it names (blocks), the value in it.
// What the submitter has been shown is pinned by an `accepted` event: it never changes again (rule 6).
import type { JobId, ObjectId } from '../kernel/lib/ids.ts';
import { decodeResultBlob, type ResultBlob } from '../kernel/lib/result-blob.ts';
import { decodeValue } from '../kernel/lib/value-codec.ts';
import { ledgerContract, type DecidedSpan } from '../kernel/protocol/contracts/ledger.ts';
import type { JobManifest } from '../kernel/protocol/job-manifest.ts';
import type { Bus } from '../kernel/service.ts';
import { LullError, valueOf } from './errors.ts';
import { itemInput } from './item-input.ts';
import { bytesOfObject } from './objects.ts';
import type { Result } from './types.ts';

const spansPerQuery = 1_000;
const blobsCachedMax = 32;
const spansPerAcceptance = 1_000;

export class ResultReader {
  readonly #blobs = new Map<ObjectId, Promise<ResultBlob>>();
  /** Events whose acceptance this reader has asked for: once is enough. */
  readonly #accepting = new Set<string>();

  constructor(
    private readonly bus: () => Bus,
    private readonly job: JobId,
    private readonly manifest: JobManifest,
  ) {}

  /** Decided spans that touch [from, end), ascending, clipped to it. */
  async spans(from: number, end: number): Promise<DecidedSpan[]> {
    const found: DecidedSpan[] = [];
    for (let at = from; at < end;) {
      const answer = valueOf(
        await this.bus().ask(ledgerContract, 'decisions', 'query', { job: this.job, from: at, max: spansPerQuery }),
        'The ledger did not answer',
      );
      const { spans } = answer.body;
      for (const span of spans) {
        const [first, last] = [Math.max(span.range[0], from), Math.min(span.range[1], end)];
        if (first < last) found.push({ ...span, range: [first, last] });
      }
      const lastEnd = spans.at(-1)?.range[1];
      if (spans.length < spansPerQuery || lastEnd === undefined) break;
      at = lastEnd;
    }
    return found;
  }

  /** The results of decided items in [from, end), in order; a span whose blob cannot be had now is left out and `missing` says so. */
  async read(from: number, end: number): Promise<{ results: Result[]; missing: string | null }> {
    const results: Result[] = [];
    const taken: DecidedSpan[] = [];
    let missing: string | null = null;
    for (const span of await this.spans(from, end)) {
      try {
        const blob = await this.#blob(span.result);
        for (let index = span.range[0]; index < span.range[1]; index++) results.push(await this.#result(blob, index, span));
        taken.push(span);
      } catch (error) {
        missing = error instanceof Error ? error.message : String(error);
      }
    }
    await this.#accept(taken);
    return { results, missing };
  }

  async #result(blob: ResultBlob, index: number, span: DecidedSpan): Promise<Result> {
    const at = index - blob.first;
    if (at < 0 || at >= blob.values.ends.length) throw new LullError('malformed', `The result object of item ${index} does not hold it.`);
    const by = [span.by];
    const tookMs = blob.tookMs[at]!;
    const error = blob.errors.find((entry) => entry.index === index);
    if (span.outcome === 'failed' || error !== undefined) {
      const { name, message, stack } = error ?? { name: 'Error', message: 'The item failed.', stack: '' };
      return { index, error: { name, message, stack, input: await itemInput(this.bus(), this.manifest, index) }, by, tookMs };
    }
    const bytes = blob.values.bytes.subarray(at === 0 ? 0 : blob.values.ends[at - 1]!, blob.values.ends[at]!);
    return { index, value: decodeValue(bytes), by, tookMs };
  }

  #blob(id: ObjectId): Promise<ResultBlob> {
    const known = this.#blobs.get(id);
    if (known !== undefined) return known;
    const reading = bytesOfObject(this.bus(), id).then((bytes) => {
      const blob = decodeResultBlob(bytes);
      if (blob === undefined) throw new LullError('malformed', 'A result object is not in the form of results.');
      return blob;
    });
    this.#blobs.set(id, reading);
    reading.catch(() => this.#blobs.delete(id));
    for (const oldest of this.#blobs.keys()) {
      if (this.#blobs.size <= blobsCachedMax) break;
      this.#blobs.delete(oldest);
    }
    return reading;
  }

  /** Only the submitter accepts. A refusal is no loss: the fold stands as it is and the next reading asks again. */
  async #accept(spans: readonly DecidedSpan[]): Promise<void> {
    const bus = this.bus();
    if (bus.self.identity !== this.manifest.submitter) return;
    const fresh = spans.filter((span) => !span.accepted && !this.#accepting.has(acceptanceKey(span)));
    for (let at = 0; at < fresh.length; at += spansPerAcceptance) {
      const some = fresh.slice(at, at + spansPerAcceptance);
      for (const span of some) this.#accepting.add(acceptanceKey(span));
      const body = { kind: 'accepted' as const, spans: some.map(({ range, event }) => ({ range, event })) };
      const outcome = await bus.ask(ledgerContract, 'events', 'create', { job: this.job, body });
      if (!outcome.ok) for (const span of some) this.#accepting.delete(acceptanceKey(span));
    }
  }
}

const acceptanceKey = (span: DecidedSpan) => `${span.event}/${span.range[0]}-${span.range[1]}`;

export const isFailure = (result: Result): result is Extract<Result, { error: unknown }> => 'error' in result;
