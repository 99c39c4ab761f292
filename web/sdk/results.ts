// Reads a job's results: which event decided each item (ledger), the result blob it names (blocks), the value in it.
// What the submitter has been shown is pinned by an `accepted` event: it never changes again (rule 6).
import { concatBytes } from '../kernel/lib/bytes.ts';
import type { JobId, ObjectId } from '../kernel/lib/ids.ts';
import { RangeMap } from '../kernel/lib/ranges.ts';
import { decodeResultBlob, type ResultBlob } from '../kernel/lib/result-blob.ts';
import { decodeValue } from '../kernel/lib/value-codec.ts';
import { bufferBytesMax, slowLineMsMax } from '../kernel/limits.ts';
import { blocksContract } from '../kernel/protocol/contracts/blocks.ts';
import { ledgerContract, type DecidedSpan } from '../kernel/protocol/contracts/ledger.ts';
import { acceptedSpansMax } from '../kernel/protocol/event.ts';
import type { JobManifest } from '../kernel/protocol/job-manifest.ts';
import type { Bus } from '../kernel/service.ts';
import { valueOf } from './errors.ts';
import { itemInput } from './item-input.ts';
import { manifestOf } from './objects.ts';
import type { Result } from './types.ts';

const spansPerQuery = 1_000;
const blobsCachedMax = 32;
/** Result objects fetched at once while results are read in order: each takes a trip or two to whoever keeps it. */
const blobsAhead = 8;
/** What a function gives at once is far smaller; whoever names more only wants this page's memory. */
const resultBlobBytesMax = bufferBytesMax;

export class ResultReader {
  /** undefined where the object is no result blob: that never changes. */
  readonly #blobs = new Map<ObjectId, Promise<ResultBlob | undefined>>();
  /** Events whose acceptance this reader has asked for: once is enough. */
  readonly #accepting = new Set<string>();
  /** What is being shown and not accepted yet: two readings at once must not show, and accept, two outcomes of one item. */
  readonly #showing = new RangeMap<DecidedSpan>();

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

  /**
   * The results of decided items in [from, end), in order; a span whose blob cannot be had now is left out and `missing` says so. What
   * was stored in a form that cannot be read is an item's error: waiting would not change it.
   */
  async read(from: number, end: number): Promise<{ results: Result[]; missing: string | null }> {
    const results: Result[] = [];
    const taken: DecidedSpan[] = [];
    let missing: string | null = null;
    const shown = this.#shown(await this.spans(from, end), from, end);
    for (const [i, span] of shown.entries()) {
      for (const { result } of shown.slice(i, i + blobsAhead)) void this.#blob(result);
      let blob: ResultBlob | undefined;
      try {
        blob = await this.#blob(span.result);
      } catch (error) {
        missing = error instanceof Error ? error.message : String(error);
        continue;
      }
      for (let index = span.range[0]; index < span.range[1]; index++) {
        const result = blob === undefined ? undefined : await this.#result(blob, index, span);
        results.push(result ?? (await this.#unreadable(index, span)));
        if (result === undefined) continue;
        const last = taken.at(-1);
        if (last?.event === span.event && last.accepted === span.accepted && last.range[1] === index)
          last.range = [last.range[0], index + 1];
        else taken.push({ ...span, range: [index, index + 1] });
      }
    }
    await this.#accept(taken);
    for (const { range } of shown) this.#showing.delete(...range);
    return { results, missing };
  }

  /** `spans`, but with what another reading is just showing in its place. */
  #shown(spans: readonly DecidedSpan[], from: number, end: number): DecidedSpan[] {
    for (const span of spans) this.#showing.update(...span.range, (known) => (span.accepted ? span : (known ?? span)));
    return [...this.#showing.entries(from, end)].map(({ first, end: last, value }) => ({ ...value, range: [first, last] }));
  }

  /** undefined where the blob does not hold the item, or holds something else than a value. */
  async #result(blob: ResultBlob, index: number, span: DecidedSpan): Promise<Result | undefined> {
    const at = index - blob.first;
    if (at < 0 || at >= blob.values.ends.length) return undefined;
    const by = [span.by];
    // Half as many digits travel as a number here has: the rest would be noise.
    const tookMs = Math.round(1_000 * amountOf(blob.tookMs[at]!)) / 1_000;
    const error = blob.errors.find((entry) => entry.index === index);
    const lines = blob.logs.filter((entry) => entry.index === index).map(({ text }) => text);
    const logs = lines.length === 0 ? {} : { logs: lines };
    if (span.outcome === 'failed' || error !== undefined) {
      const { name, message, stack } = error ?? { name: 'Error', message: 'The item failed.', stack: '' };
      return {
        index,
        error: { name, message, stack, input: await itemInput(this.bus(), this.job, this.manifest, index) },
        by,
        tookMs,
        ...logs,
      };
    }
    const bytes = blob.values.bytes.subarray(at === 0 ? 0 : blob.values.ends[at - 1]!, blob.values.ends[at]!);
    try {
      return { index, value: decodeValue(bytes), by, tookMs, ...logs };
    } catch {
      return undefined;
    }
  }

  async #unreadable(index: number, span: DecidedSpan): Promise<Result> {
    const message = 'Whoever ran this item stored something that is no result.';
    return {
      index,
      error: { name: 'UnreadableResult', message, stack: '', input: await itemInput(this.bus(), this.job, this.manifest, index) },
      by: [span.by],
      tookMs: 0,
    };
  }

  #blob(id: ObjectId): Promise<ResultBlob | undefined> {
    const known = this.#blobs.get(id);
    if (known !== undefined) return known;
    const reading = this.#fetch(id);
    this.#blobs.set(id, reading);
    reading.catch(() => this.#blobs.delete(id));
    for (const oldest of this.#blobs.keys()) {
      if (this.#blobs.size <= blobsCachedMax) break;
      this.#blobs.delete(oldest);
    }
    return reading;
  }

  async #fetch(id: ObjectId): Promise<ResultBlob | undefined> {
    const bus = this.bus();
    const { size, segments } = await manifestOf(bus, id);
    if (size > resultBlobBytesMax) return undefined;
    // What its submitter takes stays in its browser too while there is room: donors may all leave afterwards.
    const pin = bus.self.identity === this.manifest.submitter;
    const parts: Uint8Array[] = [];
    for (const segment of segments.keys()) {
      const answer = valueOf(
        await bus.ask(blocksContract, 'segments', 'get', { object: id, segment, pin }, { timeoutMs: slowLineMsMax }),
        'A result could not be fetched',
      );
      parts.push(answer.buffers[answer.body.data] ?? new Uint8Array(0));
    }
    return decodeResultBlob(concatBytes(parts));
  }

  /** Only the submitter accepts. A refusal is no loss: the fold stands as it is and the next reading asks again. */
  async #accept(spans: readonly DecidedSpan[]): Promise<void> {
    const bus = this.bus();
    if (bus.self.identity !== this.manifest.submitter) return;
    const fresh = spans.filter((span) => !span.accepted && !this.#accepting.has(acceptanceKey(span)));
    for (let at = 0; at < fresh.length; at += acceptedSpansMax) {
      const some = fresh.slice(at, at + acceptedSpansMax);
      for (const span of some) this.#accepting.add(acceptanceKey(span));
      const body = { kind: 'accepted' as const, spans: some.map(({ range, event }) => ({ range, event })) };
      const outcome = await bus.ask(ledgerContract, 'events', 'create', { job: this.job, body });
      if (!outcome.ok) for (const span of some) this.#accepting.delete(acceptanceKey(span));
    }
  }
}

const amountOf = (ms: number) => (Number.isFinite(ms) && ms > 0 ? ms : 0);
const acceptanceKey = (span: DecidedSpan) => `${span.event}/${span.range[0]}-${span.range[1]}`;

export const isFailure = (result: Result): result is Extract<Result, { error: unknown }> => 'error' in result;
