// The team that this browser gives for, and what all its members gave.
import { useSyncExternalStore } from 'react';
import type { Team } from '../../kernel/lib/team.ts';
import type { TeamGift } from '../../kernel/protocol/contracts/ledger.ts';
import { useDeps } from '../shell/deps.ts';

/** A link that brought the person here and waits for an answer. */
export type TeamInvite =
  /** `here`: it gives in the network this page is in. */
  | { readonly kind: 'invite'; readonly team: Team; readonly here: boolean }
  /** Cut on its way here. */
  | { readonly kind: 'damaged' };

export interface TeamState {
  /** In the network this page is in; null: this browser gives in its own name only. */
  readonly team: Team | null;
  /** The one it left last, while that can be taken back. */
  readonly left: Team | null;
  readonly invite: TeamInvite | null;
}

/** What may fail throws, or rejects, with a sentence for a person. */
export interface TeamSource {
  /** The same object until something changes. */
  state(): TeamState;
  subscribe(listener: () => void): () => void;
  linkOf(team: Team): string;
  /** A new team; this browser gives for it from now on. */
  make(name: string): void;
  /** In place of the team before. */
  join(team: Team): void;
  leave(): void;
  /** "Not now": the invite goes as it came. */
  refuse(): void;
  /** What the team's members gave in its name: of jobs that are known here, and only what they signed. */
  gifts(team: Team): Promise<readonly TeamGift[]>;
}

export function useTeam(): TeamState {
  const { team } = useDeps();
  return useSyncExternalStore(team.subscribe, team.state);
}
