// A job's state as a pure fold of its set of events (rules 6, 10): in any order of arrival, with any repetition, the same state.
import type { EventId, IdentityId } from '../../lib/ids.ts';
import { RangeMap, RangeSet } from '../../lib/ranges.ts';
import { unreachable } from '../../lib/unreachable.ts';
import { itemAttemptsMax } from '../../limits.ts';
import type { DecidedSpan } from '../../protocol/contracts/ledger.ts';
import type { LedgerEvent } from '../../protocol/event.ts';
import type { JobManifest } from '../../protocol/job-manifest.ts';
import type { Range } from '../../protocol/schemas.ts';
import { failedBy, withAccepted, withFailed, withOk, withRound, type Candidate, type Cell, type Decision } from './cell.ts';
import { SettingsFold } from './settings.ts';

export type JobState = 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled';

export interface UndecidedSpan {
  range: [number, number];
  round: number;
  failedBy: IdentityId[];
}

export interface Contribution {
  readonly identity: IdentityId;
  /** Items whose outcome is this identity's: over all identities they sum to the decided ones. */
  items: number;
  /** Functions it ran and the time they took, also where another's outcome was taken: they were computed all the same. */
  parts: number;
  tookMs: number;
}

export interface Added {
  /** Runs that had no outcome and have one now; touching ones are one. */
  readonly decided: readonly Range[];
  /** Runs that had one and lost it: a retry opened them again. */
  readonly reopened: readonly Range[];
}

type Computed = LedgerEvent & { readonly body: Extract<LedgerEvent['body'], { kind: 'computed' }> };
type Accepted = Extract<LedgerEvent['body'], { kind: 'accepted' }>;

/** Identities of which `failedBy` names at most so many (the contract's bound). */
const failedByMax = 16;

export class JobFold {
  readonly items: number;
  readonly settings: SettingsFold;
  readonly #events = new Set<EventId>();
  readonly #computed = new Map<EventId, Computed>();
  readonly #cells = new RangeMap<Cell>();
  readonly #decided = new RangeSet();
  /** Acceptances of events that have not come yet, by the event they wait for. */
  readonly #waiting = new Map<EventId, { by: EventId; range: Range }[]>();
  readonly #contributions = new Map<IdentityId, Contribution>();
  readonly #unloadable = new Map<EventId, { readonly identity: IdentityId; readonly message: string }>();
  #failed = 0;
  #surplus = 0;
  #okEvents = 0;

  constructor(private readonly manifest: JobManifest) {
    this.items = manifest.input.items;
    this.settings = new SettingsFold(manifest.priority);
  }

  /**
   * Folds an event that has passed the checks of `checks.ts`. undefined where it was there already. O(log n) and what it overlaps.
   */
  add(id: EventId, event: LedgerEvent): Added | undefined {
    if (this.#events.has(id)) return undefined;
    this.#events.add(id);
    const decided: [number, number][] = [];
    const reopened: [number, number][] = [];
    const apply = (first: number, end: number, change: (cell: Cell | undefined) => Cell) =>
      this.#cells.update(first, end, (before, from, to) => {
        const after = change(before);
        this.#count(before, after, from, to);
        const wasOpen = before === undefined || before.decision === null;
        const isOpen = after.decision === null;
        if (wasOpen && !isOpen) append(decided, from, to);
        if (!wasOpen && isOpen) append(reopened, from, to);
        return after;
      });
    const { body } = event;
    switch (body.kind) {
      case 'computed':
        this.#addComputed(id, event as Computed, apply);
        break;
      case 'accepted':
        for (const span of body.spans) this.#addAccepted(id, span, apply);
        break;
      case 'unloadable':
        this.#unloadable.set(id, { identity: event.identity, message: body.message });
        break;
      case 'setting':
        this.settings.add(id, body);
        for (const [first, end] of body.round?.ranges ?? []) apply(first, end, (cell) => withRound(cell, body.round!.round));
        break;
      default:
        unreachable(body);
    }
    for (const [first, end] of decided) this.#decided.add(first, end);
    for (const [first, end] of reopened) this.#decided.delete(first, end);
    return { decided, reopened };
  }

  has(id: EventId): boolean {
    return this.#events.has(id);
  }

  get committed(): number {
    return this.#decided.size - this.#failed;
  }

  /** Items failed for good. */
  get failed(): number {
    return this.#failed;
  }

  /** Results beyond the first, summed over the items. */
  get surplus(): number {
    return this.#surplus;
  }

  get unloadable(): number {
    return this.#unloadable.size;
  }

  /** The highest round opened for any item. */
  get round(): number {
    return this.settings.round;
  }

  get state(): JobState {
    return this.#status().state;
  }

  /** Why it failed, as a sentence; '' otherwise. */
  get reason(): string {
    return this.#status().reason;
  }

  get ended(): boolean {
    const { state } = this;
    return state === 'done' || state === 'failed' || state === 'cancelled';
  }

  /** True where every item of [first, end) has an outcome. */
  isDecided(first: number, end: number): boolean {
    return this.#decided.covers(first, end);
  }

  /** Spans with an outcome from item `from` on, ascending, at most `max`. */
  decidedSpans(from: number, max: number): DecidedSpan[] {
    const spans: DecidedSpan[] = [];
    let last: Decision | undefined;
    for (const { first, end, value } of this.#cells.entries(from)) {
      const { decision } = value;
      if (decision === null) continue;
      const previous = spans.at(-1);
      if (previous !== undefined && previous.range[1] === first && last !== undefined && sameDecision(last, decision)) {
        previous.range = [previous.range[0], end];
        continue;
      }
      if (spans.length >= max) break;
      const event = this.#computed.get(decision.event)!;
      const { result, resultHash, tookMs } = event.body;
      spans.push({
        range: [first, end],
        outcome: decision.outcome,
        event: decision.event,
        result,
        resultHash,
        by: event.identity,
        actor: event.actor,
        tookMs,
        accepted: decision.accepted,
      });
      last = decision;
    }
    return spans;
  }

  /** Runs of [from, end) without an outcome, ascending, at most `max`. */
  undecided(from: number, end: number, max: number): UndecidedSpan[] {
    const spans: UndecidedSpan[] = [];
    const put = (first: number, last: number, round: number, by: readonly IdentityId[]): boolean => {
      const previous = spans.at(-1);
      if (previous !== undefined && previous.range[1] === first && previous.round === round && sameList(previous.failedBy, by)) {
        previous.range = [previous.range[0], last];
        return true;
      }
      if (spans.length >= max) return false;
      spans.push({ range: [first, last], round, failedBy: [...by] });
      return true;
    };
    for (const [first, last] of this.#decided.gaps(from, Math.min(end, this.items))) {
      let at = first;
      for (const entry of this.#cells.entries(first, last)) {
        if (at < entry.first && !put(at, entry.first, 0, [])) return spans;
        if (!put(entry.first, entry.end, entry.value.round, failedBy(entry.value).slice(0, failedByMax))) return spans;
        at = entry.end;
      }
      if (at < last && !put(at, last, 0, [])) return spans;
    }
    return spans;
  }

  /** Who ran what, most items first, at most `max`. */
  contributors(max: number): Contribution[] {
    const order = (a: Contribution, b: Contribution) => b.items - a.items || (a.identity < b.identity ? -1 : 1);
    return [...this.#contributions.values()]
      .toSorted(order)
      .slice(0, max)
      .map((contribution) => ({ ...contribution }));
  }

  #addComputed(id: EventId, event: Computed, apply: Apply): void {
    this.#computed.set(id, event);
    const { range, round, tookMs } = event.body;
    const candidate: Candidate = { id, round, identity: event.identity };
    let contribution = this.#contributions.get(event.identity);
    if (contribution === undefined) {
      contribution = { identity: event.identity, items: 0, parts: 0, tookMs: 0 };
      this.#contributions.set(event.identity, contribution);
    }
    contribution.parts += 1;
    contribution.tookMs += tookMs;
    let okItems = 0;
    for (const { first, end, ok } of outcomesOf(event, range)) {
      if (ok) okItems += end - first;
      apply(first, end, ok ? (cell) => withOk(cell, candidate) : (cell) => withFailed(cell, candidate));
    }
    if (okItems > 0) this.#okEvents++;
    for (const { by, range: taken } of this.#waiting.get(id) ?? []) this.#accept(by, event, id, taken, apply);
    this.#waiting.delete(id);
  }

  #addAccepted(by: EventId, span: Accepted['spans'][number], apply: Apply): void {
    const event = this.#computed.get(span.event);
    if (event !== undefined) {
      this.#accept(by, event, span.event, span.range, apply);
      return;
    }
    const waiting = this.#waiting.get(span.event) ?? [];
    waiting.push({ by, range: span.range });
    this.#waiting.set(span.event, waiting);
  }

  /** Items that the event does not cover cannot have been taken from it: left as they are. */
  #accept(by: EventId, event: Computed, id: EventId, range: Range, apply: Apply): void {
    const candidate: Candidate = { id, round: event.body.round, identity: event.identity };
    for (const { first, end, ok } of outcomesOf(event, range)) {
      apply(first, end, (cell) => withAccepted(cell, { by, outcome: ok ? 'ok' : 'failed', candidate }));
    }
  }

  #count(before: Cell | undefined, after: Cell, first: number, end: number): void {
    const items = end - first;
    this.#surplus += items * (Math.max(0, after.okCount - 1) - Math.max(0, (before?.okCount ?? 0) - 1));
    this.#failed += items * (Number(after.decision?.outcome === 'failed') - Number(before?.decision?.outcome === 'failed'));
    const [was, is] = [before?.decision?.event, after.decision?.event];
    if (was === is) return;
    if (was !== undefined) this.#contributionTo(was).items -= items;
    if (is !== undefined) this.#contributionTo(is).items += items;
  }

  /** Of whoever wrote the computed event that decides: it is known, or it could not decide. */
  #contributionTo(event: EventId): Contribution {
    return this.#contributions.get(this.#computed.get(event)!.identity)!;
  }

  /** How often it was said that the code cannot be loaded; a stranger alone cannot say it often enough to end somebody's job. */
  #unloadableFor(): number {
    const times = new Map<IdentityId, number>();
    for (const { identity } of this.#unloadable.values()) times.set(identity, (times.get(identity) ?? 0) + 1);
    let sum = 0;
    for (const [identity, count] of times) sum += identity === this.manifest.submitter ? count : Math.min(count, itemAttemptsMax - 1);
    return sum;
  }

  #status(): { state: JobState; reason: string } {
    if (this.settings.cancelled) return { state: 'cancelled', reason: '' };
    if (this.#okEvents === 0 && this.#unloadableFor() >= itemAttemptsMax) {
      const [first] = [...this.#unloadable].toSorted(([a], [b]) => (a < b ? -1 : 1));
      return { state: 'failed', reason: `The code cannot be loaded: ${first![1].message}`.slice(0, 2_000) };
    }
    if (this.#failed > this.manifest.failuresMax) {
      return { state: 'failed', reason: `${this.#failed} items failed; this job allows ${this.manifest.failuresMax}.` };
    }
    if (this.#decided.size >= this.items) return { state: 'done', reason: '' };
    if (this.settings.paused) return { state: 'paused', reason: '' };
    return { state: this.#decided.size > 0 ? 'running' : 'queued', reason: '' };
  }
}

type Apply = (first: number, end: number, change: (cell: Cell | undefined) => Cell) => void;

/** The runs of `within` that the event covers, each with how it ended. `failed` is ascending and apart (checks.ts). */
function* outcomesOf(event: Computed, within: Range): Generator<{ first: number; end: number; ok: boolean }> {
  const first = Math.max(event.body.range[0], within[0]);
  const end = Math.min(event.body.range[1], within[1]);
  let at = first;
  for (const [from, to] of event.body.failed) {
    const low = Math.max(from, at);
    const high = Math.min(to, end);
    if (low >= high) continue;
    if (at < low) yield { first: at, end: low, ok: true };
    yield { first: low, end: high, ok: false };
    at = high;
  }
  if (at < end) yield { first: at, end, ok: true };
}

function append(ranges: [number, number][], first: number, end: number): void {
  const last = ranges.at(-1);
  if (last !== undefined && last[1] === first) last[1] = end;
  else ranges.push([first, end]);
}

const sameDecision = (a: Decision, b: Decision) => a.event === b.event && a.outcome === b.outcome && a.accepted === b.accepted;
const sameList = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((value, i) => value === b[i]);
