import type { Team } from '../../kernel/lib/team.ts';

/** What somebody calls a team; by its key where nobody called it anything. */
export const titleOfTeam = ({ name, key }: Team): string => (name === '' ? `team ${key.slice(0, 8)}` : name);

/** What it means to join, before one does. */
export function joiningWords({ here, before }: { here: boolean; before: Team | null }): readonly string[] {
  return [
    'What this browser gives from then on carries the team’s mark. Everybody with the link sees that you gave it, and to which jobs; nobody else can read the mark.',
    ...(here ? [] : ['The team gives in another network than the one you are in now: only what you give there counts for it.']),
    ...(here && before !== null ? [`You leave ${titleOfTeam(before)} by that; what you gave in its name stays there.`] : []),
    'You can leave again on the Thanks page whenever you like.',
  ];
}
