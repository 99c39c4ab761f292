// Whole kernels of several networks on one transport and one directory, and of one identity in two places.
import { expect, it } from 'vitest';
import { equalBytes } from './lib/bytes.ts';
import { networkIdOf } from './lib/network-key.ts';
import { unwrap } from './lib/outcome.ts';
import { decodeValue } from './lib/value-codec.ts';
import { encodeWire } from './lib/wire-codec.ts';
import type { Digest } from './platform.ts';
import { groupsContract } from './protocol/contracts/groups.ts';
import { ledgerContract } from './protocol/contracts/ledger.ts';
import { membershipContract } from './protocol/contracts/membership.ts';
import { networkContract } from './protocol/contracts/network.ts';
import { testDigest } from './testing/test-crypto.ts';
import { TestGroup, type TestPeer } from './testing/test-group.ts';

const quick = (index: number) => ({ ms: 20, value: index * 2 });
const doubled = (items: number) => Array.from({ length: items }, (_, index) => index * 2);
const valuesOf = (results: readonly (Uint8Array | string)[]) =>
  results.map((result) => (typeof result === 'string' ? result : decodeValue(result)));

async function made(fill: number) {
  const networkKey = new Uint8Array(32).fill(fill);
  return { networkKey, network: await networkIdOf(testDigest.sha256, networkKey) };
}

async function seen(peer: TestPeer) {
  const { bus } = peer.kernel;
  return {
    members: unwrap(await bus.ask(membershipContract, 'members', 'query', {}))
      .body.members.map((member) => member.peer)
      .toSorted(),
    links: unwrap(await bus.ask(networkContract, 'links', 'query', {})).body.links.map((link) => link.peer),
    jobs: unwrap(await bus.ask(ledgerContract, 'jobs', 'query', {})).body.jobs.length,
  };
}
const peersOf = (peers: readonly TestPeer[]) => peers.map((peer) => peer.kernel.self.peer).toSorted();

it('two networks on one transport never meet: neither members nor links nor jobs', async () => {
  const group = new TestGroup({ seed: 'two networks', script: quick });
  const network = await made(1);
  const inside = [await group.start('ann', { network }), await group.start('ben', { network }), await group.start('cat', { network })];
  const outside = [await group.start('dan'), await group.start('eve')];
  for (const peer of [...inside.slice(1), ...outside]) await group.donate(peer);
  await group.joined(inside, 2);
  await group.joined(outside, 2);
  const job = await group.submit(inside[0]!, 200);
  expect((await group.ended(inside[0]!, job, 60_000)).state).toBe('done');
  expect(valuesOf(await group.results(inside[0]!, job))).toEqual(doubled(200));
  for (const [members, jobs] of [
    [inside, 1],
    [outside, 0],
  ] as const) {
    for (const peer of members) {
      const here = await seen(peer);
      expect(here.members).toEqual(peersOf(members));
      expect(peersOf(members)).toEqual(expect.arrayContaining(here.links));
      expect(here.jobs).toBe(jobs);
    }
  }
  expect([...inside, ...outside].flatMap((peer) => peer.bugs)).toEqual([]);
});

it('a tab that lies about its key, though it knows the name of the network, links to nobody and sees no job', async () => {
  const group = new TestGroup({ seed: 'liar', script: quick });
  const network = await made(1);
  const wrong = new Uint8Array(32).fill(2);
  const inside = [await group.start('ann', { network }), await group.start('ben', { network })];
  await group.donate(inside[1]!);
  await group.joined(inside, 1);
  await group.submit(inside[0]!, 50);
  const own = encodeWire(['lull network v1', wrong]);
  const digest: Digest = {
    sha256: (bytes) => testDigest.sha256(equalBytes(bytes, own) ? encodeWire(['lull network v1', network.networkKey]) : bytes),
  };
  const liar = await group.start('liar', { network: { network: network.network, networkKey: wrong }, digest });
  await group.clock.advance(20_000);
  expect(await seen(liar)).toMatchObject({ links: [], jobs: 0 });
  for (const peer of inside) {
    const { links, members } = await seen(peer);
    expect(links).not.toContain(liar.kernel.self.peer);
    expect(members).toEqual(expect.arrayContaining(peersOf(inside)));
  }
});

it('an identity that was brought to another machine finds its jobs there and collects them', async () => {
  const group = new TestGroup({ seed: 'moved', script: quick });
  const submitter = await group.start('submitter');
  const donors = [await group.start('donor 0'), await group.start('donor 1')];
  for (const donor of donors) await group.donate(donor);
  await group.joined([submitter, ...donors], 2);
  const job = await group.submit(submitter, 300);
  await group.crash(submitter);
  const elsewhere = await group.start('elsewhere', { identityOf: 'submitter' });
  expect(elsewhere.storage.store).not.toBe(submitter.storage.store);
  expect((await group.ended(elsewhere, job, 60_000)).manifest.submitter).toBe(elsewhere.kernel.self.identity);
  expect(valuesOf(await group.results(elsewhere, job))).toEqual(doubled(300));
});

it('a kernel does not start under the name of a private network without its key, nor with another', async () => {
  const { network, networkKey } = await made(1);
  const group = new TestGroup({ seed: 'keyless', script: quick });
  const refusal = 'The key is not that of the network.';
  await expect(group.start('no key', { network: { network } })).rejects.toThrow(refusal);
  await expect(group.start('another key', { network: { network, networkKey: new Uint8Array(32) } })).rejects.toThrow(refusal);
  await expect(group.start('public', { network: { network: 'public', networkKey } })).rejects.toThrow(refusal);
});

it('groups are neighbours, and have bridges, only inside their network', async () => {
  const group = new TestGroup({ seed: 'two towns', script: quick, directory: { groupPeersMax: 3 } });
  const network = await made(1);
  const inside: TestPeer[] = [];
  const outside: TestPeer[] = [];
  for (let i = 0; i < 6; i++) {
    inside.push(await group.start(`in ${i}`, { network }));
    outside.push(await group.start(`out ${i}`));
  }
  const neighboursOf = async ({ kernel }: TestPeer) =>
    unwrap(await kernel.bus.ask(groupsContract, 'neighbours', 'query', {})).body.neighbours;
  for (const town of [inside, outside]) {
    await group.clock.until(
      async () => (await Promise.all(town.map(neighboursOf))).every((neighbours) => neighbours.some(({ bridges }) => bridges.length > 0)),
      60_000,
      'bridges',
    );
    const groups = new Set(town.map(({ kernel }) => kernel.self.group()));
    const peers = peersOf(town);
    expect(groups.size).toBe(2);
    for (const peer of town) {
      const neighbours = await neighboursOf(peer);
      expect(neighbours.map((neighbour) => neighbour.group)).toEqual([...groups].filter((each) => each !== peer.kernel.self.group()));
      expect(peers).toEqual(
        expect.arrayContaining(neighbours.flatMap(({ bridges }) => bridges.flatMap(({ here, there }) => [here, there]))),
      );
      expect(peers).toEqual(expect.arrayContaining((await seen(peer)).links));
    }
  }
});
