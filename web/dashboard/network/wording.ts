// What the Network page says of other groups and of how jobs stand there. Pure, so that every sentence has a test.
import type { Neighbour } from '../../kernel/protocol/contracts/groups.ts';
import type { ClockRelationOfJob } from '../../kernel/protocol/contracts/ledger.ts';
import type { VectorClock } from '../../kernel/protocol/event.ts';
import { nameOf } from '../../kernel/lib/names.ts';
import type { Tone } from '../pieces/pieces.tsx';
import { about, count, plural } from '../view/format.ts';

export type Relation = ClockRelationOfJob['relation'];

export const toneOfRelation: Readonly<Record<Relation, Tone>> = { equal: 'tide', behind: 'dusk', ahead: 'dusk', concurrent: 'coral' };

const relationSentences: Readonly<Record<Relation, string>> = {
  equal: 'Both groups know the same.',
  behind: 'The other group knows of something that has not come here yet.',
  ahead: 'This group knows of something that the other has not heard yet.',
  concurrent: 'Each group knows of something that the other has not heard yet.',
};
export const relationSentence = (relation: Relation): string => relationSentences[relation];

/** @param ageMs how long ago the view was published */
export function neighbourSentence({ up, heardMsAgo, bridges, members }: Neighbour, ageMs: number): string {
  if (heardMsAgo === null) return 'Nobody here has reached it yet.';
  if (!up) return `Cut off: last heard ${about(heardMsAgo + ageMs)} ago. Both groups go on by themselves.`;
  const ends = new Set(bridges.map(({ here }) => here)).size;
  return `${plural(members.length, 'tab')}, reached over ${plural(ends, 'bridge')}.`;
}

export function loadSentence({ spareWorkers, waitingFunctions }: Pick<Neighbour, 'spareWorkers' | 'waitingFunctions'>): string {
  const waits = waitingFunctions === 0 ? 'Nothing waits there' : `${plural(waitingFunctions, 'part waits', 'parts wait')} there`;
  return `${waits}; ${spareWorkers === 0 ? 'no core is' : plural(spareWorkers, 'core is', 'cores are')} spare.`;
}

/** 'ahead, then concurrent, then equal': how it went, the latest last; what repeats is said once. */
export function historyWords({ history, relation }: Pick<ClockRelationOfJob, 'history' | 'relation'>): string {
  const steps = [...history.map((step) => step.relation), relation];
  return steps.filter((step, i) => step !== steps[i - 1]).join(', then ');
}

export interface ClockLine {
  readonly actor: string;
  readonly name: string;
  readonly events: number;
  /** '1–20, 25' */
  readonly held: string;
}

/** A line a tab that wrote events of the job, the one with the most first. */
export function clockLines(clock: VectorClock): ClockLine[] {
  return Object.entries(clock)
    .map(([actor, intervals = []]) => ({
      actor,
      name: nameOf(actor),
      events: intervals.reduce((sum, [first, last]) => sum + last - first + 1, 0),
      held: intervals.map(([first, last]) => (first === last ? count(first) : `${count(first)}–${count(last)}`)).join(', '),
    }))
    .toSorted((a, b) => b.events - a.events || (a.actor < b.actor ? -1 : 1));
}

export type Relations = ReadonlyMap<string, ClockRelationOfJob>;
const relationsMax = 512;

/**
 * One line a job and group, as a bridge said last. It stays when there is no bridge any more: while the groups are cut off people want to
 * see how they stood.
 */
export function withRelations(before: Relations, told: readonly ClockRelationOfJob[]): Relations {
  const next = new Map(before);
  for (const relation of told) {
    const key = `${relation.job} ${relation.group}`;
    next.delete(key);
    next.set(key, relation);
  }
  for (const oldest of next.keys()) {
    if (next.size <= relationsMax) break;
    next.delete(oldest);
  }
  return next;
}
