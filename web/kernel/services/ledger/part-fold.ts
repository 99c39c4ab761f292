// The items of one part of a job's input, and what the events about that part decide (rule 6).
import type { EventId, IdentityId } from '../../lib/ids.ts';
import { RangeMap, RangeSet, type Entry } from '../../lib/ranges.ts';
import type { InputPart } from '../../protocol/job-manifest.ts';
import type { Range } from '../../protocol/schemas.ts';
import { decidedAnew, openedAt, withAccepted, withFailed, withOk, type Candidate, type Cell } from './cell.ts';
import { endOf } from './chain.ts';
import type { EventTable } from './event-table.ts';
import type { Computed } from './packed-events.ts';

/** The submitter took a computed event's outcomes over `range`, by the accepted event `by`. */
export interface Taking {
  readonly by: EventId;
  readonly range: Range;
}

/** Collects runs that got or lost their outcome; touching ones are one. */
export class Changes {
  readonly decided: [number, number][] = [];
  readonly reopened: [number, number][] = [];
}

/** What all parts of a job share. */
export interface PartNeeds {
  readonly table: EventTable;
  /** What the submitter took of the computed event in that row. */
  takingsOf(row: number): readonly Taking[];
  /** Of how many identities failures are needed. */
  voices(): number;
}

/**
 * A cell in which one event says all there is, and was perhaps taken, is kept as a number: the event's row, and `rowsMax` times one more
 * than the row of the acceptance. Nearly all are such, and as objects they would be most of a job's memory.
 */
type Kept = Cell | number;
const rowsMax = 2 ** 20;

/** A run of items with an outcome, by the computed event in `row`. */
export interface DecidedRun {
  readonly first: number;
  readonly end: number;
  readonly row: number;
  readonly outcome: 'ok' | 'failed';
  readonly accepted: boolean;
}

export class PartFold {
  readonly first: number;
  readonly end: number;
  readonly #cells = new RangeMap<Kept>();
  readonly decided = new RangeSet();
  /** Decided items whose outcome is an identity's. */
  readonly itemsOf = new Map<IdentityId, number>();
  /** Those given in the name of a team, by `giverOf`. */
  readonly itemsForTeams = new Map<string, number>();
  readonly #byRound = new Map<number, number[]>();
  failed = 0;
  surplus = 0;

  constructor(
    part: InputPart,
    private readonly needs: PartNeeds,
  ) {
    this.first = part.first;
    this.end = endOf(part);
  }

  /** Takes the computed event in `row`, and what was taken of it. Answers whether it has results for items of this part. */
  add(row: number, event: Computed, takings: readonly Taking[], changes: Changes): boolean {
    const { range, round, failed } = event.body;
    const [first, end] = this.#clip(range);
    if (first >= end) return false;
    const known = this.#byRound.get(round);
    if (known === undefined) this.#byRound.set(round, [row]);
    else known.push(row);
    this.#fold(this.needs.table.idAt(row), event, [first, end], takings, changes);
    return [...outcomesOf(range, failed, [first, end])].some(({ ok }) => ok);
  }

  /** Whether any of these items can have been taken from the event: it covers them, and they are of this part. */
  isOf({ body: { range } }: Computed, taking: Taking): boolean {
    const [first, end] = this.#clip(taking.range);
    return Math.max(first, range[0]) < Math.min(end, range[1]);
  }

  /** Of items that the event does not cover nothing was taken: they are left as they are. */
  take(id: EventId, event: Computed, taking: Taking, changes: Changes): void {
    this.#take(id, event, { by: taking.by, range: this.#clip(taking.range) }, changes);
  }

  /** Opens `round` for items: what was computed in lower rounds counts no more, what was in this one does. */
  open(round: number, ranges: readonly Range[], changes: Changes): void {
    const opened = new RangeSet();
    for (const range of ranges) {
      this.#update(this.#clip(range), changes, (cell, first, end) => {
        if ((cell?.round ?? 0) >= round) return cell;
        opened.add(first, end);
        return openedAt(round);
      });
    }
    const { table } = this.needs;
    const runs = [...opened.spans()];
    if (runs.length === 0) return;
    for (const row of this.#byRound.get(round) ?? []) {
      const event = table.eventAt(row) as Computed;
      const takings = this.needs.takingsOf(row);
      for (const run of runs) this.#fold(table.idAt(row), event, run, takings, changes);
    }
  }

  /** Runs with an outcome that overlap [from, to), ascending, clipped to it. */
  *decidedRuns(from: number, to: number): Generator<DecidedRun> {
    for (const { first, end, value } of this.#cells.entries(from, to)) {
      if (typeof value === 'number') {
        yield { first, end, row: value % rowsMax, outcome: 'ok', accepted: value >= rowsMax };
      } else if (value.decision !== null) {
        const { event, outcome, accepted } = value.decision;
        yield { first, end, row: this.needs.table.rowOf(event)!, outcome, accepted };
      }
    }
  }

  /** What is known of the runs that overlap [from, to), ascending, clipped to it. */
  *cells(from: number, to: number): Generator<Entry<Cell>> {
    for (const { first, end, value } of this.#cells.entries(from, to)) yield { first, end, value: this.#opened(value) };
  }

  /** More, or fewer, failures are needed now. */
  decideAnew(changes: Changes): void {
    this.#update([this.first, this.end], changes, (cell) =>
      cell === undefined || cell.failures === 0 ? cell : decidedAnew(cell, this.needs.voices()),
    );
  }

  #fold(id: EventId, event: Computed, within: Range, takings: readonly Taking[], changes: Changes): void {
    const { range, round, failed } = event.body;
    const candidate: Candidate = { id, identity: event.identity };
    const voices = this.needs.voices();
    for (const { first, end, ok } of outcomesOf(range, failed, within)) {
      this.#update([first, end], changes, (cell) =>
        (cell?.round ?? 0) !== round ? cell : ok ? withOk(cell, candidate, voices) : withFailed(cell, candidate, voices),
      );
    }
    for (const taking of takings) {
      const run: Range = [Math.max(within[0], taking.range[0]), Math.min(within[1], taking.range[1])];
      if (run[0] < run[1]) this.#take(id, event, { by: taking.by, range: run }, changes);
    }
  }

  #take(id: EventId, event: Computed, { by, range: within }: Taking, changes: Changes): void {
    const { range, round, failed } = event.body;
    const candidate: Candidate = { id, identity: event.identity };
    const voices = this.needs.voices();
    for (const { first, end, ok } of outcomesOf(range, failed, within)) {
      const outcome = ok ? 'ok' : 'failed';
      this.#update([first, end], changes, (cell) =>
        (cell?.round ?? 0) !== round ? cell : withAccepted(cell, { by, outcome, candidate }, voices),
      );
    }
  }

  #update([from, to]: Range, changes: Changes, change: (cell: Cell | undefined, first: number, end: number) => Cell | undefined): void {
    const { decided, reopened } = new Changes();
    this.#cells.update(from, to, (kept, first, end) => {
      const before = kept === undefined ? undefined : this.#opened(kept);
      const after = change(before, first, end);
      if (after === before) return kept;
      this.#count(before, after, end - first);
      const wasOpen = (before?.decision ?? null) === null;
      const isOpen = (after?.decision ?? null) === null;
      if (wasOpen && !isOpen) append(decided, first, end);
      if (!wasOpen && isOpen) append(reopened, first, end);
      return after === undefined ? undefined : this.#closed(after);
    });
    for (const [first, end] of decided) {
      this.decided.add(first, end);
      append(changes.decided, first, end);
    }
    for (const [first, end] of reopened) {
      this.decided.delete(first, end);
      append(changes.reopened, first, end);
    }
  }

  #count(before: Cell | undefined, after: Cell | undefined, items: number): void {
    this.surplus += items * (Math.max(0, (after?.okCount ?? 0) - 1) - Math.max(0, (before?.okCount ?? 0) - 1));
    this.failed += items * (Number(after?.decision?.outcome === 'failed') - Number(before?.decision?.outcome === 'failed'));
    const [was, is] = [before?.decision?.event, after?.decision?.event];
    if (was === is) return;
    if (was !== undefined) this.#credit(was, -items);
    if (is !== undefined) this.#credit(is, items);
  }

  /** To whoever wrote the computed event that decides: it is known, or it could not decide. */
  #credit(event: EventId, items: number): void {
    const { table } = this.needs;
    const computed = table.eventAt(table.rowOf(event)!) as Computed;
    const { identity } = computed;
    this.itemsOf.set(identity, (this.itemsOf.get(identity) ?? 0) + items);
    const giver = giverOf(computed);
    if (giver !== undefined) this.itemsForTeams.set(giver, (this.itemsForTeams.get(giver) ?? 0) + items);
  }

  #opened(kept: Kept): Cell {
    if (typeof kept !== 'number') return kept;
    const { table } = this.needs;
    const candidateAt = (row: number): Candidate => ({ id: table.idAt(row), identity: table.authorAt(row).identity });
    const candidate = candidateAt(kept % rowsMax);
    const cell = withOk(undefined, candidate, 1);
    if (kept < rowsMax) return cell;
    return withAccepted(cell, { by: table.idAt(Math.floor(kept / rowsMax) - 1), outcome: 'ok', candidate }, 1);
  }

  #closed(cell: Cell): Kept {
    const { round, ok, okCount, failures, accepted } = cell;
    if (round !== 0 || ok === null || okCount !== 1 || failures !== 0) return cell;
    if (accepted !== null && (accepted.outcome !== 'ok' || accepted.candidate.id !== ok.id)) return cell;
    const { table } = this.needs;
    const row = table.rowOf(ok.id)!;
    const by = accepted === null ? 0 : table.rowOf(accepted.by)! + 1;
    return row >= rowsMax || by >= rowsMax ? cell : row + rowsMax * by;
  }

  #clip([first, end]: Range): Range {
    return [Math.max(first, this.first), Math.min(end, this.end)];
  }
}

/** Who gave it in the name of which team, as one key: the team's mark, then the identity. */
export const giverOf = ({ identity, body: { team } }: Computed): string | undefined => (team === undefined ? undefined : team + identity);
export const giverFrom = (giver: string) => ({ team: giver.slice(0, -64), identity: giver.slice(-64) as IdentityId });

/** The runs of `within` that the event covers, each with how it ended. `failed` is ascending and apart (checks.ts). */
function* outcomesOf(range: Range, failed: readonly Range[], within: Range): Generator<{ first: number; end: number; ok: boolean }> {
  const first = Math.max(range[0], within[0]);
  const end = Math.min(range[1], within[1]);
  let at = first;
  for (const [from, to] of failed) {
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
