// Who is in the group, decided from probes and rumours (rule 15; SWIM, Das, Gupta, Motivala 2002). Pure: events in, effects out.
//
//   (rumour) -> unverified --answers--> alive --misses, suspectAfterMs without life--> suspect --goneAfterMs--> gone (tombstone)
//                                         ^------ answers, vouched for, higher incarnation ------'                 |
//                                         ^------------------------- alive at a higher incarnation ----------------'
//
// A rumour never removes a member: it makes us look for ourselves. So a liar can cause probes, not exclusions.
import { peerBelongsTo, type PeerId } from '../../lib/ids.ts';
import { goneAfterMs, groupPeersMax, probeEveryMs, probePeers, suspectAfterMs } from '../../limits.ts';
import type { Member, Rumour } from '../../protocol/contracts/membership.ts';
import {
  digestOf,
  givesOtherwise,
  measure,
  membersOf,
  newlyMet,
  rumourOf,
  rumourOfGone,
  shuffled,
  whomToAsk,
  type Known,
  type Tombstone,
} from './known.ts';
import { News } from './news.ts';
import { OwnOffer } from './own-offer.ts';
import type { Contact, SwimEffect, SwimEvent, Words } from './swim-events.ts';
import { askAllEveryRounds, askAllGapMs, askAllGapMsMax, helpersAnswerMs, incarnationMax, retryGoneEveryMs } from './swim-pace.ts';

/** How often 'tick' comes; every second one probes. */
export const tickEveryMs = probeEveryMs / 2;
/** Ticks this late mean that it was us who were away: nobody is blamed for the silence. */
export const thawAfterMs = 1_500;
export const membersMax = groupPeersMax * 2 - 1;
export const tombstonesMax = 256;
export const rumoursPerProbeMax = 12;
export const rumoursMax = 64;
export const helpersMax = 3;

export class Swim {
  readonly #known = new Map<PeerId, Known>();
  readonly #gone = new Map<PeerId, Tombstone>();
  /** Linked to us, and in another group: left alone until they speak as members. */
  readonly #foreign = new Set<PeerId>();
  readonly #news = new News();
  #incarnation: number;
  readonly #offer = new OwnOffer();
  /** XOR of the digests of the members, ours among them, and of those of the suspected once more. */
  #view: number;
  #askedAllAt = -Infinity;
  #askAllGapMs = askAllGapMs;
  #tickedAt: number;
  #ticks = 0;
  #rounds = 0;
  #effects: SwimEffect[] = [];
  #now: number;

  /** `incarnation` continues from an earlier life of the same peer id; `fraction` is uniform in [0, 1). */
  constructor(
    private readonly self: Contact,
    private readonly fraction: () => number,
    now: number,
    incarnation = 1,
  ) {
    this.#incarnation = incarnation;
    this.#view = digestOf(self.peer);
    this.#tickedAt = now;
    this.#now = now;
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  handle(event: SwimEvent, now: number): SwimEffect[] {
    this.#now = now;
    this.#effects = [];
    // Before anything else, or probes whose time ran out while we were frozen would count.
    if (now - this.#tickedAt > thawAfterMs) this.#thaw();
    switch (event.type) {
      case 'tick':
        this.#tick();
        break;
      case 'links':
        this.#links(event.links);
        break;
      case 'probed':
        this.#heard(event.from, event.words, false);
        break;
      case 'answered': {
        this.#heard(event.target, event.words, true);
        const member = this.#known.get(event.target);
        if (member !== undefined && measure(member, event.rttMs)) this.#changed(false);
        break;
      }
      case 'missed':
        this.#missed(event.target);
        break;
      case 'vouched':
        this.#vouched(event.target);
        break;
      case 'left': {
        const member = this.#known.get(event.peer);
        if (member !== undefined) {
          this.#suspect(member);
          this.#probe(member.peer);
        }
        break;
      }
      case 'goodbye': {
        const member = this.#known.get(event.peer);
        if (!event.moved) this.#effects.push({ type: 'unlink', peer: event.peer });
        if (member !== undefined && event.moved) this.#buryForeign(member);
        else if (member !== undefined) this.#bury(member);
        break;
      }
      case 'foreign':
        this.#isForeign(event.peer);
        break;
      case 'moved':
        this.#move(event.stay);
        break;
      case 'offer':
        this.#offer.set(event.offer, now);
        this.#changed(false);
        break;
      default:
        event satisfies never;
    }
    return this.#effects;
  }

  /** What to answer a probe of `to` with; `all` as it asked. */
  tell(to: PeerId, all: boolean): Words {
    this.#settleOffer();
    const listener = this.#known.get(to);
    const told = this.#knowsUs(listener) ? [] : [this.#ownRumour(listener)];
    const named = new Set<PeerId>([this.self.peer]);
    const add = (peer: PeerId) => {
      const rumour = named.has(peer) ? undefined : this.#rumourOf(peer, this.#news.isOffer(peer));
      if (rumour === undefined) return;
      named.add(peer);
      told.push(rumour);
      this.#news.told(peer);
    };
    // Who is doubted must learn it first, or it cannot object.
    if (listener?.status === 'suspect' || this.#gone.has(to)) add(to);
    if (this.#news.size > 0) {
      // Who sees what we see needs no news of it.
      const agrees = listener?.view === this.#view;
      for (const peer of this.#news.inOrder())
        if (peer !== to && told.length < rumoursPerProbeMax && !(agrees && !this.#news.isOffer(peer))) add(peer);
    }
    if (all) {
      for (const member of this.#known.values()) if (member.verified && member.peer !== to && told.length < rumoursMax) add(member.peer);
    }
    return { rumours: told, seen: listener?.offerAt ?? 0, view: this.#view };
  }

  *alive(): Generator<PeerId> {
    for (const { peer, verified, status } of this.#known.values()) if (verified && status === 'alive') yield peer;
  }

  /** Linked, and known to be in another group. */
  isForeign(peer: PeerId): boolean {
    return this.#foreign.has(peer);
  }

  isMember(peer: PeerId): boolean {
    return this.#known.get(peer)?.verified === true;
  }

  members(): Member[] {
    return membersOf(this.self, this.#offer.offer, this.#known.values());
  }

  #tick(): void {
    this.#tickedAt = this.#now;
    this.#ticks++;
    for (const member of this.#known.values()) this.#judge(member);
    for (const [peer, stone] of this.#gone) {
      if (!stone.linked || this.#now - stone.triedAt < retryGoneEveryMs) continue;
      stone.triedAt = this.#now;
      this.#probe(peer);
    }
    if (this.#ticks % 2 === 0) this.#round();
    this.#settleOffer();
    for (const { peer } of this.#offer.toTellAtOnce(this.#known.values(), this.#now)) this.#probe(peer);
  }

  /** We were frozen: others may have buried us, and their silence was ours. */
  #thaw(): void {
    this.#tickedAt = this.#now;
    this.#incarnation++;
    for (const member of this.#known.values()) {
      member.heardAt = this.#now;
      member.suspectAt = this.#now;
      member.misses = 0;
      member.probing = false;
      this.#probe(member.peer, true);
    }
  }

  #round(): void {
    const asksAll = this.#rounds++ % askAllEveryRounds === askAllEveryRounds - 1;
    const { pressing, quiet } = whomToAsk(this.#known.values(), this.#now, this.#rounds, this.fraction);
    for (const { peer } of pressing) this.#probe(peer);
    for (const [at, { peer }] of quiet.slice(0, probePeers).entries()) this.#probe(peer, asksAll && at === 0);
  }

  #judge(member: Known): void {
    if (!member.verified) {
      if (this.#now - member.metAt >= goneAfterMs) this.#known.delete(member.peer);
    } else if (member.status === 'suspect') {
      if (this.#now - member.suspectAt >= goneAfterMs - suspectAfterMs) this.#bury(member);
    } else if (member.misses >= 2 && this.#now - member.heardAt >= suspectAfterMs && this.#now - member.helpAt >= helpersAnswerMs) {
      this.#suspect(member);
    }
  }

  #links(links: readonly Contact[]): void {
    const open = new Map(links.map((link) => [link.peer, link]));
    for (const stone of this.#gone) stone[1].linked = open.has(stone[0]) && !this.#foreign.has(stone[0]);
    for (const peer of this.#foreign) if (!open.has(peer)) this.#foreign.delete(peer);
    for (const member of this.#known.values()) {
      if (!member.linked || open.has(member.peer)) continue;
      Object.assign(member, { linked: false, rttMs: null });
      this.#changed(false);
      this.#probe(member.peer);
    }
    for (const link of links) {
      if (link.peer === this.self.peer || this.#foreign.has(link.peer)) continue;
      const stone = this.#gone.get(link.peer);
      const member = this.#known.get(link.peer) ?? (stone === undefined ? this.#meet(link) : undefined);
      if (member === undefined) {
        if (stone !== undefined && this.#now - stone.triedAt >= tickEveryMs) {
          stone.triedAt = this.#now;
          this.#probe(link.peer, true);
        }
        continue;
      }
      if (member.linked) continue;
      member.linked = true;
      member.store = link.store ?? member.store;
      // Whether it is of this group it must say itself.
      if (member.verified) this.#alive(link.peer);
      this.#changed(member.verified);
      // With the first link everything is asked for; with later ones only where the views differ, and one of the two asks.
      const first = this.#known.size === 1;
      if (first || this.self.peer < link.peer) this.#probe(link.peer, first, true);
    }
  }

  /** Takes a peer into what is known; undefined where there is no room for it. */
  #meet({ peer, identity, store }: Contact): Known | undefined {
    if (this.#known.size >= membersMax) return undefined;
    const member = newlyMet({ peer, identity, store }, this.#now);
    // Whoever moves here from another group has been linked all along.
    member.linked = this.#foreign.delete(peer);
    this.#known.set(peer, member);
    // A store speaks through one tab: whoever else claims it has most likely been reloaded.
    for (const other of this.#known.values()) {
      if (other === member || store === null || other.store !== store || other.identity !== identity || other.linked) continue;
      this.#probe(other.peer);
    }
    return member;
  }

  /** `from` itself spoke to us; `asked`: because we did. */
  #heard(from: PeerId, { rumours, seen, view }: Words, asked: boolean): void {
    // It was told something of us by somebody else, of a time that has not come: what we offer must be newer than that.
    if (seen > this.#incarnation && seen < incarnationMax) {
      this.#incarnation = seen;
      this.#offer.again();
    }
    for (const rumour of rumours) this.#hear(rumour, asked);
    this.#alive(from);
    const speaker = this.#known.get(from);
    if (speaker !== undefined) {
      speaker.oursSeen = seen;
      speaker.view = view;
    }
    if (view === this.#view) {
      this.#askAllGapMs = askAllGapMs;
      return;
    }
    if (this.#now - this.#askedAllAt < this.#askAllGapMs) return;
    this.#askedAllAt = this.#now;
    this.#askAllGapMs = Math.min(2 * this.#askAllGapMs, askAllGapMsMax);
    this.#probe(from, true, true);
  }

  #hear(rumour: Rumour, asked: boolean): void {
    if (rumour.incarnation > incarnationMax || !peerBelongsTo(rumour.peer, rumour.identity)) return;
    if (rumour.peer === this.self.peer) {
      const objects = rumour.status !== 'alive' ? rumour.incarnation >= this.#incarnation : rumour.incarnation > this.#incarnation;
      if (objects) this.#incarnation = rumour.incarnation + 1;
      return;
    }
    const stone = this.#gone.get(rumour.peer);
    if (stone !== undefined) {
      if (rumour.status !== 'alive' || rumour.incarnation <= stone.incarnation) return;
      this.#gone.delete(rumour.peer);
      const member = this.#meet(rumour);
      if (member === undefined) return;
      // Its link, where it has one, stood all along.
      member.linked = stone.linked;
      this.#update(member, rumour);
      this.#probe(rumour.peer);
      return;
    }
    const member = this.#known.get(rumour.peer);
    if (member === undefined) {
      if (rumour.status === 'gone') return;
      const met = this.#meet(rumour);
      if (met === undefined) return;
      this.#update(met, rumour);
      // A newcomer learns of the others by asking, and asks each of them: they need not ask it as well.
      if (asked) this.#probe(rumour.peer);
      return;
    }
    if (rumour.incarnation < member.incarnation) return;
    if (rumour.status === 'alive') {
      const newer = rumour.incarnation > member.incarnation;
      const offers = rumour.offer !== null && rumour.incarnation > member.offerAt;
      if (!newer && !offers) return;
      const gives = givesOtherwise(member.offer, rumour.offer);
      this.#update(member, rumour);
      if (newer && member.status === 'suspect') this.#trust(member);
      else if (gives) this.#news.add(member.peer, false, this.#known.size);
      if (offers) this.#changed(false);
      return;
    }
    if (rumour.incarnation > member.incarnation) this.#update(member, rumour);
    // Who spoke to us just now is not doubted on hearsay.
    if (!member.verified || member.status === 'suspect' || this.#now - member.heardAt < 2 * probeEveryMs) return;
    this.#suspect(member);
    this.#probe(member.peer);
  }

  #update(member: Known, rumour: Rumour): void {
    member.incarnation = rumour.incarnation;
    if (rumour.offer !== null) {
      member.offer = rumour.offer;
      member.offerAt = rumour.incarnation;
    }
    // What the handshake proved is not overruled by talk.
    if (!member.linked) member.store = rumour.store;
  }

  /** While a group is being moved some members know of it before others: so one who was a member must say it twice. */
  #isForeign(peer: PeerId): void {
    const member = this.#known.get(peer);
    if (member?.verified === true && ++member.denials < 2) return this.#missed(peer);
    const stone = this.#gone.get(peer);
    if ((member ?? stone)?.linked === true) this.#foreign.add(peer);
    if (stone !== undefined) stone.linked = false;
    if (member?.verified === true) this.#buryForeign(member);
    else this.#known.delete(peer);
  }

  #buryForeign(member: Known): void {
    if (member.linked) this.#foreign.add(member.peer);
    this.#bury(Object.assign(member, { linked: false }));
  }

  /** What was said of us in the old group, and of whom we leave behind, does not count in the new one. */
  #move(stay: ReadonlySet<PeerId>): void {
    this.#incarnation++;
    this.#gone.clear();
    this.#foreign.clear();
    this.#view = digestOf(this.self.peer);
    for (const member of this.#known.values()) {
      this.#news.drop(member.peer);
      if (!stay.has(member.peer)) this.#known.delete(member.peer);
      else if (member.verified) this.#flip(member.peer);
      if (stay.has(member.peer) && member.status === 'suspect') this.#flip(`${member.peer}?`);
    }
    this.#changed(true);
  }

  /** It spoke to us itself. */
  #alive(peer: PeerId): void {
    const member = this.#known.get(peer);
    if (member === undefined) return;
    member.heardAt = this.#now;
    member.misses = 0;
    member.denials = 0;
    member.probing = false;
    if (!member.verified) {
      member.verified = true;
      this.#flip(peer);
      this.#news.add(peer, true, this.#known.size);
      this.#changed(true);
    }
    if (member.status === 'suspect') this.#trust(member);
  }

  #missed(target: PeerId): void {
    const member = this.#known.get(target);
    if (member === undefined || !member.probing) return;
    member.probing = false;
    member.misses++;
    // The longer it is silent the less often others are troubled for it, and fewer of them once it is suspected: who has not left objects.
    const suspected = member.status === 'suspect';
    if (!member.verified || ((suspected || member.misses > 3) && member.misses % 4 !== 0)) return;
    const able = [...this.#known.values()].filter(
      (other) => other !== member && other.verified && other.status === 'alive' && other.misses === 0,
    );
    const helpers = shuffled(
      able.map(({ peer }) => peer),
      this.fraction,
    ).slice(0, suspected ? 1 : helpersMax);
    if (helpers.length === 0) {
      this.#judge(member);
      return;
    }
    member.helpAt = this.#now;
    this.#effects.push({ type: 'lookup', target, helpers });
  }

  #vouched(target: PeerId): void {
    const member = this.#known.get(target);
    if (member !== undefined) member.probing = false;
    if (member?.verified !== true) return;
    member.heardAt = this.#now;
    member.misses = 0;
    if (member.status === 'suspect') this.#trust(member);
  }

  #suspect(member: Known): void {
    if (member.status === 'suspect' || !member.verified) return;
    member.status = 'suspect';
    member.suspectAt = this.#now;
    this.#flip(`${member.peer}?`);
    this.#news.add(member.peer, true, this.#known.size);
    this.#changed(true);
  }

  #trust(member: Known): void {
    member.status = 'alive';
    this.#flip(`${member.peer}?`);
    this.#news.add(member.peer, true, this.#known.size);
    this.#changed(true);
  }

  #bury(member: Known): void {
    this.#known.delete(member.peer);
    if (member.verified) this.#flip(member.peer);
    if (member.status === 'suspect') this.#flip(`${member.peer}?`);
    const { peer, identity, store, incarnation, linked } = member;
    this.#gone.set(peer, { identity, store, incarnation, linked, triedAt: this.#now });
    for (const oldest of this.#gone.keys()) {
      if (this.#gone.size <= tombstonesMax) break;
      this.#gone.delete(oldest);
      this.#news.drop(oldest);
    }
    this.#news.add(peer, true, this.#known.size);
    this.#changed(true);
  }

  /** Into the view or out of it. */
  #flip(what: string): void {
    this.#view = (this.#view ^ digestOf(what)) >>> 0;
  }

  /** It has our offer, and sees the same group, ourselves in it: nothing that we could say of ourselves is new. */
  #knowsUs(listener: Known | undefined): boolean {
    return listener?.verified === true && listener.view === this.#view && this.#offer.isKnownTo(listener);
  }

  #ownRumour(listener: Known | undefined): Rumour {
    const { peer, identity, store } = this.self;
    const offer = listener !== undefined && this.#offer.isKnownTo(listener) ? null : this.#offer.offer;
    return { peer, identity, store, incarnation: this.#incarnation, status: 'alive', offer };
  }

  #rumourOf(peer: PeerId, withOffer: boolean): Rumour | undefined {
    const member = this.#known.get(peer);
    const stone = this.#gone.get(peer);
    return member !== undefined ? rumourOf(member, withOffer) : stone && rumourOfGone(peer, stone);
  }

  #settleOffer(): void {
    this.#offer.settle(() => ++this.#incarnation);
  }

  /** `again`: also where one is under way (a link has just opened, or closed under it). */
  #probe(target: PeerId, all = false, again = false): void {
    const member = this.#known.get(target);
    if (member !== undefined) {
      if (member.probing && !again) return;
      member.probing = true;
    }
    this.#effects.push({ type: 'probe', target, words: this.tell(target, all), all });
  }

  #changed(urgent: boolean): void {
    this.#effects.push({ type: 'changed', urgent });
  }
}
