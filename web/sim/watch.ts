// What the checkers are told while a run goes on. Violations are kept, the run goes on: the first is the one to look at.
import type { EventLog } from './event-log.ts';

/** The names of RESEARCH.md: S1 one result an item ... S12 no bug; L for liveness. */
export type Invariant = 'S1' | 'S3' | 'S4' | 'S5' | 'S6' | 'S7' | 'S8' | 'S10' | 'S12' | 'L';

export interface Violation {
  readonly invariant: Invariant;
  readonly atMs: number;
  readonly what: string;
}

/** One thing that is wrong is often wrong many times. */
const violationsMax = 50;

export class Violations {
  readonly list: Violation[] = [];

  constructor(
    private readonly log: EventLog,
    private readonly now: () => number,
  ) {}

  add(invariant: Invariant, what: string): void {
    const atMs = Math.round(this.now());
    this.log.note(`${atMs} VIOLATION ${invariant} ${what}`);
    if (this.list.length < violationsMax) this.list.push({ invariant, atMs, what });
  }
}
