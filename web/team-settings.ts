// Wires the profile's team to the Thanks page, to the links that invite into it, and to the kernel, which marks what is given.
import { onTeamChange, teamShelf } from './adapters/team-shelf.ts';
import { webDigest } from './adapters/web-crypto.ts';
import type { TeamInvite, TeamSource, TeamState } from './dashboard/usage/team-source.ts';
import { bytesOfHex, hexOf } from './kernel/lib/bytes.ts';
import { networkTitleOf } from './kernel/lib/invite.ts';
import { unwrap } from './kernel/lib/outcome.ts';
import { parseTeam, teamFragment, teamKeyBytes, teamMarkOf, type Team } from './kernel/lib/team.ts';
import { ledgerContract } from './kernel/protocol/contracts/ledger.ts';
import { schedulerContract } from './kernel/protocol/contracts/scheduler.ts';
import type { Random } from './kernel/platform.ts';
import type { Bus } from './kernel/service.ts';

export interface TeamSettings extends TeamSource {
  /** A kernel that gives in the team's name from now on. */
  serve(bus: Bus): void;
}

/** Takes the key out of the address at once, so that neither the bar nor a copied address shows it. */
function takeFragment(): string {
  const { hash, pathname, search } = location;
  if (parseTeam(hash) !== undefined) history.replaceState(history.state, '', pathname + search);
  return hash;
}

export function teamSettings(random: Random, network: string): TeamSettings {
  const shelf = teamShelf();
  const { sha256 } = webDigest;
  let bus: Bus | undefined;
  let state: TeamState = { team: shelf.of(network), left: null, invite: null };
  const listeners = new Set<() => void>();
  const become = (change: Partial<TeamState>) => {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  };
  const markOf = ({ key }: Team, identity: string) => teamMarkOf(sha256, bytesOfHex(key), identity);
  /** The kernel is told again whenever it, or the team, is another one. */
  const tell = async () => {
    const [to, { team }] = [bus, state];
    if (to === undefined) return;
    const mark = team === null ? null : await markOf(team, to.self.identity);
    // Meanwhile there may be another of either, and that was told by itself.
    if (to === bus && team === state.team) await to.ask(schedulerContract, 'team', 'replace', { mark });
  };
  const giveFor = (team: Team | null, left: Team | null = null) => {
    become({ team, left, invite: null });
    void tell();
  };
  const read = (fragment: string) => {
    const team = parseTeam(fragment);
    if (team === undefined) return;
    const invite: TeamInvite = team === 'damaged' ? { kind: 'damaged' } : { kind: 'invite', team, here: team.network === network };
    const already = invite.kind === 'invite' && shelf.of(invite.team.network)?.key === invite.team.key;
    become({ invite: already ? null : invite });
  };
  const join = (team: Team) => {
    const named = { ...team, name: networkTitleOf(team.name) };
    unwrap(shelf.put(named));
    if (named.network === network) giveFor(named);
    else become({ invite: null });
  };
  read(takeFragment());
  // A link pasted into the address bar of an open tab loads nothing.
  addEventListener('hashchange', () => read(takeFragment()));
  onTeamChange(() => giveFor(shelf.of(network)));

  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    linkOf: (team) => `${location.origin}/usage${teamFragment(team)}`,
    make: (name) => join({ key: hexOf(random.bytes(teamKeyBytes)), name, network }),
    join,
    leave() {
      unwrap(shelf.remove(network));
      giveFor(null, state.team);
    },
    refuse: () => become({ invite: null }),
    async gifts(team) {
      if (bus === undefined) return [];
      const { gifts } = unwrap(await bus.ask(ledgerContract, 'teams', 'query', {})).body;
      const identities = [...new Set(gifts.map(({ identity }) => identity))];
      const marks = new Map(await Promise.all(identities.map(async (each) => [each, await markOf(team, each)] as const)));
      return gifts.filter((gift) => gift.team === marks.get(gift.identity));
    },
    serve(next) {
      bus = next;
      void tell();
    },
  };
}
