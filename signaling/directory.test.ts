import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { groupId } from '../web/kernel/lib/ids.ts';
import { introduce, join, testPeer, until, Client } from './testing/client.ts';
import { serverUnderTest, type ServerUnderTest } from './testing/server-under-test.ts';

let server: ServerUnderTest;
beforeEach(async () => {
  server = await serverUnderTest({ groupPeersMax: 3, joinMs: 300, regroupEveryMs: 20 });
});
afterEach(() => server.close());

describe('the group directory', () => {
  test('puts peers of a network into one group and tells each of the others', async () => {
    const [ann, ben] = [testPeer(), testPeer()];
    const first = await join(server.wsUrl, ann);
    expect(first.members).toEqual([]);
    const second = await join(server.wsUrl, ben);
    expect(second.group).toBe(first.group);
    expect(second.members).toEqual([{ peer: ann.peer, store: ann.store }]);
    expect(await first.client.next('joined')).toEqual({ type: 'joined', peer: ben.peer, store: ben.store });
  });

  test('opens another group when one is full, and fills that', async () => {
    const joined = [];
    for (let i = 0; i < 7; i++) joined.push(await join(server.wsUrl, testPeer()));
    expect(joined.map(({ members }) => members.length)).toEqual([0, 1, 2, 0, 1, 2, 0]);
    expect(new Set(joined.map(({ group }) => group)).size).toBe(3);
  });

  test('never mixes networks', async () => {
    const first = await join(server.wsUrl, testPeer(), { network: 'a class' });
    const second = await join(server.wsUrl, testPeer(), { network: 'a lab' });
    expect(second.members).toEqual([]);
    expect(second.group).not.toBe(first.group);
    expect(first.client.unread()).toEqual([]);
  });

  test('tells the group at once when a member vanishes', async () => {
    const ben = testPeer();
    const first = await join(server.wsUrl, testPeer());
    const second = await join(server.wsUrl, ben);
    const before = Date.now();
    second.client.vanish();
    expect(await first.client.next('left')).toEqual({ type: 'left', peer: ben.peer });
    expect(Date.now() - before).toBeLessThan(500);
  });

  test('returns a store to its group though another has become the fullest', async () => {
    const ann = testPeer();
    const home = await join(server.wsUrl, ann);
    await join(server.wsUrl, testPeer());
    const neighbour = await join(server.wsUrl, testPeer());
    const elsewhere = await join(server.wsUrl, testPeer());
    expect(elsewhere.group).not.toBe(home.group);
    await join(server.wsUrl, testPeer());
    home.client.vanish();
    neighbour.client.vanish();
    await until(async () => (await server.metric('lull_peers')) === 3, 'the places are free');
    const back = await join(server.wsUrl, ann.reloaded());
    expect(back.group).toBe(home.group);
  });

  test('makes a claimed group again that it does not know, as after a restart', async () => {
    const last = groupId('c0ffee'.padEnd(32, '0'));
    await join(server.wsUrl, testPeer());
    const back = await join(server.wsUrl, testPeer(), { lastGroup: last });
    expect(back.group).toBe(last);
    const friend = await join(server.wsUrl, testPeer(), { lastGroup: last });
    expect(friend.members).toHaveLength(1);
  });

  test('leads a newcomer after a restart to the group that the others return to', async () => {
    const ann = testPeer();
    const before = await join(server.wsUrl, ann);
    await server.close();
    server = await serverUnderTest();
    const newcomer = await join(server.wsUrl, testPeer());
    const back = await join(server.wsUrl, ann, { lastGroup: before.group });
    expect(newcomer.group).toBe(before.group);
    expect(back.members).toHaveLength(1);
  });

  test('lets the same identity take its own place again, quietly', async () => {
    const [ann, ben] = [testPeer(), testPeer()];
    const witness = await join(server.wsUrl, ben);
    const old = await join(server.wsUrl, ann);
    await witness.client.next('joined');
    const again = await join(server.wsUrl, ann, { lastGroup: old.group });
    expect(await old.client.closed).toBe(4001);
    expect(again.members).toEqual([{ peer: ben.peer, store: ben.store }]);
    expect(await server.metric('lull_peers')).toBe(2);
    expect(witness.client.unread()).toEqual([]);
  });

  test('refuses a peer id that is not of the identity that signs', async () => {
    const [ann, eve] = [testPeer(), testPeer()];
    const held = await join(server.wsUrl, ann);
    const squatter = await introduce(server.wsUrl, { ...eve, peer: ann.peer });
    expect((await squatter.next('refused')).code).toBe('forged');
    await squatter.closed;
    expect(held.client.isClosed).toBe(false);
  });

  test("refuses an identity that shares the id's prefix with its holder", async () => {
    const [ann, eve] = [testPeer(), testPeer()];
    await join(server.wsUrl, ann);
    const twin = await introduce(server.wsUrl, {
      ...ann,
      identity: `${ann.identity.slice(0, 32)}${eve.identity.slice(32)}` as typeof ann.identity,
    });
    expect((await twin.next('refused')).code).toBe('forged');
  });

  test('refuses a forged signature, and one made for another challenge, network or store', async () => {
    const [ann, eve] = [testPeer(), testPeer()];
    const forged = await introduce(server.wsUrl, ann, { signedBy: eve });
    expect((await forged.next('refused')).code).toBe('forged');
    for (const more of [{ network: 'other' }, { store: eve.store }, { signature: '00'.repeat(64) }]) {
      const changed = await introduce(server.wsUrl, ann, { more });
      expect((await changed.next('refused')).code).toBe('forged');
    }
    expect(await server.metric('lull_refusals_total{reason="forged"}')).toBe(4);
  });

  test.each([
    ['what is not JSON', 'hello'],
    ['JSON of another shape', '{"type":"join","v":1}'],
    ['null', 'null'],
    ['deep nesting', '['.repeat(4_000)],
  ])('answers %s with a refusal and closes', async (_what, frame) => {
    const client = await Client.open(`${server.wsUrl}/directory`);
    client.send(frame);
    expect((await client.next('refused')).code).toBe('malformed');
    expect(await client.closed).toBe(4000);
  });

  test('says so when the versions differ', async () => {
    const client = await introduce(server.wsUrl, testPeer(), { more: { v: 9 } });
    expect((await client.next('refused')).code).toBe('version');
  });

  test('does not wait for ever for a join', async () => {
    const client = await Client.open(`${server.wsUrl}/directory`);
    expect((await client.next('refused')).code).toBe('too-late');
    await client.closed;
  });

  test('keeps a member past the time for joining', async () => {
    const member = await join(server.wsUrl, testPeer());
    const late = await Client.open(`${server.wsUrl}/directory`);
    await late.next('refused');
    expect(member.client.isClosed).toBe(false);
  });

  test('refuses another network when it has as many as it may, and serves the others on', async () => {
    await server.close();
    server = await serverUnderTest({ networksMax: 1, groupsPerNetworkMax: 1, groupPeersMax: 1 });
    await join(server.wsUrl, testPeer(), { network: 'one' });
    const other = await introduce(server.wsUrl, testPeer(), { network: 'two' });
    expect((await other.next('refused')).code).toBe('overloaded');
    const full = await introduce(server.wsUrl, testPeer(), { network: 'one', lastGroup: groupId('ab'.repeat(16)) });
    expect((await full.next('refused')).code).toBe('overloaded');
    expect(await server.metric('lull_peers')).toBe(1);
  });

  test('tells a group whom to dial of another that comes, and when that changes', async () => {
    const first = await join(server.wsUrl, testPeer());
    await join(server.wsUrl, testPeer());
    await join(server.wsUrl, testPeer());
    expect(first.client.unread().filter((frame) => (frame as { type: string }).type === 'neighbours')).toEqual([]);
    const other = await join(server.wsUrl, testPeer());
    expect(other.neighbours).toEqual([{ group: first.group, contacts: expect.any(Array) as unknown }]);
    expect(other.neighbours[0]!.contacts).toHaveLength(3);
    const { neighbours, absorbed } = await first.client.next('neighbours');
    expect({ absorbed, neighbours }).toEqual({ absorbed: [], neighbours: [{ group: other.group, contacts: [other.peer.peer] }] });
    const another = await join(server.wsUrl, testPeer());
    const changed = await first.client.next('neighbours');
    expect(changed.neighbours[0]!.contacts.toSorted()).toEqual([other.peer.peer, another.peer.peer].toSorted());
  });

  test('merges two small groups and tells all of them', async () => {
    await server.close();
    server = await serverUnderTest({ groupPeersMax: 3, regroupEveryMs: 20, mergeAfterMs: 300, splitAfterMs: 100 });
    const lone = await join(server.wsUrl, testPeer());
    const other = await join(server.wsUrl, testPeer(), { lastGroup: groupId('ee'.repeat(16)) });
    const [moved, stays] = lone.group < other.group ? [lone, other] : [other, lone];
    const frame = await moved.client.next('moved');
    expect(frame).toMatchObject({ group: stays.group, absorbed: [moved.group], neighbours: [] });
    expect(frame.members).toEqual([{ peer: stays.peer.peer, store: stays.peer.store }]);
    expect(await stays.client.next('joined')).toMatchObject({ peer: moved.peer.peer });
    expect(await stays.client.next('neighbours')).toMatchObject({ absorbed: [moved.group] });
    moved.client.vanish();
    expect(await stays.client.next('left')).toMatchObject({ peer: moved.peer.peer });
    expect(await server.metric('lull_merges_total')).toBe(1);
  });

  test('splits a group that those who came back have made too large', async () => {
    await server.close();
    server = await serverUnderTest({ groupPeersMax: 3, regroupEveryMs: 20, mergeAfterMs: 300, splitAfterMs: 100 });
    const home = await join(server.wsUrl, testPeer());
    const all = [home];
    for (let i = 0; i < 3; i++) all.push(await join(server.wsUrl, testPeer(), { lastGroup: home.group }));
    expect(all.every(({ group }) => group === home.group)).toBe(true);
    await until(async () => (await server.metric('lull_splits_total')) === 1, 'the split');
    const told = await Promise.all(
      all.map(async ({ client }) => {
        const frame = (await client.nextWhere(({ type }) => type === 'moved' || type === 'left', 'the split')) as { type: string };
        return frame.type;
      }),
    );
    expect(told.toSorted()).toEqual(['left', 'left', 'moved', 'moved']);
    expect(await server.metric('lull_groups')).toBe(2);
  });
});
