// What is said of how a job stands in the group. Pure, so that every sentence has a test.
import type { MemberStanding, Standing } from '../../sdk/types.ts';
import type { Tone } from '../pieces/pieces.tsx';
import { count, plural } from '../view/format.ts';

export interface Doing {
  readonly tone: Tone;
  /** In a word or two. */
  readonly word: string;
  /** Beside it. */
  readonly more: string;
}

/** What one member does of the job now. */
export function doingOf({ answered, runs, claimed, why }: MemberStanding): Doing {
  if (!answered) return { tone: 'coral', word: 'silent', more: why };
  if (runs.length > 0) {
    const items = runs.reduce((sum, run) => sum + run.items, 0);
    const finished = runs.reduce((sum, run) => sum + run.finished, 0);
    const ahead = claimed > runs.length ? `, ${plural(claimed - runs.length, 'more part')} claimed ahead` : '';
    return {
      tone: 'tide',
      word: `runs ${plural(runs.length, 'part')}`,
      more: `${count(finished)} of ${plural(items, 'item')} done${ahead}`,
    };
  }
  if (claimed > 0) return { tone: 'tide', word: `has ${plural(claimed, 'part')}`, more: 'It is about to begin, or hands in what it did.' };
  return { tone: 'mute', word: 'nothing', more: why };
}

/** '2 of 5 members work on it. 3 parts wait in this group, 4 are claimed.' */
export function queueSentence({ members, waiting, claimed, lentItems }: Standing): string {
  const working = members.filter((member) => member.claimed > 0).length;
  const who =
    working === 0 ? 'Nobody works on it.' : `${working} of ${plural(members.length, 'member')} ${working === 1 ? 'works' : 'work'} on it.`;
  const parts = `${plural(waiting, 'part waits', 'parts wait')} in this group's queue, ${claimed === 1 ? '1 is' : `${count(claimed)} are`} claimed.`;
  const lent = lentItems === 0 ? '' : ` ${plural(lentItems, 'item is', 'items are')} lent between groups.`;
  return `${who} ${parts}${lent}`;
}

/** A job of which nothing is claimed anywhere waits for somebody. */
export const nobodyWorks = ({ members, claimed }: Standing): boolean => claimed === 0 && members.every((member) => member.claimed === 0);
