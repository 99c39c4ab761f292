import { describe, expect, it } from 'vitest';
import { bridgeOrder } from '../../lib/group-rings.ts';
import { groupId, makePeerId, type GroupId, type PeerId } from '../../lib/ids.ts';
import { bridgeGraceMs, bridgeLostMs, foreignLinkIdleMs, neighbourForgottenMs, neighbourNewsEveryMs } from '../../limits.ts';
import {
  detailsOfAnother,
  groupMembersMax,
  neighboursMax,
  type BridgeWords,
  type GroupDetails,
  type NeighbourNews,
} from '../../protocol/contracts/groups.ts';
import { testSigner } from '../../testing/test-crypto.ts';
import { AnswersFor, hearsayLastsMs } from './answers-for.ts';
import { chooseThere, Expectations } from './bridges.ts';
import { IdleLinks } from './idle-links.ts';
import { loadOf } from './load.ts';
import { adoptAfterMs, NeighbourBook, versionOf } from './neighbour-book.ts';

const peersOf = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => makePeerId(testSigner(`${name} ${i}`).identity, new Uint8Array(8)));
const group = (digit: string): GroupId => groupId(digit.repeat(32));
const [home, north, south] = [group('a'), group('b'), group('c')];
const here = peersOf('here', 5);
const there = peersOf('there', 5);
const nowhere = { spareWorkers: 0, waitingFunctions: 0 };
const detailsOf = (of: GroupId, peers: readonly PeerId[], more: Partial<GroupDetails> = {}): GroupDetails => ({
  answersFor: [of],
  members: peers.map((peer) => ({ peer, identity: testSigner('any').identity, store: null })),
  neighbours: [],
  ...more,
});
const words = (of: GroupId, details: GroupDetails): BridgeWords => ({
  group: of,
  load: nowhere,
  states: '',
  version: versionOf(details),
  details,
  have: null,
});
const news = (of: GroupId, reached: readonly PeerId[], details: GroupDetails): NeighbourNews => ({
  group: of,
  there: [...reached],
  heardMsAgo: 0,
  load: nowhere,
  states: '',
  version: versionOf(details),
  details,
  change: null,
});

describe('who is a bridge', () => {
  const [first, second, third, fourth] = here as [PeerId, PeerId, PeerId, PeerId];

  it('is the first two; the next takes over from one that does not come to work in time, and gives way to it again', () => {
    const seen = new Map([third, fourth].map((peer) => [peer, new Expectations()]));
    const elects = (self: PeerId, working: readonly PeerId[], now: number) =>
      (seen.get(self) ?? new Expectations()).elects(self, here, (peer) => working.includes(peer), now);
    expect([first, second, third].map((peer) => elects(peer, [], 0))).toEqual([true, true, false]);
    expect(elects(third, [second], bridgeGraceMs - 1)).toBe(false);
    expect(elects(third, [second], bridgeGraceMs)).toBe(true);
    // The fourth has seen the third fail for no time yet.
    expect(elects(fourth, [second], 0)).toBe(false);
    expect(elects(fourth, [second], bridgeGraceMs)).toBe(false);
    expect(elects(fourth, [second, third], 3 * bridgeGraceMs)).toBe(false);
    expect(elects(third, [first, second], 3 * bridgeGraceMs)).toBe(false);
    // It had come to work since: its time begins anew.
    expect(elects(third, [second], 3 * bridgeGraceMs + 1)).toBe(false);
  });

  it('speaks to whom it has a link to, else to its counterpart, else to the next, and not to whom another bridge has', () => {
    const far = { order: there, taken: new Set<PeerId>(), linked: new Set<PeerId>(), resting: new Set<PeerId>() };
    expect(chooseThere(1, far)).toBe(there[1]);
    expect(chooseThere(1, { ...far, linked: new Set([there[3]!]) })).toBe(there[3]);
    expect(chooseThere(1, { ...far, resting: new Set([there[1]!]) })).toBe(there[0]);
    expect(chooseThere(0, { ...far, taken: new Set([there[0]!]) })).toBe(there[1]);
    expect(chooseThere(0, { ...far, order: there.slice(0, 1), taken: new Set([there[0]!]) })).toBe(there[0]);
    expect(chooseThere(0, { ...far, resting: new Set(there) })).toBeUndefined();
    expect(chooseThere(1, { ...far, order: [] })).toBeUndefined();
  });
});

describe('the groups that a group answers for', () => {
  it('are itself, what the directory says, and for a while what members say, who cannot fill the list', () => {
    const answers = new AnswersFor(home);
    answers.absorbed(home, [north]);
    answers.heard(here[0]!, [south], 0);
    expect(answers.list(0)).toEqual([home, north, south]);
    expect(answers.told()).toEqual([home, north]);
    const madeUp = Array.from({ length: 16 }, (_, i) => groupId(i.toString(16).padStart(32, 'd')));
    answers.heard(here[1]!, madeUp, 1);
    expect(answers.list(1).length).toBeLessThanOrEqual(10);
    expect(answers.list(1).slice(0, 3)).toEqual([home, north, south]);
    answers.heard(here[0]!, [south], hearsayLastsMs);
    expect(answers.list(hearsayLastsMs + 2)).toEqual([home, north, south]);
    answers.absorbed(south, []);
    expect(answers.list(hearsayLastsMs + 2)).toEqual([south]);
  });
});

describe('what is known of neighbours', () => {
  const self = here[0]!;
  const book = () => {
    const made = new NeighbourBook(self, home);
    made.within(home, new Set(here), here);
    return made;
  };
  const honest = detailsOf(north, there);
  const order = bridgeOrder(home, north, here);

  it('is up while it is heard over a link of its own or a bridge says so, and keeps what it said when it is not', () => {
    const mine = book();
    mine.listed([{ group: north, contacts: there.slice(0, 2) }], 0);
    expect(mine.view(0)).toMatchObject([{ group: north, up: false, heardMsAgo: null, members: [] }]);
    expect(mine.spoke(there[0]!, words(north, honest), 100, 5)).toBe(true);
    // It came through a common neighbour: no bridge of this tab's own.
    expect(mine.view(100)).toMatchObject([{ up: false }]);
    mine.links(new Set([there[0]!]));
    expect(mine.view(100)).toMatchObject([{ up: true, bridges: [{ here: self, there: there[0], since: 5 }] }]);
    expect(mine.view(100 + bridgeLostMs)).toMatchObject([{ up: false, bridges: [] }]);
    const bridge = order.find((peer) => peer !== self)!;
    mine.told(bridge, [news(north, [there[1]!], honest)], 20_000, 9);
    const [neighbour] = mine.view(20_000);
    expect(neighbour).toMatchObject({ up: true, bridges: [{ here: bridge, there: there[1], since: 9 }] });
    expect(neighbour!.members).toHaveLength(there.length);
    expect(mine.view(20_000 + 3 * neighbourNewsEveryMs)).toMatchObject([{ up: false, members: honest.members }]);
    // Who is doubted is no bridge.
    mine.within(
      home,
      new Set(here),
      here.filter((peer) => peer !== bridge),
    );
    expect(mine.view(20_000)).toMatchObject([{ up: false }]);
  });

  it('is not overturned by another who speaks for the same group while the first goes on to speak', () => {
    const mine = book();
    mine.links(new Set([there[0]!, there[1]!]));
    const lie = detailsOf(north, peersOf('made up', 24), { answersFor: [north, home] });
    mine.spoke(there[0]!, words(north, honest), 0, 0);
    mine.spoke(there[1]!, words(north, lie), 10, 0);
    expect(mine.view(10)[0]!.members).toHaveLength(there.length);
    // When it falls silent somebody else is believed.
    mine.spoke(there[1]!, words(north, lie), bridgeLostMs + 1, 0);
    expect(mine.view(bridgeLostMs + 1)[0]!.members).toHaveLength(24);
    mine.spoke(there[0]!, words(north, honest), bridgeLostMs + 2, 0);
    expect(mine.view(bridgeLostMs + 2)[0]!.members).toHaveLength(24);
    mine.links(new Set([there[0]!]));
    mine.spoke(there[0]!, words(north, honest), bridgeLostMs + 3, 0);
    expect(mine.view(bridgeLostMs + 3)[0]!.members).toHaveLength(there.length);
  });

  it('is not told by a member whose turn it cannot be, nor by a stranger, nor about this group itself', () => {
    const mine = book();
    const last = order.findLast((peer) => peer !== self)!;
    mine.told(last, [news(north, there, honest)], 0, 0);
    mine.told(there[0]!, [news(north, there, honest)], 0, 0);
    mine.told(
      order.find((peer) => peer !== self)!,
      [news(home, there, honest)],
      0,
      0,
    );
    expect(mine.view(0)).toEqual([]);
    expect(mine.spoke(there[0]!, words(home, honest), 0, 0)).toBe(false);
  });

  it('is told what has changed since the version that it has, and all where it has another', () => {
    const bridge = book();
    const member = book();
    const teller = order.find((peer) => peer !== self)!;
    bridge.links(new Set(there));
    const inOrder = (peers: readonly PeerId[]) => detailsOf(north, peers.toSorted());
    const first = inOrder(there);
    const newcomer = peersOf('newcomer', 1)[0]!;
    const second = { ...inOrder([...there.slice(1), newcomer]), neighbours: [{ group: south, contacts: [newcomer] }] };
    bridge.spoke(there[0]!, words(north, first), 0, 0);
    member.told(teller, [news(north, [there[0]!], first)], 0, 0);
    expect(bridge.changeSince(north, undefined, versionOf(first))).toBeUndefined();
    bridge.spoke(there[0]!, words(north, second), 10, 0);
    const change = bridge.changeSince(north, versionOf(first), versionOf(second))!;
    // What is told may have been put together before it changed again.
    expect(bridge.changeSince(north, versionOf(first), versionOf(first))).toBeUndefined();
    expect(change).toMatchObject({ gone: [there[0]], came: [{ peer: newcomer }], answersFor: null });
    const changed = { ...news(north, [there[0]!], second), details: null, change };
    // Of another version it can make nothing, and stays as it is: what it answers says so.
    const other = book();
    other.told(teller, [news(north, [there[0]!], inOrder(there.slice(0, 2)))], 0, 0);
    other.told(teller, [changed], 20, 0);
    expect(other.entries.get(north)).toMatchObject({ version: versionOf(inOrder(there.slice(0, 2))), peers: there.slice(0, 2).toSorted() });
    member.told(teller, [changed], 20, 0);
    expect(member.entries.get(north)).toMatchObject({ version: versionOf(second), details: second });
    expect(versionOf(member.entries.get(north)!.details!)).toBe(versionOf(second));
    // Long ago: all of it is told again.
    for (let i = 2; i < 6; i++) bridge.spoke(there[0]!, words(north, inOrder(there.slice(0, i - 1))), 20 + i, 0);
    expect(bridge.changeSince(north, versionOf(first), bridge.entries.get(north)!.version!)).toBeUndefined();
  });

  it('does not grow by changes beyond what a group can have', () => {
    const mine = book();
    const teller = order.find((peer) => peer !== self)!;
    let of = versionOf(honest);
    mine.told(teller, [news(north, there, honest)], 0, 0);
    for (let i = 0; i < 4; i++) {
      const came = detailsOf(north, peersOf(`made up ${i}`, 24)).members;
      const change = { of, gone: [], came: [...came], answersFor: null, neighbours: null };
      mine.told(teller, [{ ...news(north, there, honest), version: `${i}`, details: null, change }], i, 0);
      of = mine.entries.get(north)!.version!;
    }
    expect(mine.entries.get(north)!.peers.length).toBeLessThanOrEqual(groupMembersMax);
    expect(mine.view(4)[0]!.members.length).toBe(mine.entries.get(north)!.peers.length);
  });

  it('asks one bridge alone for the details, and another when that one falls silent', () => {
    const mine = book();
    const [one, two] = order.filter((peer) => peer !== self) as [PeerId, PeerId];
    const other = detailsOf(north, there, { neighbours: [{ group: south, contacts: [] }] });
    const said = news(north, there, honest);
    const otherwise = news(north, there, other);
    expect(mine.versionsHere(one, [said], 0)).toEqual([]);
    mine.told(one, [said], 0, 0);
    mine.told(two, [{ ...otherwise, details: null }], 0, 0);
    expect(mine.versionsHere(one, [said], 0)).toEqual([{ group: north, version: said.version }]);
    expect(mine.versionsHere(two, [otherwise], 0)).toEqual([{ group: north, version: detailsOfAnother }]);
    const later = 3 * neighbourNewsEveryMs;
    expect(mine.versionsHere(two, [otherwise], later)).toEqual([{ group: north, version: said.version }]);
    mine.told(two, [otherwise], later, 0);
    expect(mine.versionsHere(one, [said], later)).toEqual([{ group: north, version: detailsOfAnother }]);
    expect(mine.entries.get(north)!.version).toBe(otherwise.version);
  });

  it('has room for few whom the directory does not name, and always for those it does', () => {
    const mine = book();
    const made = Array.from({ length: 40 }, (_, i) => groupId(i.toString(16).padStart(32, '0')));
    const taken = made.filter((of, i) => mine.spoke(peersOf(`liar ${i}`, 1)[0]!, words(of, detailsOf(of, [])), 0, 0));
    expect(taken).toHaveLength(2);
    const named = Array.from({ length: neighboursMax }, (_, i) => groupId(i.toString(16).padStart(32, 'e')));
    mine.listed(
      named.map((of) => ({ group: of, contacts: [] })),
      1,
    );
    expect(mine.view(1).map((neighbour) => neighbour.group)).toEqual(named.toSorted());
    mine.listed([], 2);
    mine.tick(neighbourForgottenMs + 2);
    expect(mine.view(neighbourForgottenMs + 2)).toEqual([]);
  });

  it('grows by neighbours of neighbours only while too few are within reach', () => {
    const mine = book();
    const far = detailsOf(north, there, { neighbours: [{ group: south, contacts: there.slice(0, 1) }] });
    mine.listed([{ group: north, contacts: there }], 0);
    mine.links(new Set([there[0]!]));
    mine.spoke(there[0]!, words(north, far), 0, 0);
    mine.tick(0);
    mine.tick(adoptAfterMs - 1);
    expect(mine.view(0)).toHaveLength(1);
    mine.tick(adoptAfterMs);
    expect(mine.view(adoptAfterMs).map((neighbour) => neighbour.group)).toEqual([north, south]);
    expect(mine.far(mine.entries.get(south)!)).toEqual(there.slice(0, 1));
    expect(mine.isWanted(mine.entries.get(south)!, adoptAfterMs)).toBe(true);
    // It could not be reached: its place is free again.
    mine.spoke(there[0]!, words(north, detailsOf(north, there)), 30_000, 0);
    mine.tick(30_000);
    expect(mine.view(30_000).map((neighbour) => neighbour.group)).toEqual([north]);
  });

  it('does not make a neighbour of the group that this tab moves to', () => {
    const mine = book();
    mine.listed([{ group: north, contacts: there }], 0);
    mine.links(new Set([there[0]!]));
    mine.spoke(there[0]!, words(north, honest), 0, 0);
    mine.within(north, new Set([self, ...there]), there);
    expect(mine.view(0)).toEqual([]);
    expect(mine.talks.size).toBe(0);
  });
});

it('spare workers are those that a living member would let run and has nothing for', () => {
  const sandbox = { itemsPerSecond: 0, workersAllowed: 4, workersRunning: 1, claimed: 2 };
  const offer = {
    state: 'idle',
    reason: '',
    machine: { cores: 4, memoryMiB: null },
    storage: { keeps: true, usedMiB: 0, allowedMiB: 1 },
    sandbox,
  } as const;
  const members = [
    { status: 'alive', offer },
    { status: 'suspect', offer },
    { status: 'alive', offer: null },
    { status: 'alive', offer: { ...offer, sandbox: { ...sandbox, workersAllowed: 1 } } },
  ] as const;
  expect(loadOf(members, 7)).toEqual({ spareWorkers: 2, waitingFunctions: 7 });
});

it('a link to another group is closed when nothing but small talk went over it for a while', () => {
  const idle = new IdleLinks();
  const [quiet, busy] = there as [PeerId, PeerId];
  const at = (now: number, bytes: number) =>
    idle.look(
      [
        { peer: quiet, bytesIn: 100 + now / 100, bytesOut: 0 },
        { peer: busy, bytesIn: bytes, bytesOut: 0 },
      ],
      now,
    );
  expect(at(0, 0)).toEqual([]);
  expect(at(foreignLinkIdleMs / 2, 10_000)).toEqual([]);
  expect(at(foreignLinkIdleMs, 10_000)).toEqual([quiet]);
});
