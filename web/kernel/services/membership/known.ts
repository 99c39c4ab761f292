// What a member knows of another, and the small questions about it.
import type { IdentityId, PeerId, StoreId } from '../../lib/ids.ts';
import type { Member, Rumour } from '../../protocol/contracts/membership.ts';
import type { Offer } from '../../protocol/offer.ts';
import type { Contact } from './swim-events.ts';
import { awayEveryRounds, heardJustNowMs, patientMisses, silentEveryRounds } from './swim-pace.ts';

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
  /** Times it has said, since it was last heard as a member, that it is in another group. */
  denials: number;
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
  denials: 0,
  helpAt: -Infinity,
});

const memberOf = ({ peer, identity, store, status, linked, rttMs, offer }: Known): Member => ({
  peer,
  identity,
  store,
  status,
  rttMs: linked ? rttMs : null,
  offer,
});

/** Self first, then by peer id. */
export function membersOf({ peer, identity, store }: Contact, offer: Offer | null, known: Iterable<Known>): Member[] {
  const others = [...known].filter(({ verified }) => verified).toSorted((a, b) => (a.peer < b.peer ? -1 : 1));
  return [{ peer, identity, store, status: 'alive', rttMs: 0, offer }, ...others.map(memberOf)];
}

/** An offer is passed on as of its own incarnation only: an older one would pass for that of a newer. */
export const rumourOf = ({ peer, identity, store, incarnation, status, offer, offerAt }: Known, withOffer: boolean): Rumour => ({
  peer,
  identity,
  store,
  incarnation,
  status,
  offer: withOffer && offerAt === incarnation ? offer : null,
});

export const rumourOfGone = (peer: PeerId, { identity, store, incarnation }: Tombstone): Rumour => ({
  peer,
  identity,
  store,
  incarnation,
  status: 'gone',
  offer: null,
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

/**
 * Whom to probe in a round. `pressing`: all the new and the doubted, the long silent only now and then. `quiet`: the others, those that were not
 * heard for longest first, before them those whose round trip is not known yet. Whoever asks is heard too: so of a pair now the one asks and
 * now the other, and who falls silent is asked first.
 */
export function whomToAsk(
  known: Iterable<Known>,
  now: number,
  round: number,
  fraction: () => number,
): { pressing: readonly Known[]; quiet: readonly Known[] } {
  const pressing: Known[] = [];
  const quiet: Known[] = [];
  for (const member of known) {
    const { probing, verified, misses, status, metAt, linked } = member;
    if (probing) continue;
    // Without a link of its own a question goes through somebody who may not know yet that the link there is over: those who had one find out.
    const away = verified && !linked;
    const isTurn = misses <= (away ? 0 : patientMisses) || (round + Math.floor(metAt)) % (away ? awayEveryRounds : silentEveryRounds) === 0;
    if (!verified || misses > 0 || status === 'suspect') pressing.push(...(isTurn ? [member] : []));
    else if (isUnmeasured(member) || now - member.heardAt >= heardJustNowMs) quiet.push(member);
  }
  const since = (member: Known) => (isUnmeasured(member) ? -Infinity : member.heardAt);
  return { pressing, quiet: shuffled(quiet, fraction).toSorted((a, b) => (since(a) < since(b) ? -1 : since(a) > since(b) ? 1 : 0)) };
}

/** Takes one round trip into the smoothed one; true where it is the first over this link. */
export function measure(member: Known, rttMs: number): boolean {
  if (!member.linked) return false;
  const first = member.rttMs === null;
  member.rttMs = member.rttMs === null ? rttMs : 0.8 * member.rttMs + 0.2 * rttMs;
  return first;
}

const isUnmeasured = ({ linked, rttMs }: Known) => linked && rttMs === null;

/** In place (Fisher and Yates); `fraction` is uniform in [0, 1). */
export function shuffled<T>(list: T[], fraction: () => number): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(fraction() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}
