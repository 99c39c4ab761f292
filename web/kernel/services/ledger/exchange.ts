// What one tab answers when another compares clocks with it (rule 9). Pure: reads the book, changes nothing.
import { jobId, type JobId, type PeerId } from '../../lib/ids.ts';
import { IntervalClock } from '../../lib/interval-clock.ts';
import { eventsPerExchangeMax, exchangeBytesMax } from '../../limits.ts';
import type { ReplyOf, RequestOf } from '../../protocol/contract.ts';
import { forkNumbersMax, overMax, type ledgerContract } from '../../protocol/contracts/ledger.ts';
import type { SignedEvent } from '../../protocol/event.ts';
import type { Book } from './book.ts';
import type { Piece } from './event-table.ts';
import type { ExchangeEntry, JobLog } from './job-log.ts';

type L = typeof ledgerContract;
export type ClocksRequest = RequestOf<L, 'clocks', 'query'>;
export type ClocksReply = ReplyOf<L, 'clocks', 'query'>;
export type ForksRequest = RequestOf<L, 'forks', 'lookup'>;

export const clocksPerExchangeMax = 256;
export const jobsPerAnswerMax = 64;
/** A third of a message goes to clocks, so that the answer has room for events. */
const clockBytesMax = exchangeBytesMax / 3;
/** What wraps an event or a manifest in a message. */
const wrapBytes = 100;
const zeroDigest = '0'.repeat(64);

/** Ids: `after` < id <= `until`, null where there is no limit. */
export interface Stretch {
  readonly after: JobId | null;
  readonly until: JobId | null;
}

export interface Window extends Stretch {
  readonly clocks: ExchangeEntry[];
  readonly over: JobId[];
}

const digits = 64;

/** All ids that begin with `prefix`. */
export function stretchOf(prefix: string): Stretch {
  if (prefix === '') return { after: null, until: null };
  const before = (BigInt(`0x${prefix}`) - 1n).toString(16);
  const end = 'f'.repeat(digits - prefix.length);
  return {
    after: /^0*$/.test(prefix) ? null : jobId(before.padStart(prefix.length, '0') + end),
    until: jobId(prefix + end),
  };
}

/** The jobs of a stretch from its begin, as many as fit one message; `until` is the stretch's own where they were the last. */
export function windowOf(book: Book, { after, until }: Stretch): Window {
  const clocks: ExchangeEntry[] = [];
  let bytes = 0;
  let end = until;
  for (const log of book.between(after, until)) {
    bytes += log.entryBytes;
    if (clocks.length > 0 && (clocks.length >= clocksPerExchangeMax || bytes > clockBytesMax)) {
      end = clocks.at(-1)!.job;
      break;
    }
    clocks.push(log.exchangeEntry());
  }
  return { after, until: end, clocks, over: book.overBetween(after, end).slice(0, overMax) };
}

export function answerClocks(book: Book, request: ClocksRequest): ClocksReply {
  const same = request.jobsKnown === book.known;
  const answer: ClocksReply = { same, more: false, clocks: [], events: [], jobs: [], over: [] };
  if (request.window === null) return answer;
  let bytes = 0;
  const put = (log: JobLog, theirs: IntervalClock) => {
    const rows: number[] = [];
    for (const row of log.missingFrom(theirs)) {
      bytes += log.sentBytesAt(row);
      if (bytes > exchangeBytesMax || rows.length >= eventsPerExchangeMax || answer.events.length >= jobsPerAnswerMax) {
        answer.more = true;
        break;
      }
      rows.push(row);
    }
    if (rows.length > 0) answer.events.push({ job: log.id, ...log.piece(rows) });
  };
  const named = new Set<JobId>(request.over);
  const behind: [JobLog, IntervalClock][] = [];
  for (const { job, clock, digest } of request.clocks) {
    named.add(job);
    const log = book.get(job);
    if (log === undefined) {
      if (book.letGoOf(job)) answer.over.push(job);
      else answer.clocks.push({ job, clock: {}, digest: zeroDigest });
      continue;
    }
    const theirs = IntervalClock.from(clock);
    if (digest === log.digest && log.clock.relation(theirs) === 'equal') continue;
    answer.clocks.push(log.exchangeEntry());
    bytes += log.entryBytes;
    behind.push([log, theirs]);
  }
  // Manifests first: without them events are of no use.
  for (const log of book.between(request.window.after, request.window.until)) {
    if (named.has(log.id)) continue;
    bytes += log.signed.bytes.length + wrapBytes;
    if (answer.jobs.length > 0 && (bytes > exchangeBytesMax || answer.jobs.length >= jobsPerAnswerMax)) {
      answer.more = true;
      break;
    }
    answer.jobs.push(log.signed);
    behind.push([log, new IntervalClock()]);
  }
  for (const [log, theirs] of behind) put(log, theirs);
  return answer;
}

/** What `theirs` misses of a job, in pieces that fit one message each. */
export function batchesFor(log: JobLog, theirs: IntervalClock): Generator<Piece> {
  return piecesOf(log, log.missingFrom(theirs));
}

export function* piecesOf(log: JobLog, rows: Iterable<number>): Generator<Piece> {
  let some: number[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = log.sentBytesAt(row);
    if (some.length > 0 && (bytes + size > exchangeBytesMax || some.length >= eventsPerExchangeMax)) {
      yield log.piece(some);
      some = [];
      bytes = 0;
    }
    some.push(row);
    bytes += size;
  }
  if (some.length > 0) yield log.piece(some);
}

export function* batchesOf(events: Iterable<SignedEvent>): Generator<SignedEvent[]> {
  let batch: SignedEvent[] = [];
  let bytes = 0;
  for (const signed of events) {
    const size = signed.bytes.length + wrapBytes;
    if (batch.length > 0 && (bytes + size > exchangeBytesMax || batch.length >= eventsPerExchangeMax)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(signed);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

/** Numbers at which two tables of digests differ. */
export function differingNumbers(ours: Uint8Array, theirs: Uint8Array, from: number): number[] {
  const numbers: number[] = [];
  for (let i = 0; 32 * i < Math.min(ours.length, theirs.length); i++) {
    for (let at = 32 * i; at < 32 * i + 32; at++) {
      if (ours[at] !== theirs[at]) {
        numbers.push(from + i);
        break;
      }
    }
  }
  return numbers;
}

/** Events held here at the numbers where the asker holds others, as many as fit. */
export function answerForks(log: JobLog, { actor, from, digests }: ForksRequest): SignedEvent[] {
  const count = Math.min(forkNumbersMax, Math.floor(digests.length / 32));
  const differing = differingNumbers(log.digestsOf(actor, from, count), digests, from);
  const events = function* () {
    for (const n of differing) yield* log.eventsOf(actor, n, n + 1);
  };
  return batchesOf(events()).next().value ?? [];
}

export function answerForkedActors(log: JobLog, actors: Readonly<Record<string, string | undefined>>): PeerId[] {
  return [...log.actorDigests()]
    .filter(([actor, digest]) => Object.hasOwn(actors, actor) && actors[actor] !== digest)
    .map(([actor]) => actor);
}
