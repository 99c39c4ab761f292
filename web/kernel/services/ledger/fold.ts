// A job's state as a pure fold of its set of events (rules 6, 10): in any order of arrival, with any repetition, the same state.
//
// Each part of the input has a fold of its own; those of the chain, one behind the other, are the job.
import type { EventId, GroupId, IdentityId, PeerId } from '../../lib/ids.ts';
import { durationWords } from '../../lib/duration-words.ts';
import { RangeSet } from '../../lib/ranges.ts';
import { unreachable } from '../../lib/unreachable.ts';
import { itemAttemptsMax } from '../../limits.ts';
import { loanRunsMax, type DecidedSpan, type LongItem } from '../../protocol/contracts/ledger.ts';
import type { EventBody, LedgerEvent, SignedEvent } from '../../protocol/event.ts';
import type { InputPart, JobManifest } from '../../protocol/job-manifest.ts';
import type { Range } from '../../protocol/schemas.ts';
import { failedBy } from './cell.ts';
import { Chain } from './chain.ts';
import { EventTable } from './event-table.ts';
import { Interruptions, longWords } from './interruptions.ts';
import type { Computed } from './packed-events.ts';
import { Changes, giverFrom, giverOf, PartFold, type DecidedRun, type Taking } from './part-fold.ts';
import { SettingsFold, type Setting } from './settings.ts';
import { Takings } from './takings.ts';

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

/** Items that a group gave to another to run, as far as they are undecided. */
export interface Loan {
  readonly event: EventId;
  /** Who lent them. */
  readonly actor: PeerId;
  readonly to: GroupId;
  readonly round: number;
  /** Ascending, apart; in the round, and without an outcome. */
  readonly open: [number, number][];
}

export interface Added {
  /** Runs that had no outcome and have one now. */
  readonly decided: readonly Range[];
  /** Runs that had one and have none now: a retry opened them again, or another append counts. */
  readonly reopened: readonly Range[];
}

type Lent = LedgerEvent & { readonly body: Extract<EventBody, { kind: 'lent' }> };

const unchanged: Added = { decided: [], reopened: [] };

export class JobFold {
  readonly settings: SettingsFold;
  readonly #chain: Chain;
  readonly #takings: Takings;
  /** Of every append, whether it counts or not; null is the manifest's own input. */
  readonly #parts = new Map<EventId | null, PartFold>();
  /** Those that count, in order. */
  #live: PartFold[] = [];
  #liveOf: readonly InputPart[];
  /** Rows of computed events of parts whose append has not come yet. */
  readonly #early = new Map<EventId, number[]>();
  readonly #rounds: NonNullable<Setting['round']>[] = [];
  readonly #given = new Map<IdentityId, { parts: number; tookMs: number }>();
  /** Functions run in the name of a team, by `giverOf`. */
  readonly #partsForTeams = new Map<string, number>();
  readonly #lent = new Map<EventId, Lent>();
  readonly #lentTo = new Set<GroupId>();
  readonly #unloadable = new Map<EventId, { readonly identity: IdentityId; readonly message: string }>();
  readonly #interruptions = new Interruptions();
  #okEvents = 0;
  #spentMs = 0;

  constructor(
    private readonly manifest: JobManifest,
    /** Where the events are: what is in it when the fold begins is not folded. */
    private readonly table = new EventTable(),
  ) {
    this.settings = new SettingsFold(manifest);
    this.#takings = new Takings(table);
    this.#chain = new Chain(manifest);
    this.#parts.set(null, this.#fresh(this.#chain.parts[0]!));
    this.#liveOf = this.#chain.parts;
    this.#live = this.#liveParts();
  }

  /** Folds an event that has passed the checks of `checks.ts`. undefined where it was there already. O(log n) and what it overlaps. */
  add(id: EventId, event: LedgerEvent, signed?: SignedEvent): Added | undefined {
    if (this.has(id)) return undefined;
    const row = this.table.add(id, event, signed);
    const changes = new Changes();
    const { body } = event;
    switch (body.kind) {
      case 'computed':
        this.#addComputed(row, event as Computed, changes);
        break;
      case 'accepted':
        for (const { range, event: of } of body.spans) this.#addTaking(of, row, { by: id, range }, changes);
        break;
      case 'unloadable':
        this.#unloadable.set(id, { identity: event.identity, message: body.message });
        break;
      case 'interrupted':
        this.#interruptions.add(event.identity, body.item, body.ranMs);
        break;
      case 'setting':
        this.#addSetting(id, body, changes);
        break;
      case 'lent':
        this.#lent.set(id, event as Lent);
        this.#lentTo.add(body.to);
        break;
      default:
        unreachable(body);
    }
    this.#follow(changes);
    return changes.decided.length + changes.reopened.length === 0 ? unchanged : netOf(changes);
  }

  has(id: EventId): boolean {
    return this.table.rowOf(id) !== undefined;
  }

  /** Those there are so far, of an open job. */
  get items(): number {
    return this.#chain.items;
  }

  get committed(): number {
    return this.#decided - this.failed;
  }

  /** Items failed for good. */
  get failed(): number {
    return this.#live.reduce((sum, part) => sum + part.failed, 0);
  }

  /** Items of [from, end) that donors had to interrupt again and again. */
  longItems(from: number, end: number, max: number): LongItem[] {
    return this.#interruptions.longIn(from, end, max);
  }

  /** Results beyond the first, summed over the items. */
  get surplus(): number {
    return this.#live.reduce((sum, part) => sum + part.surplus, 0);
  }

  get unloadable(): number {
    return this.#unloadable.size;
  }

  /** What is wrong with the code, as one of those said who cannot load it: of all tabs the same. '' where nobody did. */
  get unloadableWhy(): string {
    const [first] = [...this.#unloadable].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return first?.[1].message ?? '';
  }

  /** The highest round opened for any item. */
  get round(): number {
    return this.settings.round;
  }

  /** Takes more input. */
  get open(): boolean {
    return this.#chain.open;
  }

  /** The last append that counts: the next one goes behind it. */
  get tail(): EventId | null {
    return this.#chain.tail;
  }

  /** Where the items' values are, in order, without gaps; the same list until it changes. */
  get parts(): readonly InputPart[] {
    return this.#chain.parts;
  }

  /** Why this tab would write it in vain: it knows better by now. undefined where it would not. */
  outdated(body: EventBody): string | undefined {
    if (body.kind !== 'setting' || (body.append === undefined && body.close === undefined)) return undefined;
    if (!this.open) return body.append === undefined ? undefined : 'The job is closed.';
    const after = body.append === undefined ? body.close!.after : body.append.after;
    return after === this.tail ? undefined : 'More input has come meanwhile.';
  }

  get state(): JobState {
    return this.#status().state;
  }

  /** Why it failed, or what it waits for, as a sentence; '' otherwise. */
  get reason(): string {
    return this.#status().reason;
  }

  get ended(): boolean {
    const { state } = this;
    return state === 'done' || state === 'failed' || state === 'cancelled';
  }

  /** True where every item of [first, end) has an outcome. */
  isDecided(first: number, end: number): boolean {
    if (end > this.items) return false;
    return this.#live.every(
      (part) => part.end <= first || part.first >= end || part.decided.covers(Math.max(first, part.first), Math.min(end, part.end)),
    );
  }

  /** Spans with an outcome from item `from` on, ascending, at most `max`. */
  decidedSpans(from: number, max: number): DecidedSpan[] {
    const spans: DecidedSpan[] = [];
    let last: DecidedRun | undefined;
    for (const part of this.#live) {
      if (part.end <= from) continue;
      for (const run of part.decidedRuns(Math.max(from, part.first), part.end)) {
        const previous = spans.at(-1);
        if (previous !== undefined && previous.range[1] === run.first && sameDecision(last!, run)) {
          previous.range = [previous.range[0], run.end];
          continue;
        }
        if (spans.length >= max) return spans;
        const { actor, identity, body } = this.table.eventAt(run.row) as Computed;
        spans.push({
          range: [run.first, run.end],
          outcome: run.outcome,
          event: this.table.idAt(run.row),
          result: body.result,
          resultHash: body.resultHash,
          by: identity,
          actor,
          tookMs: body.tookMs,
          accepted: run.accepted,
        });
        last = run;
      }
    }
    return spans;
  }

  /**
   * Runs of [from, end) without an outcome, ascending, at most `max`, none across two parts. Items an open job may get count as
   * undecided: their append may be on its way.
   */
  undecided(from: number, end: number, max: number): UndecidedSpan[] {
    const spans: UndecidedSpan[] = [];
    let joins = false;
    const put = (first: number, last: number, round: number, by: readonly IdentityId[]): boolean => {
      const previous = spans.at(-1);
      if (joins && previous?.range[1] === first && previous.round === round && sameList(previous.failedBy, by)) {
        previous.range = [previous.range[0], last];
        return true;
      }
      if (spans.length >= max) return false;
      spans.push({ range: [first, last], round, failedBy: [...by] });
      joins = true;
      return true;
    };
    for (const part of this.#live) {
      if (part.end <= from || part.first >= end) continue;
      joins = false;
      for (const [first, last] of part.decided.gaps(Math.max(from, part.first), Math.min(end, part.end))) {
        let at = first;
        for (const entry of part.cells(first, last)) {
          if (at < entry.first && !put(at, entry.first, 0, [])) return spans;
          if (!put(entry.first, entry.end, entry.value.round, failedBy(entry.value))) return spans;
          at = entry.end;
        }
        if (at < last && !put(at, last, 0, [])) return spans;
      }
    }
    joins = false;
    if (this.open && Math.max(from, this.items) < end) put(Math.max(from, this.items), end, 0, []);
    return spans;
  }

  /** Whether anything was ever lent to that group. */
  lentTo(group: GroupId): boolean {
    return this.#lentTo.has(group);
  }

  /** Loans with items to run, by event id, at most `max`. They decide nothing (rule 13). */
  loans(max: number): Loan[] {
    const loans: Loan[] = [];
    for (const [event, { actor, body }] of [...this.#lent].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (loans.length >= max) break;
      const open: [number, number][] = [];
      for (const [first, end] of body.ranges) {
        for (const span of this.undecided(first, end, loanRunsMax)) if (span.round === body.round) open.push(span.range);
      }
      if (open.length > 0) loans.push({ event, actor, to: body.to, round: body.round, open: open.slice(0, loanRunsMax) });
    }
    return loans;
  }

  /** Who ran what, most items first, at most `max`. */
  contributors(max: number): Contribution[] {
    const itemsOf = new Map<IdentityId, number>();
    for (const part of this.#live)
      for (const [identity, items] of part.itemsOf) itemsOf.set(identity, (itemsOf.get(identity) ?? 0) + items);
    return [...this.#given]
      .map(([identity, given]) => ({ identity, items: itemsOf.get(identity) ?? 0, ...given }))
      .toSorted((a, b) => b.items - a.items || (a.identity < b.identity ? -1 : 1))
      .slice(0, max);
  }

  /** Who gave what in the name of which team. */
  *teamGifts(): Generator<{ identity: IdentityId; team: string; items: number; parts: number }> {
    for (const [giver, parts] of this.#partsForTeams)
      yield { ...giverFrom(giver), items: this.#live.reduce((sum, part) => sum + (part.itemsForTeams.get(giver) ?? 0), 0), parts };
  }

  get #decided(): number {
    return this.#live.reduce((sum, part) => sum + part.decided.size, 0);
  }

  /**
   * Of how many identities failures are needed: `itemAttemptsMax`, or all who ran anything of this job where they are fewer. One
   * machine that cannot do it should not fail an item that others could.
   */
  #voices(): number {
    return Math.min(itemAttemptsMax, this.#given.size);
  }

  #addComputed(row: number, event: Computed, changes: Changes): void {
    const takings = this.#takings.ofNew(row);
    const { part, tookMs } = event.body;
    const voices = this.#voices();
    let given = this.#given.get(event.identity);
    if (given === undefined) this.#given.set(event.identity, (given = { parts: 0, tookMs: 0 }));
    given.parts += 1;
    given.tookMs += tookMs;
    this.#spentMs += spentOn(event.body, this.manifest.itemMs);
    const giver = giverOf(event);
    if (giver !== undefined) this.#partsForTeams.set(giver, (this.#partsForTeams.get(giver) ?? 0) + 1);
    if (this.#voices() !== voices) for (const each of this.#parts.values()) each.decideAnew(this.#changesOf(each, changes));
    if (part === undefined || this.#parts.has(part)) {
      this.#place(row, event, takings, changes);
      return;
    }
    const early = this.#early.get(part);
    if (early === undefined) this.#early.set(part, [row]);
    else early.push(row);
  }

  #place(row: number, event: Computed, takings: readonly Taking[], changes: Changes): void {
    const part = event.body.part ?? null;
    const fold = this.#parts.get(part)!;
    if (fold.add(row, event, takings, this.#changesOf(fold, changes))) this.#okEvents++;
    for (const taking of takings) if (fold.isOf(event, taking)) this.#taken(part);
  }

  #addTaking(of: EventId, byRow: number, taking: Taking, changes: Changes): void {
    const row = this.#takings.add(of, byRow, taking);
    if (row === undefined) return;
    const event = this.table.eventAt(row) as Computed;
    const part = event.body.part ?? null;
    const fold = this.#parts.get(part);
    if (fold === undefined || !fold.isOf(event, taking)) return;
    fold.take(of, event, taking, this.#changesOf(fold, changes));
    this.#taken(part);
  }

  #taken(part: EventId | null): void {
    if (part !== null) this.#chain.take(part);
  }

  #addSetting(id: EventId, setting: Setting, changes: Changes): void {
    this.settings.add(id, setting);
    const { append, round } = setting;
    if (append !== undefined) {
      const fold = this.#fresh({ part: id, first: append.first, input: append.input });
      this.#parts.set(id, fold);
      for (const each of this.#rounds) fold.open(each.round, each.ranges, new Changes());
      for (const early of this.#early.get(id) ?? [])
        this.#place(early, this.table.eventAt(early) as Computed, this.#takings.of(early), changes);
      this.#early.delete(id);
    }
    this.#chain.add(id, setting);
    if (round === undefined) return;
    this.#rounds.push(round);
    for (const part of this.#parts.values()) part.open(round.round, round.ranges, this.#changesOf(part, changes));
  }

  /** Only what happens to parts that count is told. */
  #changesOf(part: PartFold, changes: Changes): Changes {
    return this.#live.includes(part) ? changes : new Changes();
  }

  /** The chain may be another one now: what is decided changes by the difference. */
  #follow(changes: Changes): void {
    if (this.#liveOf === this.parts) return;
    const before = this.#live;
    this.#liveOf = this.parts;
    this.#live = this.#liveParts();
    const same = before.findIndex((part, i) => part !== this.#live[i]);
    const from = same < 0 ? before.length : same;
    const [was, is] = [decidedOf(before.slice(from)), decidedOf(this.#live.slice(from))];
    for (const [first, end] of is.spans()) for (const [a, b] of was.gaps(first, end)) changes.decided.push([a, b]);
    for (const [first, end] of was.spans()) for (const [a, b] of is.gaps(first, end)) changes.reopened.push([a, b]);
  }

  #liveParts(): PartFold[] {
    return this.parts.map(({ part }) => this.#parts.get(part)!);
  }

  #fresh(part: InputPart): PartFold {
    return new PartFold(part, { table: this.table, takingsOf: (row) => this.#takings.of(row), voices: () => this.#voices() });
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
    if (this.#okEvents === 0 && this.#unloadableFor() >= itemAttemptsMax)
      return { state: 'failed', reason: `The code cannot be loaded: ${this.unloadableWhy}`.slice(0, 2_000) };
    if (this.failed > this.manifest.failuresMax) {
      return { state: 'failed', reason: `${this.failed} items failed; this job allows ${this.manifest.failuresMax}.` };
    }
    const decided = this.#decided;
    const waits = decided >= this.items;
    if (waits && !this.open) return { state: 'done', reason: '' };
    const { totalMs } = this.manifest;
    if (totalMs !== undefined && this.#spentMs >= totalMs)
      return { state: 'failed', reason: `It has used the ${durationWords(totalMs)} of processor time that it was given.` };
    if (this.settings.paused) return { state: 'paused', reason: '' };
    const state = decided > 0 ? 'running' : 'queued';
    if (waits) return { state, reason: 'Waits for more input.' };
    const long = this.#interruptions.first((item) => this.undecided(item, item + 1, 1).length > 0);
    return { state, reason: long === undefined ? '' : longWords(long) };
  }
}

/** Of an event no more counts than its items may take: what a donor says of itself is bounded by what it can have run. */
const spentOn = ({ range: [first, end], tookMs }: Computed['body'], itemMs: number) => Math.min(tookMs, (end - first) * itemMs);

/** An item that got an outcome and lost it again, or lost one and got another, has not changed. */
function netOf({ decided, reopened }: Changes): Added {
  if (decided.length === 0 || reopened.length === 0) return { decided, reopened };
  const [got, lost] = [setOf(decided), setOf(reopened)];
  const without = (one: RangeSet, other: RangeSet) => [...one.spans()].flatMap(([first, end]) => [...other.gaps(first, end)]);
  return { decided: without(got, lost), reopened: without(lost, got) };
}

function setOf(ranges: Iterable<Range>): RangeSet {
  const set = new RangeSet();
  for (const [first, end] of ranges) set.add(first, end);
  return set;
}

const decidedOf = (parts: readonly PartFold[]): RangeSet => setOf(parts.flatMap((part) => [...part.decided.spans()]));

const sameDecision = (a: DecidedRun, b: DecidedRun) => a.row === b.row && a.outcome === b.outcome && a.accepted === b.accepted;
const sameList = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((value, i) => value === b[i]);
