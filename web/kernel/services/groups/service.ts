// Groups: keeps links to the neighbouring groups where it is this tab's turn, and has every member know what the bridges hear. What is
// decided is decided in neighbour-book.ts and bridges.ts; here it is done.
import { isHex32, type GroupId, type PeerId } from '../../lib/ids.ts';
import { FaultError } from '../../lib/outcome.ts';
import { bridgeBeatMs, bridgesPerNeighbour, connectTimeoutMs, neighbourNewsEveryMs } from '../../limits.ts';
import type { Cancel } from '../../platform.ts';
import {
  answersForMax,
  contactsMax,
  detailsOfAnother,
  groupsContract,
  neighboursMax,
  type BridgeWords,
  type GroupDetails,
  type GroupsView,
  type NeighbourNews,
} from '../../protocol/contracts/groups.ts';
import { membershipContract, type GroupView } from '../../protocol/contracts/membership.ts';
import { networkContract, type LinkInfo } from '../../protocol/contracts/network.ts';
import { queueContract } from '../../protocol/contracts/queue.ts';
import type { PublicationOf } from '../../protocol/contract.ts';
import type { ServiceFactory } from '../../service.ts';
import { AnswersFor } from './answers-for.ts';
import { chooseThere } from './bridges.ts';
import { IdleLinks } from './idle-links.ts';
import { NeighbourBook, versionOf, type Entry } from './neighbour-book.ts';
import { loadOf, roughly, statesText } from './load.ts';

export const tickEveryMs = 500;
const viewEveryMs = 250;
/** The side with the higher group id dials where the other has not in this long: so that the two do not dial each other. */
const otherSideAfterMs = 1_500;
/** A bridge that speaks to some other tab than a bridge of the other side looks for one after so long. */
const upgradeAfterMs = 10_000;
const redialMsMin = 2_000;
const redialMsMax = 60_000;
const tellTimeoutMs = 2_000;
/** Who is in a group that many come to and leave changes all the time, and all of it has to be said again. */
const detailsEveryMs = 4_000;
/** What members of other groups are up to is for people to look at. */
const statesEveryMs = 4_000;
/** A new member without a link to this tab most likely has one in so long: until then it is not told over a neighbour. */
const linkGraceMs = 2_500;
const settleMs = 1_500;
const idleLookEveryMs = 5_000;
const metaKey = 'absorbed';

type Around = PublicationOf<typeof membershipContract, 'neighbourhood'>;

interface Dialling {
  /** Since when this tab lacks a link there. */
  readonly since: number;
  under: boolean;
}

export const groupsService: ServiceFactory<typeof groupsContract> = (context) => {
  const { platform, self } = context;
  const { clock } = platform;

  let running = false;
  let cancels: Cancel[] = [];
  let cancelTick: Cancel | undefined;
  let cancelView: Cancel | undefined;
  let cancelIdle: Cancel | undefined;
  let publishedAt = -Infinity;
  let publishedGist = '';
  /** Until the members are known, anybody would think that it is the first. */
  let settledAt = 0;
  let around: Around | undefined;
  let last: ReturnType<typeof asRemembered>;
  let group: GroupId = self.group();
  let members: GroupView['members'] = [];
  let memberPeers: ReadonlySet<PeerId> = new Set();
  let links: ReadonlyMap<PeerId, LinkInfo> = new Map();
  let waitingFunctions = 0;
  let knownLoad = '';
  /** As last told of, and when that was put together. */
  let nearby: { readonly of: GroupDetails['neighbours']; readonly at: number } = { of: [], at: -Infinity };
  const answersFor = new AnswersFor(group);
  let book = new NeighbourBook(self.peer, group);
  const idle = new IdleLinks();
  /** By neighbour, where this tab is to be a bridge and is none. */
  const diallings = new Map<GroupId, Dialling>();
  const failures = new Map<PeerId, { readonly times: number; readonly until: number }>();
  /** Questions under way, by whom they are to. */
  const asking = new Set<PeerId>();
  const askedAt = new Map<PeerId, number>();
  /** What each member was told last, and when; and the details that it says it need not be told. */
  const told = new Map<PeerId, { readonly words: string; readonly versions: string; readonly states: string; readonly at: number }>();
  const have = new Map<PeerId, { readonly versions: ReadonlyMap<GroupId, string>; readonly at: number }>();
  /** Neighbours this tab has been a bridge to: its members must hear when it is none any more. */
  const served = new Set<GroupId>();

  const isMember = (peer: PeerId) => memberPeers.has(peer);

  const inOrder = () => members.toSorted((a, b) => (a.peer < b.peer ? -1 : 1));

  const ownDetails = (): GroupDetails => ({
    answersFor: answersFor.list(clock.now()),
    members: inOrder().map(({ peer, identity, store }) => ({ peer, identity, store })),
    neighbours: aroundUs(),
  });

  /** Whom to ask for there is needed by those who lack neighbours: it may be old, and does not make the details others each time. */
  const aroundUs = (): GroupDetails['neighbours'] => {
    const now = clock.now();
    const groups = [...book.entries.keys()];
    const same = nearby.of.length === groups.length && nearby.of.every(({ group: of }, at) => of === groups[at]);
    if (!same || now - nearby.at >= neighbourNewsEveryMs) {
      const of = [...book.entries.values()].map((entry) => ({ group: entry.group, contacts: book.far(entry).slice(0, contactsMax) }));
      nearby = { of, at: now };
    }
    return nearby.of;
  };

  const view = (): GroupsView => {
    const now = clock.now();
    return { group, answersFor: answersFor.list(now), load: loadOf(members, waitingFunctions), neighbours: book.view(now) };
  };

  /** Short, and another whenever the view is: times and exact loads apart. */
  const gist = (now: number) => `${answersFor.list(now).join(' ')}|${book.gist(now)}`;

  const publish = () => {
    cancelView?.();
    cancelView = undefined;
    publishedAt = clock.now();
    const body = view();
    publishedGist = gist(publishedAt);
    context.publish('view', body);
  };

  /** At once where nothing was published for a while. */
  const changed = () => {
    if (running) cancelView ??= clock.after(Math.max(0, publishedAt + viewEveryMs - clock.now()), publish);
  };

  /** What else there is, exact loads among it, is told with the beat. */
  const changedIfNew = () => {
    if (gist(clock.now()) !== publishedGist) changed();
  };

  /** To somebody of a neighbour, who says that it has `has` of this group's details. */
  const words = (to: PeerId, entry: Entry, has: string | null): BridgeWords => {
    const details = ownDetails();
    const version = versionOf(details);
    const have = entry.source === to ? entry.version : null;
    const load = loadOf(members, waitingFunctions);
    return { group, load, states: statesText(inOrder()), version, details: has === version ? null : details, have };
  };

  /** Says to `peer` of the neighbour what this group is, and hears the same of it. */
  const exchange = async (entry: Entry, peer: PeerId) => {
    asking.add(peer);
    askedAt.set(peer, clock.now());
    const from = group;
    const request = words(peer, entry, book.talks.get(peer)?.has ?? null);
    const answer = await context.ask(groupsContract, 'bridges', 'query', request, { peer, timeoutMs: bridgeBeatMs });
    asking.delete(peer);
    if (!running || group !== from) return;
    const right = answer.ok && book.spoke(peer, answer.value.body, clock.now(), clock.wall());
    if (!right || answer.value.body.group !== entry.group) failed(peer);
    else failures.delete(peer);
    // It does not take part, or is elsewhere by now: no end of a bridge.
    if (!answer.ok && answer.fault.code === 'conflict') book.talks.delete(peer);
    if (right) changedIfNew();
  };

  const failed = (peer: PeerId) => {
    const times = (failures.get(peer)?.times ?? 0) + 1;
    failures.set(peer, { times, until: clock.now() + Math.min(redialMsMax, redialMsMin * 2 ** (times - 1)) });
    for (const oldest of failures.keys()) {
      if (failures.size <= 4 * neighboursMax * contactsMax) break;
      failures.delete(oldest);
    }
  };

  const dial = async (entry: Entry, dialling: Dialling, peer: PeerId) => {
    dialling.under = true;
    const answer = await context.ask(networkContract, 'links', 'insert', { peer }, { timeoutMs: 2 * connectTimeoutMs });
    dialling.under = false;
    if (!running) return;
    if (!answer.ok) {
      failed(peer);
      // The next is tried at once.
      seek(entry);
    } else if (!asking.has(peer)) await exchange(entry, peer);
  };

  /** Where it is this tab's turn and it hears none of the bridges there: speaks to somebody linked, or dials. */
  const seek = (entry: Entry) => {
    const now = clock.now();
    const rank = now < settledAt ? undefined : book.rank(entry, now);
    if (rank === undefined) return void diallings.delete(entry.group);
    const heard = book.heardThere(entry.group, now);
    const order = book.far(entry).filter((peer) => !isMember(peer));
    const due = order.slice(0, bridgesPerNeighbour);
    if (heard.some((peer) => due.includes(peer))) return void diallings.delete(entry.group);
    let dialling = diallings.get(entry.group);
    if (dialling === undefined) diallings.set(entry.group, (dialling = { since: now, under: false }));
    // Whoever hears somebody there is in no hurry to hear the right one.
    const waitMs = heard.length > 0 ? upgradeAfterMs : group < entry.group ? 0 : otherSideAfterMs;
    if (dialling.under || now - dialling.since < waitMs) return;
    const taken = new Set(book.bridges(entry, now).map(({ there }) => there));
    const resting = new Set([...failures].filter(([, { until }]) => until > now).map(([peer]) => peer));
    const there = chooseThere(rank, { order: heard.length > 0 ? due : order, taken, linked: new Set(links.keys()), resting });
    if (there === undefined || asking.has(there)) return;
    if (links.has(there)) void exchange(entry, there);
    else void dial(entry, dialling, there);
  };

  /** Keeps the talks going that are of use. Whoever spoke to us just now has heard us as well. */
  const beat = () => {
    const now = clock.now();
    for (const [peer, talk] of book.talks) {
      const entry = book.entries.get(talk.group);
      const due = now - Math.max(talk.heardAt, askedAt.get(peer) ?? -Infinity) >= bridgeBeatMs - tickEveryMs / 2;
      if (entry === undefined || !due || asking.has(peer) || !links.has(peer)) continue;
      // A bridge whose turn it is no longer goes on until others work in its place.
      const replaced = book.rank(entry, now) === undefined && book.bridges(entry, now).length > bridgesPerNeighbour;
      const rightOnes = book.far(entry).slice(0, bridgesPerNeighbour);
      const spare = !rightOnes.includes(peer) && book.heardThere(entry.group, now).some((other) => rightOnes.includes(other));
      if (!replaced && !spare && book.isWanted(entry, now)) void exchange(entry, peer);
    }
    for (const peer of askedAt.keys()) if (!book.talks.has(peer)) askedAt.delete(peer);
  };

  /** To every member, what this tab hears of the neighbours it is a bridge to: when that has changed, and now and then. */
  const tell = () => {
    const now = clock.now();
    for (const entry of book.entries.values()) if (book.heardThere(entry.group, now).length > 0) served.add(entry.group);
    for (const other of served) if (!book.entries.has(other)) served.delete(other);
    const news = [...served].map((other): NeighbourNews => {
      const entry = book.entries.get(other)!;
      const heardMsAgo = Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, now - entry.heardAt));
      const there = book.heardThere(other, now).toSorted();
      const { load, states, version, details } = entry;
      return { group: other, there, heardMsAgo, load, states, version: version ?? '', details: details ?? null, change: null };
    });
    const own = answersFor.told();
    if (news.length === 0 && own.length === 1) return;
    const sentence = JSON.stringify([
      group,
      own,
      news.map(({ group: of, there, load, version }) => [of, there, version === '', roughly(load)]),
    ]);
    const versions = news.map(({ version }) => version).join(' ');
    const states = news.map((one) => one.states).join(' ');
    for (const { peer, status } of members) {
      // Who is doubted is told when it is back.
      if (peer === self.peer || status !== 'alive') continue;
      const last = told.get(peer);
      if (links.has(peer)) {
        const dueMs = last?.versions !== versions ? detailsEveryMs : last.states === states ? neighbourNewsEveryMs : statesEveryMs;
        if (last !== undefined && last.words === sentence && now - last.at < dueMs) continue;
      } else if (last === undefined) {
        told.set(peer, { words: '', versions: '', states: '', at: now + linkGraceMs - neighbourNewsEveryMs });
        continue;
      } else if (now - last.at < neighbourNewsEveryMs) continue;
      told.set(peer, { words: sentence, versions, states, at: now });
      void tellOne(peer, own, news);
    }
    // Said once more when it ended, then no more.
    for (const { group: of, there } of news) if (there.length === 0) served.delete(of);
    for (const peer of told.keys()) if (!isMember(peer)) told.delete(peer);
    for (const peer of have.keys()) if (!isMember(peer)) have.delete(peer);
  };

  /** Without what `peer`, by what it said last, need not be told. */
  const needed = (peer: PeerId, one: NeighbourNews): NeighbourNews => {
    const has = have.get(peer)?.versions.get(one.group);
    const change = has === one.version || has === detailsOfAnother ? null : book.changeSince(one.group, has, one.version);
    return change === undefined ? one : { ...one, details: null, change };
  };
  const tellsDetails = ({ details, change }: NeighbourNews) => details !== null || change !== null;

  const tellOne = async (peer: PeerId, own: GroupId[], news: readonly NeighbourNews[]) => {
    // Most members have it from another bridge: what this one has is asked first.
    const isFirst = !have.has(peer);
    const said = news.map((one) => (isFirst ? { ...one, details: null } : needed(peer, one)));
    await say(peer, own, said);
    if (!running || !have.has(peer)) return;
    const more = news.filter((_, at) => !tellsDetails(said[at]!)).map((one) => needed(peer, one));
    if (more.some(tellsDetails)) await say(peer, own, more.filter(tellsDetails));
  };

  const say = async (peer: PeerId, own: GroupId[], neighbours: NeighbourNews[]) => {
    const body = { group, answersFor: own, neighbours };
    // Most likely nothing that it could say would be new: over a link it comes, unless the link ends, and now and then it is asked.
    const known = have.get(peer);
    const lately = known !== undefined && clock.now() - known.at < neighbourNewsEveryMs;
    if (lately && links.has(peer) && !neighbours.some(tellsDetails))
      return context.tell(groupsContract, 'neighbours', 'insert', body, peer);
    const answer = await context.ask(groupsContract, 'neighbours', 'insert', body, { peer, timeoutMs: tellTimeoutMs });
    if (!answer.ok) return void told.delete(peer);
    const versions = new Map([...(have.get(peer)?.versions ?? [])].filter(([of]) => book.entries.has(of)));
    for (const { group: of } of neighbours) {
      const has = answer.value.body.have.find((one) => one.group === of);
      if (has === undefined) versions.delete(of);
      else versions.set(of, has.version);
    }
    have.set(peer, { versions, at: clock.now() });
  };

  const tick = () => {
    cancelTick = clock.after(tickEveryMs * (0.9 + 0.2 * platform.random.fraction()), tick);
    const now = clock.now();
    book.tick(now);
    for (const entry of book.entries.values()) seek(entry);
    beat();
    tell();
    // Silence and loads change without anybody saying so.
    if (now - publishedAt >= bridgeBeatMs || gist(now) !== publishedGist) changed();
  };

  const closeIdle = async () => {
    cancelIdle = clock.after(idleLookEveryMs, () => void closeIdle());
    const open = await context.ask(networkContract, 'links', 'query', {});
    if (!running || !open.ok) return;
    const foreign = open.value.body.links.filter(({ peer }) => !isMember(peer) && !book.hears(peer, clock.now()));
    for (const peer of idle.look(foreign, clock.now())) void context.ask(networkContract, 'links', 'delete', { peer });
  };

  const remember = () => {
    const value = { group, absorbed: [...answersFor.certain] };
    void platform.storage.write([{ table: 'meta', key: metaKey, value }]).then((outcome) => {
      if (!outcome.ok) platform.report('warning', 'What the group absorbed could not be remembered', outcome.fault);
    });
  };

  /** The directory's word may come before the group it is about, or after. */
  const listed = () => {
    if (around?.group !== group) return;
    const before = last?.group === group ? last.absorbed : [];
    if (answersFor.absorbed(group, [...before, ...around.absorbed])) remember();
    book.listed(around.neighbours, clock.now());
    changed();
  };

  const within = (next: GroupView) => {
    const moved = next.group !== group;
    ({ group, members } = next);
    const alive = members.filter(({ status }) => status === 'alive');
    memberPeers = new Set(members.map(({ peer }) => peer));
    const isNew = book.within(
      group,
      memberPeers,
      alive.map(({ peer }) => peer),
    );
    // How busy members are changes all the time: what it comes to is told with the next look, at once only where there is any or none.
    const load = roughly(loadOf(members, waitingFunctions)).join();
    const another = load !== knownLoad;
    knownLoad = load;
    if (!moved) return isNew || another ? changed() : undefined;
    settledAt = clock.now() + settleMs;
    answersFor.absorbed(group, last?.group === group ? last.absorbed : []);
    for (const map of [diallings, told, have]) map.clear();
    listed();
    // At once: others must not take what is at home here for foreign.
    publish();
  };

  return {
    contract: groupsContract,
    handlers: {
      bridges: {
        query: (theirs, call) => {
          if (!running) throw new FaultError('refused', 'This tab is leaving.');
          if (call.local || theirs.group === group || isMember(call.from))
            throw new FaultError('conflict', 'This tab is in that group itself.');
          const isNew = !book.talks.has(call.from);
          if (!book.spoke(call.from, theirs, clock.now(), clock.wall()))
            throw new FaultError('overloaded', 'This group has as many neighbours as it can keep.');
          if (isNew) changed();
          const entry = book.entries.get(theirs.group)!;
          return words(call.from, entry, theirs.have);
        },
      },
      neighbours: {
        insert: ({ group: theirs, answersFor: groups, neighbours }, call) => {
          if (!running) throw new FaultError('refused', 'This tab is leaving.');
          if (theirs !== group || !isMember(call.from)) throw new FaultError('conflict', 'This tab is in another group.');
          answersFor.heard(call.from, groups, clock.now());
          book.told(call.from, neighbours, clock.now(), clock.wall());
          changedIfNew();
          return { have: book.versionsHere(call.from, neighbours, clock.now()) };
        },
        query: () => view(),
      },
    },

    async start() {
      if (running) return;
      running = true;
      group = self.group();
      book = new NeighbourBook(self.peer, group);
      answersFor.absorbed(group, []);
      const remembered = await platform.storage.get('meta', metaKey);
      last = remembered.ok ? asRemembered(remembered.value) : undefined;
      if (!running) return;
      cancels.push(
        context.watch(membershipContract, 'view', within),
        context.watch(membershipContract, 'neighbourhood', (next) => {
          around = next;
          listed();
        }),
        context.watch(networkContract, 'links', ({ links: open }) => {
          links = new Map(open.map((link) => [link.peer, link]));
          book.links(new Set(links.keys()));
          changed();
        }),
        context.watch(queueContract, 'changed', ({ waiting }) => (waitingFunctions = waiting)),
      );
      cancelIdle = clock.after(idleLookEveryMs, () => void closeIdle());
      tick();
      publish();
    },

    stop() {
      if (!running) return;
      running = false;
      for (const cancel of cancels) cancel();
      cancels = [];
      cancelTick?.();
      cancelView?.();
      cancelIdle?.();
      cancelTick = cancelView = cancelIdle = undefined;
      for (const map of [diallings, failures, askedAt, told, have]) map.clear();
      asking.clear();
      served.clear();
    },
  };
};

function asRemembered(value: unknown): { group: GroupId; absorbed: GroupId[] } | undefined {
  if (typeof value !== 'object' || value === null || !('group' in value) || !('absorbed' in value)) return undefined;
  const { group, absorbed } = value;
  if (typeof group !== 'string' || !isHex32(group) || !Array.isArray(absorbed)) return undefined;
  const ids = absorbed.filter((id): id is GroupId => typeof id === 'string' && isHex32(id)).slice(-(answersForMax - 1));
  return { group: group as GroupId, absorbed: ids };
}
