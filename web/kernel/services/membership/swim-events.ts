// What the membership core is told, and what it asks to be done.
import type { IdentityId, PeerId, StoreId } from '../../lib/ids.ts';
import type { Rumour } from '../../protocol/contracts/membership.ts';
import type { Offer } from '../../protocol/offer.ts';

export interface Contact {
  readonly peer: PeerId;
  readonly identity: IdentityId;
  readonly store: StoreId | null;
}

/** What one member tells another in a probe or its answer. */
export interface Words {
  readonly rumours: readonly Rumour[];
  /** The incarnation of the listener whose offer the speaker has. */
  readonly seen: number;
  /** Digest of who is a member in the speaker's eyes. */
  readonly view: number;
}

export type SwimEvent =
  | { readonly type: 'tick' }
  /** All open links; proven by the handshake. */
  | { readonly type: 'links'; readonly links: readonly Contact[] }
  | { readonly type: 'probed'; readonly from: PeerId; readonly words: Words }
  | { readonly type: 'answered'; readonly target: PeerId; readonly rttMs: number; readonly words: Words }
  | { readonly type: 'missed'; readonly target: PeerId }
  /** Another member reached it, or something else of it has come since it was asked. */
  | { readonly type: 'vouched'; readonly target: PeerId }
  /** The directory saw its socket close. */
  | { readonly type: 'left'; readonly peer: PeerId }
  /** `moved`: it lives on in another group. */
  | { readonly type: 'goodbye'; readonly peer: PeerId; readonly moved: boolean }
  /** It answered that it is in another group. */
  | { readonly type: 'foreign'; readonly peer: PeerId }
  /** This tab is in another group from now on, and with it, of those it knows, `stay`. */
  | { readonly type: 'moved'; readonly stay: ReadonlySet<PeerId> }
  | { readonly type: 'offer'; readonly offer: Offer };

export type SwimEffect =
  | { readonly type: 'probe'; readonly target: PeerId; readonly words: Words; readonly all: boolean }
  | { readonly type: 'lookup'; readonly target: PeerId; readonly helpers: readonly PeerId[] }
  /** `urgent`: somebody came, went, or is doubted. */
  | { readonly type: 'changed'; readonly urgent: boolean }
  | { readonly type: 'unlink'; readonly peer: PeerId };
