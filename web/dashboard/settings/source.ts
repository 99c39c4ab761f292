// What belongs to this browser profile: which network it is in, and who it is.
import { useSyncExternalStore } from 'react';
import type { KnownNetwork } from '../../kernel/lib/invite.ts';
import { useDeps } from '../shell/deps.ts';

/** A link that brought the person here and waits for an answer. */
export type PendingInvite =
  | { readonly kind: 'invite'; readonly network: KnownNetwork; readonly known: boolean }
  /** Cut on its way here. */
  | { readonly kind: 'damaged' };

export interface IdentityState {
  readonly identity: string;
  /** False where the browser keeps no data: the identity ends with the page. */
  readonly kept: boolean;
  /** Identities whose secrets are in this browser too. */
  readonly others: readonly string[];
}

/** What changes the profile loads all its tabs again, so nothing after it matters. Everything rejects with a sentence for a person. */
export interface ProfileSource {
  /** The private network this page is in; null: the public one. */
  readonly network: KnownNetwork | null;
  /** All private networks that the profile knows. */
  networks(): readonly KnownNetwork[];
  linkOf(network: KnownNetwork): string;
  /** A new private network; the profile is not in it yet. */
  make(name: string): Promise<KnownNetwork>;
  moveTo(network: KnownNetwork | null): Promise<void>;
  /** Deletes the key and what this browser keeps for the network. Not of the one it is in. */
  forget(network: KnownNetwork): Promise<void>;

  readonly invite: {
    state(): PendingInvite | null;
    subscribe(listener: () => void): () => void;
    /** "Not now": it goes as it came. */
    refuse(): void;
  };

  identity(): Promise<IdentityState>;
  secret(): Promise<Uint8Array>;
  /** Whose secret that is. */
  identityOf(seed: Uint8Array): Promise<string>;
  bringIn(seed: Uint8Array): Promise<void>;
  become(other: string): Promise<void>;
  remove(other: string): Promise<void>;
}

export function useInvite(): PendingInvite | null {
  const { invite } = useDeps().profile;
  return useSyncExternalStore(invite.subscribe, invite.state);
}
