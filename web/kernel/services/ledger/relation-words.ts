// How a job stands to how a neighbouring group has it, as a sentence for people.
import type { ClockRelationOfJob } from '../../protocol/contracts/ledger.ts';

const wordsMax = 200;

/** `nowMs` is ms since 1970. */
export function relationWords(facts: Omit<ClockRelationOfJob, 'history' | 'words'>, neighbour: string, nowMs: number): string {
  return `${standing(facts, neighbour)}${merges(facts, nowMs)}`.slice(0, wordsMax);
}

function standing({ relation, ours, theirs }: Omit<ClockRelationOfJob, 'history' | 'words'>, neighbour: string): string {
  switch (relation) {
    case 'equal':
      return `In step with ${neighbour}: ${events(ours)}.`;
    case 'behind':
      return `${neighbour} knows ${events(theirs - ours)} more.`;
    case 'ahead':
      return `${neighbour} still lacks ${events(ours - theirs)}.`;
    case 'concurrent':
      return `Each side knows something that the other does not.`;
  }
}

function merges({ mergedEvents, lastMergeAt }: Pick<ClockRelationOfJob, 'mergedEvents' | 'lastMergeAt'>, nowMs: number): string {
  if (lastMergeAt === null) return '';
  const seconds = Math.max(0, Math.round((nowMs - lastMergeAt) / 1_000));
  const ago = seconds < 2 ? 'just now' : seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
  return ` ${events(mergedEvents)} came from there, the last ${ago}.`;
}

const events = (count: number) => (count === 1 ? '1 event' : `${count} events`);
