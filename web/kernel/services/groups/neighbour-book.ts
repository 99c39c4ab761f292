// What this tab knows of the neighbouring groups: from the directory, from speaking to their members itself, and from the bridges of its own
// group. Pure: what happens comes in with the time, and is read out as a view.
//
// Anybody may say anything. So whose word about a neighbour is taken stays the same as long as it speaks, one's own talks go before
// what bridges tell, and only those are believed as bridges whose turn it may be. A liar who comes first costs dials that lead nowhere.
import { bridgeOrder } from '../../lib/group-rings.ts';
import type { GroupId, PeerId } from '../../lib/ids.ts';
import { groupNameOf } from '../../lib/names.ts';
import { hash53, rankByRendezvous } from '../../lib/rendezvous.ts';
import { bridgeLostMs, bridgesPerNeighbour, neighbourForgottenMs, neighbourNewsEveryMs, neighboursMin } from '../../limits.ts';
import {
  detailsOfAnother,
  neighboursMax,
  type BridgeLink,
  type BridgeWords,
  type DetailsChange,
  type GroupDetails,
  type GroupLoad,
  type Neighbour,
  type NeighbourNews,
} from '../../protocol/contracts/groups.ts';
import { Expectations } from './bridges.ts';
import { changedBy, changeOf } from './details-change.ts';
import { roughly, statesOf } from './load.ts';

/** Besides the elected ones those who may double them are believed. */
const believedRanks = bridgesPerNeighbour + 2;
/** What a bridge told holds until it should have told twice more. */
const tellingLastsMs = 2.5 * neighbourNewsEveryMs;
/** Versions of a neighbour's details, the last among them, that are kept to tell what has changed since. */
const versionsKept = 4;
/** Groups that no directory named and that are taken in at once. */
const unlistedMax = 2;
/** The directory named them while it was there: without enough of them within reach for so long, others are taken in. */
export const adoptAfterMs = 5_000;
/** One taken in that nobody reaches gives its place to another. */
const adoptedForMs = 20_000;

/** Somebody of another group with whom this tab exchanges words. */
export interface Talk {
  readonly group: GroupId;
  readonly sinceWall: number;
  heardAt: number;
  /** The version of this group's details that it has. */
  has: string | null;
}

interface Telling {
  /** By whom is reached there: since when, on this tab's wall clock. */
  readonly there: Map<PeerId, number>;
  readonly at: number;
}

export interface Entry {
  readonly group: GroupId;
  readonly knownAt: number;
  /** The directory names it. */
  listed: boolean;
  contacts: readonly PeerId[];
  details: GroupDetails | undefined;
  /** Of the details. */
  peers: readonly PeerId[];
  version: string | null;
  /** The last versions, by their names, the oldest first; and what has changed since each, where that was asked for. */
  readonly versions: Map<string, { readonly details: GroupDetails; change?: DetailsChange }>;
  /** Whose word the details are. */
  source: PeerId | undefined;
  load: GroupLoad;
  /** Of `details.members`, by the same source. */
  states: string;
  /** -Infinity: never. */
  heardAt: number;
  /** By bridge of this group. */
  readonly tellings: Map<PeerId, Telling>;
  readonly expectations: Expectations;
  /** Of all members here, of those that answer, and of the members there. */
  readonly orders: { readonly here: KeptOrder; readonly alive: KeptOrder; readonly there: KeptOrder };
}

/** A bridge order is asked for many times between two changes of those whom it orders. */
class KeptOrder {
  #pair = '';
  #of: readonly PeerId[] | undefined;
  #order: readonly PeerId[] = [];

  /** `members` is another list whenever they are others. */
  get(a: GroupId, b: GroupId, members: readonly PeerId[]): readonly PeerId[] {
    const pair = a + b;
    if (this.#of !== members || this.#pair !== pair) this.#order = bridgeOrder(a, b, members);
    this.#of = members;
    this.#pair = pair;
    return this.#order;
  }
}

export const versionOf = (details: GroupDetails) => hash53(JSON.stringify(details)).toString(16);

export class NeighbourBook {
  readonly entries = new Map<GroupId, Entry>();
  readonly talks = new Map<PeerId, Talk>();
  #group: GroupId;
  /** Those of this group that are not gone; this tab among them. */
  #members: ReadonlySet<PeerId> = new Set();
  #memberList: readonly PeerId[] = [];
  /** Of these, those that answer. */
  #alive: readonly PeerId[] = [];
  /** What comes through a common neighbour is no bridge: it goes where that one goes. */
  #open: ReadonlySet<PeerId> = new Set();
  #lackingSince: number | undefined;

  constructor(
    private readonly self: PeerId,
    group: GroupId,
  ) {
    this.#group = group;
  }

  /** This tab's group, its members, and those of them that answer. False where nothing of it is new. */
  within(group: GroupId, members: ReadonlySet<PeerId>, alive: readonly PeerId[]): boolean {
    const list = [...members];
    if (group === this.#group && sameList(list, this.#memberList) && sameList(alive, this.#alive)) return false;
    if (group !== this.#group) for (const entry of this.entries.values()) entry.tellings.clear();
    this.#group = group;
    this.#members = members;
    this.#memberList = list;
    this.#alive = alive;
    this.entries.delete(group);
    for (const [peer, talk] of this.talks) if (talk.group === group || members.has(peer)) this.talks.delete(peer);
    for (const entry of this.entries.values())
      for (const peer of entry.tellings.keys()) if (!members.has(peer)) entry.tellings.delete(peer);
    return true;
  }

  /** The directory's word. */
  listed(neighbours: readonly { readonly group: GroupId; readonly contacts: readonly PeerId[] }[], now: number): void {
    // Those not named any more first: they give their places to those who are new.
    const named = new Set(neighbours.map(({ group }) => group));
    for (const entry of this.entries.values()) entry.listed &&= named.has(entry.group);
    for (const { group, contacts } of neighbours) {
      const entry = this.#take(group, now, true);
      if (entry === undefined) continue;
      entry.listed = true;
      entry.contacts = contacts;
    }
  }

  /** `peer`, of another group, spoke to this tab; false where there is no room for its group. */
  spoke(peer: PeerId, { group, load, states, version, details, have }: BridgeWords, now: number, wall: number): boolean {
    const entry = group === this.#group ? undefined : this.#take(group, now, false);
    if (entry === undefined) return false;
    const talk = this.talks.get(peer);
    if (talk === undefined || talk.group !== group) this.talks.set(peer, { group, sinceWall: wall, heardAt: now, has: have });
    else {
      talk.heardAt = now;
      talk.has = have;
    }
    entry.heardAt = now;
    entry.load = load;
    this.#accept(entry, peer, version, details, now);
    if (entry.source === peer) entry.states = states;
    return true;
  }

  /** `here`, a member of this group, told of the neighbours it is a bridge to. */
  told(here: PeerId, news: readonly NeighbourNews[], now: number, wall: number): void {
    if (!this.#members.has(here) || here === this.self) return;
    for (const { group, there, heardMsAgo, load, states, version, details, change } of news) {
      if (group === this.#group) continue;
      const known = this.entries.get(group);
      const order = known?.orders.here.get(this.#group, group, this.#memberList) ?? bridgeOrder(this.#group, group, this.#memberList);
      const rank = order.indexOf(here);
      if (rank < 0 || rank >= believedRanks) continue;
      const entry = this.#take(group, now, false);
      if (entry === undefined) continue;
      const before = entry.tellings.get(here)?.there;
      entry.tellings.set(here, { there: new Map(there.map((peer) => [peer, before?.get(peer) ?? wall])), at: now });
      if (there.length === 0) continue;
      const heardAt = now - heardMsAgo;
      if (heardAt > entry.heardAt) entry.load = load;
      entry.heardAt = Math.max(entry.heardAt, heardAt);
      // Whoever has not got what it is a change of says so in its answer, and is told all of it.
      const whole =
        details ??
        (change !== null && entry.details !== undefined && entry.version === change.of ? changedBy(change, entry.details) : null);
      this.#accept(entry, here, version, whole ?? null, now);
      // Word of who is up to what is in the order of the version that it comes with.
      if (entry.source === here && entry.version === version) entry.states = states;
    }
  }

  /** What to tell of `group`, at version `to`, to who has its version `has`; undefined where all of it has to be told. */
  changeSince(group: GroupId, has: string | undefined, to: string): DetailsChange | undefined {
    const { versions, version, details } = this.entries.get(group) ?? {};
    const kept = has === undefined ? undefined : versions?.get(has);
    // It may have changed again since somebody put together what is told.
    if (kept === undefined || details === undefined || version !== to) return undefined;
    return (kept.change ??= changeOf(has!, kept.details, details));
  }

  #accept(entry: Entry, source: PeerId, version: string, details: GroupDetails | null, now: number): void {
    if (details === null || this.#keepsToAnother(entry, source, now)) return;
    entry.source = source;
    entry.version = version;
    entry.details = details;
    entry.peers = details.members.map(({ peer }) => peer);
    this.#keepVersion(entry, version, details);
  }

  /** Who is no bridge tells nobody of it. */
  #keepVersion({ group, versions }: Entry, version: string, details: GroupDetails): void {
    if (![...this.talks.values()].some((talk) => talk.group === group)) return versions.clear();
    versions.delete(version);
    for (const kept of versions.values()) delete kept.change;
    versions.set(version, { details });
    for (const oldest of versions.keys()) {
      if (versions.size <= versionsKept) break;
      versions.delete(oldest);
    }
  }

  /** Whose word is taken is another than `source`, and still speaks. */
  #keepsToAnother(entry: Entry, source: PeerId, now: number): boolean {
    const current = entry.source;
    if (current === undefined || current === source || !this.#speaks(entry, current, now)) return false;
    return this.talks.has(current) || !this.talks.has(source);
  }

  /** Of the groups that `here` has just told of, the versions of details that are here; `detailsOfAnother` where none would be taken from it. */
  versionsHere(here: PeerId, news: readonly NeighbourNews[], now: number): { readonly group: GroupId; readonly version: string }[] {
    return news.flatMap(({ group }) => {
      const entry = this.entries.get(group);
      if (entry === undefined) return [];
      const has = this.#keepsToAnother(entry, here, now) ? detailsOfAnother : entry.version;
      return has === null ? [] : [{ group, version: has }];
    });
  }

  #speaks(entry: Entry, source: PeerId, now: number): boolean {
    const talk = this.talks.get(source);
    if (talk?.group === entry.group) return now - talk.heardAt < bridgeLostMs;
    return this.#works(entry, source, now);
  }

  #works(entry: Entry, here: PeerId, now: number): boolean {
    const telling = entry.tellings.get(here);
    return telling !== undefined && telling.there.size > 0 && now - telling.at < tellingLastsMs && this.#alive.includes(here);
  }

  /** All whom this tab has a link of its own to. */
  links(open: ReadonlySet<PeerId>): void {
    this.#open = open;
    for (const peer of this.talks.keys()) if (!open.has(peer)) this.talks.delete(peer);
  }

  /** Of `group` those this tab hears. */
  heardThere(group: GroupId, now: number): PeerId[] {
    return [...this.talks].filter(([peer, talk]) => talk.group === group && this.hears(peer, now)).map(([peer]) => peer);
  }

  /** Over a link of this tab's own, of late. */
  hears(peer: PeerId, now: number): boolean {
    const talk = this.talks.get(peer);
    return talk !== undefined && now - talk.heardAt < bridgeLostMs && this.#open.has(peer);
  }

  bridges(entry: Entry, now: number): BridgeLink[] {
    const own = this.heardThere(entry.group, now).map((there) => ({ here: this.self, there, since: this.talks.get(there)!.sinceWall }));
    const others = [...entry.tellings].filter(([here]) => this.#works(entry, here, now));
    return [...own, ...others.flatMap(([here, { there }]) => [...there].map(([peer, since]) => ({ here, there: peer, since })))];
  }

  isUp(entry: Entry, now: number): boolean {
    return this.heardThere(entry.group, now).length > 0 || [...entry.tellings.keys()].some((here) => this.#works(entry, here, now));
  }

  /** The place of this tab among the bridges to it, 0 the first; undefined where it is to be none. */
  rank(entry: Entry, now: number): number | undefined {
    const order = entry.orders.alive.get(this.#group, entry.group, this.#alive);
    const elected = entry.expectations.elects(this.self, order, (here) => this.#works(entry, here, now), now);
    return elected && this.isWanted(entry, now) ? order.indexOf(this.self) : undefined;
  }

  /** What the directory does not name is kept only while there is too little of what it names. */
  isWanted(entry: Entry, now: number): boolean {
    if (entry.listed) return true;
    const before = [...this.entries.values()].filter((other) => other !== entry && (other.listed || other.group < entry.group));
    return before.filter((other) => this.isUp(other, now)).length < neighboursMin;
  }

  /** Members of the neighbour, those to be dialled first at the front. */
  far(entry: Entry): PeerId[] {
    const order = entry.orders.there.get(this.#group, entry.group, entry.peers);
    // Whoever came lately is known to the directory only.
    return [...order, ...entry.contacts.filter((peer) => !entry.peers.includes(peer))];
  }

  /** Forgets what nobody names or hears, and takes in neighbours of neighbours where too few are within reach. */
  tick(now: number): void {
    for (const [peer, { heardAt }] of this.talks) if (now - heardAt >= neighbourForgottenMs) this.talks.delete(peer);
    const all = [...this.entries.values()];
    const up = all.filter((entry) => this.isUp(entry, now)).length;
    for (const entry of all) {
      const silent = now - Math.max(entry.heardAt, entry.knownAt);
      if (!entry.listed && silent >= (entry.heardAt === -Infinity ? adoptedForMs : neighbourForgottenMs)) this.entries.delete(entry.group);
    }
    if (up >= neighboursMin) this.#lackingSince = undefined;
    else this.#lackingSince ??= now;
    if (this.#lackingSince === undefined || now - this.#lackingSince < adoptAfterMs) return;
    const candidates = new Map(all.flatMap(({ details }) => details?.neighbours.map((it) => [it.group, it.contacts] as const) ?? []));
    for (const group of rankByRendezvous(this.#group, [...candidates.keys()])) {
      if (group === this.#group || this.entries.has(group) || candidates.get(group)!.length === 0) continue;
      const entry = this.#take(group, now, false);
      if (entry === undefined) return;
      entry.contacts = candidates.get(group)!;
    }
  }

  /** Short, and another whenever what is known of the neighbours is: times and exact loads apart. */
  gist(now: number): string {
    const entries = [...this.entries.values()].map((entry) => [
      `${entry.group} ${entry.version} ${roughly(entry.load).join(' ')} ${this.heardThere(entry.group, now).join(' ')}`,
      ...[...entry.tellings]
        .filter(([here]) => this.#works(entry, here, now))
        .map(([here, { there }]) => `${here} ${[...there.keys()].join(' ')}`),
    ]);
    return entries.flat().join('|');
  }

  view(now: number): Neighbour[] {
    return [...this.entries.values()]
      .toSorted((a, b) => (a.group < b.group ? -1 : 1))
      .map((entry) => {
        const bridges = this.bridges(entry, now).slice(0, 64);
        const members = [...(entry.details?.members ?? [])];
        return {
          group: entry.group,
          name: groupNameOf(entry.group),
          answersFor: [...(entry.details?.answersFor ?? [entry.group])],
          members,
          states: entry.states.length === members.length ? statesOf(entry.states) : [],
          bridges,
          up: bridges.length > 0,
          heardMsAgo: entry.heardAt === -Infinity ? null : now - entry.heardAt,
          ...entry.load,
        };
      });
  }

  /** With room made by letting go of one that is not listed, where the directory asks for it. */
  #take(group: GroupId, now: number, listed: boolean): Entry | undefined {
    const known = this.entries.get(group);
    if (known !== undefined || group === this.#group) return known;
    const unlisted = [...this.entries.values()].filter((entry) => !entry.listed);
    if (!listed && (unlisted.length >= unlistedMax || this.entries.size >= neighboursMax)) return undefined;
    if (this.entries.size >= neighboursMax) {
      const [first] = unlisted;
      if (first === undefined) return undefined;
      this.entries.delete(first.group);
    }
    const entry: Entry = {
      group,
      knownAt: now,
      listed,
      contacts: [],
      details: undefined,
      peers: [],
      version: null,
      versions: new Map(),
      source: undefined,
      load: { spareWorkers: 0, waitingFunctions: 0 },
      states: '',
      heardAt: -Infinity,
      tellings: new Map(),
      expectations: new Expectations(),
      orders: { here: new KeptOrder(), alive: new KeptOrder(), there: new KeptOrder() },
    };
    this.entries.set(group, entry);
    return entry;
  }
}

const sameList = (a: readonly PeerId[], b: readonly PeerId[]) => a.length === b.length && a.every((peer, i) => peer === b[i]);
