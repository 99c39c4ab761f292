// Why a member runs nothing of one job: what holds all work back there (reasons.ts), or one of this closed list, which is about the job. Told by
// its code; whoever shows it has the words. A donor's choice is told as one code, whatever the choice was.
import { reasonOfMany, reasonThere } from './reasons.ts';

const said = {
  'job-memory': { there: 'Its person allows less memory than the job asks for.', many: 'not enough memory' },
  'not-chosen': { there: 'Its person chose not to run such jobs.', many: 'their owner chose not to run it' },
  unloadable: { there: 'The code of the job cannot be loaded there.', many: 'cannot load its code' },
  'no-data': {
    there: 'It cannot get data of the job from those who are here: whoever has it may have to come back.',
    many: 'unable to get its data from those who are here',
  },
  broken: { there: 'A part of the job went wrong there: it tries again in a while.', many: 'tried it in vain just now' },
  'other-jobs': { there: 'It works on other jobs.', many: 'at work on other jobs' },
  'none-free': { there: 'No part of the job is free for it.', many: 'idle, and no part is free' },
  'about-to': { there: 'It is about to take a part.', many: 'about to take a part' },
  'nothing-wanted': { there: 'The job asks for nothing now.', many: 'idle, and nothing is asked for' },
  'not-known': { there: 'It has not heard of the job yet.', many: 'have not heard of it yet' },
  starting: { there: 'It has just been opened.', many: 'just opened' },
  silent: { there: 'It has not answered.', many: 'not answering' },
} as const;

export type ExclusionCode = keyof typeof said;

const isOurs = (code: string): code is ExclusionCode => Object.hasOwn(said, code);

/** About another member; '' where nothing keeps the job from it. */
export const exclusionThere = (code: string): string => (isOurs(code) ? said[code].there : reasonThere(code));

const ofMany = (code: string): string => (isOurs(code) ? said[code].many : reasonOfMany(code));

/** So many members, for one reason. */
export interface Constraint {
  readonly members: number;
  /** Behind the number. */
  readonly words: string;
}

/** Which constraint excludes how many members, the most first and else by the words; what people would call the same is counted together. '' excludes nobody. */
export function constraintsOf(codes: readonly string[]): Constraint[] {
  const counts = new Map<string, number>();
  for (const code of codes) if (code !== '') counts.set(ofMany(code), (counts.get(ofMany(code)) ?? 0) + 1);
  return [...counts]
    .map(([words, members]) => ({ words, members }))
    .toSorted((a, b) => b.members - a.members || (a.words < b.words ? -1 : 1));
}

/** '3 members: in use by their owner; 2: not enough memory.' '' where there are none. */
export function constraintSentence(constraints: readonly Constraint[]): string {
  const counted = constraints.map(
    ({ members, words }, at) => `${members}${at > 0 ? '' : members === 1 ? ' member' : ' members'}: ${words}`,
  );
  return counted.length === 0 ? '' : `${counted.join('; ')}.`;
}
