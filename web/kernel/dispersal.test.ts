// Objects held as coded slices by a group of whole kernels: tabs die, leave and come back, and nothing is lost while k of n are there.
import { afterEach, describe, expect, it } from 'vitest';
import { recodeUpAfterMs, repairBurstBytes, repairBytesPerSecond, segmentBytes } from './limits.ts';
import { bytesOfHex } from './lib/bytes.ts';
import { unwrap } from './lib/outcome.ts';
import { encodeWire } from './lib/wire-codec.ts';
import { leafHash } from './services/blocks/leaf-hash.ts';
import { recodingMessage } from './services/blocks/manifest.ts';
import { testDigest, testSigner } from './testing/test-crypto.ts';
import { blocksContract } from './protocol/contracts/blocks.ts';
import { membershipContract } from './protocol/contracts/membership.ts';
import { encodeSlots, SlotSet } from './services/blocks/slot-set.ts';
import { bytesOf, DispersalGroup } from './testing/dispersal-group.ts';

const MiB = 1024 * 1024;
const nine = ['ann', 'bea', 'cid', 'dan', 'eve', 'fay', 'gus', 'hal', 'ida'];

let world: DispersalGroup;
afterEach(() => {
  const bugs = world.allBugs();
  if (bugs.length > 0) throw new Error(bugs.join('\n'));
});

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

describe('a large object', () => {
  it('of 2 of 6 in nine tabs outlives any four of them at once, is made whole within 30 s, and outlives two more', async () => {
    world = new DispersalGroup('nine');
    const [ann] = await world.start(...nine);
    const bytes = bytesOf(20 * MiB);
    const id = await world.put(ann!, bytes);
    await world.untilHealth(ann!, id, ({ k, held }) => k === 2 && held === 6, 5_000, 'six slices');
    await world.kill('ann', 'bea', 'cid', 'dan');
    const reader = await world.open('zoe');
    expect(same(await world.get(reader, id), bytes)).toBe(true);
    const eve = world.live.get('eve')!;
    const took = await world.untilHealth(eve, id, ({ k, online }) => k === 2 && online === 5, 30_000, 'a slice on each of five');
    await world.kill('eve', 'fay');
    const late = await world.open('yan');
    expect(same(await world.get(late, id), bytes)).toBe(true);
    console.info(`five slices again after ${took} ms`);
  }, 180_000);

  it('is never lost while people leave one by one down to one, and come back', async () => {
    world = new DispersalGroup('one by one');
    const [ann] = await world.start(...nine);
    const bytes = bytesOf(300_000);
    const id = await world.put(ann!, bytes);
    expect(await world.health(ann!, id)).toMatchObject({ k: 2 });
    for (const name of nine.slice(0, 8)) {
      await world.kill(name);
      await world.clock.advance(40_000);
      const [anybody] = world.peers;
      expect(same(await world.get(anybody!, id), bytes)).toBe(true);
    }
    const ida = world.live.get('ida')!;
    expect(await world.health(ida, id)).toMatchObject({ k: 1, held: 1 });
    for (const name of nine.slice(0, 8).toReversed()) {
      await world.start(name);
      await world.clock.advance(5_000);
      expect(same(await world.get(world.live.get(name)!, id), bytes)).toBe(true);
    }
    await world.clock.advance(recodeUpAfterMs + 60_000);
    await world.untilHealth(ida, id, ({ k, held }) => k === 2 && held === 6, 60_000, '2 of 6 again');
    // What the coding before needs no more is dropped.
    await world.clock.advance(300_000);
    await world.kill('ann', 'bea', 'cid', 'dan');
    expect(same(await world.get(world.live.get('gus')!, id), bytes)).toBe(true);
  }, 180_000);

  it('is all there when everybody goes home and comes back in another order, and nothing is sent again', async () => {
    world = new DispersalGroup('home');
    const [ann] = await world.start(...nine);
    const files = await Promise.all([0, 1, 2].map(async (i) => bytesOf(300_000, `file ${i}`)));
    const ids = [];
    for (const [i, file] of files.entries()) ids.push(await world.put(world.live.get(nine[i]!)!, file));
    await world.clock.advance(10_000);
    expect(world.repairedBytes()).toBe(0);
    for (const name of nine) await world.kill(name);
    for (const name of ['hal', 'cid', 'ida', 'ann', 'gus', 'bea', 'fay', 'eve', 'dan']) {
      await world.start(name);
      await world.clock.advance(3_000);
    }
    await world.clock.advance(120_000);
    expect(world.repairedBytes()).toBe(0);
    for (const [i, id] of ids.entries()) {
      expect(await world.health(world.live.get('dan')!, id)).toMatchObject({ k: 2, held: 6, online: 6 });
      expect(same(await world.get(world.live.get('dan')!, id), files[i]!)).toBe(true);
    }
    void ann;
  }, 180_000);

  it('is not held twice for long by a store that comes back after its slice was made anew', async () => {
    world = new DispersalGroup('returned');
    const [ann] = await world.start(...nine);
    const bytes = bytesOf(300_000);
    const id = await world.put(ann!, bytes);
    await world.clock.advance(5_000);
    const gone: string[] = [];
    for (const name of ['bea', 'cid', 'dan', 'eve']) gone.push(name);
    await world.kill(...gone);
    await world.untilHealth(ann!, id, ({ online }) => online === 5, 40_000, 'five again');
    await world.start(...gone);
    await world.clock.advance(400_000);
    const health = await world.health(ann!, id);
    expect(health).toMatchObject({ k: 2, held: 6, online: 6 });
    expect(same(await world.get(world.live.get('bea')!, id), bytes)).toBe(true);
  }, 180_000);

  it('members almost a second of round trip apart do not doubt each other', async () => {
    world = new DispersalGroup('far', { delayMs: 450 });
    const tabs = await world.start('ada', 'bob', 'cyd', 'dan');
    const doubted = new Set<string>();
    for (const { kernel } of tabs)
      kernel.bus.watch(membershipContract, 'view', ({ members }) => {
        for (const { peer, status } of members) if (status === 'suspect') doubted.add(peer);
      });
    await world.clock.advance(60_000);
    expect([...doubted]).toEqual([]);
    const id = await world.put(tabs[0]!, bytesOf(300_000));
    expect(await world.get(tabs[3]!, id)).toHaveLength(300_000);
    await world.kill('bob');
    await world.clock.advance(6_000);
    expect(doubted.size).toBe(1);
  });

  it('a put and a get over lines that take ten seconds a megabyte end well, and nothing goes over them twice', async () => {
    world = new DispersalGroup('slow lines', { bytesPerMs: 100, delayMs: 100 });
    const [ada] = await world.start('ada', 'bob', 'cyd');
    const bytes = bytesOf(4 * segmentBytes);
    const before = world.sent.bytes;
    const id = await world.put(ada!, bytes);
    expect(await world.health(ada!, id)).toMatchObject({ held: 3 });
    const put = world.sent.bytes - before;
    const dan = await world.open('dan');
    expect(Buffer.compare(await world.get(dan, id), bytes)).toBe(0);
    const got = world.sent.bytes - before - put;
    // Two others keep all of it; the rest is what a group says anyway.
    expect(put / bytes.length).toBeLessThan(2.2);
    expect(got / bytes.length).toBeLessThan(1.2);
  });

  it('is repaired no faster than its share of the link', async () => {
    world = new DispersalGroup('throttled');
    const [ann] = await world.start('ann', 'bea', 'cid');
    const bytes = bytesOf(24 * MiB);
    await world.put(ann!, bytes);
    await world.kill('bea', 'cid');
    await world.clock.advance(20_000);
    const began = world.clock.now();
    await world.start('dan', 'eve');
    const before = world.repairedBytes();
    const sends = async () => world.repairedBytes() - before;
    await world.clock.until(async () => (await sends()) >= 24 * MiB, 60_000, 'half of it');
    const seconds = (world.clock.now() - began) / 1_000;
    expect(((await sends()) - repairBurstBytes) / seconds).toBeLessThan(repairBytesPerSecond * 1.05);
    await world.clock.until(async () => (await sends()) === 48 * MiB, 60_000, 'two copies');
  }, 180_000);
});

describe('repair', () => {
  it('by two stewards at once wastes work, and that is all', async () => {
    world = new DispersalGroup('two stewards');
    await world.start(...nine);
    const ann = world.live.get('ann')!;
    const bytes = bytesOf(2 * MiB);
    const id = await world.put(ann, bytes);
    await world.untilHealth(ann, id, ({ held }) => held === 6, 5_000, 'six slices');
    // Each half takes the other for gone, and repairs as if it were alone.
    const peers = world.peers.map(({ kernel }) => kernel.self.peer);
    world.group.network.partition(peers.slice(0, 4), peers.slice(4));
    await world.clock.advance(25_000);
    world.group.network.heal();
    await world.group.joined(world.peers, 9, 120_000);
    await world.clock.advance(300_000);
    for (const peer of world.peers) {
      expect(await world.health(peer, id)).toMatchObject({ k: 2, held: 6, online: 6 });
      expect(same(await world.get(peer, id), bytes)).toBe(true);
    }
  }, 120_000);

  it('goes on where a steward has died over it', async () => {
    world = new DispersalGroup('steward dies');
    const names = ['ann', 'bea', 'cid', 'dan', 'eve', 'fay', 'gus'];
    await world.start(...names);
    const ann = world.live.get('ann')!;
    const bytes = bytesOf(24 * MiB);
    const id = await world.put(ann, bytes);
    await world.untilHealth(ann, id, ({ held }) => held === 6, 5_000, 'six slices');
    await world.kill('ann', 'bea', 'cid');
    const working = () =>
      [...world.usage].find(([name, { repair }]) => world.live.has(name) && repair.running > 0 && repair.doneBytes > 6 * MiB)?.[0];
    await world.clock.until(() => working() !== undefined, 30_000, 'a steward at work');
    await world.kill(working()!);
    const [anybody] = world.peers;
    await world.untilHealth(
      anybody!,
      id,
      ({ k, online }) => (k === 1 ? online === 3 : online >= world.peers.length),
      60_000,
      'whole again',
    );
    expect(same(await world.get(anybody!, id), bytes)).toBe(true);
  }, 120_000);

  it('is not misled for long by a member that announces what it has not', async () => {
    world = new DispersalGroup('boaster');
    await world.start('ann', 'bea', 'cid', 'dan', 'eve', 'fay');
    const ann = world.live.get('ann')!;
    const bytes = bytesOf(2 * MiB);
    const id = await world.put(ann, bytes);
    await world.untilHealth(ann, id, ({ held }) => held === 6, 5_000, 'six slices');
    const boaster = await world.open('boaster');
    await world.kill('bea');
    const claims = encodeSlots([0, 1, 2, 3, 4, 5].map((index) => ({ object: id, k: 2, index })));
    const set = new SlotSet();
    for (let index = 0; index < 6; index++) set.add({ object: id, k: 2, index });
    const request = { store: boaster.storage.store, added: claims, removed: new Uint8Array(), digest: set.digest() };
    for (const { kernel } of world.peers) {
      const { peer } = kernel.self;
      if (peer !== boaster.kernel.self.peer)
        unwrap(await world.clock.finish(boaster.kernel.bus.ask(blocksContract, 'holdings', 'update', request, { peer })));
    }
    for (const name of ['ann', 'cid', 'dan', 'eve', 'fay']) expect(same(await world.get(world.live.get(name)!, id), bytes)).toBe(true);
    await world.clock.advance(30_000);
    // Those who tried to read from it, or asked what it has, know better.
    const late = await world.open('late');
    expect(same(await world.get(late, id), bytes)).toBe(true);
    await world.kill('cid', 'dan');
    await world.clock.advance(60_000);
    expect(same(await world.get(late, id), bytes)).toBe(true);
  }, 120_000);

  it('makes a lone tab’s objects safe as soon as others come', async () => {
    world = new DispersalGroup('alone');
    const ann = await world.open('ann');
    const [large, small] = [bytesOf(300_000), bytesOf(900)];
    const [a, b] = [await world.put(ann, large), await world.putSmall(ann, small)];
    expect(await world.health(ann, a)).toMatchObject({ copies: 0, held: 1 });
    await world.start('bea', 'cid');
    const took = await world.untilHealth(ann, a, ({ copies }) => copies >= 2, 10_000, 'two copies of the large one');
    await world.untilHealth(ann, b, ({ copies }) => copies >= 2, 10_000, 'two copies of the small one');
    expect(took).toBeLessThan(5_000);
    await world.kill('ann');
    expect(same(await world.get(world.live.get('bea')!, a), large)).toBe(true);
    expect(same(await world.get(world.live.get('cid')!, b), small)).toBe(true);
  }, 60_000);
});

describe('a coding for more people', () => {
  it('is made when they have stayed, is checked by those who drop the old one, and is read without it', async () => {
    world = new DispersalGroup('grown');
    const [ann] = await world.start('ann', 'bea', 'cid');
    const bytes = bytesOf(300_000);
    const id = await world.put(ann!, bytes);
    await world.untilHealth(ann!, id, ({ k, held }) => k === 1 && held === 3, 5_000, 'three copies');
    await world.start('dan', 'eve', 'fay');
    await world.clock.advance(recodeUpAfterMs - 120_000);
    expect(await world.health(ann!, id)).toMatchObject({ k: 1, held: 3 });
    await world.clock.advance(180_000);
    await world.untilHealth(ann!, id, ({ k, held }) => k === 2 && held === 6, 60_000, '2 of 6');
    const copies = async () => {
      const whole = await Promise.all(world.peers.map(async ({ storage }) => sizeOf(unwrap(await storage.entries('slices', '')))));
      return whole.filter((size) => size >= bytes.length).length;
    };
    // Ann put it, and keeps it whole for convenience; the other two let go of their copies.
    await world.clock.until(async () => (await copies()) === 1, 300_000, 'the copies dropped');
    await world.kill('ann', 'bea', 'cid', 'dan');
    const late = await world.open('late');
    expect(same(await world.get(late, id), bytes)).toBe(true);
  }, 120_000);

  it('that is a lie makes nobody drop what they have, and names who signed it', async () => {
    world = new DispersalGroup('liar');
    const [ann] = await world.start('ann', 'bea', 'cid', 'dan', 'eve');
    const bytes = bytesOf(300_000);
    // As if it had been put by three.
    await world.kill('dan', 'eve');
    await world.clock.advance(15_000);
    const id = await world.put(ann!, bytes);
    await world.start('dan', 'eve');
    const liar = world.live.get('eve')!;
    const { manifest } = unwrap(await world.clock.finish(liar.kernel.bus.ask(blocksContract, 'objects', 'get', { id }))).body;
    const false6 = Array.from({ length: 6 }, (_, i) => bytesOf(150_000, `no slice ${i}`));
    const hashes = await Promise.all(false6.map((slice) => leafHash(testDigest, slice)));
    const recoding = { v: 1, object: id, k: 2, n: 6, slices: [bytesOfHex(hashes.join(''))], by: liar.kernel.self.identity };
    const document = encodeWire(recoding);
    const signature = await testSigner('liar eve').sign(await recodingMessage(testDigest, document));
    expect(manifest.k).toBe(1);
    const ask = { peer: ann!.kernel.self.peer };
    const given = unwrap(await world.clock.finish(liar.kernel.bus.ask(blocksContract, 'manifests', 'get', { id }, ask)));
    for (const [i, { kernel }] of world.peers.entries()) {
      const options = { peer: kernel.self.peer, timeoutMs: 20_000 };
      const slice = { hash: hashes[i]!, expires: manifest.expires, size: 150_000, data: 0 };
      const { bus } = liar.kernel;
      unwrap(
        await world.clock.finish(bus.ask(blocksContract, 'manifests', 'insert', { manifest: 0 }, { ...options, buffers: given.buffers })),
      );
      unwrap(await world.clock.finish(bus.ask(blocksContract, 'slices', 'insert', slice, { ...options, buffers: [false6[i]!] })));
      unwrap(
        await world.clock.finish(
          bus.ask(blocksContract, 'recodings', 'insert', { recoding: 0, signature }, { ...options, buffers: [document] }),
        ),
      );
    }
    await world.clock.advance(300_000);
    for (const peer of world.peers) expect(same(await world.get(peer, id), bytes)).toBe(true);
    expect((await world.health(ann!, id)).k).toBe(1);
    const named = [...world.usage.values()].flatMap(({ forgers }) => forgers.map(({ identity }) => identity));
    expect(new Set(named)).toEqual(new Set([liar.kernel.self.identity]));
  }, 120_000);
});

const sizeOf = (entries: readonly (readonly [string, unknown])[]) =>
  entries.reduce((sum, [, value]) => sum + (value instanceof Uint8Array ? value.length : 0), 0);

describe('many small objects', () => {
  it('put by a group that has just met are held four times, not more', async () => {
    // What comes to be known of members in the first seconds has all objects looked at, those put just now among them.
    world = new DispersalGroup('manyc');
    await world.start('ann', 'bea', 'cid', 'dan', 'eve', 'fay', 'gus');
    const ann = world.live.get('ann')!;
    const puts = Array.from({ length: 400 }, (_, i) => world.putSmallSoon(ann, bytesOf(64, `small ${i}`)));
    const ids = await world.clock.finish(Promise.all(puts), 60_000);
    await world.clock.advance(15_000);
    const held = await Promise.all(ids.map(async (id) => (await world.health(ann, id)).held));
    expect(new Set(held)).toEqual(new Set([4]));
  });

  it('lose no copy when a member goes, in few messages and little time', async () => {
    world = new DispersalGroup('many');
    await world.start('ann', 'bea', 'cid', 'dan', 'eve', 'fay', 'gus');
    const count = 4_000;
    const ann = world.live.get('ann')!;
    const ids: Awaited<ReturnType<DispersalGroup['putSmall']>>[] = [];
    for (let at = 0; at < count; at += 500) {
      const batch = Array.from({ length: 500 }, (_, i) => world.putSmallSoon(ann, bytesOf(64, `small ${at + i}`)));
      ids.push(...(await world.clock.finish(Promise.all(batch), 120_000)));
    }
    await world.clock.advance(20_000);
    expect((await world.health(ann, ids[0]!)).held).toBe(4);
    const before = { ...world.sent };
    await world.clock.advance(20_000);
    const idle = { messages: world.sent.messages - before.messages, bytes: world.sent.bytes - before.bytes };
    Object.assign(before, world.sent);
    const [began, wall] = [world.clock.now(), performance.now()];
    await world.kill('gus');
    const probes = ids.filter((_, i) => i % 97 === 0);
    await world.clock.advance(20_000);
    for (const id of probes) await world.untilHealth(ann, id, ({ online }) => online >= 4, 120_000, 'four copies again');
    const seconds = (world.clock.now() - began) / 1_000;
    const messages = world.sent.messages - before.messages - (idle.messages * seconds) / 20;
    console.info(
      `${count} small objects: four copies again after ${seconds} s with ${Math.round(messages)} messages, ${Math.round(performance.now() - wall)} ms of work`,
    );
    expect(messages).toBeLessThan(count);
    expect(seconds).toBeLessThan(90);
  }, 300_000);
});
