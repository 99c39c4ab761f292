// What a member knows of another, and the small questions about it.
import type { IdentityId, PeerId, StoreId } from '../../lib/ids.ts';
import type { Offer } from '../../protocol/offer.ts';
import type { Contact } from './swim-events.ts';

export interface Known {
  readonly peer: PeerId;
  readonly identity: IdentityId;
  store: StoreId | null;
  incarnation: number;
  status: 'alive' | 'suspect';
  offer: Offer | null;
  /** Its incarnation when the offer was heard; 0 for none. */
  offerAt: number;
  /** The incarnation of ours whose offer it says it has. */
  oursSeen: number;
  /** Its view when it was last heard. */
  view: number;
  /** It, not just a rumour of it, has been heard. Only then is it a member. */
  verified: boolean;
  linked: boolean;
  rttMs: number | null;
  readonly metAt: number;
  heardAt: number;
  suspectAt: number;
  /** Probes missed since it was last heard. */
  misses: number;
  probing: boolean;
  /** When helpers were last asked about it. */
  helpAt: number;
}

export interface Tombstone {
  readonly identity: IdentityId;
  readonly store: StoreId | null;
  readonly incarnation: number;
  linked: boolean;
  triedAt: number;
}

export const newlyMet = ({ peer, identity, store }: Contact, now: number): Known => ({
  peer,
  identity,
  store,
  incarnation: 0,
  status: 'alive',
  offer: null,
  offerAt: 0,
  oursSeen: 0,
  view: 0,
  verified: false,
  linked: false,
  rttMs: null,
  metAt: now,
  heardAt: now,
  suspectAt: now,
  misses: 0,
  probing: false,
  helpAt: -Infinity,
});

/** Whether a member gives at all is what others act on at once; how busy it is they hear from itself in time. */
export function givesOtherwise(before: Offer | null, after: Offer | null): boolean {
  if (after === null) return false;
  if (before === null) return true;
  return (
    before.state !== after.state ||
    before.sandbox.workersAllowed !== after.sandbox.workersAllowed ||
    before.storage.keeps !== after.storage.keeps ||
    before.storage.allowedMiB > 0 !== after.storage.allowedMiB > 0
  );
}

/** FNV-1a, 32 bits. The XOR of many tells views apart unless somebody makes them collide: then everybody is asked now and then, as ever. */
export function digestOf(peer: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < peer.length; i++) hash = Math.imul(hash ^ peer.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
