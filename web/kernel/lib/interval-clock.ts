// Vector clocks of intervals (rule 9): per actor the numbers held, normally one interval from 1. Gaps appear where a message was
// lost and close when it comes.
import { RangeSet, type Span } from './ranges.ts';

/** Inclusive [from, to] pairs per actor, ascending and apart: the form that is sent. */
export type ClockRecord = { readonly [actor: string]: readonly (readonly [number, number])[] | undefined };
export type ClockRelation = 'equal' | 'behind' | 'ahead' | 'concurrent';

export class IntervalClock {
  readonly #held = new Map<string, RangeSet>();

  /** Takes what came from outside as it is: overlapping or unordered intervals become what they cover. */
  static from(record: ClockRecord): IntervalClock {
    const clock = new IntervalClock();
    for (const actor of Object.keys(record)) for (const [from, to] of record[actor] ?? []) clock.#add(actor, from, to + 1);
    return clock;
  }

  /** False where the dot is held already. */
  add(actor: string, n: number): boolean {
    if (this.has(actor, n)) return false;
    this.#add(actor, n, n + 1);
    return true;
  }

  has(actor: string, n: number): boolean {
    return this.#held.get(actor)?.has(n) ?? false;
  }

  hasAny(actor: string): boolean {
    return this.#held.has(actor);
  }

  merge(other: IntervalClock): void {
    for (const [actor, held] of other.#held) for (const [first, end] of held.spans()) this.#add(actor, first, end);
  }

  actors(): Iterable<string> {
    return this.#held.keys();
  }

  get actorCount(): number {
    return this.#held.size;
  }

  /** How many dots are held. */
  get size(): number {
    let size = 0;
    for (const held of this.#held.values()) size += held.size;
    return size;
  }

  /** The largest p such that all of 1..p are held; 0 where 1 is missing. */
  prefix(actor: string): number {
    for (const [first, end] of this.#held.get(actor)?.spans() ?? []) return first === 1 ? end - 1 : 0;
    return 0;
  }

  /** The largest number held, 0 where none is. */
  highest(actor: string): number {
    let highest = 0;
    for (const [, end] of this.#held.get(actor)?.spans() ?? []) highest = end - 1;
    return highest;
  }

  /** Dots held here and not in `other`, as half-open runs, lowest numbers first within each actor. */
  *missingFrom(other: IntervalClock): Generator<{ readonly actor: string; readonly span: Span }> {
    for (const [actor, held] of this.#held) {
      const theirs = other.#held.get(actor);
      for (const [first, end] of held.spans()) {
        if (theirs === undefined) yield { actor, span: [first, end] };
        else for (const span of theirs.gaps(first, end)) yield { actor, span };
      }
    }
  }

  /** How this clock stands to `other`. */
  relation(other: IntervalClock): ClockRelation {
    const ahead = !this.missingFrom(other).next().done;
    const behind = !other.missingFrom(this).next().done;
    if (ahead) return behind ? 'concurrent' : 'ahead';
    return behind ? 'behind' : 'equal';
  }

  /** Of all actors, or of those named. */
  toRecord(actors: Iterable<string> = this.#held.keys()): Record<string, [number, number][]> {
    const record: Record<string, [number, number][]> = {};
    for (const actor of [...actors].toSorted()) {
      record[actor] = [...(this.#held.get(actor)?.spans() ?? [])].map(([first, end]) => [first, end - 1]);
    }
    return record;
  }

  /** Takes what `record` says of the actors it names instead of what was known of them. */
  replace(record: ClockRecord): void {
    for (const actor of Object.keys(record)) {
      this.#held.delete(actor);
      for (const [from, to] of record[actor] ?? []) this.#add(actor, from, to + 1);
    }
  }

  #add(actor: string, first: number, end: number): void {
    if (first >= end) return;
    let held = this.#held.get(actor);
    if (held === undefined) this.#held.set(actor, (held = new RangeSet()));
    held.add(first, end);
  }
}
