// What the submitter took of computed events (rule 6): of those that are here by rows alone, read from the acceptances where it is wanted.
import type { EventId } from '../../lib/ids.ts';
import type { EventTable } from './event-table.ts';
import type { Taking } from './part-fold.ts';

export class Takings {
  /** Of computed events that have not come yet. */
  readonly #early = new Map<EventId, Taking[]>();
  /** By the row of a computed event, the rows of the acceptances that name it. */
  readonly #takenBy = new Map<number, number | number[]>();

  constructor(private readonly table: EventTable) {}

  /** The acceptance in `byRow` takes of event `of`. Answers with that one's row where it is here, and a computed one. */
  add(of: EventId, byRow: number, taking: Taking): number | undefined {
    const row = this.table.rowOf(of);
    if (row === undefined) {
      const early = this.#early.get(of);
      if (early === undefined) this.#early.set(of, [taking]);
      else early.push(taking);
      return undefined;
    }
    if (!this.table.isComputed(row)) return undefined;
    this.#note(row, byRow);
    return row;
  }

  /** Of a computed event that has just come. */
  ofNew(row: number): readonly Taking[] {
    const id = this.table.idAt(row);
    const early = this.#early.get(id);
    if (early === undefined) return [];
    this.#early.delete(id);
    for (const { by } of early) this.#note(row, this.table.rowOf(by)!);
    return early;
  }

  /** Of the computed event in `row`. */
  of(row: number): Taking[] {
    const of = this.table.idAt(row);
    return [this.#takenBy.get(row) ?? []].flat().flatMap((byRow) => {
      const by = this.table.idAt(byRow);
      const { body } = this.table.eventAt(byRow);
      return body.kind === 'accepted' ? body.spans.flatMap(({ range, event }): Taking[] => (event === of ? [{ by, range }] : [])) : [];
    });
  }

  #note(row: number, byRow: number): void {
    const known = this.#takenBy.get(row);
    if (known === undefined) this.#takenBy.set(row, byRow);
    else if (typeof known === 'number') {
      if (known !== byRow) this.#takenBy.set(row, [known, byRow]);
    } else if (!known.includes(byRow)) known.push(byRow);
  }
}
