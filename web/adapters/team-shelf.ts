// The team that this profile gives for in each network: in localStorage, as its networks are, so that all its tabs agree.
import * as v from 'valibot';
import { networkTitleCharsMax, networkTitleOf } from '../kernel/lib/invite.ts';
import { failure, success, type Outcome } from '../kernel/lib/outcome.ts';
import type { Team } from '../kernel/lib/team.ts';
import { networksKnownMax, pageStorage, type TextStorage } from './network-shelf.ts';

/** The public network, and as many private ones as a profile may know. */
const teamsMax = networksKnownMax + 1;
const item = 'lull-teams';

const shelfSchema = v.object({
  v: v.literal(1),
  teams: v.pipe(
    v.array(
      v.object({
        network: v.pipe(v.string(), v.regex(/^(?:public|[0-9a-f]{64})$/)),
        key: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
        name: v.pipe(v.string(), v.maxLength(2 * networkTitleCharsMax)),
      }),
    ),
    v.maxLength(teamsMax),
  ),
});

export interface TeamShelf {
  of(network: string): Team | null;
  /** In place of the team it gave for in that network. Faults: 'storage', 'overloaded'. */
  put(team: Team): Outcome<void>;
  /** Fault: 'storage'. */
  remove(network: string): Outcome<void>;
}

export function teamShelf(storage: TextStorage | undefined = pageStorage()): TeamShelf {
  const read = (): readonly Team[] => {
    try {
      const parsed = v.safeParse(shelfSchema, JSON.parse(storage?.getItem(item) ?? 'null'));
      if (parsed.success) return parsed.output.teams;
    } catch {
      // Not readable, or not ours: then there is no team.
    }
    return [];
  };
  const write = (teams: readonly Team[]): Outcome<void> => {
    if (storage === undefined) return failure('storage', 'This browser keeps no data for websites, so it cannot remember a team.');
    try {
      storage.setItem(item, JSON.stringify({ v: 1, teams }));
      return success(undefined);
    } catch {
      return failure('storage', 'This browser could not keep that: it has no room for it, or keeps no data for websites.');
    }
  };
  const without = (network: string) => read().filter((team) => team.network !== network);
  return {
    of: (network) => read().find((team) => team.network === network) ?? null,
    put({ network, key, name }) {
      const others = without(network);
      if (others.length >= teamsMax) return failure('overloaded', `This browser gives for ${teamsMax} teams already: leave one first.`);
      return write([...others, { network, key, name: networkTitleOf(name) }]);
    },
    remove: (network) => write(without(network)),
  };
}

/** Calls back when another tab of the profile has changed its team. */
export function onTeamChange(listener: () => void): void {
  addEventListener('storage', (event) => {
    if (event.key === item || event.key === null) listener();
  });
}
