// Meeting others while the meeting point is away: whole kernels that introduce each other.
import { expect, test } from 'vitest';
import type { PeerId } from './lib/ids.ts';
import { unwrap } from './lib/outcome.ts';
import { networkContract } from './protocol/contracts/network.ts';
import { TestGroup, type TestPeer } from './testing/test-group.ts';

const peerOf = ({ kernel }: TestPeer) => kernel.self.peer;

/** Tabs of one group, each with a link to each, whose meeting point has gone away. */
async function withoutMeetingPoint(seed: string, names: readonly string[]) {
  const group = new TestGroup({ seed, script: () => ({ ms: 1, value: 0 }) });
  const peers: TestPeer[] = [];
  for (const name of names) peers.push(await group.start(name));
  await group.joined(peers, 0);
  const links = async ({ kernel }: TestPeer): Promise<PeerId[]> =>
    unwrap(await kernel.bus.ask(networkContract, 'links', 'query', {})).body.links.map(({ peer }) => peer);
  const mesh = async () => (await Promise.all(peers.map(links))).every(({ length }) => length === peers.length - 1);
  await group.clock.until(mesh, 30_000, 'the mesh');
  group.directory.down();
  group.network.introduce(false);
  await group.clock.advance(1_000);
  const bugs = () => peers.flatMap((peer) => peer.bugs);
  return { group, peers, links, mesh, bugs };
}

test('members who lost their link meet again through another', async () => {
  const { group, peers, mesh, bugs } = await withoutMeetingPoint('lost link', ['ann', 'bob', 'cyd', 'dan']);
  const [ann, bob] = peers as [TestPeer, TestPeer];
  const openedAt = async () => {
    const { links: open } = unwrap(await ann.kernel.bus.ask(networkContract, 'links', 'query', {})).body;
    return open.find(({ peer }) => peer === peerOf(bob))?.openedAt;
  };
  const before = await openedAt();
  expect(before).toBeDefined();
  unwrap(await group.clock.finish(ann.kernel.bus.ask(networkContract, 'links', 'delete', { peer: peerOf(bob) })));
  await group.clock.until(async () => (await mesh()) && (await openedAt()) !== before, 30_000, 'another link');
  expect(bugs()).toEqual([]);
});

test('a tab that two neighbours lie between is met as well; who is reached by nobody is not', async () => {
  const { group, peers, links, bugs } = await withoutMeetingPoint('three links', ['ann', 'bob', 'cyd', 'dan']);
  const [ann, bob, cyd, dan] = peers as [TestPeer, TestPeer, TestPeer, TestPeer];
  // A line: ann, bob, cyd, dan. What is not next to each other is cut off.
  for (const [one, other] of [[ann, cyd], [ann, dan], [bob, dan]] as const) group.network.cut(peerOf(one), peerOf(other)); // prettier-ignore
  const line = async () => (await links(ann)).join() === peerOf(bob) && (await links(dan)).join() === peerOf(cyd);
  await group.clock.until(line, 40_000, 'the line');
  await group.clock.advance(6_000);
  group.network.heal(peerOf(ann), peerOf(dan));
  const met = async () => (await links(ann)).includes(peerOf(dan));
  await group.clock.until(met, 60_000, 'the two ends');
  expect(bugs()).toEqual([]);
}, 30_000);

test('an offer is carried only for the tab that made it, and to where there is a way; nonsense is not answered', async () => {
  const { group, peers, bugs } = await withoutMeetingPoint('refused', ['ann', 'bob', 'cyd']);
  const [ann, bob, cyd] = peers.map(peerOf) as [PeerId, PeerId, PeerId];
  const nobody = `${'f'.repeat(32)}-${'0'.repeat(16)}` as PeerId;
  const offer = (to: PeerId, from: PeerId, peer: PeerId) =>
    group.clock.finish(peers[0]!.kernel.bus.ask(networkContract, 'introductions', 'create', { to, from, offer: 'v=0' }, { peer }));
  expect(await offer(cyd, bob, bob)).toMatchObject({ ok: false, fault: { code: 'refused' } });
  expect(await offer(nobody, ann, bob)).toMatchObject({ ok: false, fault: { code: 'unreachable' } });
  expect(await offer(bob, ann, bob)).toMatchObject({ ok: false, fault: { code: 'malformed' } });
  expect(await offer(cyd, ann, bob)).toMatchObject({ ok: false, fault: { code: 'malformed' } });
  const { bus } = peers[0]!.kernel;
  const dialled = await group.clock.finish(bus.ask(networkContract, 'links', 'insert', { peer: nobody }, { timeoutMs: 20_000 }));
  expect(dialled).toMatchObject({ ok: false, fault: { code: 'unreachable' } });
  expect(bugs()).toEqual([]);
});
